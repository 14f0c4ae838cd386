"""One event on one case: the engine's answer is written down and its effects are carried out, in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from formloop.core import clock
from formloop.core.errors import Conflict, Invalid
from formloop.core.text import M
from formloop.db import kept
from formloop.forms import service as records
from formloop.forms.standing import times_written
from formloop.workflows import announcing, cases, judging, watching, working
from formloop.workflows.amendments import applying
from formloop.workflows.engine import advance
from formloop.workflows.state import (
    ENDED,
    Alarm,
    Ask,
    CancelOpen,
    Effect,
    Event,
    Note,
    Remind,
    SetState,
    Tell,
    Watch,
    Work,
)
from formloop.workflows.turn import Turn, describe
from formloop.workflows.walk import Effort

FASTER = M("Somebody else has decided already.")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case, and the new tasks by person.

    `repeated`: the same person had done the same before, and nothing changed now.
    """

    case: int
    status: str
    repeated: bool = False
    asked: Mapping[int, int] = field(default_factory=dict)


@contextmanager
def within(effort: Effort) -> Iterator[None]:
    """Let all events inside the block share what they may take."""
    under_way: list[Effort] = kept("workflows.efforts", list)
    under_way.append(effort)
    try:
        yield
    finally:
        under_way.pop()


def think(turn: Turn, event: Event) -> list[Effect]:
    """What the engine makes of an event, and of what the work it asks for gives; the state is the turn's then."""
    under_way: list[Effort] = kept("workflows.efforts", list)
    effort = under_way[-1] if under_way else Effort()  # one for all cases that begin within one another
    with within(effort):
        return _think(turn, event, effort)


def _think(turn: Turn, event: Event, effort: Effort) -> list[Effect]:
    turn.state, effects = advance(turn.workflow, turn.state, event, turn.situation, effort)
    done = list(effects)
    asked = [each for each in effects if isinstance(each, Work)]
    while asked:
        work = asked.pop(0)
        answer = _perform_one(turn, work, event)
        if answer is None:
            continue
        turn.state, effects = advance(turn.workflow, turn.state, answer, turn.situation, effort)
        done += effects
        asked += [each for each in effects if isinstance(each, Work)]
    return done


def _perform_one(turn: Turn, work: Work, event: Event) -> Event | None:
    """Do one piece of work; a record that was written by it is read again when it is needed.

    Before anything is changed the record is judged again: a decision that would lead to it is refused, and where
    nobody decides the step fails with the reason.
    """
    if work.kind not in working.READING and (
        problems := judging.judge_again(turn, turn.workflow.states["submitted"])
    ):
        if event.by is not None:
            raise Invalid(problems)
        return Event(
            "failed", None, round=work.round, values={"reason": working.reason_of(Invalid(problems))}
        )
    written = times_written(turn.spec.key)
    answer = working.perform(turn, work)
    if times_written(turn.spec.key) != written:
        turn.before = None
        turn.situation.see(None)
    return answer


def carry_out(turn: Turn, event: Event, revision: int, asked_at: Any = None) -> Result:
    """Let an event happen to a case that is there."""
    before, event = turn.state, applying.or_outdated(turn, event)
    effects = think(turn, event)
    asked = perform(turn, effects, asked_at)
    if turn.state != before and not cases.move(turn.case, revision, turn.state, turn.state.status in ENDED):
        raise Conflict(FASTER)
    settle(turn, effects, event, before.status)
    return Result(turn.case, turn.state.status, asked=asked)


def perform(turn: Turn, effects: Sequence[Effect], asked_at: Any) -> dict[int, int]:
    """Tasks, times and history of what the engine wants; returns the ids of the tasks by person."""
    wanted: list[Ask | Tell] = []
    for each in effects:
        if isinstance(each, CancelOpen):
            cases.cancel_open(turn.case, each.rounds, each.people)
            wanted = [w for w in wanted if isinstance(w, Tell) or not _cancels(each, w)]
        elif isinstance(each, Ask | Tell):
            wanted.append(each)
    asked = cases.add_tasks(turn.case, wanted) if wanted else {}
    for each in effects:
        if isinstance(each, Remind):
            cases.remind(turn.case, each.people)
    waits = [e for e in effects if isinstance(e, Alarm | Watch) and turn.state.find_token(e.round)]
    if waits:
        watching.add(turn.case, turn.spec.key, turn.record, waits)
    notes = [each for each in effects if isinstance(each, Note)]
    if notes:
        cases.add_notes(turn.case, notes, asked_at)
    return asked


def _cancels(cancel: CancelOpen, ask: Ask) -> bool:
    rounds, people = cancel.rounds, cancel.people
    return (not rounds or ask.round in rounds) and (not people or ask.person in people)


def settle(turn: Turn, effects: Sequence[Effect], event: Event, before: str) -> None:
    """The record's new state, last, when the case already stands where it will; then who waits for it or is told."""
    states = [each.state for each in effects if isinstance(each, SetState)]
    if turn.workflow.amends is not None:
        if turn.state.status == "approved" != before:
            applying.apply(turn, _ended_in(turn, effects))
    elif states:
        decided = event.by is not None and turn.state.status == "approved" != before
        if decided and (problems := judging.judge_again(turn, states[-1])):
            raise Invalid(problems)
        records.set_state(turn.actor, turn.spec.key, turn.record, states[-1], turn.cause, turn.before)
    if turn.state.status in ENDED and watching.exist():
        watching.tell([f"case:{turn.case}"], {"case": turn.case, "status": turn.state.status})
    announcing.announce(turn, effects, event, before)


def _ended_in(turn: Turn, effects: Sequence[Effect]) -> str | None:
    """The state that the end step says by which a case has ended; None when it ended otherwise."""
    done = [e.step for e in effects if isinstance(e, Note) and e.action == "finished"]
    step = turn.workflow.steps.get(done[-1]) if done else None
    return str(step.document["state"]) if step is not None and step.node.ends else None


def add_case(turn: Turn) -> None:
    """A new case, where the turn stands."""
    moment, state = clock.now(), turn.state
    title, summary = describe(turn, turn.situation.values)
    turn.title = title
    cases.add(
        {
            "id": turn.case,
            "form": turn.spec.key,
            "record": turn.record,
            "workflow": turn.workflow.key,
            "version": turn.workflow.version,
            "status": state.status,
            "step": state.at or "",
            "state": state.as_json(),
            "revision": 1,
            "initiator": state.initiator,
            "title": title,
            "summary": summary,
            "started_at": moment,
            "changed_at": moment,
            "ended_at": moment if state.status in ENDED else None,
        }
    )
