"""Running cases and newer versions: left as they are they finish by their own; or they move, or begin again."""

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from formloop.access import audit, gate
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Conflict, FormloopError
from formloop.core.text import Message, Titled
from formloop.db import connection, reading, transactional
from formloop.definitions import library
from formloop.forms.kind import get_form
from formloop.workflows import cases, watching
from formloop.workflows.batches import Batch, try_each
from formloop.workflows.engine import advance
from formloop.workflows.kind import get_version
from formloop.workflows.remapping import list_renewed, remap
from formloop.workflows.spec import Visit, Workflow
from formloop.workflows.standing import count_running, list_states, places_of, tokens_of
from formloop.workflows.state import Alarm, Event, State, Token, Watch
from formloop.workflows.tables import case, task
from formloop.workflows.turn import Turn, turn_of
from formloop.workflows.turning import FASTER, carry_out


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many running cases of a version stand at a step."""

    version: int
    step: str
    count: int


@dataclass(frozen=True, slots=True)
class Move:
    """One case that could move, was moved, or why not."""

    case: int
    version: int
    step: str
    problems: tuple[Message, ...] = ()
    asked: tuple[int, ...] = ()  # who would be asked now, and was not
    left: tuple[int, ...] = ()  # who would be asked no more


@dataclass(frozen=True, slots=True)
class Lost:
    """A step, or a branch, of an older version that running cases need and the published one does not have."""

    id: str
    called: Message
    branch: bool = False


def list_waiting(key: str) -> list[Waiting]:
    """Where the running cases of a workflow stand, by version; one with several places counts at each."""
    with reading() as conn:
        found = Counter((v, at) for v, state in list_states(conn, key) for at in places_of(state))
    return [Waiting(version, step, count) for (version, step), count in sorted(found.items())]


def list_lost(key: str) -> list[Lost]:
    """What has to be mapped to move the running cases: where they stand, what is around that, and where they go back to."""
    new, found = _published(key), dict[str, Lost]()
    known = set(new.steps) | {branch.id for step in new.steps.values() for branch in step.branches}
    with reading() as conn:
        states = list_states(conn, key)
    for version, state in states:
        if version == new.version:
            continue
        old = get_version(key, version).steps
        for step in [old[token.at] for token in tokens_of(state) if token.at]:
            for each in (step, *(old[block] for block, _ in step.blocks)):
                found.setdefault(each.id, Lost(each.id, each.called))
            for block, branch in step.blocks:
                ways = {each.id: each for each in old[block].branches}
                if branch in ways:  # a loop's only way is called like the loop
                    found.setdefault(branch, Lost(branch, Titled(ways[branch].document, branch), True))
    return [each for each in found.values() if each.id not in known]


def try_move(actor: Actor, key: str, mapping: Mapping[str, str]) -> list[Move]:
    """What moving every running case to the published version would do, and who would be asked; nothing is changed."""
    gate.require(actor, "repair", "site")
    new = _published(key)
    return [_tried(row, lambda row: _foresee(actor, new, row, mapping)) for row in _running(key, new.version)]


def move_cases(actor: Actor, key: str, mapping: Mapping[str, str]) -> list[Move]:
    """Move every running case that fits to the published version, each on its own; the others stay as they are."""
    gate.require(actor, "repair", "site")
    new = _published(key)
    return [_tried(row, lambda row: _move(actor, row.id, mapping)) for row in _running(key, new.version)]


def _tried(row: Any, work: Callable[[Any], Move]) -> Move:
    try:
        return work(row)
    except FormloopError as error:
        return _one(row, (error.message,))


def _one(
    row: Any, problems: Sequence[Message] = (), before: Sequence[int] = (), after: Sequence[int] = ()
) -> Move:
    asked, left = (tuple(each for each in a if each not in b) for a, b in ((after, before), (before, after)))
    return Move(row.id, row.version, row.step, tuple(problems), asked, left)


def _foresee(actor: Actor, new: Workflow, row: Any, mapping: Mapping[str, str]) -> Move:
    """What moving a case would do, as far as its next step; what that works on is left undone."""
    old, before = get_version(row.workflow, row.version), State.from_json(row.state)
    state, problems = remap(old, new, before, mapping)
    if state is None:
        return _one(row, problems)
    turn = turn_of(actor, new, get_form(row.form), row.id, row.record, state)
    after, _ = advance(new, state, _event(actor, row, old, new, before, state), turn.situation)
    return _one(row, (), _asked(before), _asked(after))


def _asked(state: State) -> list[int]:
    return list(dict.fromkeys(seat.person for seat in state.seats if seat.state == "open"))


def _event(actor: Actor, row: Any, old: Workflow, new: Workflow, before: State, state: State) -> Event:
    renewed = list_renewed(old, new, before, state)
    values = {"from": row.version, "version": new.version, "renewed": renewed}
    return Event("move", actor.person_id, values=values)


@transactional
def _move(actor: Actor, case_id: int, mapping: Mapping[str, str]) -> Move:
    found = cases.lock_case(case_id)
    if found is None or found.ended_at is not None:
        raise Conflict(FASTER)
    old, new = get_version(found.workflow, found.version), _published(found.workflow)
    before = State.from_json(found.state)
    state, problems = remap(old, new, before, mapping)
    if state is None:
        return _one(found, problems)
    _rename(case_id, before, state)
    connection().execute(update(case).where(case.c.id == case_id).values(version=new.version))
    if not cases.move(case_id, found.revision, state, ended=False):
        raise Conflict(FASTER)
    turn = turn_of(actor, new, get_form(found.form), case_id, found.record, state)
    turn.title = found.title
    audit.note(actor, "case.moved", f"case:{case_id}", **{"from": found.version, "version": new.version})
    carry_out(turn, _event(actor, found, old, new, before, state), found.revision + 1)
    _say_why(case_id, state, turn.state)
    _arm(turn, {each.round for each in state.tokens})
    return _one(found, (), _asked(before), _asked(turn.state))


def _rename(case_id: int, before: State, state: State) -> None:
    """What is asked is asked at the step as it is called now."""
    for here, there in zip(before.tokens, state.tokens, strict=True):
        if here.at != there.at:
            rounds = [seat.round for seat in here.seats]
            same = (task.c.case == case_id) & (task.c.step == here.at) & (task.c.state == "open")
            connection().execute(update(task).where(same, task.c.round.in_(rounds)).values(step=there.at))


def _say_why(case_id: int, before: State, now: State) -> None:
    """Who is still asked, but by another rule, reads that one."""
    known = {(seat.person, seat.round): seat.why for seat in before.seats}
    for seat in now.seats:
        if seat.state == "open" and known.get((seat.person, seat.round), seat.why) != seat.why:
            theirs = (task.c.case == case_id) & (task.c.round == seat.round) & (task.c.person == seat.person)
            connection().execute(update(task).where(theirs).values(why=dict(seat.why)))


def _arm(turn: Turn, moved: Container[int]) -> None:
    """What waited already waits by the new version: its times count from when it began to wait."""
    for token in [each for each in turn.state.leaves if each.at and each.round in moved]:
        step = turn.workflow.steps[token.at]
        since = _asked_at(turn.case, token) or token.memory.get("since") or clock.now()
        waits = step.node.arm(Visit(step, turn.state, token), turn.situation, since)
        if waits is None:
            continue
        watching.forget(turn.case, token.round)
        if waits:
            heard = [each for each in waits if isinstance(each, Alarm | Watch)]
            watching.add(turn.case, turn.spec.key, turn.record, heard)


def _asked_at(case_id: int, token: Token) -> datetime | None:
    mine = (task.c.case == case_id) & (task.c.round == token.round) & (task.c.kind == "todo")
    found: datetime | None = connection().execute(select(func.min(task.c.made_at)).where(mine)).scalar_one()
    return found


@transactional
def restart(actor: Actor, case_id: int, comment: str) -> None:
    """Let a case begin again, by the published version."""
    gate.require(actor, "repair", "site")
    found = cases.lock_case(case_id)
    if found is None:
        return
    new, spec = _published(found.workflow), get_form(found.form)
    connection().execute(update(case).where(case.c.id == case_id).values(version=new.version))
    turn = turn_of(actor, new, spec, found.id, found.record, State.from_json(found.state))
    audit.note(actor, "case.restarted", f"case:{case_id}", version=new.version, reason=comment)
    carry_out(turn, Event("restart", actor.person_id, comment), found.revision)


def restart_cases(actor: Actor, key: str, comment: str) -> Batch:
    """Let every running case of an older version begin again, each on its own."""
    gate.require(actor, "repair", "site")
    older = [row.id for row in _running(key, _published(key).version)]
    return try_each(older, lambda each: restart(actor, each, comment))


def count_older(key: str) -> int:
    """How many running cases are not of the published version."""
    return count_running(key, unlike=_published(key).version)


def _published(key: str) -> Workflow:
    found = library.published("workflow", key)
    assert isinstance(found, Workflow)  # the kind prepares nothing else
    return found


def _running(key: str, version: int) -> list[Any]:
    query = select(case).where(case.c.workflow == key, case.c.version != version, case.c.ended_at.is_(None))
    with reading() as conn:
        return list(conn.execute(query.order_by(case.c.id)))
