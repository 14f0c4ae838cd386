"""What people do with cases. Each step is one transaction: case, task, history, next tasks, record and events.

The case row is locked, the task is taken by compare-and-set with its person in the predicate, so of two
people who decide at once exactly one does; the same person repeating a decision is told it was done.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from formloop.access.actor import Actor, get_actor
from formloop.bridges import notices
from formloop.core import clock
from formloop.core.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import connection, transactional
from formloop.forms import files, permits, rows, states, submitting
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.workflows import announcing, cases, filling, in_use, stashes
from formloop.workflows.amendments import applying
from formloop.workflows.batches import Batch, try_each
from formloop.workflows.beginning import begin
from formloop.workflows.engine import find_refusal
from formloop.workflows.kind import find_workflow
from formloop.workflows.partaking import locked, takes_part
from formloop.workflows.spec import ACTIONS
from formloop.workflows.state import Event
from formloop.workflows.turn import Turn, turn_on
from formloop.workflows.turning import FASTER, Result, carry_out

__all__ = [
    "Result",
    "add_comment",
    "approve_many",
    "copy_to",
    "decide",
    "mark_seen",
    "submit",
    "urge",
]

LONGEST_COMMENT = 4_000
MOST_COPIES = 50
URGED_EVERY = timedelta(hours=1)
Chosen = Mapping[str, Iterable[int]]


@records.guard_changes
def is_under_approval(spec: FormSpec, record: Values) -> bool:
    """Whether a record is locked because its form's workflow has it, or has approved it.

    Once approved it stays locked in whatever state it goes on to.
    """
    return bool(in_use.list_own(spec)) and record.get("state") not in in_use.free_states(spec)


@states.note_use
def has_workflow(form: str) -> bool:
    """Whether records of a form can be sent into a workflow, which then moves them from state to state."""
    return bool(in_use.list_own(get_form(form)))


def submit(actor: Actor, form: str, record: int, comment: str = "", chosen: Chosen | None = None) -> Result:
    """Send a record into its workflow, or send it again after it was returned.

    `chosen` are people whom the initiator picks for steps, by step.
    """
    try:
        return _submit(actor, form, record, comment, chosen or {})
    except IntegrityError as error:
        if "fl_case" not in str(error.orig):
            raise
        running = cases.find_open(form, record)  # begun by another request at this moment
        if running is None or running.initiator != actor.person_id:
            raise Conflict(M("This is under approval already.")) from error
        return Result(running.id, running.status, repeated=True)


@transactional
def _submit(actor: Actor, form: str, record: int, comment: str, chosen: Chosen) -> Result:
    spec = get_form(form)
    if actor.person_id is None:
        raise Forbidden(M("Only a person can submit a record."))
    running = cases.find_open(form, record, lock=True)
    where = None
    if running is None or not _holds(actor, running.id):
        where = permits.require_permit(actor, "submit", spec).where(context_of(actor))
    values = rows.load(connection(), spec, [record], where).get(record)
    event = Event("submit", actor.person_id, _comment(comment), chosen=people_by_step(chosen))
    return begin(actor, spec, record, values, running, event)


def submitted_state(form: str) -> str | None:
    """The state that records of a form come to when they are submitted; None without a workflow."""
    workflow = find_workflow(form)
    return workflow.states["submitted"] if workflow else None


submitting.add_way(submitting.Way(submit, submitted_state))


def _holds(actor: Actor, running: int) -> bool:
    """Whether a returned record was given to somebody to submit it again, in place of its initiator."""
    mine = cases.find_own_task(running, actor.person_id)
    return mine is not None and not mine.step


def decide(
    actor: Actor,
    task: int,
    action: str,
    comment: str = "",
    *,
    to: Any = None,
    how: str = "",
    raw: Mapping[str, Any] | None = None,
    revision: int | None = None,
    chosen: Chosen | None = None,
    attached: Sequence[str] = (),
    signature: Sequence[str] = (),
) -> Result:
    """Approve, reject, return (`to` initiator, previous or a step; `how` again or back), transfer (`to` a person)
    or let somebody else sign too (add_signer: `to` a person, `how` before, after or beside).

    `raw` are values filled in at the step, saved with an approval; `revision` is the record as it was read.
    `chosen` are people picked for later steps; `attached` are keys of stored files, `signature` those of
    signatures.
    """
    event = Event(
        action,
        actor.person_id,
        _comment(comment),
        to,
        how,
        chosen=people_by_step(chosen or {}),
        files=(*_attached(actor, attached), *_signed(actor, signature)),
        signed=bool(signature),
    )
    return carry(actor, task, event, raw, revision)


@transactional
def carry(
    actor: Actor,
    task: int,
    event: Event,
    raw: Mapping[str, Any] | None = None,
    revision: int | None = None,
) -> Result:
    """Carry a decision out that is an event already."""
    found = cases.lock_task(task, actor.person_id)
    if found is None or found.kind != "todo" or event.action not in ACTIONS:
        raise NotFound
    step = cases.take(task, found_person(actor), event.action) if found.task_state == "open" else None
    if step is None:
        return _decided_before(actor, task, event)
    turn = turn_on(actor, found)
    event = applying.or_outdated(turn, event)
    if event.action in ("transfer", "add_signer"):
        require_person(event.to)
    if event.action == "approve":
        filling.fill_in(turn, turn.workflow.steps.get(step), raw, revision)
    return carry_out(turn, replace(event, round=found.task_round), found.revision, found.made_at)


def found_person(actor: Actor) -> int:
    """The person who acts; the system itself decides nothing."""
    if actor.person_id is None:
        raise Forbidden(M("Only a person can decide this."))
    return actor.person_id


def _decided_before(actor: Actor, task: int, event: Event) -> Result:
    now = cases.find_task(task, actor.person_id)
    if now is not None and now.task_state == "done" and now.decision == event.action:
        return Result(now.id, now.status, repeated=True)
    raise Conflict(FASTER if now is None or now.task_state != "done" else M("You have decided this already."))


def require_person(person: Any) -> None:
    """Whoever is to be asked must be here."""
    try:
        get_actor(int(person))
    except (NotFound, TypeError, ValueError) as error:
        raise Invalid([Problem("person", "to", M("Please choose a person."))]) from error


@transactional
def withdraw(actor: Actor, case: int, comment: str = "") -> Result:
    """Take a submitted record back, as long as nobody has decided."""
    found, turn = locked(actor, case)
    if turn.state.status == "withdrawn" and turn.state.initiator == actor.person_id:
        return Result(case, turn.state.status, repeated=True)
    return carry_out(turn, Event("withdraw", actor.person_id, _comment(comment)), found.revision)


@transactional
def take_back(actor: Actor, case: int, comment: str = "") -> Result:
    """Take one's own approval back, as long as the next step is untouched."""
    found, turn = locked(actor, case)
    return carry_out(turn, Event("take_back", found_person(actor), _comment(comment)), found.revision)


@transactional
def add_comment(actor: Actor, case: int, comment: str, attached: Sequence[str] = ()) -> Result:
    """Say something in the history of a case, with stored files if there are any."""
    found, turn = locked(actor, case)
    event = Event("comment", actor.person_id, _comment(comment), files=_attached(actor, attached))
    return carry_out(turn, event, found.revision)


@transactional
def urge(actor: Actor, case: int, comment: str = "") -> Result:
    """Remind whoever is asked, as the initiator."""
    found, turn = locked(actor, case)
    event = Event("urge", actor.person_id, _comment(comment))
    refused = find_refusal(turn.workflow, turn.state, event)
    if refused is not None:
        raise refused
    return carry_out(turn, replace(event, values={"people": _to_urge(turn)}), found.revision)


def _to_urge(turn: Turn) -> list[int]:
    """Whom something waits for and who was not reminded of it within the last hour; Conflict when all were."""
    now = clock.now()
    asked = {seat.person for seat in turn.state.seats if seat.state == "open"}
    reminded = cases.list_reminded(turn.case, now - URGED_EVERY)
    if asked <= set(reminded):
        left = min(reminded[each] for each in asked) + URGED_EVERY - now
        minutes = max(1, math.ceil(left / timedelta(minutes=1)))
        raise Conflict(
            M(
                "They were reminded just now. You can remind again in {count} {count:minute|minutes}.",
                count=minutes,
            )
        )
    return sorted(asked - set(reminded))


@transactional
def copy_to(actor: Actor, case: int, people: Sequence[int], comment: str = "") -> Result:
    """Send copies to people, as somebody who takes part."""
    found, turn = locked(actor, case)
    if not takes_part(actor, found):
        raise Forbidden(M("Only who takes part may send copies."))
    if len(people) > MOST_COPIES:
        raise Invalid([Problem("many", "to", M("At most {count} people at once.", count=MOST_COPIES))])
    for person in people:
        require_person(person)
    event = Event("copy", actor.person_id, _comment(comment), to=[int(each) for each in people])
    return carry_out(turn, event, found.revision)


@transactional
def put_by(actor: Actor, task: int, comment: str, raw: Mapping[str, Any]) -> None:
    """Keep what somebody has written at their task, without deciding."""
    found = cases.lock_task(task, actor.person_id)
    if found is None or found.kind != "todo":
        raise NotFound
    if found.task_state != "open":
        raise Conflict(M("This step does not wait for you any more."))
    stashes.keep(task, _comment(comment), raw)


@transactional
def keep_unsent(
    actor: Actor, task: int, comment: str, raw: Mapping[str, Any], attached: Sequence[str]
) -> None:
    """Keep for a while what somebody wrote at a task that was taken from them before they sent it."""
    found = cases.lock_task(task, actor.person_id)
    if found is not None and found.task_state == "cancelled" and (comment.strip() or attached or raw):
        stashes.keep(task, _comment(comment), raw, _attached(actor, attached))


def decide_many(
    actor: Actor, tasks: Sequence[int], action: str, comment: str = "", *, to: Any = None
) -> Batch:
    """Decide tasks one by one."""

    def one(task: int) -> None:
        if decide(actor, task, action, comment, to=to).status == "returned" and action == "approve":
            raise Conflict(applying.OUTDATED)  # it went back instead, and that is done

    return try_each(tasks, one)


def approve_many(actor: Actor, tasks: Sequence[int], comment: str = "") -> Batch:
    """Approve tasks one by one."""
    return decide_many(actor, tasks, "approve", comment)


@transactional
def mark_seen(actor: Actor, task: int) -> None:
    """A person has opened their task; a copy, and what they were told of its case, counts as read from now on."""
    cases.mark_seen(task, actor.person_id)
    case = cases.find_case_of(task)
    if case is not None and actor.person_id is not None:
        notices.note_seen(actor.person_id, announcing.link_of(case))


def _comment(text: str) -> str:
    if len(text) > LONGEST_COMMENT:
        message = M("A comment has at most {count} characters.", count=LONGEST_COMMENT)
        raise Invalid([Problem("long", "comment", message)])
    return text.strip()


def people_by_step(chosen: Chosen) -> dict[str, tuple[int, ...]]:
    """People picked for steps; whoever is not here any more is not asked anyway."""
    return {str(step): tuple(int(each) for each in people) for step, people in chosen.items()}


def _attached(actor: Actor, keys: Sequence[str]) -> tuple[str, ...]:
    """Files that this very person has uploaded: knowing the key of another's gives nobody its content."""
    if any(files.get_file(key).person != actor.person_id for key in keys):
        raise NotFound
    return tuple(keys)


def _signed(actor: Actor, keys: Sequence[str]) -> tuple[str, ...]:
    """Signatures are pictures that this very person has drawn."""
    for stored in (files.get_file(key) for key in keys):
        if stored.person != actor.person_id or not files.is_picture(stored):
            raise Invalid([Problem("signature", "signature", M("This step needs your signature."))])
    return tuple(keys)
