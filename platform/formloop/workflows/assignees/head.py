"""The head of a department, one or more levels up from a person or from a department."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from formloop.core.definitions import Library
from formloop.core.errors import Problem
from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import AssigneeRule, Directory
from formloop.workflows.state import Rule


class Head(AssigneeRule):
    """The head of level n over whoever submitted, or over the person or department in a field (`of`)."""

    name = "head"
    title = M("Head of department")
    icon = "hierarchy"
    required = ("level",)
    schema: ClassVar[Mapping[str, Any]] = {
        "level": {
            "type": "integer",
            "minimum": 1,
            "maximum": 5,
            "title": "Level",
            "x-title": {"zh-CN": "级别"},
        },
        "of": {
            "type": "string",
            "x-pick": "person_field",
            "title": "Field with the person or department",
            "x-title": {"zh-CN": "成员或部门字段"},
        },
    }

    def check(self, rule: Rule, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """`of` names a member or department field."""
        if "of" not in rule:
            return []
        field = form.find(rule["of"])
        if field is not None and field.type.name in ("member", "department") and field.subform is None:
            return []
        text = M("“{key}” is no member or department field of the form.", key=rule["of"])
        return [Problem("no_field", f"{at}.of", text)]

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """At most one."""
        heads = line_of(rule, directory)
        return heads[rule["level"] - 1 : rule["level"]]

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """Through the line."""
        if rule["level"] == 1:
            return M("You are the head of the department this came from.")
        return M("You are the head {level} levels above the department this came from.", level=rule["level"])


def line_of(rule: Rule, directory: Directory) -> Sequence[int]:
    """The heads above whoever submitted, or above the person or department in the field `of`, nearest first."""
    if "of" not in rule:
        return directory.heads_above(directory.initiator)
    value = directory.value(rule["of"])
    if value is None:
        return ()
    if directory.is_department(rule["of"]):
        return directory.heads_of(int(value))
    return directory.heads_above(int(value))
