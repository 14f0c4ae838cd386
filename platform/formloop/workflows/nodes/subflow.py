"""Another record is sent into the workflow of its form; this one waits for the outcome, or goes on."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import TEXT, EvaluationError, RecordType, Type
from formloop.core.text import M, Message
from formloop.forms.spec import FormSpec, no_form
from formloop.workflows.nodes.failing import FAILED
from formloop.workflows.spec import Entry, FindForm, Node, Visit, Wanted, World
from formloop.workflows.state import ENDED, Event, Note, Watch, Work


class SubFlow(Node):
    """A step that starts the approval of another record; `flow.<step>.status` tells how it ended."""

    name = "subflow"
    title = M("Sub-flow")
    icon = "sitemap"
    color = "purple"
    required = ("form", "record")
    schema: ClassVar[Mapping[str, Any]] = {
        "form": {"type": "string", "x-pick": "form", "title": "Form", "x-title": {"zh-CN": "表单"}},
        "record": {
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "x-pick": "expression",
            "title": "Which record",
            "x-title": {"zh-CN": "哪条记录"},
        },
        "wait": {
            "type": "boolean",
            "default": True,
            "title": "Wait for its end",
            "x-title": {"zh-CN": "等待其结束"},
        },
        "failed": {**FAILED, "title": "When it cannot begin", "x-title": {"zh-CN": "无法发起时"}},
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """The form must be there."""
        if library.find_document("form", doc["form"]) is not None:
            return []
        return [no_form(f"{at}.form", doc["form"])]

    def references(self, doc: Doc) -> set[tuple[str, str]]:
        """The form."""
        return {("form", doc["form"])}

    def expressions(self, doc: Doc, find_form: FindForm) -> Mapping[str, Wanted]:
        """The record."""
        return {"record": (doc["record"], None, {})}

    def offers(self, doc: Doc, types: Mapping[str, Type], find_form: FindForm) -> Type | None:
        """How it ended."""
        return RecordType("subflow", lambda: {"status": TEXT}) if doc.get("wait", True) else None

    def because(self, doc: Doc, form: FormSpec) -> Message:
        """The other case."""
        return M("Waits for the approval of another record")

    def enter(self, visit: Visit, world: World) -> Entry:
        """Promise to start it."""
        which = visit.step.expressions.get("record")
        try:
            record = world.value_of(which, visit.names) if which is not None else None
        except EvaluationError as error:
            return Entry(stuck=error.message)
        if which is None:
            return Entry(stuck=str(visit.step.document["record"]))
        if record is None:
            return Entry(next=visit.step.next)
        wanted = {"form": visit.step.document["form"], "record": record}
        return Entry((Work(visit.token.round, visit.step.id, "submit", wanted),), stays=True)

    def hear(self, visit: Visit, event: Event, world: World) -> Entry:
        """It has begun, or it has ended."""
        step, token = visit.step, visit.token
        if event.action == "failed":
            return self.fail(visit, event.values.get("reason", ""))
        waits = step.document.get("wait", True)
        if not waits or event.values.get("status") in ENDED:
            outcome = {step.id: {"status": str(event.values.get("status", ""))}} if waits else {}
            return Entry(next=step.next, variables=outcome)
        if "case" in event.values:
            begun = Note("begun", step.id, token.round, detail={"case": event.values["case"]})
            return Entry((begun, Watch(token.round, f"case:{event.values['case']}")), stays=True)
        return Entry(stays=True)
