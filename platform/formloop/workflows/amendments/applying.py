"""How far a record has gone, whether a proposal still fits it, and giving it what was proposed."""

from typing import Any

from formloop.access.actor import SYSTEM
from formloop.core.errors import Conflict
from formloop.core.expression import EvaluationError
from formloop.core.text import M
from formloop.db import connection
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.spec import FormSpec, Values
from formloop.workflows.amendments import proposals
from formloop.workflows.amendments.holding import hold
from formloop.workflows.amendments.impact import list_dependents
from formloop.workflows.amendments.spec import Stage
from formloop.workflows.spec import Workflow
from formloop.workflows.state import Event
from formloop.workflows.turn import Turn

OUTDATED = M(
    "The record has changed since this was proposed. Nothing was applied; it goes back to be renewed."
)
RUNNING = ("open", "stuck")
MOVES_ON = ("approve", "due", "done", "end", "skip", "resume")  # after these a proposal may be applied


def find_stage(workflow: Workflow, spec: FormSpec, record: Values) -> Stage | None:
    """The lock stage that a record has reached, if it has reached one. Conflict when that cannot be said."""
    if workflow.amends is None:
        return None
    standing = proposals.Standing(workflow, spec, record["id"], SYSTEM.person_id or 0)
    for stage in workflow.amends.stages:
        if stage.broken:
            raise Conflict(M("The condition of a lock stage no longer fits its forms."))
        try:
            if stage.when is None or standing.value_of(stage.when, {}) is True:
                return stage
        except EvaluationError as error:
            text = M("How far this record is cannot be said: {reason}", reason=error.message)
            raise Conflict(text) from error
    return None


def id_of(stage: Stage | None) -> str:
    """How a proposal remembers its stage."""
    return stage.id if stage is not None else ""


def is_outdated(workflow: Workflow, spec: FormSpec, found: Any, record: Values) -> bool:
    """Whether a record has changed, or has gone further, since something was proposed for it."""
    if record["deleted_at"] is not None or record["revision"] != found.revision:
        return True
    return id_of(find_stage(workflow, spec, record)) != str(found.stage)


def or_outdated(turn: Turn, event: Event) -> Event:
    """The event, or where it would move a proposal on that no longer fits, that it goes back to be renewed."""
    if turn.workflow.amends is None or event.action not in MOVES_ON or turn.state.status not in RUNNING:
        return event
    hold(turn.workflow, turn.spec, turn.record)
    if not is_outdated(turn.workflow, turn.spec, proposals.get(turn.case), _current(turn)):
        return event
    return Event("outdated", event.by)


def apply(turn: Turn, state: str | None = None) -> None:
    """Give the record what was proposed; what depends on it follows in the same transaction.

    `state` is where a change has brought the record to, if it has ended by a step that says so.
    """
    hold(turn.workflow, turn.spec, turn.record)
    found, record = proposals.get(turn.case), _current(turn)
    if is_outdated(turn.workflow, turn.spec, found, record):
        raise Conflict(OUTDATED)
    impact = [each.as_json() for each in list_dependents(turn.spec, turn.record)]
    if proposals.is_cancelling(found):
        records.set_state(turn.actor, turn.spec.key, turn.record, found.new["state"], turn.cause, record)
    else:
        how = records.How(trusted=True, unlocked=True)  # whose rights count was asked when it was proposed
        raw, at = rows.laid(turn.spec, record, found.new), found.revision
        changed = records.change_record(turn.actor, turn.spec.key, turn.record, raw, at, turn.cause, how)
        if state is not None and state != changed["state"]:
            records.set_state(turn.actor, turn.spec.key, turn.record, state, turn.cause, changed)
    proposals.note_applied(found.id, impact)


def _current(turn: Turn) -> Values:
    return rows.load(connection(), turn.spec, [turn.record])[turn.record]
