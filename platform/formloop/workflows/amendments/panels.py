"""A proposal in words: what changes, why, what depends on it and how far that is; for pages and print."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from formloop.access import people
from formloop.access.actor import Actor
from formloop.core.errors import Conflict, NotFound
from formloop.core.text import M, Message
from formloop.db import reading
from formloop.forms import history, reads, rows
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, State, Values
from formloop.workflows.amendments import proposals
from formloop.workflows.amendments.applying import is_outdated
from formloop.workflows.amendments.impact import list_dependents
from formloop.workflows.amendments.spec import CANCEL, EVERYTHING, Stage
from formloop.workflows.kind import get_version
from formloop.workflows.spec import Workflow
from formloop.workflows.state import ENDED

Counts = list[tuple[str, list[tuple[State, int]]]]  # title of a form, and how many records are in which state


@dataclass(frozen=True, slots=True)
class Change:
    """What one case proposes, as far as its reader may see it."""

    case: int
    status: str
    by: str
    at: datetime
    reason: str
    stage: str
    cancels: bool
    differences: list[history.Difference]
    impact: Counts
    outdated: bool
    since: list[history.Entry]
    applied_at: datetime | None


def of_case(actor: Actor, found: Any, visible: frozenset[str], locale: str) -> Change | None:
    """What the case in this row proposes; None where it is about a record itself, or nothing is kept."""
    workflow = get_version(found.workflow, found.version)
    told = proposals.find(found.id) if workflow.amends is not None else None
    if told is None:
        return None
    name = people.names_of([found.initiator]).get(found.initiator, "")
    spec = get_form(found.form)
    return _change(actor, spec, workflow, found.record, found.id, found.status, told, name, visible, locale)


def list_of(actor: Actor, spec: FormSpec, record: int, locale: str) -> list[Change]:
    """Everything that was ever proposed for a record, newest first; of a proposal that was renewed its last form."""
    newest: dict[int, Any] = {}
    for told in proposals.list_of(spec.key, record):
        newest.setdefault(told.case, told)
    if not newest:
        return []
    names = people.names_of({told.initiator for told in newest.values()})
    visible = reads.look(actor, spec.key, record).visible
    return [
        _change(
            actor,
            spec,
            get_version(told.workflow, told.version),
            record,
            told.case,
            told.status,
            told,
            names.get(told.initiator, ""),
            visible,
            locale,
        )
        for told in newest.values()
    ]


def _change(
    actor: Actor,
    spec: FormSpec,
    workflow: Workflow,
    record: int,
    case: int,
    status: str,
    told: Any,
    name: str,
    visible: frozenset[str],
    locale: str,
) -> Change:
    running = status not in ENDED
    outdated = running and _is_outdated(workflow, spec, record, told)
    since = history.describe_changes(actor, spec, record, visible, locale, told.revision) if outdated else []
    stages = workflow.amends.stages if workflow.amends is not None else ()
    stage = next((each for each in stages if each.id == told.stage), None)
    return Change(
        case=case,
        status=status,
        by=name,
        at=told.made_at,
        reason=told.reason,
        stage=stage.title(locale) if stage is not None else "",
        cancels=proposals.is_cancelling(told),
        differences=history.describe_difference(
            actor, spec, told.old, told.new, visible, locale, told.places
        ),
        impact=count_dependents(spec, record, locale) if running else _in_words(told.impact, locale),
        outdated=outdated,
        since=[each for each in since if each.differences],
        applied_at=told.applied_at,
    )


def _is_outdated(workflow: Workflow, spec: FormSpec, record: int, told: Any) -> bool:
    with reading() as conn:
        found = rows.load(conn, spec, [record]).get(record)
    try:
        return found is not None and is_outdated(workflow, spec, told, found)
    except Conflict:  # how far it is cannot be said: whoever agrees is told
        return False


def count_dependents(spec: FormSpec, record: int, locale: str) -> Counts:
    """What depends on a record now, in words."""
    return _in_words((each.as_json() for each in list_dependents(spec, record)), locale)


def _in_words(impact: Iterable[Any], locale: str) -> Counts:
    found: Counts = []
    for key, states in impact:
        try:
            other = get_form(key)
        except NotFound:  # the form is gone since
            continue
        counts = [(other.states.get(state, State(state, {})), count) for state, count in states.items()]
        found.append((other.title(locale), counts))
    return found


def list_locked(spec: FormSpec, stage: Stage | None, locale: str) -> list[str]:
    """What a stage has locked, in words."""
    found: list[str] = []
    for each in sorted(stage.forbids if stage is not None else ()):
        field = spec.find(each.lstrip("+-"))
        if each == EVERYTHING:
            return [M("everything").render(locale)]
        if each == CANCEL:
            found.append(M("cancelling").render(locale))
        elif field is not None:
            found.append(_title(spec, each, field.title(locale), locale))
    return found


def _title(spec: FormSpec, path: str, title: str, locale: str) -> str:
    said: dict[str, Message] = {
        "+": M("new lines in “{name}”", name=title),
        "-": M("removing lines of “{name}”", name=title),
    }
    if path[0] in said:
        return said[path[0]].render(locale)
    top, _, column = path.partition(".")
    return f"{spec.fields[top].title(locale)} · {title}" if column else title


def proposed(found: Any, record: Values) -> Values:
    """The record as the case in this row proposes it, while it is under way; else the record."""
    workflow = get_version(found.workflow, found.version)
    if workflow.amends is None or found.status in ENDED:
        return record
    told = proposals.find(found.id)
    return proposals.lay_over(get_form(found.form), record, told.new) if told is not None else record
