"""People get a message; the case goes on at once."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import TEXT, EvaluationError
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.nodes.seats import WHO, check_who, choose
from formloop.workflows.spec import Entry, FindForm, Node, Visit, Wanted, World
from formloop.workflows.state import Note, Tell


class SendMessage(Node):
    """A step that writes to people; `text` is an expression that gives the message."""

    name = "message"
    title = M("Message")
    icon = "message"
    color = "blue"
    required = ("who", "text")
    schema: ClassVar[Mapping[str, Any]] = {
        "who": WHO,
        "text": {
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "x-pick": "expression",
            "title": "Message",
            "x-title": {"zh-CN": "消息内容"},
        },
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """Its people."""
        return check_who(doc, at, form, library)

    def expressions(self, doc: Doc, find_form: FindForm) -> Mapping[str, Wanted]:
        """The text."""
        return {"text": (doc["text"], TEXT, {})}

    def enter(self, visit: Visit, world: World) -> Entry:
        """Write and go on; nobody to write to is no reason to stop."""
        expression = visit.step.expressions.get("text")
        try:
            text = str(world.value_of(expression, visit.names) or "") if expression is not None else ""
        except EvaluationError as error:
            return Entry(stuck=error.message)
        at, round = visit.step.id, visit.token.round
        told = tuple(Tell(at, round, s.person, s.why, text) for s in choose(visit, world))
        noted = Note("message", at, round, comment=text, detail={"people": [t.person for t in told]})
        return Entry((*told, noted) if told else (), next=visit.step.next)
