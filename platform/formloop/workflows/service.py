"""What people do with cases. Each step is one transaction: case, task, history, next tasks, record and events.

The case row is locked, the task is taken by compare-and-set with its person in the predicate, so of two
people who decide at once exactly one does; the same person repeating a decision is told it was done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from formloop.access import audit, gate
from formloop.access.actor import Actor, get_actor
from formloop.core import clock
from formloop.core.errors import Conflict, Forbidden, FormloopError, Invalid, NotFound, Problem
from formloop.core.text import LOCALES, M
from formloop.db import connection, transactional
from formloop.events import Cause
from formloop.forms import permits, rows, screen
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.workflows import cases, sight
from formloop.workflows.engine import advance
from formloop.workflows.kind import find_workflow, get_version
from formloop.workflows.situation import Situation
from formloop.workflows.spec import (
    ENDED,
    Ask,
    CancelOpen,
    Effect,
    Event,
    Note,
    SetState,
    State,
    Step,
    Tell,
    Workflow,
)

LONGEST_COMMENT = 4_000
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


@dataclass(slots=True)
class _Turn:
    """One event on one case, while it is worked on."""

    actor: Actor
    workflow: Workflow
    spec: FormSpec
    case: int
    record: int
    state: State
    situation: Situation

    @property
    def cause(self) -> Cause:
        return Cause(("ui", f"workflow:{self.workflow.key}"), self.spec.key, self.record)


@records.guard_changes
def is_under_approval(spec: FormSpec, record: Values) -> bool:
    """Whether a record is locked because its form's workflow has it, or has approved it."""
    workflow = find_workflow(spec.key)
    if workflow is None:
        return False
    return record.get("state") == workflow.states["submitted"] or record.get("state") in workflow.final_states


def submit(actor: Actor, form: str, record: int, comment: str = "") -> Result:
    """Send a record into its workflow, or send it again after it was returned."""
    try:
        return _submit(actor, form, record, comment)
    except IntegrityError as error:
        if "fl_case" not in str(error.orig):
            raise
        raise Conflict(M("This is under approval already.")) from error


@transactional
def _submit(actor: Actor, form: str, record: int, comment: str) -> Result:
    spec, workflow = get_form(form), find_workflow(form)
    if workflow is None:
        raise NotFound(M("This form has no workflow."))
    if actor.person_id is None:
        raise Forbidden(M("Only a person can submit a record."))
    where = permits.require_permit(actor, "submit", spec).where(context_of(actor))
    values = rows.load(connection(), spec, [record], where).get(record)
    if values is None or values["deleted_at"] is not None:
        raise NotFound
    running = cases.find_open(form, record, lock=True)
    event = Event("submit", actor.person_id, _comment(comment))
    if running is not None:
        return _submit_again(actor, spec, running, event, values)
    if values["state"] not in (workflow.states["returned"], workflow.states["rejected"]):
        raise Conflict(M("A record in this state cannot be submitted."))
    turn = _turn(actor, workflow, spec, clock.new_id(), record, State(actor.person_id), values)
    state, effects = advance(workflow, turn.state, event, turn.situation)
    _add_case(turn, state)
    asked = _perform(turn, effects, None)
    _settle(turn, effects, values)
    return Result(turn.case, state.status, asked=asked)


def _submit_again(actor: Actor, spec: FormSpec, running: Row[Any], event: Event, values: Values) -> Result:
    state = State.from_json(running.state)
    if state.status in ("open", "stuck") and state.initiator == actor.person_id and not state.decided:
        return Result(running.id, state.status, repeated=True)
    workflow = get_version(running.workflow, running.version)
    turn = _turn(actor, workflow, spec, running.id, running.record, state, values)
    cases.finish_revision(running.id)
    title, summary = _describe(spec, workflow, values)
    cases.describe(running.id, title, summary)
    return _advance(turn, event, running.revision, None)


def decide(
    actor: Actor,
    task: int,
    action: str,
    comment: str = "",
    *,
    to: Any = None,
    raw: Mapping[str, Any] | None = None,
    revision: int | None = None,
) -> Result:
    """Approve, reject, return (`to` initiator, previous or a step id) or transfer (`to` a person) a task.

    `raw` are values filled in at the step, saved with an approval; `revision` is the record as it was read.
    """
    return _decide(actor, task, Event(action, actor.person_id, _comment(comment), to), raw, revision)


@transactional
def _decide(
    actor: Actor, task: int, event: Event, raw: Mapping[str, Any] | None, revision: int | None
) -> Result:
    found = cases.lock_task(task, actor.person_id)
    if found is None or found.kind != "todo" or event.action in ("submit", "withdraw", "resume", "comment"):
        raise NotFound
    if found.task_state != "open" or not cases.take(task, found_person(actor), event.action):
        return _decided_before(actor, task, event)
    workflow, spec = get_version(found.workflow, found.version), get_form(found.form)
    turn = _turn(actor, workflow, spec, found.id, found.record, State.from_json(found.state))
    if event.action == "transfer":
        _require_person(event.to)
    if event.action == "approve":
        _fill_in(turn, raw, revision)
    return _advance(turn, event, found.revision, found.made_at)


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


def _require_person(person: Any) -> None:
    try:
        get_actor(int(person))
    except (NotFound, TypeError, ValueError) as error:
        raise Invalid([Problem("person", "to", M("Please choose a person."))]) from error


@transactional
def withdraw(actor: Actor, case: int, comment: str = "") -> Result:
    """Take a submitted record back, as long as nobody has decided."""
    turn, revision = _locked(actor, case)
    if turn.state.status == "withdrawn" and turn.state.initiator == actor.person_id:
        return Result(case, turn.state.status, repeated=True)
    return _advance(turn, Event("withdraw", actor.person_id, _comment(comment)), revision, None)


@transactional
def add_comment(actor: Actor, case: int, comment: str) -> Result:
    """Say something in the history of a case."""
    turn, revision = _locked(actor, case)
    return _advance(turn, Event("comment", actor.person_id, _comment(comment)), revision, None)


@transactional
def resume(actor: Actor, case: int) -> Result:
    """Try a stuck step again, after an administrator has seen to it that somebody is there."""
    gate.require(actor, "repair", "site")
    turn, revision = _locked(actor, case)
    audit.note(actor, "case.resumed", f"case:{case}", step=turn.state.at)
    return _advance(turn, Event("resume", actor.person_id), revision, None)


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of several approvals: how many went through, and why the others did not."""

    done: int
    refused: list[tuple[int, FormloopError]]


def approve_many(actor: Actor, tasks: Sequence[int], comment: str = "") -> Batch:
    """Approve tasks one by one, each in its own transaction; one that is refused does not stop the others."""
    done, refused = 0, []
    for task in tasks:
        try:
            decide(actor, task, "approve", comment)
            done += 1
        except FormloopError as error:
            refused.append((task, error))
    return Batch(done, refused)


@transactional
def mark_read(actor: Actor, task: int) -> None:
    """A copy has been seen."""
    cases.mark_read(task, actor.person_id)


def _turn(
    actor: Actor,
    workflow: Workflow,
    spec: FormSpec,
    case: int,
    record: int,
    state: State,
    values: Values | None = None,
) -> _Turn:
    situation = Situation(workflow, spec, record, state.initiator)
    situation.see(values)
    return _Turn(actor, workflow, spec, case, record, state, situation)


def _locked(actor: Actor, case: int) -> tuple[_Turn, int]:
    found = cases.lock_case(case)
    if found is None or not may_see_case(actor, found):
        raise NotFound
    workflow, spec = get_version(found.workflow, found.version), get_form(found.form)
    return _turn(actor, workflow, spec, found.id, found.record, State.from_json(found.state)), found.revision


def may_see_case(actor: Actor, found: Row[Any]) -> bool:
    """Whether a person takes part in a case, or may see its record anyway."""
    if actor.person_id is not None and (
        found.initiator == actor.person_id or cases.takes_part(found.id, actor.person_id)
    ):
        return True
    spec = get_form(found.form)
    permit = permits.find_permit(actor, "view", spec)
    if permit is None:
        return False
    return cases.record_is_seen(spec, found.record, permit.where(context_of(actor)))


def _advance(turn: _Turn, event: Event, revision: int, asked_at: Any) -> Result:
    state, effects = advance(turn.workflow, turn.state, event, turn.situation)
    asked = _perform(turn, effects, asked_at)
    if not cases.move(turn.case, revision, state, state.status in ENDED):
        raise Conflict(FASTER)
    _settle(turn, effects)
    return Result(turn.case, state.status, asked=asked)


def _add_case(turn: _Turn, state: State) -> None:
    moment = clock.now()
    title, summary = _describe(turn.spec, turn.workflow, turn.situation.values)
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


def _perform(turn: _Turn, effects: Sequence[Effect], asked_at: Any) -> dict[int, int]:
    """Tasks and history of what the engine wants; returns the ids of the tasks by person."""
    if any(isinstance(each, CancelOpen) for each in effects):
        cases.cancel_open(turn.case)
    wanted = [each for each in effects if isinstance(each, Ask | Tell)]
    asked = cases.add_tasks(turn.case, wanted) if wanted else {}
    notes = [each for each in effects if isinstance(each, Note)]
    if notes:
        cases.add_notes(turn.case, notes, asked_at)
    return asked


def _settle(turn: _Turn, effects: Sequence[Effect], before: Values | None = None) -> None:
    """The record's new state, last, when the case already stands where it will."""
    states = [each.state for each in effects if isinstance(each, SetState)]
    if states:
        records.set_state(turn.actor, turn.spec.key, turn.record, states[-1], turn.cause, before)


def _fill_in(turn: _Turn, raw: Mapping[str, Any] | None, revision: int | None) -> None:
    """Save what was filled in at the step, and insist on what the step requires."""
    step = turn.workflow.steps.get(turn.state.at or "")
    if step is None:
        return
    if raw:
        _save(turn, step, raw, revision)
    elif revision is not None and turn.situation.values["revision"] != revision:
        raise Conflict(
            M("The record was changed while you were reading it. Look at it again before you decide.")
        )
    if "require" in step.fields.values():
        spec, context = turn.spec, context_of(turn.actor)
        values = rows.load(connection(), spec, [turn.record])[turn.record]
        env = Links(turn.actor, spec, [values]).environment(spec, values)
        problems = sight.find_missing(spec, step, values, env, context)
        if problems:
            raise Invalid(problems)


def _save(turn: _Turn, step: Step, raw: Mapping[str, Any], revision: int | None) -> None:
    how = records.How(fields=sight.editable_paths(turn.spec, step), unlocked=True)
    saved = records.change_record(turn.actor, turn.spec.key, turn.record, raw, revision, turn.cause, how)
    turn.situation.see(saved)
    title, summary = _describe(turn.spec, turn.workflow, saved)
    cases.describe(turn.case, title, summary)


def _describe(spec: FormSpec, workflow: Workflow, values: Values) -> tuple[str, list[dict[str, str]]]:
    """What a case is called and what it says in the inbox: texts by language, with the field each comes from."""
    keys = [spec.title_field, *workflow.summary]
    shown = {key: values.get(key) for key in keys if key in spec.fields}
    names = screen.names_for(spec, [shown])
    texts = {
        key: [screen.shown_text(spec.fields[key], value, locale, names) for locale in LOCALES]
        for key, value in shown.items()
    }
    title = texts.get(spec.title_field, [""])[0]
    summary = [
        {"path": key, **dict(zip(LOCALES, texts[key], strict=True))}
        for key in workflow.summary
        if key in texts and texts[key][0]
    ]
    return title, summary


def _comment(text: str) -> str:
    if len(text) > LONGEST_COMMENT:
        message = M("A comment has at most {count} characters.", count=LONGEST_COMMENT)
        raise Invalid([Problem("long", "comment", message)])
    return text.strip()
