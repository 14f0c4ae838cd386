"""Tasks and copies among people's notices: read from their own table, so that nothing is written for them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal, or_, select, update

from formloop.access.actor import Actor
from formloop.access.tables import person
from formloop.bridges.notices.service import KINDS, MOST_COUNTED, Shown, Source, is_wanted, sources
from formloop.core import clock
from formloop.core.text import M, Message
from formloop.db import connection, reading
from formloop.db.counting import VIEWER, count_up_to
from formloop.forms.kind import get_form
from formloop.workflows import sight
from formloop.workflows.amendments.proposals import list_cancelling
from formloop.workflows.kind import get_version
from formloop.workflows.spec import subject_of
from formloop.workflows.tables import case, task

STATES = {"task": ("todo", ("open",)), "copy": ("copy", ("open", "read"))}
_UNREAD = (task.c.state == "open") & task.c.seen_at.is_(None)


def _is_told(who: Any) -> ColumnElement[bool]:
    """Of what came back to its initiator another notice tells."""
    return or_(task.c.step != "", task.c.kind != "todo", case.c.initiator != who)


def _counting(kind: str) -> Any:
    return count_up_to(
        task.join(case, case.c.id == task.c.case),
        task.c.person == VIEWER,
        task.c.kind == STATES[kind][0],
        _UNREAD,
        _is_told(VIEWER),
        is_wanted(literal(kind)),
        most=MOST_COUNTED,
    )


def _finder(kind: str) -> Callable[[Actor, str, int | None, int], list[Shown]]:
    of, states = STATES[kind]
    query = (
        select(
            task.c.id,
            task.c.step.label("task_step"),
            task.c.made_at,
            _UNREAD.label("unread"),
            task.c.case,
            case.c.form,
            case.c.record,
            case.c.workflow,
            case.c.version,
            case.c.title,
            person.c.name,
        )
        .join(case, case.c.id == task.c.case)
        .join(person, person.c.id == case.c.initiator)
        .where(task.c.person == bindparam("who"), task.c.kind == of, _is_told(bindparam("who")))
        .where(task.c.id < bindparam("before"))
        .order_by(task.c.id.desc())
    )

    def find(actor: Actor, locale: str, before: int | None, limit: int) -> list[Shown]:
        asked = {"who": actor.person_id, "before": before if before is not None else clock.new_id()}
        with reading() as conn:  # state by state, so that the index gives them in order
            found = [
                row
                for state in states
                for row in conn.execute(query.where(task.c.state == state).limit(limit), asked)
            ]
            cancelling = list_cancelling((row.workflow, row.version, row.case) for row in found)
            return [_shown(actor, row, kind, row.case in cancelling, locale) for row in found]

    return find


def _shown(actor: Actor, row: Any, kind: str, cancels: bool, locale: str) -> Shown:
    spec, workflow = get_form(row.form), get_version(row.workflow, row.version)
    step = workflow.steps.get(row.task_step)
    called: Message = subject_of(workflow, spec, cancels)
    if row.title and spec.title_field in sight.visible_paths(actor, spec, step, row.record):
        called = M("{form} {title}", form=called, title=row.title)
    if kind == "copy":
        said = M("{form} of {name} was copied to you.", form=called, name=row.name)
    elif step is None:
        said = M("{form} of {name} was given to you to be corrected.", form=called, name=row.name)
    else:
        said = M("{form} of {name} waits for you: {step}", form=called, name=row.name, step=step.called)
    link = f"/inbox/{row.id}"
    return Shown(row.id, KINDS[kind], said.render(locale), link, row.made_at, bool(row.unread), own=True)


def _reader(kind: str) -> Callable[[Actor], int]:
    def read(actor: Actor) -> int:
        mine = update(task).where(
            task.c.person == actor.person_id, task.c.kind == STATES[kind][0], task.c.state == "open"
        )
        now = clock.now()
        count = connection().execute(mine.where(task.c.seen_at.is_(None)).values(seen_at=now)).rowcount
        if kind == "copy":
            connection().execute(mine.values(state="read", done_at=now))
        return count

    return read


for _kind in STATES:
    sources.add(_kind, Source(_counting(_kind), _finder(_kind), _reader(_kind)))
