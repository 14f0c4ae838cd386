"""Saved views of a list: a name for a query, one's own or shared with everybody who sees the form."""

from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select
from sqlalchemy.engine import Row

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import connection, raise_counter, reading, remembered_by, transactional
from formloop.forms.tables import saved_view


@transactional
def save(actor: Actor, form: str, name: str, args: dict[str, Any], shared: bool = False) -> int:
    """Keep a list's query under a name; sharing it needs the right to design."""
    if not name.strip():
        raise Invalid([Problem("required", "name", M("Give the view a name."))])
    if shared:
        gate.require(actor, "design", "definition")
    view = clock.new_id()
    connection().execute(
        insert(saved_view).values(
            id=view,
            form=form,
            person=actor.person_id,
            name=name.strip()[:60],
            args=args,
            shared=shared,
            made_at=clock.now(),
        )
    )
    _changed()
    return view


def _changed() -> None:
    raise_counter("access")  # like rights, views belong to every list that somebody opens, and change seldom


def get_args(actor: Actor, form: str, view: int | None) -> dict[str, Any]:
    """The query of one view that this person may use; NotFound."""
    found = next((each for each in list_for(actor, form) if each.id == view), None)
    if found is None:
        raise NotFound(M("There is no such view; it was removed, or belongs to somebody else."))
    return dict(found.args)


def list_for(actor: Actor, form: str) -> list[Row[Any]]:
    """The views of a form that this person may use, by name."""
    return _list_usable(form, actor.person_id)


@remembered_by("access")
def _list_usable(form: str, person: int | None) -> list[Row[Any]]:
    with reading() as conn:
        return list(conn.execute(_USABLE, {"of_form": form, "of_person": person}))


_USABLE = (
    select(saved_view)
    .where(saved_view.c.form == bindparam("of_form"))
    .where(or_(saved_view.c.shared, saved_view.c.person == bindparam("of_person")))
    .order_by(saved_view.c.shared.desc(), saved_view.c.name)
)


@transactional
def remove(actor: Actor, view: int) -> None:
    """Forget a view of one's own; shared ones too for who may design."""
    mine = saved_view.c.person == actor.person_id
    removable = or_(mine, saved_view.c.shared) if gate.allows(actor, "design", "definition") else mine
    if not connection().execute(delete(saved_view).where(saved_view.c.id == view, removable)).rowcount:
        raise NotFound
    _changed()
