"""Cases begin: because somebody submits a record, or because another case sends one into its own workflow."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from formloop.access.actor import Actor, get_actor
from formloop.core import clock
from formloop.core.errors import Conflict, Invalid, NotFound
from formloop.core.text import M
from formloop.db import Part, connection, kept, transactional
from formloop.forms import rows
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Values
from formloop.forms.standing import note_taken_back
from formloop.workflows import cases, in_use, judging, lines, working
from formloop.workflows.kind import find_workflow, get_version
from formloop.workflows.spec import Workflow
from formloop.workflows.state import Event, State, Work
from formloop.workflows.turn import Turn, describe, turn_of, turn_on
from formloop.workflows.turning import Result, add_case, carry_out, perform, settle, think

NOTHING: Mapping[str, int] = {}
DEEPEST = 20  # sub-flows that begin within one another at once


@transactional
def submit_for(actor: Actor, form: str, record: int, above: Mapping[str, int] = NOTHING) -> Result:
    """Send a record into its workflow because other cases (`above`) say so, in the name of a person."""
    spec = get_form(form)
    values = rows.load(connection(), spec, [record]).get(record)
    running = cases.find_open(form, record, lock=True)
    return begin(actor, spec, record, values, running, Event("submit", actor.person_id), above)


def begin(
    actor: Actor,
    spec: FormSpec,
    record: int,
    values: Values | None,
    running: Row[Any] | None,
    event: Event,
    above: Mapping[str, int] = NOTHING,
) -> Result:
    """Begin a case. Sub-flows begin others within it: not of a record whose own is just beginning, nor without end."""
    if values is None or values["deleted_at"] is not None:
        raise NotFound
    with _within(spec.key, record):
        if running is None:
            return _begin_anew(actor, spec, record, values, event, above)
        if get_version(running.workflow, running.version).amends is not None:
            raise Conflict(M("A change of this record is under approval."))
        return _submit_again(actor, running, event, values)


@contextmanager
def _within(form: str, record: int) -> Iterator[None]:
    """While the case of this record begins, and those that it begins."""
    beginning: list[tuple[str, int]] = kept("workflows.beginning", list)
    if (form, record) in beginning or len(beginning) >= DEEPEST:
        raise Conflict(M("These sub-flows begin one another without end."))
    beginning.append((form, record))
    try:
        yield
    finally:
        beginning.pop()


def _begin_anew(
    actor: Actor, spec: FormSpec, record: int, values: Values, event: Event, above: Mapping[str, int]
) -> Result:
    workflow = find_workflow(spec.key)
    if workflow is None:
        raise NotFound(M("This form has no workflow."))
    if values["state"] not in in_use.free_states(spec):
        raise Conflict(M("A record in this state cannot be submitted."))
    _require_sound(actor, spec, values, workflow)
    lines.require_room(workflow, above)
    state = State(event.by or 0, above=above)
    turn = turn_of(actor, workflow, spec, clock.new_id(), record, state, values)
    turn.judged = True
    effects = think(turn, event)
    add_case(turn)
    lines.add(turn.case, workflow, above)
    asked = perform(turn, effects, None)
    settle(turn, effects, event, "new")
    return Result(turn.case, turn.state.status, asked=asked)


def _require_sound(actor: Actor, spec: FormSpec, values: Values, workflow: Workflow) -> None:
    """Refuse what the form would refuse of a submitted record."""
    if problems := judging.find_problems(actor, spec, values, workflow, workflow.states["submitted"]):
        raise Invalid(problems)


def _submit_again(actor: Actor, running: Row[Any], event: Event, values: Values) -> Result:
    turn = turn_on(actor, running, values)
    state = turn.state
    if state.status in ("open", "stuck") and state.initiator == actor.person_id and not state.decided:
        return Result(running.id, state.status, repeated=True)
    _require_sound(actor, turn.spec, values, turn.workflow)
    turn.judged = True
    cases.finish_revision(running.id)
    cases.describe(running.id, *describe(turn, values))
    return carry_out(turn, event, running.revision)


@working.does("submit")
def _start_other(turn: Turn, work: Work) -> Mapping[str, Any]:
    """A sub-flow: another record is sent into its approval, or is there already."""
    form, record = working.target_of(turn, work)
    under_way = _find_under_way(form, record)
    if under_way is not None:
        return under_way
    try:
        initiator = get_actor(turn.state.initiator)
    except NotFound as error:
        raise Conflict(
            M("Whoever submitted this has left, so nothing can be submitted in their name.")
        ) from error
    try:
        with Part():
            above = {turn.workflow.key: turn.case, **turn.state.above}
            found = submit_for(initiator, form, record, above)
    except IntegrityError as error:  # somebody else submitted it at this moment, so theirs is waited for
        note_taken_back()
        if "fl_case" not in str(error.orig):
            raise
        under_way = _find_under_way(form, record)
        if under_way is None:
            raise Conflict(M("Somebody else submitted this record at the same moment.")) from error
        return under_way
    return {"case": found.case, "status": found.status}


def _find_under_way(form: str, record: int) -> Mapping[str, Any] | None:
    running = cases.find_open(form, record)
    if running is None or running.status == "returned":
        return None
    return {"case": running.id, "status": running.status}
