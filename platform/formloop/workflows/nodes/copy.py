"""People are told; the case goes on at once."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.nodes.seats import FIELD_WORDS, WHO, check_fields, check_who, choose
from formloop.workflows.spec import Entry, Node, Visit, World
from formloop.workflows.state import Note, Tell


class Copy(Node):
    """A step that sends copies."""

    name = "copy"
    title = M("Copies")
    icon = "send"
    color = "blue"
    required = ("who",)
    schema: ClassVar[Mapping[str, Any]] = {
        "who": WHO,
        "fields": {
            "type": "object",
            "maxProperties": 500,
            "additionalProperties": {
                "enum": ["view", "hide"],
                "x-titles": {right: FIELD_WORDS[right] for right in ("view", "hide")},
            },
            "x-pick": "fields",
            "title": "Field rights",
            "x-title": {"zh-CN": "字段权限"},
        },
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """Its people and what they see."""
        return [*check_who(doc, at, form, library), *check_fields(doc, at, form)]

    def enter(self, visit: Visit, world: World) -> Entry:
        """Tell everybody and go on; nobody to tell is no reason to stop."""
        at, round = visit.step.id, visit.token.round
        told = tuple(Tell(at, round, s.person, s.why) for s in choose(visit, world))
        noted = Note("copied", at, round, detail={"people": [t.person for t in told]})
        return Entry((*told, noted) if told else (), next=visit.step.next)
