"""What administrators do to cases that go wrong; all of it needs a reason where it ends something, and is audited."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from formloop.access import audit, gate
from formloop.access.actor import Actor
from formloop.core.errors import Conflict, NotFound
from formloop.core.text import M, Message
from formloop.db import reading, transactional
from formloop.forms.kind import get_form
from formloop.workflows import cases
from formloop.workflows.actions.administering import TO_COME
from formloop.workflows.batches import Batch, try_each
from formloop.workflows.engine import find_refusal
from formloop.workflows.kind import find_amending, get_version
from formloop.workflows.partaking import locked
from formloop.workflows.service import require_person
from formloop.workflows.spec import Workflow
from formloop.workflows.state import Event, State
from formloop.workflows.tables import case as case_table
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
    """End a case as if it had never been; the record counts as rejected.

    Also one that was approved, unless the form has a way to cancel its records: that takes back all that came of it.
    """
    return _do(actor, case, Event("void", actor.person_id, comment), "case.voided", reason=comment)


def reactivate(actor: Actor, case: int, to: str | None = None, comment: str = "") -> Result:
    """Let an ended case go on, at a step or from the beginning."""
    try:
        return _do(actor, case, Event("reactivate", actor.person_id, comment, to), "case.reactivated", to=to)
    except IntegrityError as error:  # somebody else began another one at this moment
        raise Conflict(OTHER) from error


OTHER = M("Another approval of this record is under way. End that one first.")
DELETED = M("Its record has been deleted.")
NEWER = M("This record has been in approval again since. Only its newest approval can still be changed.")


CANCEL = M(
    "What was approved has led to other things. Propose to cancel it on its page: that takes all of it back."
)


UNDOING = frozenset({"void", "reactivate"})  # as if what was approved had not been


def _refuse_undoing(found: Row[Any], workflow: Workflow) -> Message | None:
    """What was approved is undone by the steps for that, where the form has some; taken up again they would count twice."""
    if found.status != "approved" or workflow.amends is not None:
        return None
    amending = find_amending(found.form)
    return CANCEL if amending and amending.amends and amending.amends.cancelled else None


def _refuse_older(found: Row[Any], lock: bool = False) -> Message | None:
    """What is done to an ended case moves its record, so nothing newer may have been decided of it since."""
    table = get_form(found.form).table
    with reading() as conn:
        query = select(table.c.deleted_at).where(table.c.id == found.record)
        record = conn.execute(query.with_for_update() if lock else query).one_or_none()
    if record is None or record.deleted_at is not None:
        return DELETED
    if cases.find_open(found.form, found.record) is not None:
        return OTHER
    return NEWER if cases.list_cases(found.form, found.record)[0].id != found.id else None


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be done to a case now; `steps` whether it can also be put at a step; `refused` why nothing can be."""

    actions: frozenset[str]
    steps: bool
    refused: Message | None = None


def find_offer(found: Row[Any]) -> Offer:
    """What the desk can do to a case as it stands."""
    workflow, state = get_version(found.workflow, found.version), State.from_json(found.state)
    older = _refuse_older(found) if found.ended_at is not None else None
    if older is not None:
        return Offer(frozenset(), False, older)
    free = [step.id for step in workflow.steps.values() if not step.blocks]

    closed = UNDOING if _refuse_undoing(found, workflow) else frozenset()

    def takes(action: str, to: str | None = None) -> bool:
        return action not in closed and find_refusal(workflow, state, Event(action, None, "…", to)) is None

    actions = frozenset(
        each for each in ("resume", "skip", "restart", "end", "void", "reactivate") if takes(each)
    )
    return Offer(actions, any(takes(each, step) for each in ("resume", "reactivate") for step in free[:1]))


@transactional
def _do(actor: Actor, case: int, event: Event, word: str, **details: Any) -> Result:
    gate.require(actor, "repair", "site")
    found, turn = locked(actor, case)
    if found.ended_at is not None and (older := _refuse_older(found, lock=True)) is not None:
        raise Conflict(older)
    if event.action in UNDOING and (instead := _refuse_undoing(found, turn.workflow)) is not None:
        raise Conflict(instead)
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
    """Give every open task of a person to somebody else, one by one, and the turns that are still to come."""
    gate.require(actor, "repair", "site")
    require_person(to)
    given = reassign_many(actor, list_open_tasks(person), to, comment)
    event = Event("reassign", actor.person_id, comment, to, values={"person": person})
    later = try_each(
        list_to_come(person),
        lambda case: _do(actor, case, event, "case.reassigned", person=person, to=to),
    )
    return Batch(given.done + later.done, [*given.refused, *later.refused])


def count_left(person: int) -> int:
    """How many open tasks a person has, with the turns that are still to come."""
    return len(list_open_tasks(person)) + len(list_to_come(person))


def list_to_come(person: int) -> list[int]:
    """The running cases in which the turn of a person is still to come, each as often as it is.

    The database looks through the states; only those that name the person are read.
    """
    names = type_coerce(case_table.c.state, Text).contains(f"[{int(person)},")  # as its seats begin
    query = select(case_table.c.id, case_table.c.state).where(case_table.c.ended_at.is_(None), names)
    with reading() as conn:
        return [
            row.id
            for row in conn.execute(query)
            for seat in State.from_json(row.state).seats
            if seat.person == person and seat.state in TO_COME
        ]


def reassign_many(actor: Actor, tasks: Sequence[int], to: int, comment: str = "") -> Batch:
    """Give tasks to somebody else, one by one."""
    return try_each(tasks, lambda wanted: reassign(actor, wanted, to, comment))


def list_open_tasks(person: int) -> list[int]:
    """What waits for a decision of a person, the oldest first."""
    query = select(task.c.id).where(task.c.person == person, task.c.kind == "todo", task.c.state == "open")
    with reading() as conn:
        return list(conn.execute(query.order_by(task.c.id)).scalars())
