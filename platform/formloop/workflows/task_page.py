"""What the page of one task shows: the record as its person may see it there, and what they may do."""

from typing import Any

from sqlalchemy.engine import Row

from formloop.access import people
from formloop.access.actor import Actor
from formloop.core.errors import NotFound, Problem
from formloop.db import reading
from formloop.forms import engine, rows, screen
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.workflows import cases, sight, timeline
from formloop.workflows.engine import list_targets
from formloop.workflows.kind import get_version
from formloop.workflows.spec import Step, Workflow
from formloop.workflows.state import State


def get_task(actor: Actor, task: int) -> Row[Any]:
    """A person's own task with its case, or NotFound."""
    found = cases.find_task(task, actor.person_id)
    if found is None:
        raise NotFound
    return found


def title_of(actor: Actor, found: Row[Any]) -> str:
    """What the record of a task is called, where the step shows the field that names it."""
    spec = get_form(found.form)
    step = get_version(found.workflow, found.version).steps.get(found.task_step)
    return str(found.title) if spec.title_field in sight.visible_paths(actor, spec, step) else ""


def show(
    actor: Actor,
    found: Row[Any],
    locale: str,
    raw: Values | None = None,
    problems: list[Problem] | None = None,
) -> dict[str, Any]:
    """Everything the page needs; `raw` and `problems` are those of a refused approval."""
    workflow, spec = get_version(found.workflow, found.version), get_form(found.form)
    step, state = workflow.steps.get(found.task_step), State.from_json(found.state)
    waits = found.kind == "todo" and found.task_state == "open"
    record = _load(spec, found.record)
    values = _laid_over(spec, record, engine.read_given(spec, raw).values) if raw else record
    shown = _screen(actor, spec, step if waits else None, step, values, locale, problems or [])
    actions = step.actions if step is not None and waits else ()
    return {
        "found": found,
        "spec": spec,
        "workflow": workflow,
        "step": step,
        "record": record,
        "screen": shown,
        "fills_in": any(not cell.readonly for cell in _every_cell(shown)),
        "state": spec.states.get(record["state"]),
        "actions": actions,
        "revise": step is None and waits,
        "why": timeline.explain(found.why, spec),
        "way": timeline.build(found, locale),
        "initiator": people.names_of([found.initiator]).get(found.initiator, ""),
        "targets": targets_of(workflow, state, locale) if "return" in actions else [],
    }


def targets_of(workflow: Workflow, state: State, locale: str) -> list[tuple[str, str]]:
    """Where a task can be returned to besides the initiator and the previous step: key and title."""
    targets = [key for key in list_targets(workflow, state) if key in workflow.steps]
    return [(key, workflow.steps[key].title(locale)) for key in targets]


def _load(spec: FormSpec, record: int) -> Values:
    with reading() as conn:
        found = rows.load(conn, spec, [record]).get(record)
    if found is None:
        raise NotFound
    return found


def _laid_over(spec: FormSpec, record: Values, given: Values) -> Values:
    """The record with what was filled in; lines keep what the page had no inputs for."""
    values = {**record, **given}
    for subform in spec.subforms:
        known = {line["id"]: line for line in record.get(subform.key) or ()}
        if subform.key in given:
            values[subform.key] = [{**known.get(line.get("id"), {}), **line} for line in given[subform.key]]
    return values


def _screen(
    actor: Actor,
    spec: FormSpec,
    writes: Step | None,
    step: Step | None,
    values: Values,
    locale: str,
    problems: list[Problem],
) -> screen.Screen:
    context = context_of(actor)
    env = Links(actor, spec, [values]).environment(spec, values)
    shown = screen.build(
        spec,
        values,
        env,
        context,
        locale,
        sight.visible_paths(actor, spec, step),
        sight.editable_paths(spec, writes),
        problems,
        screen.names_for(spec, [values]),
    )
    required = (
        {p for p, right in sight.rights_of(writes, spec).items() if right == "require"} if writes else set()
    )
    for cell in _every_cell(shown):
        cell.required = not cell.readonly and (cell.required or cell.field.path in required)
    return shown


def _every_cell(shown: screen.Screen) -> list[screen.Cell]:
    found = []
    for top in shown.cells():
        found += [cell for line in top.lines for cell in line.cells] if top.field.children else [top]
    return found
