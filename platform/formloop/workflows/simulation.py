"""What would happen: the real engine on the real record, and nothing of it stays.

Everything runs inside one transaction that is undone at the end, so tasks, records and messages arise as they
would. Addresses are never called: what they would answer is given, else an empty yes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, update

from formloop.access import gate
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import FormloopError, NotFound
from formloop.core.text import Message
from formloop.db import connection, reading, transactional
from formloop.definitions import library
from formloop.events.tables import outbox
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.tables import change
from formloop.workflows import cases, hearing, service
from formloop.workflows.kind import find_workflow, get_version
from formloop.workflows.state import ENDED, Rule, State, Token
from formloop.workflows.tables import case, case_log, task

LONGEST = 500  # turns of one play
MOST_REPLAYED = 200
_DECISIONS = ("approve", "reject")


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does in a play."""

    person: int
    action: str = "approve"
    comment: str = "simulation"
    to: Any = None
    how: str = ""
    step: str | None = None  # a replay names the step too


@dataclass(frozen=True, slots=True)
class Asked:
    """Who would be asked or told at which step, by which rule, with which field rights."""

    step: str
    person: int
    kind: str
    why: Rule
    fields: Mapping[str, str]


@dataclass(slots=True)
class Played:
    """How a play went: its history, who was asked, which records changed, which messages would be sent."""

    status: str = "new"
    path: list[tuple[str, str, int | None]] = field(default_factory=list)  # step, action, person
    asked: list[Asked] = field(default_factory=list)
    changes: list[tuple[str, int, str]] = field(default_factory=list)  # form, record, action
    messages: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # topic, payload
    problems: list[Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Difference:
    """One finished case that would go another way: what was, and what would be."""

    case: int
    record: int
    was: tuple[tuple[str, str, int | None], ...]
    would: tuple[tuple[str, str, int | None], ...]
    status: tuple[str, str]
    problems: tuple[Message, ...] = ()


class _Undone(Exception):
    """Takes the outcome out of the transaction that is undone."""

    def __init__(self, played: Played) -> None:
        super().__init__()
        self.played = played


Next = Callable[[list[Any]], Deed | None]  # from the open tasks to what happens next


def play(
    actor: Actor,
    form: str,
    initiator: int,
    *,
    record: int | None = None,
    values: Mapping[str, Any] | None = None,
    deeds: Sequence[Deed] | None = None,
    answers: Mapping[str, Any] | None = None,
    draft: Doc | None = None,
) -> Played:
    """Play a case of a record, or of values that are not saved. Without `deeds` everybody agrees.

    `answers` are what addresses would say, by step; `draft` is a workflow document to try instead of the
    published one.
    """
    gate.require(actor, "repair", "site")
    script = iter(deeds) if deeds is not None else None

    def follow(open_tasks: list[Any]) -> Deed | None:
        if script is not None:
            return next(script, None)
        return Deed(open_tasks[0].person) if open_tasks else None

    return _undone(form, initiator, record, values, follow, answers or {}, draft)


def replay(actor: Actor, key: str, draft: Doc, last: int = 50) -> list[Difference]:
    """Play the last finished cases of a workflow again by a draft, with the decisions that were made; what differs.

    The records are taken as they are now.
    """
    gate.require(actor, "repair", "site")
    query = select(case).where(case.c.workflow == key, case.c.status.in_(("approved", "rejected")))
    with reading() as conn:
        found = conn.execute(query.order_by(case.c.id.desc()).limit(min(last, MOST_REPLAYED))).all()
    differences = []
    for row in found:
        was = tuple((n.step, n.action, n.person) for n in cases.list_notes(row.id) if n.action in _DECISIONS)
        played = _undone(row.form, row.initiator, row.record, None, _as_before(was), {}, draft)
        would = tuple(each for each in played.path if each[1] in _DECISIONS)
        if would != was or played.status != row.status or played.problems:
            differences.append(
                Difference(
                    row.id, row.record, was, would, (row.status, played.status), tuple(played.problems)
                )
            )
    return differences


def _as_before(was: Sequence[tuple[str, str, int | None]]) -> Next:
    """Whoever is asked says what they said then, at that step or else anywhere; who was not asked then agrees."""
    said = list(was)

    def follow(open_tasks: list[Any]) -> Deed | None:
        for step, action, person in list(said):
            if any(t.person == person and t.step == step for t in open_tasks) and person is not None:
                said.remove((step, action, person))
                return Deed(person, action, step=step)
        return Deed(open_tasks[0].person, step=open_tasks[0].step) if open_tasks else None

    return follow


def _undone(
    form: str,
    initiator: int,
    record: int | None,
    values: Mapping[str, Any] | None,
    follow: Next,
    answers: Mapping[str, Any],
    draft: Doc | None,
) -> Played:
    @transactional
    def run() -> None:
        played = Played()
        if draft is not None:
            entry = library.find_entry("workflow", draft["x-key"])
            library.overlay().put("workflow", draft["x-key"], draft, entry.version if entry else 1)
        before = _marks()
        try:
            _play(played, form, initiator, record, values, follow, answers)
        except FormloopError as error:
            played.problems += [p.message for p in getattr(error, "problems", ())] or [error.message]
        _collect(played, before)
        raise _Undone(played)

    try:
        run()
    except _Undone as done:
        return done.played
    raise AssertionError("unreachable")


def _play(
    played: Played,
    form: str,
    initiator: int,
    record: int | None,
    values: Mapping[str, Any] | None,
    follow: Next,
    answers: Mapping[str, Any],
) -> None:
    who = get_actor(initiator)
    if record is None:
        record = int(records.create(who, form, dict(values or {}))["id"])
    else:
        _set_back(form, record)
    found = service.submit_for(who, form, record)
    played.status = found.status
    for _ in range(LONGEST):
        now = cases.get_case(found.case)
        if now is None or now.status in ENDED:
            break
        if _answer_steps(State.from_json(now.state), now, answers):
            continue
        waiting = cases.list_waiting(found.case)
        deed = follow(waiting)
        if deed is None:
            break
        _do(found.case, deed, now.status == "returned", form, record)
    now = cases.get_case(found.case)
    played.status = now.status if now is not None else played.status


def _set_back(form: str, record: int) -> None:
    """Let the record be as before it was submitted: whatever runs ends, and its state is the first one."""
    spec, workflow = get_form(form), find_workflow(form)
    if workflow is None or record not in rows.load(connection(), spec, [record]):
        raise NotFound
    ended = update(case).where(case.c.form == form, case.c.record == record, case.c.ended_at.is_(None))
    connection().execute(ended.values(ended_at=clock.now()))
    records.set_state(SYSTEM, form, record, workflow.states["returned"])


def _answer_steps(state: State, row: Any, answers: Mapping[str, Any]) -> bool:
    """Let steps that wait for no person hear what they wait for; whether there was one."""
    workflow = get_version(row.workflow, row.version)
    for token in state.leaves:
        step = workflow.steps.get(token.at)
        if step is None or token.stuck or any(seat.state == "open" for seat in token.seats):
            continue
        action, values = _heard(step.node.name, token, answers)
        hearing.hear(row.id, token.round, action, values)
        return True
    return False


def _heard(kind: str, token: Token, answers: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if kind == "wait":
        return "due", {"what": "time"}
    if kind == "subflow":
        return "done", {"status": "approved"}
    return "done", {"status": 200, "body": answers.get(token.at, {})}


def _do(case_id: int, deed: Deed, returned: bool, form: str, record: int) -> None:
    actor = get_actor(deed.person)
    if returned:
        service.submit_for(actor, form, record)
        return
    query = select(task.c.id).where(
        task.c.case == case_id, task.c.person == deed.person, task.c.kind == "todo", task.c.state == "open"
    )
    if deed.step is not None:
        query = query.where(task.c.step == deed.step)
    found = connection().execute(query.order_by(task.c.id)).scalars().first()
    if found is None:
        raise NotFound
    service.decide(actor, found, deed.action, deed.comment, to=deed.to, how=deed.how)


@dataclass(frozen=True, slots=True)
class _Marks:
    """What was there before a play: the last case, change and message."""

    case: int
    change: int
    message: int


def _marks() -> _Marks:
    last = [connection().execute(select(func.coalesce(func.max(each), 0))).scalar_one() for each in _COUNTED]
    return _Marks(*(int(each) for each in last))


_COUNTED = (case.c.id, change.c.id, outbox.c.id)


def _collect(played: Played, before: _Marks) -> None:
    conn = connection()
    notes = select(case_log).join(case, case.c.id == case_log.c.case).where(case.c.id > before.case)
    played.path = [(n.step, n.action, n.person) for n in conn.execute(notes.order_by(case_log.c.id))]
    tasks = select(task, case.c.workflow, case.c.version).join(case, case.c.id == task.c.case)
    for row in conn.execute(tasks.where(case.c.id > before.case).order_by(task.c.id)):
        step = get_version(row.workflow, row.version).steps.get(row.step)
        played.asked.append(Asked(row.step, row.person, row.kind, row.why, step.fields if step else {}))
    changes = select(change.c.form, change.c.record, change.c.action).where(change.c.id > before.change)
    played.changes = [(c.form, c.record, c.action) for c in conn.execute(changes.order_by(change.c.id))]
    sent = select(outbox.c.topic, outbox.c.payload).where(outbox.c.id > before.message)
    played.messages = [(m.topic, m.payload) for m in conn.execute(sent.order_by(outbox.c.id))]
