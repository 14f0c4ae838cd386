"""Who is told what of a case by notice: what was asked of them, copies, messages, reminders, outcomes, repairs.

Notices say form, step and names only: nothing of the record leaves the site, but for its title to whoever submitted
it, is reminded of it or repairs it, and may see it; what a message step says in its own words; and why it came back to be corrected. Their link leads everybody to their own part of the case.
"""

from collections.abc import Sequence
from typing import Any

from formloop.access import gate, people
from formloop.access.actor import get_actor
from formloop.bridges import notices
from formloop.core.errors import NotFound
from formloop.core.text import M, Message
from formloop.events import reasons
from formloop.workflows import sight
from formloop.workflows.amendments.proposals import subject_of_case
from formloop.workflows.state import Ask, Effect, Event, Note, Remind, Tell
from formloop.workflows.turn import Turn

OUTCOMES = {
    "approved": M("{form} {title} was approved."),
    "rejected": M("{form} {title} was rejected."),
    "returned": M("{form} {title} was returned to you to be corrected."),
    "voided": M("{form} {title} was voided."),
}

LONGEST_REASON = 200


def announce(turn: Turn, effects: Sequence[Effect], event: Event, before: str) -> None:
    """Tell everybody what concerns them, inside the open transaction; `before` is the status the case had."""
    _ask(turn, [each for each in effects if isinstance(each, Ask)])
    _copy(turn, [each for each in effects if isinstance(each, Tell)])
    _remind(turn, [p for each in effects if isinstance(each, Remind) for p in each.people], event)
    _correct(turn, [each for each in effects if isinstance(each, Ask)])
    _no_head(turn, [each for each in effects if isinstance(each, Note) and each.action == "due_no_head"])
    now = turn.state.status
    if now == "stuck":
        _repair(turn, [each for each in effects if isinstance(each, Note) and each.action == "stuck"])
    if now in OUTCOMES and now != before and event.by != turn.state.initiator and event.action != "reassign":
        _outcome(turn, event)


def _ask(turn: Turn, asks: Sequence[Ask]) -> None:
    open_seats = {(s.person, s.round) for s in turn.state.seats if s.state == "open"}
    asked = [each for each in asks if each.step and (each.person, each.round) in open_seats]
    if asked and notices.is_told("task"):
        said = M("{form} of {name} waits for you: {step}", **_names(turn), step=_step(turn, asked[0].step))
        notices.tell([each.person for each in asked], "task", said, link_of(turn.case))


def _correct(turn: Turn, asks: Sequence[Ask]) -> None:
    """Whoever is to correct it in place of its initiator, who hears of it as an outcome."""
    asked = [each.person for each in asks if not each.step and each.person != turn.state.initiator]
    if asked and notices.is_told("task"):
        said = M("{form} of {name} was given to you to be corrected.", **_names(turn))
        notices.tell(asked, "task", said, link_of(turn.case))


def _copy(turn: Turn, told: Sequence[Tell]) -> None:
    copies = [each.person for each in told if not each.text]
    if copies and notices.is_told("copy"):
        said = M("{form} of {name} was copied to you.", **_names(turn))
        notices.tell(copies, "copy", said, link_of(turn.case))
    for text in dict.fromkeys(each.text for each in told if each.text):
        to = [each.person for each in told if each.text == text]
        notices.tell(to, "message", text, link_of(turn.case))


def _remind(turn: Turn, reminded: Sequence[int], event: Event) -> None:
    """Whoever is reminded is told which record it is about, where they may see what it is called."""
    if not reminded:
        return
    urged = event.action == "urge"
    said = (
        M("{name} asks you to decide soon: {form}")
        if urged
        else M("Due, and waiting for you: {form} of {name}")
    )
    steps = {seat.person: token.at for token in turn.state.tokens for seat in token.seats}
    words = Message(said.msgid, _names(turn))
    for each in reminded:
        title = _title(turn, each, steps.get(each, ""))
        notices.tell([each], "urge" if urged else "overdue", _titled(words, title), link_of(turn.case))


def _repair(turn: Turn, notes: Sequence[Note]) -> None:
    if not notes:
        return
    kept = notes[0].detail.get("reason")
    reason = reasons.Kept(kept) if kept else M("Nobody was found to decide.")
    said = M("{form} of {name} cannot go on: {reason}")
    _tell_repairers(turn, Message(said.msgid, {**_names(turn), "reason": reason}))


def _no_head(turn: Turn, notes: Sequence[Note]) -> None:
    """Whoever may repair hears of what is due and could not be passed to a head."""
    for note in notes:
        said = M("{form} of {name} is due, and nobody above them was found: {step}")
        _tell_repairers(turn, Message(said.msgid, {**_names(turn), "step": _step(turn, note.step)}))


def _tell_repairers(turn: Turn, said: Message) -> None:
    """Whoever may repair is told, and which record it is about where they may see it."""
    for each in gate.list_holders("repair", "site"):
        title = _title(turn, each, "") if _sees(turn, each) else ""
        notices.tell([each], "repair", _titled(said, title), f"/cases/{turn.case}")


def _sees(turn: Turn, person: int) -> bool:
    try:
        return sight.gives_row(get_actor(person), "view", turn.spec, turn.record)
    except NotFound:
        return False


def _titled(said: Message, title: str) -> Message:
    """The same words with the title of the record behind that of its form."""
    form = said.params["form"]
    named = M("{form} {title}", form=form, title=title) if title else form
    return Message(said.msgid, {**said.params, "form": named})


def _outcome(turn: Turn, event: Event) -> None:
    form, initiator = subject_of_case(turn.workflow, turn.spec, turn.case), turn.state.initiator
    words: dict[str, Any] = {"form": form, "title": _title(turn, initiator, "")}
    said = Message(OUTCOMES[turn.state.status].msgid, words)
    if turn.state.status == "returned" and event.by is not None and event.comment:
        who = people.names_of([event.by]).get(event.by, "")
        why = event.comment if len(event.comment) <= LONGEST_REASON else event.comment[:LONGEST_REASON] + "…"
        said = M("{name} returned {form} {title} to you: {reason}", **words, name=who, reason=why)
    notices.tell([initiator], "outcome", said, link_of(turn.case))


def _title(turn: Turn, person: int, step: str) -> str:
    """What the record is called, where somebody may see the field that says so: at their step, or by their grants."""
    try:
        actor = get_actor(person)
    except NotFound:
        return ""
    shown = sight.visible_paths(actor, turn.spec, turn.workflow.steps.get(step), turn.record)
    return turn.title if turn.spec.title_field in shown else ""


def _names(turn: Turn) -> dict[str, Message | str]:
    initiator = turn.state.initiator
    name = people.names_of([initiator]).get(initiator, "")
    return {"form": subject_of_case(turn.workflow, turn.spec, turn.case), "name": name}


def _step(turn: Turn, key: str) -> Message:
    return turn.workflow.steps[key].called


def link_of(case: int) -> str:
    """Where everybody who has to do with a case finds their part of it."""
    return f"/case/{case}"
