"""What would happen: the real engine on the real record, and nothing of it stays.

Everything runs inside one transaction that is undone at the end, so tasks, records and messages arise as they
would. Addresses are never called: what they would answer is given, else an empty yes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import func, select, update

from formloop.access import gate
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.bridges.notices.tables import notice
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import FormloopError, NotFound
from formloop.core.text import Message
from formloop.db import connection, undone
from formloop.definitions import library
from formloop.events.tables import outbox
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.spec import Values
from formloop.forms.tables import change
from formloop.ledgers.kind import list_ledgers
from formloop.ledgers.spec import LedgerSpec
from formloop.ledgers.tables import posted
from formloop.workflows import cases, hearing, service
from formloop.workflows.kind import find_workflow, get_version
from formloop.workflows.state import ENDED, Event, Rule, State, Token
from formloop.workflows.tables import case, case_log, task

LONGEST = 500  # turns of one play


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does in a play."""

    person: int
    action: str = "approve"
    comment: str = "simulation"
    to: Any = None
    how: str = ""
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Who would be asked or told at which step, by which rule, with which field rights."""

    step: str
    person: int
    kind: str
    why: Rule
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entered:
    """An entry that a ledger would get."""

    ledger: str
    dims: Mapping[str, Any]
    amounts: Mapping[str, Any]


@dataclass(slots=True)
class Played:
    """How a play went: its history, who was asked, which records changed, what ledgers and messages would say.

    `waiting` are those whose decision it waits for at the end; `told` who would read which notice.
    """

    status: str = "new"
    path: list[tuple[str, str, int | None]] = field(default_factory=list)  # step, action, person
    asked: list[Asked] = field(default_factory=list)
    waiting: list[tuple[str, int]] = field(default_factory=list)  # step, person
    changes: list[tuple[str, int, str]] = field(default_factory=list)  # form, record, action
    entries: list[Entered] = field(default_factory=list)
    told: list[tuple[int, str]] = field(default_factory=list)  # person, what a notice keeps of it
    messages: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # topic, payload
    problems: list[Message] = field(default_factory=list)


Next = Callable[[list[Any]], Deed | None]  # from the open tasks to what happens next


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: a record, or values that are not saved, submitted by `initiator`.

    `follow` says what people do; `answers` are what addresses would say, by step; `draft` is a workflow document
    to try instead of the published one; `since`: the record is given back the values it had when that row of a
    history was written, but for what came from its own workflow.
    """

    form: str
    initiator: int
    follow: Next
    record: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    draft: Doc | None = None
    since: int | None = None


def require_player(actor: Actor) -> None:
    """Whoever repairs cases may play them, and whoever designs definitions: nothing of it stays."""
    if not gate.allows(actor, "design", "definition"):
        gate.require(actor, "repair", "site")


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
    """Play a case of a record, or of values that are not saved. Without `deeds` everybody agrees; else it stops
    when they are done.
    """
    require_player(actor)
    script = iter(deeds) if deeds is not None else None

    def follow(open_tasks: list[Any]) -> Deed | None:
        if script is not None:
            return next(script, None)
        return Deed(open_tasks[0].person, step=open_tasks[0].step) if open_tasks else None

    return try_out(Play(form, initiator, follow, record, values or {}, answers or {}, draft))


def try_out(wanted: Play) -> Played:
    """How a play goes, in a transaction that is taken back."""
    return undone(partial(_play_all, wanted))


def _play_all(wanted: Play) -> Played:
    played = Played()
    if wanted.draft is not None:
        entry = library.find_entry("workflow", wanted.draft["x-key"])
        version = entry.version if entry else 1
        library.overlay().put("workflow", wanted.draft["x-key"], wanted.draft, version)
    marks = _marks()
    try:
        _play(played, wanted)
    except FormloopError as error:
        played.problems += [p.message for p in getattr(error, "problems", ())] or [error.message]
    _collect(played, marks)
    return played


def _play(played: Played, wanted: Play) -> None:
    who, form = get_actor(wanted.initiator), wanted.form
    record = wanted.record
    if record is None:
        record = int(records.create(who, form, dict(wanted.values))["id"])
    else:
        _set_back(form, record, wanted.since)
    found = service.submit_for(who, form, record)
    played.status = found.status
    for _ in range(LONGEST):
        now = cases.get_case(found.case)
        if now is None or now.status in ENDED:
            break
        if _answer_steps(State.from_json(now.state), now, wanted.answers):
            continue
        waiting = cases.list_waiting(found.case)
        played.waiting = [(each.step, each.person) for each in waiting]
        deed = wanted.follow(waiting)
        if deed is None:
            break
        played.waiting = []
        _do(found.case, deed, now.status == "returned", form, record)
    now = cases.get_case(found.case)
    played.status = now.status if now is not None else played.status


def _set_back(form: str, record: int, since: int | None) -> None:
    """Let the record be as before it was submitted: whatever runs ends, and its state is the first one."""
    spec, workflow = get_form(form), find_workflow(form)
    there = rows.load(connection(), spec, [record]).get(record)
    if workflow is None or there is None:
        raise NotFound
    ended = update(case).where(case.c.form == form, case.c.record == record, case.c.ended_at.is_(None))
    connection().execute(ended.values(ended_at=clock.now()))
    records.set_state(SYSTEM, form, record, workflow.states["returned"])
    raw: Values = {}
    for old in _taken_since(form, record, since) if since is not None else ():
        raw |= rows.laid(spec, {**there, **raw}, old)
    if raw:
        how = records.How(trusted=True, unlocked=True)
        records.change_record(SYSTEM, form, record, raw, how=how)


def _taken_since(form: str, record: int, since: int) -> list[Mapping[str, Any]]:
    """What changes from outside of its workflow took away from a record, newest first."""
    changed = select(change.c.old, change.c.cause).where(
        change.c.form == form, change.c.record == record, change.c.id > since, change.c.old.is_not(None)
    )
    found = connection().execute(changed.order_by(change.c.id.desc()))
    return [row.old for row in found if not (row.cause or {}).get("chain", [""])[-1].startswith("workflow:")]


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
    event = Event(deed.action, deed.person, deed.comment, deed.to, deed.how, signed=True)
    service.carry(actor, found, event)


@dataclass(frozen=True, slots=True)
class _Marks:
    """What was there before a play: the last case, change, message, notice and group of entries."""

    case: int
    change: int
    message: int
    notice: int
    posted: int


def _marks() -> _Marks:
    last = [connection().execute(select(func.coalesce(func.max(each), 0))).scalar_one() for each in _COUNTED]
    return _Marks(*(int(each) for each in last))


_COUNTED = (case.c.id, change.c.id, outbox.c.id, notice.c.id, posted.c.id)


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
    read = select(notice.c.person, notice.c.said).where(notice.c.id > before.notice)
    played.told = [(n.person, n.said) for n in conn.execute(read.order_by(notice.c.id))]
    played.entries = [entry for ledger in list_ledgers() for entry in _entries(ledger, before.posted)]


def _entries(ledger: LedgerSpec, before: int) -> list[Entered]:
    table = ledger.tables.entry
    found = connection().execute(select(table).where(table.c.posted > before).order_by(table.c.id)).mappings()
    return [
        Entered(
            ledger.key,
            {each.key: row[each.column] for each in ledger.dimensions.values()},
            {each.key: row[each.column] for each in ledger.measures.values()},
        )
        for row in found
    ]
