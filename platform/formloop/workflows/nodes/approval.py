"""People decide: one of them, all of them, or one after the other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.nodes.seats import FIELD_RIGHTS, WHO, check_fields, check_who, choose
from formloop.workflows.spec import (
    ACTIONS,
    LATER_ACTIONS,
    Ask,
    CancelOpen,
    Entry,
    Node,
    Note,
    Seat,
    State,
    Step,
    World,
)

_DURATION = {"type": "string", "pattern": "^P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?)?$"}


class Approval(Node):
    """A step that waits for people."""

    name = "approval"
    title = M("Approval")
    icon = "user-check"
    color = "orange"
    required = ("who",)
    schema: ClassVar[Mapping[str, Any]] = {
        "who": WHO,
        "mode": {
            "enum": ["any", "all", "in_turn"],
            "title": "How they decide",
            "x-title": {"zh-CN": "多人审批方式"},
        },
        "nobody": {
            "anyOf": [
                {"enum": ["stop", "pass"]},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["person"],
                    "properties": {
                        "person": {"type": "string", "title": "Account", "x-title": {"zh-CN": "账号"}}
                    },
                },
            ],
            "title": "When nobody is found",
            "x-title": {"zh-CN": "找不到审批人时"},
        },
        "fields": {
            "type": "object",
            "maxProperties": 500,
            "additionalProperties": {"enum": list(FIELD_RIGHTS)},
            "title": "Field rights",
            "x-title": {"zh-CN": "字段权限"},
        },
        "actions": {
            "type": "array",
            "uniqueItems": True,
            "contains": {"const": "approve"},
            "items": {"enum": [*ACTIONS, *LATER_ACTIONS]},
            "title": "Actions",
            "x-title": {"zh-CN": "可用操作"},
        },
        "due": {
            "type": "object",
            "additionalProperties": False,
            "required": ["after"],
            "properties": {
                "after": {**_DURATION, "title": "After", "x-title": {"zh-CN": "时限"}},
                "calendar": {"enum": ["working", "all"], "title": "Days", "x-title": {"zh-CN": "日历"}},
                "then": {
                    "type": "array",
                    "maxItems": 10,
                    "title": "Then",
                    "x-title": {"zh-CN": "超时后"},
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["do"],
                        "properties": {
                            "do": {"enum": ["remind", "escalate", "approve", "return"]},
                            "every": _DURATION,
                            "after": _DURATION,
                        },
                    },
                },
            },
            "title": "Due",
            "x-title": {"zh-CN": "时限"},
        },
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """Its people and its field rights."""
        return [*check_who(doc, at, form, library), *check_fields(doc, at, form)]

    def enter(self, step: Step, state: State, world: World) -> Entry:
        """Ask everybody, or the first one when they decide in turn."""
        seats = choose(step, world) or _stand_in(step, world)
        if not seats:
            return _nobody(step, state)
        if step.mode == "in_turn":
            seats = (seats[0], *(replace(s, state="waiting") for s in seats[1:]))
        asked = tuple(Ask(step.id, state.round, s.person, s.why) for s in seats if s.state == "open")
        return Entry(replace(state, seats=seats), asked, stays=True)

    def decide(self, step: Step, state: State, person: int) -> Entry:
        """One agreed: the step is done, or the others (or the next one) are still to decide."""
        seats = tuple(
            replace(s, state="done") if s.person == person and s.state == "open" else s for s in state.seats
        )
        if step.mode == "any":
            return self._done(step, state, seats)
        waiting = next((s for s in seats if s.state == "waiting"), None)
        if waiting is not None and not any(s.state == "open" for s in seats):
            called = replace(waiting, state="open")
            seats = tuple(called if s is waiting else s for s in seats)
            return Entry(
                replace(state, seats=seats),
                (Ask(step.id, state.round, called.person, called.why),),
                stays=True,
            )
        if any(s.state in ("open", "waiting") for s in seats):
            return Entry(replace(state, seats=seats), stays=True)
        return self._done(step, state, seats)

    def _done(self, step: Step, state: State, seats: tuple[Seat, ...]) -> Entry:
        left = any(s.state == "open" for s in seats)
        passed = (*(each for each in state.passed if each != step.id), step.id)
        return Entry(replace(state, seats=(), passed=passed), (CancelOpen(),) if left else (), next=step.next)


def _stand_in(step: Step, world: World) -> tuple[Seat, ...]:
    nobody = step.document.get("nobody")
    if not isinstance(nobody, dict):
        return ()
    rule = {"rule": "stand_in", "person": nobody["person"]}
    return tuple(Seat(person, rule) for person in world.find_people(rule))


def _nobody(step: Step, state: State) -> Entry:
    if step.document.get("nobody") == "pass":
        return Entry(state, (Note("passed", step.id, state.round),), next=step.next)
    stuck = replace(state, status="stuck", seats=())
    return Entry(stuck, (Note("stuck", step.id, state.round),), stays=True)
