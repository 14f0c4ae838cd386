"""What administrators do to cases that go wrong; all of it needs a reason where it ends something, and is audited."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from formloop.access import audit, gate
from formloop.access.actor import Actor
from formloop.core.errors import Conflict, NotFound
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.forms.kind import get_form
from formloop.workflows import cases
from formloop.workflows.batches import Batch, try_each
from formloop.workflows.partaking import locked
from formloop.workflows.service import require_person
from formloop.workflows.state import Event
from formloop.workflows.tables import task
from formloop.workflows.turning import Result, carry_out


def resume(actor: Actor, case: int, to: str | None = None, comment: str = "") -> Result:
    """Try what is stuck again, after somebody has seen to it that it can go on; or let the case stand at a step."""
    return _do(actor, case, Event("resume", actor.person_id, comment, to), "case.resumed", to=to)


def skip(actor: Actor, case: int, comment: str) -> Result:
    """Pass over the step that is stuck."""
    return _do(actor, case, Event("skip", actor.person_id, comment), "case.skipped", reason=comment)


def end(actor: Actor, case: int, comment: str) -> Result:
    """End a case as approved, whatever is still to come."""
    return _do(actor, case, Event("end", actor.person_id, comment), "case.ended", reason=comment)


def void(actor: Actor, case: int, comment: str) -> Result:
    """End a case as if it had never been, also one that was approved; the record counts as rejected."""
    return _do(actor, case, Event("void", actor.person_id, comment), "case.voided", reason=comment)


def reactivate(actor: Actor, case: int, to: str | None = None, comment: str = "") -> Result:
    """Let an ended case go on, at a step or from the beginning."""
    try:
        return _do(actor, case, Event("reactivate", actor.person_id, comment, to), "case.reactivated", to=to)
    except IntegrityError as error:  # somebody else began another one at this moment
        raise Conflict(OTHER) from error


OTHER = M("Another approval of this record is under way. End that one first.")
NEWER = M("This record has been in approval again since. Only its newest approval can still be changed.")


def _require_newest(found: Row[Any]) -> None:
    """What is done to an ended case moves its record, so nothing newer may have been decided of it since."""
    table = get_form(found.form).table
    connection().execute(select(table.c.id).where(table.c.id == found.record).with_for_update())
    if cases.find_open(found.form, found.record) is not None:
        raise Conflict(OTHER)
    if cases.list_cases(found.form, found.record)[0].id != found.id:
        raise Conflict(NEWER)


@transactional
def _do(actor: Actor, case: int, event: Event, word: str, **details: Any) -> Result:
    gate.require(actor, "repair", "site")
    found, turn = locked(actor, case)
    if found.ended_at is not None:
        _require_newest(found)
    audit.note(actor, word, f"case:{case}", step=turn.state.at, **details)
    return carry_out(turn, event, found.revision)


@transactional
def reassign(actor: Actor, wanted: int, to: int, comment: str = "") -> Result:
    """Give somebody's task to somebody else."""
    gate.require(actor, "repair", "site")
    with reading() as conn:
        found = conn.execute(select(task).where(task.c.id == wanted)).one_or_none()
    if found is None or found.kind != "todo":
        raise NotFound
    require_person(to)
    case, turn = locked(actor, found.case)
    audit.note(actor, "case.reassigned", f"case:{found.case}", step=found.step, person=found.person, to=to)
    event = Event(
        "reassign", actor.person_id, comment, to, round=found.round, values={"person": found.person}
    )
    return carry_out(turn, event, case.revision)


def assign(actor: Actor, case: int, to: int, comment: str) -> Result:
    """Name somebody to decide where a case is stuck because nobody was found."""
    require_person(to)
    return _do(
        actor, case, Event("assign", actor.person_id, comment, to), "case.assigned", to=to, reason=comment
    )


def hand_over(actor: Actor, person: int, to: int, comment: str = "") -> Batch:
    """Give every open task of a person to somebody else, one by one: whoever leaves, leaves nothing behind."""
    gate.require(actor, "repair", "site")
    return reassign_many(actor, list_open_tasks(person), to, comment)


def reassign_many(actor: Actor, tasks: Sequence[int], to: int, comment: str = "") -> Batch:
    """Give tasks to somebody else, one by one."""
    return try_each(tasks, lambda wanted: reassign(actor, wanted, to, comment))


def list_open_tasks(person: int) -> list[int]:
    """What waits for a decision of a person, the oldest first."""
    query = select(task.c.id).where(task.c.person == person, task.c.kind == "todo", task.c.state == "open")
    with reading() as conn:
        return list(conn.execute(query.order_by(task.c.id)).scalars())
