"""Another system is asked over HTTP, through the outbox; the answer is mapped and known to the steps behind."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import ANY, BOOL, NUMBER, EvaluationError, RecordType, Type
from formloop.core.text import M, Message
from formloop.events import reasons
from formloop.forms.spec import FormSpec
from formloop.workflows.nodes.calculate import BROKEN, NEW, TYPED, VALUES, evaluate
from formloop.workflows.nodes.failing import FAILED
from formloop.workflows.spec import Entry, FindForm, Node, Visit, Wanted, World
from formloop.workflows.state import Event, Note, Work

IDEMPOTENT = ("GET", "PUT", "DELETE")  # methods that do nothing twice, by what HTTP says of them


class HttpCall(Node):
    """A step that calls an address. Steps behind it know `flow.<step>.ok`, `.status` and what `answer` maps.

    Tried again it calls under the same key, unless it was answered: a refusal ends a call, no answer does not.
    """

    name = "http"
    title = M("HTTP call")
    icon = "world"
    color = "blue"
    required = ("url",)
    schema: ClassVar[Mapping[str, Any]] = {
        "method": {
            "enum": ["GET", "POST", "PUT", "PATCH", "DELETE"],
            "default": "POST",
            "title": "Method",
            "x-title": {"zh-CN": "方法"},
        },
        "url": {
            "type": "string",
            "pattern": "^https?://[^\\s]{1,2000}$",
            "title": "Address",
            "x-title": {"zh-CN": "地址"},
        },
        "values": {**VALUES, "title": "What is sent", "x-title": {"zh-CN": "发送内容"}},
        "answer": {
            **VALUES,
            "x-pairs": {"name": NEW, "value": TYPED},
            "title": "What the answer gives",
            "x-title": {"zh-CN": "结果映射"},
        },
        "idempotent": {
            "type": "boolean",
            "title": "Called twice, it does nothing twice",
            "x-title": {"zh-CN": "重复调用无副作用"},
        },
        "failed": FAILED,
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """What it is called must not hide what every answer has."""
        return [
            Problem("taken", f"{at}.answer.{key}", M("“{key}” is what every answer has already.", key=key))
            for key in doc.get("answer", {})
            if key in ("ok", "status")
        ]

    def expressions(self, doc: Doc, find_form: FindForm) -> Mapping[str, Wanted]:
        """What is sent, and what is taken from the answer, which they know as `answer`."""
        sent: dict[str, Wanted] = {f"values.{k}": (v, None, {}) for k, v in doc.get("values", {}).items()}
        return sent | {f"answer.{k}": (v, None, {"answer": ANY}) for k, v in doc.get("answer", {}).items()}

    def offers(self, doc: Doc, types: Mapping[str, Type], find_form: FindForm) -> Type | None:
        """Whether it went well, the status, and what was taken from the answer."""
        names: dict[str, Type] = {"ok": BOOL, "status": NUMBER}
        for key in doc.get("answer", {}):
            names[key] = types.get(f"answer.{key}", ANY)
        return RecordType("answer", lambda: names)

    def because(self, doc: Doc, form: FormSpec) -> Message:
        """The other system."""
        return M("Waits for an answer of another system")

    def enter(self, visit: Visit, world: World) -> Entry:
        """Promise the call."""
        try:
            values = evaluate(visit, world)
        except EvaluationError as error:
            return Entry(stuck=error.message)
        if values is None:
            return Entry(stuck=BROKEN)
        doc, key = visit.step.document, visit.token.memory.get("key", visit.token.round)
        method = doc.get("method", "POST")
        wanted = {"method": method, "url": doc["url"], "values": values, "key": key}
        wanted["idempotent"] = doc.get("idempotent", method in IDEMPOTENT)
        work = Work(visit.token.round, visit.step.id, "http", wanted)
        return Entry((work,), stays=True, memory={"key": key})

    def hear(self, visit: Visit, event: Event, world: World) -> Entry:
        """Map the answer. One that says no is a failure, as no answer is."""
        step, token = visit.step, visit.token
        if event.action not in ("done", "failed"):
            return Entry(stays=True)
        status = int(event.values.get("status", 0))
        ok = event.action == "done" and 200 <= status < 300
        reason = event.values.get("reason") or f"HTTP {status}"
        found: dict[str, Any] = {"ok": ok, "status": status}
        if ok:
            try:
                found |= self._mapped(visit, event, world)
            except EvaluationError as error:
                ok, reason = False, error.message
                found["ok"] = False
        if not ok and step.document.get("failed") != "pass":
            return Entry(stuck=reason, memory={} if event.action == "done" else None)
        why = {} if ok else {"reason": reasons.written(reason)}
        note = Note("called", step.id, token.round, detail={"status": status, **why})
        return Entry((note,), next=step.next, variables={step.id: found})

    def _mapped(self, visit: Visit, event: Event, world: World) -> dict[str, Any]:
        names = {**visit.names, "answer": event.values.get("body")}
        return {
            key: world.value_of(visit.step.expressions[f"answer.{key}"], names)
            for key in visit.step.document.get("answer", {})
            if f"answer.{key}" in visit.step.expressions
        }
