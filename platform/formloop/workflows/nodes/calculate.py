"""Something is calculated, for the steps behind it to use."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import Doc
from formloop.core.expression import EvaluationError, RecordType, Type
from formloop.core.text import M
from formloop.workflows.spec import Entry, FindForm, Node, Visit, Wanted, World

TYPED: Mapping[str, Any] = {"x-formula": True, "title": "Value", "x-title": {"zh-CN": "取值"}}


def pairs(name: Mapping[str, Any]) -> dict[str, Any]:
    """How a panel asks for values: each by what is called so, and by a formula."""
    return {"name": name, "value": {**TYPED, "x-pick": "named"}}


NEW: Mapping[str, Any] = {"title": "Name", "x-title": {"zh-CN": "名称"}}
FIELD: Mapping[str, Any] = {"x-pick": "field", "title": "Field", "x-title": {"zh-CN": "字段"}}
VALUES: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 200,
    "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,40}$"},
    "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 4096, "x-pick": "expression"},
    "x-pairs": pairs(NEW),
    "title": "Values",
    "x-title": {"zh-CN": "取值"},
}

BROKEN = M("An expression of this step no longer fits the forms.")


class Calculate(Node):
    """A step that calculates values; `flow.<step>.<name>` is what the steps behind it read."""

    name = "calculate"
    title = M("Calculate")
    icon = "calculator"
    color = "secondary"
    required = ("values",)
    schema: ClassVar[Mapping[str, Any]] = {"values": VALUES}

    def expressions(self, doc: Doc, find_form: FindForm) -> Mapping[str, Wanted]:
        """Each value."""
        return {f"values.{key}": (source, None, {}) for key, source in doc["values"].items()}

    def offers(self, doc: Doc, types: Mapping[str, Type], find_form: FindForm) -> Type | None:
        """The values."""
        names = {key.removeprefix("values."): kind for key, kind in types.items()}
        return RecordType("values", lambda: names)

    def enter(self, visit: Visit, world: World) -> Entry:
        """Calculate and go on."""
        try:
            values = evaluate(visit, world)
        except EvaluationError as error:
            return Entry(stuck=error.message)
        if values is None:
            return Entry(stuck=BROKEN)
        return Entry(next=visit.step.next, variables={visit.step.id: values})


def evaluate(visit: Visit, world: World, part: str = "values") -> dict[str, Any] | None:
    """The values of a part of a step; None when an expression no longer fits the forms."""
    found = {}
    for key in visit.step.document.get(part, {}):
        expression = visit.step.expressions.get(f"{part}.{key}")
        if expression is None:
            return None
        found[key] = world.value_of(expression, visit.names)
    return found
