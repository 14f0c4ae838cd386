"""The case waits: for a while, until a date of the record, until a condition holds, or for a change somewhere."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import BOOL, EvaluationError, RecordType, Type
from formloop.core.text import M, Message, Titled
from formloop.forms.spec import FormSpec, no_form
from formloop.workflows.nodes.due import CALENDAR, DURATION, check_date
from formloop.workflows.plain import Found
from formloop.workflows.spec import Entry, FindForm, Node, Visit, Wanted, World
from formloop.workflows.state import Alarm, Effect, Event, Watch

AGAIN = "PT1H"  # a condition may also come true because time passes
OWN = "own"  # the watch for changes of the case's own record


class Wait(Node):
    """A step that waits for no person."""

    name = "wait"
    title = M("Wait")
    icon = "hourglass"
    color = "secondary"
    schema: ClassVar[Mapping[str, Any]] = {
        "after": {**DURATION, "title": "So long", "x-title": {"zh-CN": "等待时长"}},
        "calendar": CALENDAR,
        "field": {
            "type": "string",
            "x-pick": "date_field",
            "title": "Until the date in",
            "x-title": {"zh-CN": "等到日期字段"},
        },
        "until": {
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "x-pick": "expression",
            "title": "Until this holds",
            "x-title": {"zh-CN": "等到条件成立"},
        },
        "event": {
            "type": "object",
            "additionalProperties": False,
            "required": ["form", "on"],
            "properties": {
                "form": {"type": "string", "x-pick": "form", "title": "Form", "x-title": {"zh-CN": "表单"}},
                "on": {
                    "type": "string",
                    "pattern": "^(created|updated|deleted|state:[a-z][a-z0-9_]{0,40})$",
                    "title": "What happens",
                    "x-title": {"zh-CN": "事件"},
                },
                "record": {"type": "string", "title": "To which record", "x-title": {"zh-CN": "哪条记录"}},
            },
            "title": "For an event",
            "x-title": {"zh-CN": "等待事件"},
        },
        "most": {**DURATION, "title": "At the longest", "x-title": {"zh-CN": "最长等待"}},
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """Exactly one of a time, a date, a condition and an event; with `after` a date may lie further off."""
        chosen = [key for key in ("field", "until", "event") if key in doc]
        if (
            len(chosen) > 1
            or not (chosen or "after" in doc)
            or ("after" in doc and chosen not in ([], ["field"]))
        ):
            text = M("It waits for a time, for a date, until a condition holds, or for an event: say one.")
            return [Problem("wait", at, text)]
        problems = check_date(doc["field"], f"{at}.field", form) if "field" in doc else []
        if "event" in doc and library.find_document("form", doc["event"]["form"]) is None:
            problems.append(no_form(f"{at}.event.form", doc["event"]["form"]))
        return problems

    def references(self, doc: Doc) -> set[tuple[str, str]]:
        """The form of the event."""
        return {("form", doc["event"]["form"])} if "event" in doc else set()

    def expressions(self, doc: Doc, find_form: FindForm) -> Mapping[str, Wanted]:
        """The condition, and the record of the event."""
        found: dict[str, Wanted] = {}
        if "until" in doc:
            found["until"] = (doc["until"], BOOL, {})
        if "record" in doc.get("event", {}):
            found["event.record"] = (doc["event"]["record"], None, {})
        return found

    def offers(self, doc: Doc, types: Mapping[str, Type], find_form: FindForm) -> Type | None:
        """The record that the event was about."""
        target = find_form(doc["event"]["form"]) if "event" in doc else None
        return RecordType(target.key, lambda: target.names) if target is not None else None

    def because(self, doc: Doc, form: FormSpec) -> Message:
        """The time, the date, the condition or the event, as the step says it."""
        if "until" in doc:
            return M("Waits until this holds: {condition}", condition=doc["until"])
        if "event" in doc:
            return M("Waits for a change of another record")
        if "field" in doc:
            field = form.fields.get(doc["field"])
            return M(
                "Waits for the date in “{field}”", field=Titled(field.schema if field else {}, doc["field"])
            )
        return M("Waits for a time")

    def enter(self, visit: Visit, world: World) -> Entry:
        """Wait, or go on at once when there is nothing to wait for."""
        condition, since = visit.step.expressions.get("until"), world.now()
        try:
            if condition is not None and world.value_of(condition, visit.names) is True:
                return Entry(next=visit.step.next)
            waits = self.arm(visit, world, since)
        except EvaluationError as error:
            return Entry(stuck=error.message)
        if any(isinstance(each, Alarm) and each.what == "time" and each.at <= since for each in waits):
            return Entry(next=visit.step.next)
        return Entry(waits, stays=True, memory={"since": since})

    def arm(self, visit: Visit, world: World, since: datetime) -> tuple[Effect, ...]:
        """The time, the changes or the event it waits for, and the time at which it waits no longer."""
        most = visit.step.document.get("most")
        last = (Alarm(visit.token.round, world.later(since, most, False), "most"),) if most else ()
        return (*self._watches(visit, world, since), *last)

    def _watches(self, visit: Visit, world: World, since: datetime) -> tuple[Effect, ...]:
        doc, round = visit.step.document, visit.token.round
        if "until" in doc:
            again = Alarm(round, world.later(world.now(), AGAIN, False), "again")
            return (Watch(round, OWN), again)
        if "event" in doc:
            return (Watch(round, self._key(visit, world)),)
        begins = world.moment_in(doc["field"]) if "field" in doc else since
        if begins is None:  # an empty date is waited for no longer
            return (Alarm(round, since, "time"),)
        moment = world.later(begins, doc.get("after", "P0D"), doc.get("calendar") == "working")
        return (Alarm(round, moment, "time"),)

    def _key(self, visit: Visit, world: World) -> str:
        event, which = visit.step.document["event"], visit.step.expressions.get("event.record")
        key = f"{event['form']}:{event['on']}"
        return f"{key}:{world.value_of(which, visit.names)}" if which is not None else key

    def hear(self, visit: Visit, event: Event, world: World) -> Entry:
        """The time has come, the event has happened, or the record has changed: see whether that is it."""
        what = event.values.get("what")
        if what in ("time", "most"):
            return Entry(next=visit.step.next)
        if "until" not in visit.step.document:
            made = event.values.get("record")
            form = visit.step.document["event"]["form"] if "event" in visit.step.document else ""
            return Entry(
                next=visit.step.next, variables={visit.step.id: Found(form, (made,), False)} if made else {}
            )
        condition = visit.step.expressions.get("until")
        try:
            if condition is None or world.value_of(condition, visit.names) is not True:
                again = Alarm(visit.token.round, world.later(world.now(), AGAIN, False), "again")
                return Entry((again,) if what == "again" else (), stays=True)
        except EvaluationError as error:
            return Entry(stuck=error.message)
        return Entry(next=visit.step.next)
