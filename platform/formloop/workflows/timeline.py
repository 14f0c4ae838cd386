"""The way of a case: who did what when, who is asked now, and who comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Row

from formloop.access import people
from formloop.core import clock
from formloop.core.text import M, Message, Titled
from formloop.definitions import library
from formloop.events import reasons
from formloop.forms import files
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.workflows import cases
from formloop.workflows import waiting as waits
from formloop.workflows.assignees import rules
from formloop.workflows.engine import foresee
from formloop.workflows.kind import get_version
from formloop.workflows.spec import Workflow
from formloop.workflows.state import Rule, State
from formloop.workflows.turn import situation_of

SHORTEST = 60  # seconds worth telling
ACTIONS: dict[str, tuple[Message, str, str]] = {  # word, colour, icon
    "submit": (M("Submitted"), "green", "send"),
    "approve": (M("Approved"), "green", "check"),
    "reject": (M("Rejected"), "red", "x"),
    "return": (M("Returned"), "orange", "arrow-back-up"),
    "withdraw": (M("Withdrawn"), "secondary", "arrow-back-up"),
    "take_back": (M("Taken back"), "secondary", "arrow-back-up"),
    "transfer": (M("Transferred"), "blue", "switch-horizontal"),
    "comment": (M("Commented"), "blue", "message"),
    "passed": (M("Nobody was found; passed"), "secondary", "player-skip-forward"),
    "stuck": (M("Cannot go on; waits for an administrator"), "red", "alert-triangle"),
    "resume": (M("Tried again"), "blue", "refresh"),
    "copied": (M("Copies sent"), "blue", "send"),
    "repeated": (M("Has agreed before"), "green", "check"),
    "message": (M("Message sent"), "blue", "message"),
    "add_signer": (M("Asked somebody else to sign too"), "blue", "user-plus"),
    "urge": (M("Reminded"), "orange", "bell"),
    "due_remind": (M("Due; reminded"), "orange", "bell"),
    "due_escalate": (M("Due; passed to the head"), "orange", "hierarchy-2"),
    "due_no_head": (M("Due; nobody above them was found"), "red", "alert-triangle"),
    "due_approve": (M("Due; counts as approved"), "green", "clock"),
    "due_return": (M("Due; returned"), "orange", "arrow-back-up"),
    "worked": (M("Records changed"), "secondary", "database"),
    "found": (M("Records looked up"), "secondary", "database"),
    "begun": (M("Sub-flow started"), "secondary", "sitemap"),
    "called": (M("Other system called"), "secondary", "world"),
    "limited": (M("Not gone through to the end"), "orange", "alert-triangle"),
    "failed": (M("Failed; passed over"), "orange", "alert-triangle"),
    "skip": (M("Passed over"), "orange", "player-skip-forward"),
    "reassign": (M("Given to somebody else"), "blue", "switch-horizontal"),
    "assign": (M("Somebody was named to decide"), "blue", "user-plus"),
    "end": (M("Ended early"), "green", "flag-3"),
    "void": (M("Voided"), "red", "ban"),
    "reactivate": (M("Taken up again"), "blue", "refresh"),
    "restart": (M("Begun again"), "blue", "refresh"),
    "outdated": (M("The record has changed since; back to be renewed"), "orange", "arrow-back-up"),
    "moved": (M("Moved to another version"), "blue", "arrows-exchange"),
    "finished": (M("Finished"), "green", "flag-3"),
}

# what the workflow itself did, as meant
TECHNICAL = frozenset({"worked", "found", "begun", "called", "message"})
NOBODY = M("Nobody was found to decide.")
SENDS_BACK = ("return", "reject", "due_return", "outdated")


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a timeline. `took` is how long it took, or how long somebody has been waiting.

    `until` is when it goes on by itself, at the latest if `at_most`; `due` when those who are asked are due.
    """

    who: str
    step: str
    word: Message
    color: str
    icon: str
    at: datetime | None = None
    took: timedelta | None = None
    comment: str = ""
    detail: str = ""
    files: tuple[tuple[str, str], ...] = ()  # key and name
    until: datetime | None = None  # when it goes on
    at_most: bool = False  # or at the latest then
    due: datetime | None = None
    technical: bool = False  # nobody decided anything


def build(found: Row[Any], locale: str, ahead: bool = True) -> list[Moment]:
    """The timeline of a case; `ahead` adds the steps that are still to come."""
    workflow, spec = get_version(found.workflow, found.version), get_form(found.form)
    state, notes = State.from_json(found.state), cases.list_notes(found.id)
    coming = (
        foresee(workflow, state, situation_of(workflow, spec, found.id, found.record, state.initiator))
        if ahead and found.status == "open"
        else []
    )
    waiting = cases.list_waiting(found.id)
    ids = {n.person for n in notes} | {w.person for w in waiting} | {s.person for s in state.seats}
    ids |= {p for _, them in coming for p in them} | {_of_deputy(w.why) for w in waiting}
    ids |= {p for n in notes for p in _people_in(n)}
    names = people.names_of(i for i in ids if i is not None)
    kept = files.names_of(key for n in notes for key in n.detail.get("files", ()))
    moments = [_past(note, workflow, names, kept, locale) for note in notes]
    times = waits.list_times([found.id])
    due = {
        (token.at, seat.person): waits.find_due(found.id, token, times)
        for token in state.tokens
        for seat in token.seats
    }
    moments += [_now(each, workflow, names, locale, due.get((each.step, each.person))) for each in waiting]
    moments += [_wait(each, locale) for each in waits.list_waits(found, times)]
    for token, seat in ((each, seat) for each in state.tokens for seat in each.seats):
        if seat.state == "waiting":
            moments.append(
                Moment(
                    names.get(seat.person, ""),
                    _title(workflow, token.at, locale),
                    M("Comes next"),
                    "secondary",
                    "user",
                )
            )
    for step, them in coming:
        who = listed([names.get(p, "") for p in them])
        moments.append(Moment(who, step.title(locale), M("Still to come"), "secondary", step.node.icon))
    return moments


def find_return(found: Row[Any], locale: str) -> Moment | None:
    """How a case came back to whoever is to correct it: who sent it, when, and why."""
    back = [each for each in cases.list_notes(found.id) if each.action in SENDS_BACK]
    if not back:
        return None
    names = people.names_of([p for p in (back[-1].person, back[-1].detail.get("for")) if p is not None])
    kept = files.names_of(back[-1].detail.get("files", ()))
    return _past(back[-1], get_version(found.workflow, found.version), names, kept, locale)


def find_stop(case: int, locale: str) -> str:
    """Why a case that is stuck cannot go on; as whoever waits for it is told."""
    stopped = [each for each in cases.list_notes(case) if each.action == "stuck"]
    reason = reasons.read(stopped[-1].detail.get("reason"), locale) if stopped else ""
    return reason or NOBODY.render(locale)


def _people_in(note: Row[Any]) -> list[int]:
    to = note.detail.get("to")
    of = note.detail.get("for")
    return [*note.detail.get("people", ()), *(each for each in (to, of) if isinstance(each, int))]


def _title(workflow: Workflow, step: str, locale: str) -> str:
    known = workflow.steps.get(step)
    return known.title(locale) if known else ""


def listed(names: Sequence[str]) -> str:
    """Some names: the first four, and how many more."""
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} +{len(names) - 4}"


def _past(
    note: Row[Any], workflow: Workflow, names: dict[int, str], kept: dict[str, str], locale: str
) -> Moment:
    word, color, icon = ACTIONS[note.action]
    detail, to = reasons.read(note.detail.get("reason"), locale), note.detail.get("to")
    if isinstance(to, int):
        detail = "→ " + names.get(to, "")
    elif to is not None:
        detail = "→ " + (M("Initiator").render(locale) if to == "initiator" else _title(workflow, to, locale))
    if note.action == "stuck" and not detail:
        detail = NOBODY.render(locale)
    if note.action == "copied":
        detail = listed([names.get(p, "") for p in note.detail.get("people", ())])
    return Moment(
        who=_who(note.person, note.detail.get("for"), names, locale),
        step=_title(workflow, note.step, locale),
        word=word,
        color=color,
        icon=icon,
        at=note.at,
        took=timedelta(seconds=note.took) if note.took and note.took >= SHORTEST else None,
        comment=note.comment,
        detail=detail,
        files=tuple((key, kept[key]) for key in note.detail.get("files", ()) if key in kept),
        technical=note.action in TECHNICAL,
    )


def _who(person: int | None, of: int | None, names: dict[int, str], locale: str) -> str:
    """Somebody, and for whom they act where they stand in."""
    if person is None:
        return ""
    name = names.get(person, "")
    return name if of is None else M("{name} for {other}", name=name, other=names.get(of, "?")).render(locale)


def _of_deputy(why: Rule) -> int | None:
    return why["of"] if why.get("rule") == "delegated" else None


def _now(
    asked: Row[Any], workflow: Workflow, names: dict[int, str], locale: str, due: datetime | None
) -> Moment:
    since = clock.now() - asked.made_at
    back = not asked.step
    return Moment(
        who=_who(asked.person, _of_deputy(asked.why), names, locale),
        step=_title(workflow, asked.step, locale),
        word=M("To be corrected") if back else M("Deciding"),
        color="orange",
        icon="clock",
        due=due,
        took=since if since >= timedelta(seconds=SHORTEST) else None,
    )


def _wait(wait: waits.Wait, locale: str) -> Moment:
    title, icon = wait.step.title(locale), wait.step.node.icon
    return Moment("", title, wait.because, "orange", icon, until=wait.until, at_most=wait.at_most)


def describe(why: Rule) -> Message:
    """By what somebody is asked, said about them: for whoever looks on."""
    kind = str(why.get("rule"))
    name = people.names_of([why["of"]]).get(why["of"], "?") if isinstance(why.get("of"), int) else "?"
    if kind == "delegated":
        return M("Stands in for {name}", name=name)
    if kind == "escalated":
        return M("It was due, and goes to the head of {name}", name=name)
    if kind == "returned":
        return M("It was returned to be corrected")
    rule = rules.find(kind)
    if rule is None:
        return M("Named by the workflow for that case")
    if "role" in why:
        called = Titled(library.find_document("role", str(why["role"])) or {}, str(why["role"]))
        return M("{rule}: {name}", rule=rule.title, name=called)
    return rule.title


def explain(why: Rule, spec: FormSpec) -> Message:
    """The answer to "why me?"."""
    kind = why.get("rule")
    if kind == "stand_in":
        return M("Nobody else was found, and the workflow names you for that case.")
    if kind == "transferred":
        return M("{name} transferred this to you.", name=people.names_of([why["by"]]).get(why["by"], "?"))
    if kind == "reassigned":
        return M("{name} gave this to you.", name=people.names_of([why["by"]]).get(why["by"], "?"))
    if kind == "added":
        return M("{name} asked you to sign too.", name=people.names_of([why["by"]]).get(why["by"], "?"))
    if kind == "copied":
        return M("{name} sent you a copy.", name=people.names_of([why["by"]]).get(why["by"], "?"))
    if kind == "delegated":
        return M("You stand in for {name}.", name=people.names_of([why["of"]]).get(why["of"], "?"))
    if kind == "escalated":
        return M(
            "It was due, and you are the head of {name}.",
            name=people.names_of([why["of"]]).get(why["of"], "?"),
        )
    if kind == "returned":
        return M("It was returned to you to be corrected.")
    rule = rules.find(str(kind))
    if rule is None:
        return M("The workflow names you for this step.")
    roles = (
        {str(why["role"]): Titled(library.find_document("role", str(why["role"])) or {}, str(why["role"]))}
        if "role" in why
        else {}
    )
    return rule.explain(why, spec, roles)
