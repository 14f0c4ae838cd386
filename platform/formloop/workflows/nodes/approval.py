"""People decide: one of them, all of them, one after the other, or by vote."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Conflict, Problem
from formloop.core.expression import TEXT, Type
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.nodes.due import DUE, alarms, check_due, next_alarm
from formloop.workflows.nodes.renewing import renew
from formloop.workflows.nodes.seats import (
    FIELD_RIGHTS,
    FIELD_WORDS,
    GONE,
    NEEDS,
    WAITS,
    WHO,
    call,
    call_next,
    check_fields,
    check_who,
    choose,
    line_up,
    pass_repeated,
    sit,
)
from formloop.workflows.spec import ACTIONS, OFFERED, Entry, FindForm, Node, Step, Visit, World
from formloop.workflows.state import Alarm, CancelOpen, Event, Note, Remind, Seat

ACTION_WORDS: Mapping[str, Any] = {
    "approve": {"title": "Approve", "x-title": {"zh-CN": "同意"}},
    "reject": {"title": "Reject", "x-title": {"zh-CN": "拒绝"}},
    "return": {"title": "Return", "x-title": {"zh-CN": "退回"}},
    "transfer": {"title": "Hand over", "x-title": {"zh-CN": "转交"}},
    "add_signer": {"title": "Add a signer", "x-title": {"zh-CN": "加签"}},
}
HALF = 50  # percent that must agree in a vote that says nothing else

NOBODY: Mapping[str, Any] = {
    "anyOf": [
        {
            "enum": ["stop", "pass"],
            "x-titles": {
                "stop": {"title": "An administrator is asked", "x-title": {"zh-CN": "转管理员处理"}},
                "pass": {"title": "It goes on", "x-title": {"zh-CN": "自动通过"}},
            },
        },
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["person"],
            "properties": {"person": {"type": "string", "title": "Account", "x-title": {"zh-CN": "账号"}}},
        },
    ],
    "default": "stop",
    "title": "When nobody is found",
    "x-title": {"zh-CN": "找不到审批人时"},
}
REPEATED: Mapping[str, Any] = {
    "enum": ["ask", "before", "any"],
    "x-titles": {
        "ask": {"title": "Is asked again", "x-title": {"zh-CN": "再次审批"}},
        "before": {"title": "Passes if at the step before", "x-title": {"zh-CN": "上一节点已同意则跳过"}},
        "any": {"title": "Passes if at any step", "x-title": {"zh-CN": "任一节点已同意则跳过"}},
    },
    "title": "Whoever agreed before",
    "x-title": {"zh-CN": "审批人去重"},
    "description": "Left empty: as the workflow says.",
    "x-description": {"zh-CN": "不填时：按流程的设置。"},
}


class Approval(Node):
    """A step that waits for people who approve or reject."""

    name = "approval"
    title = M("Approval")
    icon = "user-check"
    color = "orange"
    required = ("who",)
    actions: ClassVar[tuple[str, ...]] = ACTIONS
    schema: ClassVar[Mapping[str, Any]] = {
        "who": WHO,
        "mode": {
            "enum": ["any", "all", "in_turn", "vote"],
            "x-titles": {
                "any": {"title": "One is enough", "x-title": {"zh-CN": "或签（一人同意即可）"}},
                "all": {"title": "All must agree", "x-title": {"zh-CN": "会签（须全部同意）"}},
                "in_turn": {"title": "One after the other", "x-title": {"zh-CN": "依次审批"}},
                "vote": {"title": "By vote", "x-title": {"zh-CN": "按比例投票"}},
            },
            "description": "Left empty: one is enough; people up the line decide one after the other.",
            "x-description": {"zh-CN": "不填时：一人同意即可；逐级审批则依次审批。"},
            "title": "How they decide",
            "x-title": {"zh-CN": "多人审批方式"},
        },
        "percent": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": HALF,
            "x-only-with": {"mode": ["vote"]},
            "title": "Percent that must agree",
            "x-title": {"zh-CN": "通过比例（%）"},
        },
        "rejected": {
            "enum": ["end", "return", "pass"],
            "x-titles": {
                "end": {"title": "It ends", "x-title": {"zh-CN": "流程结束"}},
                "return": {"title": "Back to the initiator", "x-title": {"zh-CN": "退回发起人"}},
                "pass": {"title": "It goes on", "x-title": {"zh-CN": "继续流转"}},
            },
            "default": "end",
            "title": "When rejected",
            "x-title": {"zh-CN": "拒绝后"},
        },
        "returned": {
            "enum": ["again", "back"],
            "x-titles": {
                "again": {"title": "Through all steps again", "x-title": {"zh-CN": "重新逐级审批"}},
                "back": {"title": "Straight back to this step", "x-title": {"zh-CN": "直接回到本节点"}},
            },
            "default": "again",
            "title": "After a return",
            "x-title": {"zh-CN": "退回后重新提交"},
        },
        "repeated": REPEATED,
        "nobody": NOBODY,
        "fields": {
            "type": "object",
            "maxProperties": 500,
            "additionalProperties": {"enum": list(FIELD_RIGHTS), "x-titles": FIELD_WORDS},
            "x-pick": "fields",
            "title": "Field rights",
            "x-title": {"zh-CN": "字段权限"},
        },
        "actions": {
            "type": "array",
            "uniqueItems": True,
            "contains": {"const": "approve"},
            "items": {"enum": list(ACTIONS), "x-titles": ACTION_WORDS},
            "default": list(OFFERED),
            "title": "Actions",
            "x-title": {"zh-CN": "可用操作"},
        },
        "needs": NEEDS,
        "due": DUE,
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """Its people, its field rights and its times."""
        return [*check_who(doc, at, form, library), *check_fields(doc, at, form), *check_due(doc, at, form)]

    def offers(self, doc: Doc, types: Mapping[str, Type], find_form: FindForm) -> Type | None:
        """The decision, where the case goes on after a rejection too."""
        return TEXT if doc.get("rejected") == "pass" else None

    def enter(self, visit: Visit, world: World) -> Entry:
        """Ask everybody, or the first one when they decide in turn."""
        step = visit.step
        seats = choose(visit, world)
        if not seats:
            return self._nobody(visit)
        seats = pass_repeated(visit, seats)
        if step.mode == "in_turn":
            seats = line_up(seats)
        notes, entry = _repeated(visit, seats), self._standing(step, seats)
        return replace(entry, effects=(*notes, *(alarms(visit, world) if entry.stays else ())))

    def renew(self, visit: Visit, world: World) -> Entry:
        """Ask as this version of the step says; who is asked already, and still is, notices nothing."""
        before, seats = visit.token.seats, renew(visit, world)
        if not seats and visit.step.document.get("nobody") != "pass":
            raise Conflict(M("The new version finds nobody to ask at “{step}”.", step=visit.step.called))
        entry = self._standing(visit.step, seats) if seats else self._nobody(visit)
        asked = {(s.person, s.round) for s in seats if s.state == "open"}
        gone = [s for s in before if s.state == "open" and (s.person, s.round) not in asked]
        cancelled = [CancelOpen((s.round,) if s.round > 0 else (), (s.person,)) for s in gone]
        new = tuple(s for s in seats if s.person not in {each.person for each in before})
        return replace(entry, effects=(*cancelled, *_repeated(visit, new), *entry.effects))

    def _standing(self, step: Step, seats: tuple[Seat, ...]) -> Entry:
        """What the seats come to as they are: decided, or still waiting."""
        if step.mode == "vote":
            return self._count(step, seats)
        waits = any(s.state in WAITS for s in seats)
        if not waits or (step.mode == "any" and any(s.state == "done" for s in seats)):
            return self._agreed(step, seats)
        return Entry(stays=True, seats=seats)

    def arm(self, visit: Visit, world: World, since: datetime) -> tuple[Alarm, ...]:
        """Its times, but for a past one at which the heads were asked already."""
        if not visit.token.seats:
            return ()
        then = visit.step.document.get("due", {}).get("then", ())
        escalated = any("escalated" in (seat.why.get("rule"), *seat.why) for seat in visit.token.seats)
        return tuple(
            each
            for each in alarms(visit, world, since)
            if not (escalated and then[int(each.what)]["do"] == "escalate" and each.at <= world.now())
        )

    def _nobody(self, visit: Visit) -> Entry:
        step, token = visit.step, visit.token
        if step.document.get("nobody") == "pass":
            return Entry((Note("passed", step.id, token.round),), next=step.next)
        return Entry(stuck="")

    def decide(self, visit: Visit, event: Event, world: World) -> Entry:
        """One said yes or no: the step is decided, or the others (or the next one) are still to decide."""
        step, token = visit.step, visit.token
        found = visit.state.seat_of(event.by, event.round)
        mine = found[1] if found else None
        said = "done" if event.action == "approve" else "against"
        seats = tuple(replace(s, state=said) if s is mine else s for s in token.seats)
        if step.mode != "vote" and event.action == "reject":
            return self._rejected(step, seats)
        called = call(visit, call_next(seats, event.by), world)
        added = mine is not None and mine.why.get("rule") == "added"
        anew = _still_to_come(visit, world) if added and called != seats else ()
        entry = self._counted(step, seats, called, anew)
        return replace(entry, effects=(*_left_out(visit, seats, called, world), *entry.effects))

    def _counted(
        self, step: Step, seats: tuple[Seat, ...], called: tuple[Seat, ...], anew: tuple[Alarm, ...]
    ) -> Entry:
        """What a yes comes to, or in a vote a no; `called` are the seats with those whose turn has come by it."""
        if step.mode == "vote" and not (counted := self._count(step, called)).stays:
            return counted
        if any(s.state == "gone" and s not in seats for s in called):
            return Entry(anew, stuck=GONE, seats=called)
        if step.mode == "any" and not any(s.state == "open" and not s.round for s in called):
            return self._agreed(step, called)
        if step.mode == "vote" or any(s.state in WAITS for s in called):
            return Entry(anew, stays=True, seats=called)
        return self._agreed(step, called)

    def _count(self, step: Step, seats: tuple[Seat, ...]) -> Entry:
        """A vote is over as soon as nothing can change its outcome."""
        percent = int(step.document.get("percent", HALF))
        agreed, against = (sum(1 for s in seats if s.state == each) for each in ("done", "against"))
        if agreed * 100 >= percent * len(seats):
            return self._agreed(step, seats)
        if (len(seats) - against) * 100 < percent * len(seats):
            return self._rejected(step, seats)
        return Entry(stays=True, seats=seats)

    def _agreed(self, step: Step, seats: tuple[Seat, ...]) -> Entry:
        return Entry(next=step.next, seats=seats, agreed=True, variables=_outcome(step, "approved"))

    def _rejected(self, step: Step, seats: tuple[Seat, ...]) -> Entry:
        return Entry(next=step.next, seats=seats, rejected=True, variables=_outcome(step, "rejected"))

    def hear(self, visit: Visit, event: Event, world: World) -> Entry:
        """A time has come: remind, ask the heads instead, agree, or return."""
        step, token, what = visit.step, visit.token, str(event.values.get("what", ""))
        then = step.document.get("due", {}).get("then", ())
        if event.action != "due" or not what.isdecimal() or int(what) >= len(then) or token.inside:
            return Entry(stays=True)
        do = then[int(what)]["do"]
        asked = tuple(s.person for s in token.seats if s.state == "open")
        note = _told(f"due_{do}", visit, asked)
        if do == "approve":
            return replace(self._agreed(step, token.seats), effects=(note,))
        if do == "return":
            return Entry((note,), returns=True)
        again = next_alarm(visit, world, what)
        if do == "remind":
            return Entry((note, Remind(asked), *again), stays=True)
        seats, gone = _escalated(visit, world)
        left = tuple(person for person in asked if any(s.person == person for s in seats))
        moved = tuple(person for person in asked if person not in left)
        notes = [_told("due_escalate", visit, moved)] if moved else []
        notes += [_told("due_no_head", visit, left)] if left else []
        return Entry((*notes, *gone, *again), stays=True, seats=seats)


def _still_to_come(visit: Visit, world: World) -> tuple[Alarm, ...]:
    """The times of a step counted from now, when it comes back from somebody who was asked to sign before."""
    now = world.now()
    return tuple(each for each in alarms(visit, world) if each.at > now)


def _left_out(
    visit: Visit, seats: tuple[Seat, ...], called: tuple[Seat, ...], world: World
) -> tuple[Note, ...]:
    """What the history says where somebody had left when their turn came, and the step goes on without them."""
    if visit.step.document.get("nobody") != "pass":
        return ()
    missing = {s.person for s in seats} - {s.person for s in called}
    left = any(not world.is_here(person) for person in missing)
    return (Note("passed", visit.step.id, visit.token.round),) if left else ()


def _repeated(visit: Visit, seats: tuple[Seat, ...]) -> tuple[Note, ...]:
    """What the history says of those who have agreed before."""
    done = [s.person for s in seats if s.state == "done"]
    return tuple(Note("repeated", visit.step.id, visit.token.round, person) for person in done)


def _told(action: str, visit: Visit, people: tuple[int, ...]) -> Note:
    return Note(action, visit.step.id, visit.token.round, detail={"people": list(people)})


def _outcome(step: Step, word: str) -> dict[str, Any]:
    return {step.id: word} if step.document.get("rejected") == "pass" else {}


def _escalated(visit: Visit, world: World) -> tuple[tuple[Seat, ...], tuple[CancelOpen, ...]]:
    """Instead of whoever is asked their heads are; one who has none, or whose head is asked already, stays.

    For a head who is away the deputy is asked.
    """
    seats, gone = list(visit.token.seats), []
    for index, seat in enumerate(seats):
        if seat.state != "open":
            continue
        rule = {"rule": "head_of", "of": seat.person}
        heads = [h for h in world.find_people(rule, visit) if all(s.person != h for s in seats)]
        why = {"rule": "escalated", "of": seat.person}
        new = next(iter(sit(dict.fromkeys(heads[:1], why), world)), None)
        if new is not None and all(s.person != new.person for s in seats):
            if new.person != heads[0]:
                new = replace(new, why={**new.why, "escalated": seat.person})
            gone.append(CancelOpen((seat.round,) if seat.round > 0 else (), (seat.person,)))
            seats[index] = replace(new, after=seat.after)
            seats = [replace(s, after=new.person) if s.after == seat.person else s for s in seats]
    return tuple(seats), tuple(gone)
