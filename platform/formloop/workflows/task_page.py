"""What the page of one task shows: the record as its person may see it there, and what they may do."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from formloop.access import people
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import NotFound, Problem
from formloop.core.text import M
from formloop.db import reading
from formloop.forms import files, history, printing, rows
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Values
from formloop.workflows import cases, diagram, sight, task_screen, timeline
from formloop.workflows.actions.spec import pickable
from formloop.workflows.amendments import panels
from formloop.workflows.amendments.proposals import subject_of_case
from formloop.workflows.engine import find_refusal, list_targets
from formloop.workflows.kind import get_version
from formloop.workflows.partaking import takes_part
from formloop.workflows.spec import Step, Workflow
from formloop.workflows.state import ENDED, Event, State

_FILE = re.compile(r"\b[0-9a-f]{32}\b")
DECISIONS = ("approve", "reject", "return")


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
    return (
        str(found.title) if spec.title_field in sight.visible_paths(actor, spec, step, found.record) else ""
    )


def step_of(found: Row[Any]) -> Step | None:
    """The step a task belongs to; None for the initiator's own and for copies that people sent."""
    return get_version(found.workflow, found.version).steps.get(found.task_step)


def is_there(found: Row[Any]) -> bool:
    """Whether the record of a case is still kept; it may have been purged since."""
    return cases.record_is_seen(get_form(found.form), found.record, None)


def show_gone(found: Row[Any], locale: str) -> dict[str, Any]:
    """What is left to show of a case whose record was purged."""
    return {
        "form_title": subject_of_case(
            get_version(found.workflow, found.version), get_form(found.form), found.id
        ).render(locale),
        "face": "trash",
        "said": M("The record of this approval was deleted for good. What stays is who decided what."),
        "way": timeline.build(found, locale, ahead=False),
    }


def show_lost(actor: Actor, found: Row[Any], locale: str) -> dict[str, Any]:
    """What is left to show of a task that is its person's no more: who has it now, and where their own rights lead."""
    spec = get_form(found.form)
    now = _passed_to(found, actor.person_id)
    said = M("This step does not wait for you any more.")
    if now is not None:
        said = M("This task has gone to {names}.", names=people.names_of([now]).get(now, "?"))
    may_open = sight.gives_row(actor, "view", spec, found.record)
    named = may_open and spec.title_field in sight.visible_paths(actor, spec, None, found.record)
    return {
        "found": found,
        "face": "arrows-exchange",
        "said": said,
        "form_title": subject_of_case(get_version(found.workflow, found.version), spec, found.id).render(
            locale
        ),
        "title": found.title if named else "",
        "may_open": may_open,
    }


def own_files(actor: Actor, unsent: Row[Any]) -> dict[str, str]:
    """The files of what came too late, by key: those beside the comment, and those in fields that were filled in."""
    return files.names_of([*(unsent.files or ()), *_FILE.findall(str(unsent.raw))], actor.person_id)


def _passed_to(found: Row[Any], person: int | None) -> int | None:
    """Who has what a person was asked for, or had it last; None where nobody got it from them."""
    now = person
    for note in cases.list_notes(found.id):
        if (
            note.id < found.task
            or note.step != found.task_step
            or note.action not in ("transfer", "reassign")
        ):
            continue
        giver = note.person if note.action == "transfer" else note.detail["person"]
        now = note.detail["to"] if giver == now else now
    for asked in cases.list_waiting(found.id):
        if asked.step == found.task_step and now in (asked.why.get("escalated"), asked.why.get("of")):
            now = asked.person
    return None if now == person else now


def show(
    actor: Actor,
    found: Row[Any],
    locale: str,
    raw: Values | None = None,
    problems: list[Problem] | None = None,
) -> dict[str, Any]:
    """Everything the page needs; `raw` and `problems` are those of a refused approval."""
    workflow, spec = get_version(found.workflow, found.version), get_form(found.form)
    step = workflow.steps.get(found.task_step)
    waits = found.kind == "todo" and found.task_state == "open"
    record = panels.proposed(found, _load(spec, found.record))
    shown = task_screen.build(actor, spec, record, step, locale, writes=waits, raw=raw, problems=problems)
    actions = step.actions if step is not None and waits else ()
    return {
        "found": found,
        "spec": spec,
        "workflow": workflow,
        "step": step,
        "record": record,
        "screen": shown,
        "fills_in": any(not cell.readonly for cell in task_screen.every_cell(shown)),
        "state": spec.states.get(record["state"]),
        "actions": actions,
        "needs": step.document.get("needs", ()) if step is not None and waits else (),
        "agree": step.node.agree if step is not None else None,
        "revise": step is None and waits,
        "may": list_allowed(actor, found),
        "message": found.why.get("text", ""),
        "picks": picks_of(workflow, step, locale) if "approve" in actions else [],
        "form_title": subject_of_case(workflow, spec, found.id).render(locale),
        "change": panels.of_case(actor, found, sight.visible_paths(actor, spec, step, found.record), locale),
        "tree": diagram.draw(found, locale),
        "since": _changed_since(actor, found, workflow, record, locale) if waits and step else None,
        "back": timeline.find_return(found, locale) if waits and step is None else None,
        "why": timeline.explain(found.why, spec),
        "way": timeline.build(found, locale),
        "initiator": people.names_of([found.initiator]).get(found.initiator, ""),
    }


@dataclass(frozen=True, slots=True)
class Since:
    """What became of a record since its reader decided on it, at `at`."""

    at: datetime
    differences: list[history.Difference]


def _changed_since(
    actor: Actor, found: Row[Any], workflow: Workflow, record: Values, locale: str
) -> Since | None:
    """What changed since somebody who is asked again last decided; None where they had not, or nothing came of it."""
    notes = cases.list_notes(found.id) if workflow.amends is None else []
    mine = [each for each in notes if each.person == actor.person_id and each.action in DECISIONS]
    if not mine:
        return None
    spec, last = get_form(found.form), mine[-1]
    seen = sight.visible_paths(actor, spec, workflow.steps.get(found.task_step), found.record)
    places = {str(line["id"]): n for s in spec.subforms for n, line in enumerate(record[s.key], 1)}
    differences = history.describe_since(actor, spec, found.record, (last.at, last.id), seen, locale, places)
    again = any(each.action == "submit" for each in notes[notes.index(last) + 1 :])
    return Since(last.at, differences) if differences or again else None


def answer(actor: Actor, found: Row[Any], raw: Values, changed: list[str], locale: str) -> dict[str, Any]:
    """What becomes of the page while somebody fills in their open task; NotFound where nothing waits for them."""
    spec, step = get_form(found.form), step_of(found)
    if step is None or found.kind != "todo" or found.task_state != "open":
        raise NotFound
    record = panels.proposed(found, _load(spec, found.record))
    return task_screen.answer(actor, spec, record, step, raw, changed, locale)


def list_allowed(actor: Actor, found: Row[Any]) -> set[str]:
    """What somebody may do with a case besides deciding: withdraw, take_back, urge, copy, comment."""
    workflow, state = get_version(found.workflow, found.version), State.from_json(found.state)
    if actor.person_id is None or state.status in ENDED:
        return set()
    tried = ("withdraw", "take_back", "urge")
    may = {each for each in tried if find_refusal(workflow, state, Event(each, actor.person_id)) is None}
    return may | {"copy", "comment"} if takes_part(actor, found) else may


def ways_back(actor: Actor, found: Row[Any], locale: str) -> dict[str, Any]:
    """Where a task can be returned to besides the initiator and the previous step, and which way from there its step prefers."""
    workflow, step = get_version(found.workflow, found.version), step_of(found)
    state = State.from_json(found.state)
    mine = state.seat_of(actor.person_id, found.task_round)
    targets = list_targets(workflow, state, mine[0]) if mine else []
    return {
        "targets": [(key, workflow.steps[key].title(locale)) for key in targets if key in workflow.steps],
        "how": str(step.document.get("returned", "again")) if step is not None else "again",
    }


def picks_of(workflow: Workflow, step: Step | None, locale: str) -> list[tuple[str, str]]:
    """The steps whose people are picked now, by key and title: by the initiator, or by those of the step before."""
    return [(each.id, each.title(locale)) for each in pickable(workflow, step)]


def show_print(actor: Actor, found: Row[Any], locale: str) -> dict[str, Any]:
    """A case on paper: the record as its reader may see it, who decided what, and what they signed."""
    workflow, spec = get_version(found.workflow, found.version), get_form(found.form)
    mine = cases.find_newest_task(found.id, actor.person_id)
    task = cases.find_task(mine, actor.person_id) if mine is not None else None
    step = workflow.steps.get(task.task_step) if task is not None else None
    gone = not is_there(found)
    record = None if gone else panels.proposed(found, _load(spec, found.record))
    screen = None if record is None else task_screen.build(actor, spec, record, step, locale)
    seen = sight.visible_paths(actor, spec, step, found.record)
    subject = subject_of_case(workflow, spec, found.id).render(locale)
    return {
        "case": found,
        "spec": spec,
        "screen": screen,
        "sheet": printing.sheet_of(spec, screen, locale, subject),
        "form_title": subject,
        "change": panels.of_case(actor, found, seen, locale),
        "title": found.title if spec.title_field in seen else "",
        "initiator": people.names_of([found.initiator]).get(found.initiator, ""),
        "way": timeline.build(found, locale, ahead=False),
        "printed_at": clock.now(),
    }


def _load(spec: FormSpec, record: int) -> Values:
    with reading() as conn:
        found = rows.load(conn, spec, [record]).get(record)
    if found is None:
        raise NotFound
    return found
