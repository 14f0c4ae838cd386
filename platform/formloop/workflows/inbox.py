"""What waits for a person, what they have done, what was copied to them, what they started, and their drafts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_

from formloop.access.actor import Actor
from formloop.access.tables import department, person
from formloop.core.errors import NotFound
from formloop.core.text import M, Message
from formloop.db import reading
from formloop.db.counting import VIEWER, count_up_to
from formloop.definitions import library
from formloop.forms import listing, permits
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.workflows import sight, waiting
from formloop.workflows.amendments import proposals
from formloop.workflows.kind import get_version
from formloop.workflows.narrowing import EVERYTHING, Wanted, narrow
from formloop.workflows.spec import subject_of
from formloop.workflows.state import State
from formloop.workflows.tables import case, reminder, task

PAGE = 50
MOST_COUNTED = 1_000
TABS: Mapping[str, Message] = {
    "todo": M("To do"),
    "done": M("Done"),
    "copies": M("Copied to me"),
    "started": M("Started by me"),
    "drafts": M("Drafts"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the inbox. `id` is the task, or the case (started), or the record (drafts)."""

    id: int
    case: int | None
    form: str
    record: int
    form_title: str
    title: str
    summary: list[tuple[str, str]]
    initiator: str
    department: str
    at: Any
    status: str
    decision: str | None = None
    step: str = ""
    unread: bool = False
    may_approve: bool = False
    may_reject: bool = False
    revise: bool = False
    agree: Message | None = None
    text: str = ""
    reminded: int = 0
    due_at: Any = None
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows and the mark of the next page."""

    rows: list[Row]
    next: int | None


def count_todo(actor: Actor) -> int:
    """How many tasks wait for a person; 1,000 means that many or more."""
    if actor.person_id is None:
        return 0
    with reading() as conn:
        return conn.execute(COUNT_TODO, {VIEWER.key: actor.person_id}).scalar_one()


COUNT_TODO = count_up_to(
    task, task.c.person == VIEWER, task.c.kind == "todo", task.c.state == "open", most=MOST_COUNTED
)


def list_tab(
    actor: Actor,
    tab: str,
    locale: str,
    wanted: Wanted = EVERYTHING,
    after: int | None = None,
    limit: int = PAGE,
) -> Page:
    """One page of a tab, what came, was decided or was started last first."""
    if tab not in TABS:
        raise NotFound
    if actor.person_id is None:
        return Page([], None)
    if tab == "drafts":
        return _drafts(actor, locale, wanted, after, limit)
    query = _started(actor.person_id) if tab == "started" else _tasks(actor.person_id, tab)
    key = case.c.id if tab == "started" else task.c.id
    order = (task.c.done_at, key) if tab == "done" else (key,)
    query = query.where(*narrow(actor, tab, wanted))
    if after is not None:
        last = select(task.c.done_at).where(task.c.id == after).scalar_subquery()
        query = query.where(tuple_(*order) < tuple_(last, after) if tab == "done" else key < after)
    with reading() as conn:
        found = conn.execute(query.order_by(*(each.desc() for each in order)).limit(limit + 1)).all()
        cancelling = proposals.list_cancelling((e.workflow, e.version, e.case) for e in found)
        due = _due_of(actor, found[:limit]) if tab == "todo" else {}
        rows = [_row(actor, each, locale, each.case in cancelling, due) for each in found[:limit]]
        if tab == "started":
            rows = _with_places(rows, found, locale)
    return Page(rows, rows[-1].id if len(found) > limit else None)


def _due_of(actor: Actor, found: Sequence[Any]) -> dict[tuple[int, int], datetime]:
    """When what waits for somebody is due next, by case and the round of their task."""
    times = waiting.list_times([each.case for each in found])
    if not times:
        return {}
    query = select(case.c.id, case.c.state).where(case.c.id.in_({of for of, _ in times}))
    with reading() as conn:
        states = [(row.id, State.from_json(row.state)) for row in conn.execute(query)]
    return {
        (of, seat.round): at
        for of, state in states
        for token in state.tokens
        for seat in token.seats
        if seat.person == actor.person_id and (at := waiting.find_due(of, token, times)) is not None
    }


def _with_places(rows: list[Row], found: Sequence[Any], locale: str) -> list[Row]:
    """The rows with every step at which their case stands: beside one another there may be several."""
    query = select(case.c.id, case.c.state).where(case.c.id.in_([each.case for each in rows]))
    with reading() as conn:
        states = {row.id: State.from_json(row.state) for row in conn.execute(query)}
    placed = []
    for row, each in zip(rows, found, strict=False):
        steps = get_version(each.workflow, each.version).steps
        titles = [steps[token.at].title(locale) for token in states[each.case].leaves if token.at in steps]
        placed.append(replace(row, step=", ".join(dict.fromkeys(titles))))
    return placed


_COLUMNS = (
    case.c.id.label("case"),
    case.c.form,
    case.c.record,
    case.c.workflow,
    case.c.version,
    case.c.status,
    case.c.step.label("case_step"),
    case.c.title,
    case.c.summary,
    person.c.name.label("initiator"),
    department.c.name.label("department"),
    department.c.name_zh.label("department_zh"),
)


def _tasks(person_id: int, tab: str) -> Select[Any]:
    kinds, states = {
        "todo": (("todo",), ("open",)),
        "done": (("todo",), ("done",)),
        "copies": (("copy", "message"), ("open", "read")),
    }[tab]
    return (
        select(
            task.c.id,
            task.c.step,
            task.c.round,
            task.c.state,
            task.c.kind,
            task.c.decision,
            task.c.why,
            task.c.seen_at,
            func.coalesce(reminder.c.count, 0).label("reminded"),
            (task.c.done_at if tab == "done" else task.c.made_at).label("at"),
            *_COLUMNS,
        )
        .join(case, case.c.id == task.c.case)
        .join(reminder, reminder.c.task == task.c.id, isouter=True)
        .join(person, person.c.id == case.c.initiator)
        .join(department, department.c.id == person.c.department, isouter=True)
        .where(task.c.person == person_id, _one_of(task.c.kind, kinds), _one_of(task.c.state, states))
    )


def _one_of(column: ColumnElement[str], values: tuple[str, ...]) -> ColumnElement[bool]:
    """A single value stands in the statement itself: only so does the index of what is done fit."""
    if len(values) == 1:
        return column == literal(values[0], literal_execute=True)
    return column.in_(values)


def _started(person_id: int) -> Select[Any]:
    nothing = literal(None)
    return (
        select(
            case.c.id,
            case.c.step,
            literal("").label("state"),
            literal("started").label("kind"),
            nothing.label("decision"),
            nothing.label("why"),
            nothing.label("seen_at"),
            literal(0).label("reminded"),
            case.c.started_at.label("at"),
            *_COLUMNS,
        )
        .select_from(case)
        .join(person, person.c.id == case.c.initiator)
        .join(department, department.c.id == person.c.department, isouter=True)
        .where(case.c.initiator == person_id)
    )


def _row(
    actor: Actor, found: Any, locale: str, cancels: bool, due: Mapping[tuple[int, int], datetime]
) -> Row:
    spec, workflow = get_form(found.form), get_version(found.workflow, found.version)
    step = workflow.steps.get(found.step)
    at = workflow.steps.get(found.case_step)
    seen = sight.visible_paths(actor, spec, step, found.record)
    if found.decision == "transfer" and not sight.gives_row(actor, "view", spec, found.record):
        seen = frozenset()
    waits = found.kind == "todo" and found.state == "open"
    chinese = locale.startswith("zh") and found.department_zh
    return Row(
        id=found.id,
        case=found.case,
        form=found.form,
        record=found.record,
        form_title=subject_of(workflow, spec, cancels).render(locale),
        title=found.title if spec.title_field in seen else "",
        summary=summary_of(spec, found.summary, seen, locale),
        initiator=found.initiator,
        department=(found.department_zh if chinese else found.department) or "",
        at=found.at,
        status=found.status,
        decision=found.decision,
        step=here.title(locale) if (here := step or at) is not None else "",
        unread=found.state == "open" and found.seen_at is None,
        may_approve=waits
        and step is not None
        and "approve" in step.actions
        and not step.document.get("needs"),
        may_reject=waits and step is not None and "reject" in step.actions,
        revise=waits and step is None,
        agree=step.node.agree if step is not None else None,
        text=str((found.why or {}).get("text", "")),
        reminded=found.reminded if waits else 0,
        due_at=due.get((found.case, found.round)) if waits else None,
        cancels=cancels,
    )


def summary_of(
    spec: FormSpec, summary: Iterable[Mapping[str, str]], seen: frozenset[str], locale: str
) -> list[tuple[str, str]]:
    """Label and text of what a case says of itself, as far as this person may see it."""
    found = []
    for each in summary:
        field = spec.fields.get(each["path"])
        if field is not None and each["path"] in seen:
            found.append((field.title(locale), each.get(locale) or each.get("en", "")))
    return found


def _drafts(actor: Actor, locale: str, wanted: Wanted, after: int | None, limit: int) -> Page:
    """Records of one's own that were never submitted, were withdrawn or came back, of forms with a workflow."""
    rows: list[Row] = []
    for entry in library.list_entries("workflow"):
        if wanted.workflow not in ("", entry.key):
            continue
        workflow = library.published("workflow", entry.key)
        spec = get_form(workflow.form)
        if workflow.amends is not None or any(
            permits.find_permit(actor, action, spec) is None for action in ("submit", "view")
        ):
            continue
        rows += _drafts_of(actor, spec, workflow.states["returned"], locale, wanted.search, after, limit)
    rows.sort(key=lambda row: row.id, reverse=True)
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def _drafts_of(
    actor: Actor, spec: FormSpec, state: str, locale: str, search: str, after: int | None, limit: int
) -> list[Row]:
    table = spec.table
    mine = (table.c.owner == actor.person_id) & (table.c.state == state)
    if after is not None:
        mine &= table.c.id < after
    query = listing.Query(search=search, sort=("-id",), limit=limit + 1, columns=(spec.title_field,))
    found = listing.list_records(actor, spec, query, also=mine)
    return [
        Row(
            id=record["id"],
            case=None,
            form=spec.key,
            record=record["id"],
            form_title=spec.title(locale),
            title=str(record.get(spec.title_field) or ""),
            summary=[],
            initiator=actor.name,
            department="",
            at=record["updated_at"],
            status="draft",
        )
        for record in found.rows
    ]
