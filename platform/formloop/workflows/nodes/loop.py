"""Steps are walked once for each line or found record, or again and again while a condition holds."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import ANY, BOOL, NUMBER, EvaluationError, ListType, RecordType, Type
from formloop.core.text import M
from formloop.events import reasons
from formloop.forms.spec import FormSpec
from formloop.workflows.nodes.condition import unfitting
from formloop.workflows.spec import Child, Entry, FindForm, Node, Visit, Wanted, World
from formloop.workflows.state import Note

MOST = 1_000


class Loop(Node):
    """A step that repeats the steps inside it. They know `loop.item` and `loop.index`, which begins at 1."""

    name = "loop"
    title = M("Loop")
    icon = "repeat"
    color = "secondary"
    required = ("steps",)
    block = True
    schema: ClassVar[Mapping[str, Any]] = {
        "over": {"type": "string", "title": "For each of", "x-title": {"zh-CN": "逐个处理"}},
        "at_once": {"type": "boolean", "title": "All at once", "x-title": {"zh-CN": "同时进行"}},
        "while": {
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "x-pick": "expression",
            "title": "As long as",
            "x-title": {"zh-CN": "循环条件"},
        },
        "most": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST,
            "title": "At most so many times",
            "x-title": {"zh-CN": "最多次数"},
        },
        "steps": {"$ref": "#/$defs/steps", "title": "Steps", "x-title": {"zh-CN": "步骤"}},
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """Either over something or while something; the latter says how often at most, so that it ends."""
        if ("over" in doc) == ("while" in doc):
            return [
                Problem("loop", at, M("A loop goes over lines or records, or on while a condition holds."))
            ]
        if "while" in doc and ("most" not in doc or doc.get("at_once")):
            return [
                Problem("loop", f"{at}.most", M("Say how often at most; one time comes after the other."))
            ]
        return []

    def expressions(self, doc: Doc, find_form: FindForm) -> Mapping[str, Wanted]:
        """The condition; it knows how often the loop was walked."""
        round = {"loop": RecordType("loop", lambda: {"index": NUMBER})}
        return {"while": (doc["while"], BOOL, round)} if "while" in doc else {}

    def inside(self, doc: Doc, form: FormSpec, flow: Mapping[str, Type]) -> Mapping[str, Type]:
        """The item, and its number."""
        over = form.names.get(doc.get("over", "")) or flow.get(doc.get("over", ""), ANY)
        item = over.of if isinstance(over, ListType) else over
        return {"loop": RecordType("loop", lambda: {"item": item, "index": NUMBER})}

    def enter(self, visit: Visit, world: World) -> Entry:
        """Begin with the first item, or with all of them."""
        doc = visit.step.document
        if "over" not in doc:
            return self._again(visit, world, 0)
        found = list(world.list_items(doc["over"], visit.names))
        items = found[: int(doc.get("most", MOST))]
        if not items:
            return Entry(next=visit.step.next)
        if len(found) > len(items) and "most" not in doc:
            return Entry(stuck=M("There are more than {most} to go through.", most=MOST))
        noted, first = self._limited(visit) if len(found) > len(items) else (), visit.step.branches[0].first
        if doc.get("at_once"):
            return Entry(noted, inside=tuple(Child(first, _item(i, item)) for i, item in enumerate(items)))
        return Entry(noted, inside=(Child(first, _item(0, items[0])),), memory={"items": items, "index": 0})

    def back(self, visit: Visit, world: World) -> Entry:
        """Go on with the next item, or behind the loop after the last."""
        doc, memory = visit.step.document, visit.token.memory
        if visit.token.inside:
            return Entry(stays=True)
        if "over" not in doc:
            return self._again(visit, world, int(memory.get("index", 0)))
        index = int(memory.get("index", 0)) + 1
        items = memory.get("items", ())
        if index >= len(items):
            return Entry(next=visit.step.next)
        first = visit.step.branches[0].first
        return Entry(inside=(Child(first, _item(index, items[index])),), memory={**memory, "index": index})

    def _again(self, visit: Visit, world: World, done: int) -> Entry:
        condition = visit.step.expressions.get("while")
        if condition is None:
            return Entry(stuck=unfitting(visit))
        try:
            names = {**visit.names, "loop": {"index": done + 1}}
            holds = world.value_of(condition, names) is True
        except EvaluationError as error:
            return Entry(stuck=error.message)
        if not holds:
            return Entry(next=visit.step.next)
        if done >= int(visit.step.document.get("most", 1)):
            return Entry(self._limited(visit), next=visit.step.next)
        child = Child(visit.step.branches[0].first, {"index": done + 1})
        return Entry(inside=(child,), memory={"index": done + 1})

    def _limited(self, visit: Visit) -> tuple[Note, ...]:
        """What the history says where the loop's own limit ends it early."""
        reason = reasons.written(M("At most {most} times.", most=visit.step.document.get("most", 1)))
        return (Note("limited", visit.step.id, visit.token.round, detail={"reason": reason}),)


def _item(index: int, item: Any) -> dict[str, Any]:
    return {"item": item, "index": index + 1}
