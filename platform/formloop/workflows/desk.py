"""The repair desk of cases: which are stuck, overdue or under way, why, and whom they wait for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal, select, tuple_
from sqlalchemy.engine import Row

from formloop.access import people
from formloop.access.actor import Actor
from formloop.access.tables import person
from formloop.core import clock
from formloop.core.errors import NotFound
from formloop.core.text import M, Message
from formloop.db import reading
from formloop.db.counting import count_up_to
from formloop.events import reasons
from formloop.forms.kind import get_form
from formloop.workflows import sight
from formloop.workflows.actions import administering
from formloop.workflows.amendments.proposals import list_cancelling
from formloop.workflows.kind import get_version
from formloop.workflows.partaking import may_see_cases
from formloop.workflows.spec import subject_of
from formloop.workflows.state import State
from formloop.workflows.tables import case, case_log, task, watch
from formloop.workflows.waiting import Times, Wait, list_times, list_waits

PAGE = 50
MOST_COUNTED = 100
DUE = ("due_remind", "due_escalate", "due_no_head")
TABS: Mapping[str, Message] = {
    "stuck": M("Stuck"),
    "overdue": M("Overdue"),
    "running": M("Under way"),
    "ended": M("Finished"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A case as the desk shows it; without `seen` its reader may not look at the record."""

    id: int
    form_title: str
    title: str
    initiator: str
    step: str
    status: str
    reason: str
    waits_for: str
    waits: list[Wait]
    changed_at: datetime
    seen: bool


_TOLD = (  # of a task that waits still somebody has been told since it was made
    select(literal(1))
    .select_from(task.join(case_log, case_log.c.case == task.c.case))
    .where(task.c.case == case.c.id, task.c.kind == "todo", task.c.state == "open")
    .where(case_log.c.action.in_(DUE), case_log.c.step == task.c.step)
    .where(tuple_(case_log.c.at, case_log.c.id) > tuple_(task.c.made_at, task.c.id))
    .exists()
)
_ASKS_WHO_LEFT = (
    select(task.c.case)
    .join(person, person.c.id == task.c.person)
    .where(~person.c.active, task.c.kind == "todo", task.c.state == "open")
)
_PASSED = (  # a time has come of which nobody has been told yet
    select(literal(1))
    .where(
        watch.c.case == case.c.id, watch.c.at <= bindparam(None, callable_=clock.now, type_=watch.c.at.type)
    )
    .exists()
)


def _of_tab(tab: str) -> ColumnElement[bool]:
    if tab == "stuck":
        return case.c.ended_at.is_(None) & ((case.c.status == "stuck") | case.c.id.in_(_ASKS_WHO_LEFT))
    if tab == "overdue":
        return case.c.ended_at.is_(None) & (_TOLD | _PASSED)
    if tab == "running":
        return case.c.ended_at.is_(None)
    if tab == "ended":
        return case.c.ended_at.is_not(None)
    raise NotFound


COUNT_STUCK = count_up_to(case, _of_tab("stuck"), most=MOST_COUNTED)


def list_items(
    actor: Actor, tab: str, locale: str, workflow: str = "", before: int | None = None
) -> tuple[list[Item], int | None]:
    """A page of cases, newest first, and the mark of the next page."""
    query = select(case).where(_of_tab(tab))
    if workflow:
        query = query.where(case.c.workflow == workflow)
    if before is not None:
        query = query.where(case.c.id < before)
    with reading() as conn:
        found = conn.execute(query.order_by(case.c.id.desc()).limit(PAGE + 1)).all()
    shown = found[:PAGE]
    return describe(actor, shown, locale), shown[-1].id if len(found) > PAGE else None


def describe(actor: Actor, shown: Sequence[Row[Any]], locale: str) -> list[Item]:
    """Cases in words, as far as their reader may see them."""
    waiting, why = (
        open_tasks([each.id for each in shown]),
        _reasons(actor, [each.id for each in shown], locale),
    )
    names = people.names_of(
        {each.initiator for each in shown} | {t.person for tasks in waiting.values() for t in tasks}
    )
    seen = may_see_cases(actor, shown)
    times = list_times([each.id for each in shown])
    cancelling = list_cancelling((each.workflow, each.version, each.id) for each in shown)
    return [
        _item(
            actor,
            each,
            each.id in seen,
            each.id in cancelling,
            locale,
            waiting.get(each.id, ()),
            why,
            names,
            times,
        )
        for each in shown
    ]


def _item(
    actor: Actor,
    found: Row[Any],
    seen: bool,
    cancels: bool,
    locale: str,
    waiting: Sequence[Row[Any]],
    why: Mapping[int, str],
    names: Mapping[int, str],
    times: Times,
) -> Item:
    spec, workflow = get_form(found.form), get_version(found.workflow, found.version)
    step = workflow.steps.get(found.step)
    nobody = M("Nobody was found to decide.").render(locale)
    left = ", ".join(names.get(each.person, "") for each in waiting if not each.active)
    reason = M("Waits for somebody who has left: {people}", people=left).render(locale) if left else ""
    return Item(
        id=found.id,
        form_title=subject_of(workflow, spec, cancels).render(locale),
        title=found.title if seen and spec.title_field in sight.visible_paths(actor, spec, None) else "",
        initiator=names.get(found.initiator, ""),
        step=step.title(locale) if step is not None else "",
        status=found.status,
        reason=(why.get(found.id) or nobody) if found.status == "stuck" else reason,
        waits_for=", ".join(names.get(each.person, "") for each in waiting[:4]),
        waits=list_waits(found, times) if found.status == "open" else [],
        changed_at=found.changed_at,
        seen=seen,
    )


def open_tasks(cases: Iterable[int]) -> dict[int, list[Row[Any]]]:
    """What waits in cases, oldest first."""
    query = (
        select(task, person.c.active)
        .join(person, person.c.id == task.c.person)
        .where(task.c.case.in_(list(cases)), task.c.kind == "todo", task.c.state == "open")
    )
    found: dict[int, list[Row[Any]]] = {}
    with reading() as conn:
        for row in conn.execute(query.order_by(task.c.id)):
            found.setdefault(row.case, []).append(row)
    return found


def list_unasked(cases: Iterable[int]) -> set[int]:
    """Those of the cases where a step lacks somebody who decides."""
    query = select(case).where(case.c.id.in_(list(cases)), case.c.status == "stuck")
    with reading() as conn:
        found = conn.execute(query).all()
    return {
        each.id
        for each in found
        if administering.list_unasked(get_version(each.workflow, each.version), State.from_json(each.state))
    }


def _reasons(actor: Actor, cases: Iterable[int], locale: str) -> dict[int, str]:
    """Why cases are stuck, as their history says last; with the values it is about for whom no field is hidden."""
    told = ("exact", "reason") if actor.administrator else ("reason",)
    query = select(case_log.c.case, case_log.c.detail).where(
        case_log.c.case.in_(list(cases)), case_log.c.action == "stuck"
    )
    with reading() as conn:
        return {
            row.case: reasons.read(next((row.detail[key] for key in told if key in row.detail), None), locale)
            for row in conn.execute(query.order_by(case_log.c.at, case_log.c.id))
        }
