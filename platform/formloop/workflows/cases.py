"""Rows of cases, tasks and history: plain SQL with prepared statements, no rules."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.engine import Row

from formloop.core import clock
from formloop.db import Prepared, adding, connection, reading, upserting
from formloop.forms.spec import FormSpec
from formloop.workflows.state import Ask, Note, State, Tell
from formloop.workflows.tables import case, case_log, reminder, task

_TASKS = (
    select(
        case,
        task.c.id.label("task"),
        task.c.step.label("task_step"),
        task.c.round.label("task_round"),
        task.c.kind,
        task.c.state.label("task_state"),
        task.c.decision,
        task.c.why,
        task.c.made_at,
        task.c.seen_at,
    )
    .join(task, task.c.case == case.c.id)
    .where(task.c.id == bindparam("wanted"), task.c.person == bindparam("person"))
)
_OF_TASK = Prepared(_TASKS)
# only the case is locked: two deciders who each held their own task would wait for one another
_LOCK_TASK = Prepared(_TASKS.with_for_update(of=case))
_LOCK = Prepared(select(case).where(case.c.id == bindparam("wanted")).with_for_update())
_RUNNING = select(case).where(
    case.c.form == bindparam("of_form"), case.c.record == bindparam("of_record"), case.c.ended_at.is_(None)
)
_OPEN, _LOCK_OPEN = Prepared(_RUNNING), Prepared(_RUNNING.with_for_update())
_DECIDE = Prepared(
    update(task)
    .where(task.c.id == bindparam("wanted"), task.c.person == bindparam("whose"), task.c.state == "open")
    .values(state="done", decision=bindparam("decided"), done_at=bindparam("moment"))
    .returning(task.c.step)
)
_DESCRIBE = Prepared(
    update(case)
    .where(case.c.id == bindparam("wanted"))
    .values(title=bindparam("called"), summary=bindparam("says", type_=case.c.summary.type))
)
_CANCEL = (
    update(task)
    .where(task.c.case == bindparam("of_case"), task.c.kind == "todo", task.c.state == "open")
    .values(state="cancelled", done_at=bindparam("moment"))
)
_RESUBMIT = (
    update(task)
    .where(task.c.case == bindparam("of_case"), task.c.step == "", task.c.state == "open")
    .values(state="done", decision="submit", done_at=bindparam("moment"))
)
_MOVING = (
    update(case)
    .where(case.c.id == bindparam("wanted"), case.c.revision == bindparam("seen"))
    .values(
        status=bindparam("new_status"),
        step=bindparam("new_step"),
        state=bindparam("new_state", type_=case.c.state.type),
        revision=bindparam("seen") + 1,
        changed_at=bindparam("moment", type_=case.c.changed_at.type),
        ended_at=bindparam("end", type_=case.c.ended_at.type),
    )
)
_MOVE = Prepared(_MOVING)
# what is said after the end does not make it end later
_MOVE_ENDED = Prepared(
    _MOVING.values(ended_at=func.coalesce(case.c.ended_at, bindparam("end", type_=case.c.ended_at.type)))
)
_KEPT = (
    task.c.kind != "todo"
) | (  # who handed a task on, or from whom it was taken, takes part by it no more
    (task.c.state != "cancelled") & (func.coalesce(task.c.decision, "") != "transfer")
)
_TASK = ("id", "case", "step", "round", "person", "kind", "state", "decision", "why", "made_at", "done_at")
_NOTE = ("id", "case", "step", "round", "person", "action", "comment", "detail", "at", "took")
_WORKED = Prepared(
    select(case_log.c.id)
    .where(case_log.c.case == bindparam("of_case"), case_log.c.action == "worked")
    .limit(1)
)


def find_task(task_id: int, person: int | None) -> Row[Any] | None:
    """A person's own task with its case."""
    with reading() as conn:
        return _OF_TASK.rows(conn, {"wanted": task_id, "person": person}).one_or_none()


def lock_task(task_id: int, person: int | None) -> Row[Any] | None:
    """A person's own task with its case, which nobody else can change until the transaction ends."""
    return _LOCK_TASK.rows(connection(), {"wanted": task_id, "person": person}).one_or_none()


def lock_case(case_id: int) -> Row[Any] | None:
    """A case, locked."""
    return _LOCK.rows(connection(), {"wanted": case_id}).one_or_none()


def find_open(form: str, record: int, lock: bool = False) -> Row[Any] | None:
    """The case of a record that has not ended."""
    query = _LOCK_OPEN if lock else _OPEN
    with reading() as conn:
        return query.rows(conn, {"of_form": form, "of_record": record}).one_or_none()


def add(values: dict[str, Any]) -> None:
    """A new case."""
    adding(case, tuple(values)).run(connection(), values)


def move(case_id: int, revision: int, state: State, ended: bool) -> bool:
    """Write where a case stands now; False when somebody was faster."""
    moment = clock.now()
    changed = (_MOVE_ENDED if ended else _MOVE).run(
        connection(),
        {
            "wanted": case_id,
            "seen": revision,
            "new_status": state.status,
            "new_step": state.at or "",
            "new_state": state.as_json(),
            "moment": moment,
            "end": moment if ended else None,
        },
    )
    return changed == 1


def describe(case_id: int, title: str, summary: Sequence[Mapping[str, str]]) -> None:
    """Write what the case is called and says in the inbox."""
    _DESCRIBE.run(connection(), {"wanted": case_id, "called": title, "says": list(summary)})


def take(task_id: int, person: int, decision: str) -> str | None:
    """Mark a task as decided by its person; the step it is of by now, None when it is open no longer."""
    values = {"wanted": task_id, "whose": person, "decided": decision, "moment": clock.now()}
    step: str | None = _DECIDE.rows(connection(), values).scalar_one_or_none()
    return step


def cancel_open(case_id: int, rounds: Sequence[int] = (), people: Sequence[int] = ()) -> None:
    """Nobody needs to decide any more: of these rounds and people, without them in the whole case."""
    moment = clock.now()
    if not rounds and not people:
        connection().execute(_CANCEL, {"of_case": case_id, "moment": moment})
        return
    some = _CANCEL
    if rounds:
        some = some.where(task.c.round.in_(list(rounds)))
    if people:
        some = some.where(task.c.person.in_(list(people)))
    connection().execute(some, {"of_case": case_id, "moment": moment})


def remind(case_id: int, people: Sequence[int]) -> None:
    """Note that people were reminded of what waits for them in a case."""
    conn, moment = connection(), clock.now()
    query = select(task.c.id).where(
        task.c.case == case_id, task.c.kind == "todo", task.c.state == "open", task.c.person.in_(list(people))
    )
    reminded = [{"task": each, "count": 1, "at": moment} for each in conn.execute(query).scalars()]
    new = upserting(reminder)
    again = {"count": reminder.c.count + 1, "at": new.excluded.at}
    if reminded:
        conn.execute(new.on_conflict_do_update(index_elements=["task"], set_=again), reminded)


def list_reminded(case_id: int, since: datetime) -> dict[int, datetime]:
    """Whom something waits for in a case and who was reminded of it since a moment, with when they were last."""
    query = (
        select(task.c.person, reminder.c.at)
        .join(reminder, reminder.c.task == task.c.id)
        .where(task.c.case == case_id, task.c.state == "open", reminder.c.at > since)
    )
    with reading() as conn:
        return {row.person: row.at for row in conn.execute(query)}


def finish_revision(case_id: int) -> None:
    """The initiator has submitted again."""
    connection().execute(_RESUBMIT, {"of_case": case_id, "moment": clock.now()})


def add_tasks(case_id: int, wanted: Sequence[Ask | Tell]) -> dict[int, int]:
    """Tasks and copies for people, in one statement; returns the ids of the tasks by person."""
    moment = clock.now()
    ids = clock.new_ids(len(wanted))
    adding(task, _TASK).run(
        connection(),
        [
            {
                "id": task_id,
                "case": case_id,
                "step": each.step,
                "round": each.round,
                "person": each.person,
                "kind": _kind_of(each),
                "state": "open",
                "decision": None,
                "why": {**each.why, "text": each.text}
                if isinstance(each, Tell) and each.text
                else dict(each.why),
                "made_at": moment,
                "done_at": None,
            }
            for task_id, each in zip(ids, wanted, strict=True)
        ],
    )
    return {each.person: i for i, each in zip(ids, wanted, strict=True) if isinstance(each, Ask)}


def _kind_of(each: Ask | Tell) -> str:
    if isinstance(each, Ask):
        return "todo"
    return "message" if each.text else "copy"


def add_notes(case_id: int, notes: Sequence[Note], asked_at: datetime | None) -> None:
    """History rows, in one statement; the first one took as long as its person was asked."""
    moment = clock.now()
    adding(case_log, _NOTE).run(
        connection(),
        [
            {
                "id": clock.new_id(),
                "case": case_id,
                "step": note.step,
                "round": note.round,
                "person": note.person,
                "action": note.action,
                "comment": note.comment,
                "detail": dict(note.detail),
                "at": moment,
                "took": int((moment - asked_at).total_seconds()) if asked_at and index == 0 else None,
            }
            for index, note in enumerate(notes)
        ],
    )


def mark_seen(task_id: int, person: int | None) -> None:
    """Its person has opened a task; of a copy nothing more is wanted."""
    mine = update(task).where(task.c.id == task_id, task.c.person == person, task.c.state == "open")
    moment = clock.now()
    connection().execute(mine.where(task.c.seen_at.is_(None)).values(seen_at=moment))
    connection().execute(mine.where(task.c.kind != "todo").values(state="read", done_at=moment))


def get_case(case_id: int) -> Row[Any] | None:
    """A case."""
    with reading() as conn:
        return conn.execute(select(case).where(case.c.id == case_id)).one_or_none()


def list_by_id(case_ids: Sequence[int]) -> list[Row[Any]]:
    """Cases, oldest first."""
    with reading() as conn:
        return list(conn.execute(select(case).where(case.c.id.in_(case_ids)).order_by(case.c.id)))


def list_cases(form: str, record: int) -> list[Row[Any]]:
    """The cases of a record, newest first."""
    query = select(case).where(case.c.form == form, case.c.record == record).order_by(case.c.id.desc())
    with reading() as conn:
        return list(conn.execute(query.limit(20)))


def has_worked(case_id: int) -> bool:
    """Whether steps of a case have made, changed or deleted records."""
    with reading() as conn:
        return bool(_WORKED.dicts(conn, {"of_case": case_id}))


def list_notes(case_id: int) -> list[Row[Any]]:
    """The history of a case, oldest first."""
    with reading() as conn:
        found = select(case_log).where(case_log.c.case == case_id)
        return list(
            conn.execute(found.order_by(case_log.c.at, case_log.c.id))
        )  # ids of processes do not rise


def find_own_task(case_id: int, person: int | None) -> Row[Any] | None:
    """A person's open task of a case."""
    query = select(task).where(
        task.c.case == case_id, task.c.person == person, task.c.kind == "todo", task.c.state == "open"
    )
    with reading() as conn:
        return conn.execute(query.order_by(task.c.id.desc())).first()


def find_newest_task(case_id: int, person: int | None) -> int | None:
    """What waits for a person in a case, else the newest task or copy there that is theirs, or was before they lost it."""
    waits = (task.c.kind == "todo") & (task.c.state == "open")
    query = select(task.c.id).where(task.c.case == case_id, task.c.person == person)
    order = (waits.desc(), _KEPT.desc(), task.c.id.desc())
    with reading() as conn:
        return conn.execute(query.order_by(*order).limit(1)).scalar_one_or_none()


def is_lost(found: Row[Any]) -> bool:
    """Whether a task was handed on or taken away from its person."""
    return bool(found.kind == "todo" and (found.task_state == "cancelled" or found.decision == "transfer"))


def find_case_of(task_id: int) -> int | None:
    """The case a task belongs to, whoever it is for."""
    with reading() as conn:
        return conn.execute(select(task.c.case).where(task.c.id == task_id)).scalar_one_or_none()


def list_waiting(case_id: int) -> list[Row[Any]]:
    """Who is asked now: person, step, since when and why."""
    query = select(task.c.person, task.c.step, task.c.made_at, task.c.why).where(
        task.c.case == case_id, task.c.kind == "todo", task.c.state == "open"
    )
    with reading() as conn:
        return list(conn.execute(query.order_by(task.c.id)))


def takes_part(case_ids: Iterable[int], person: int) -> set[int]:
    """Those of the cases of which a person has a task or a copy, or decided one."""
    query = select(task.c.case).where(task.c.case.in_(list(case_ids)), task.c.person == person, _KEPT)
    with reading() as conn:
        return set(conn.execute(query).scalars())


def record_is_seen(spec: FormSpec, record: int, where: Any) -> bool:
    """Whether a record is among the rows a condition gives (None: all)."""
    return bool(records_seen(spec, [record], where))


def records_seen(spec: FormSpec, records: Iterable[int], where: Any) -> set[int]:
    """Those of the records that are among the rows a condition gives (None: all)."""
    query = select(spec.table.c.id).where(spec.table.c.id.in_(list(records)))
    with reading() as conn:
        return set(conn.execute(query if where is None else query.where(where)).scalars())
