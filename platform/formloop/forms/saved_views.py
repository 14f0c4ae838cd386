"""Saved views of a list: a name for a query, one's own or shared with everybody who sees the form."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, bindparam, delete, insert, or_, select
from sqlalchemy.engine import Row

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import JsonText, UtcTime, connection, metadata, reading, transactional

table = Table(
    "fl_list_view",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("form", Text, nullable=False),
    Column("person", BigInteger),
    Column("name", Text, nullable=False),
    Column("args", JsonText, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Index("fl_list_view_form", "form"),
)


@transactional
def save(actor: Actor, form: str, name: str, args: dict[str, Any], shared: bool = False) -> int:
    """Keep a list's query under a name; sharing it needs the right to design."""
    if not name.strip():
        raise Invalid([Problem("required", "name", M("Give the view a name."))])
    if shared:
        gate.require(actor, "design", "definition")
    view = clock.new_id()
    connection().execute(
        insert(table).values(
            id=view,
            form=form,
            person=actor.person_id,
            name=name.strip()[:60],
            args=args,
            shared=shared,
            made_at=clock.now(),
        )
    )
    return view


def list_for(actor: Actor, form: str) -> list[Row[Any]]:
    """The views of a form that this person may use, by name."""
    with reading() as conn:
        return list(conn.execute(_USABLE, {"of_form": form, "of_person": actor.person_id}))


_USABLE = (
    select(table)
    .where(table.c.form == bindparam("of_form"))
    .where(or_(table.c.shared, table.c.person == bindparam("of_person")))
    .order_by(table.c.shared.desc(), table.c.name)
)


@transactional
def remove(actor: Actor, view: int) -> None:
    """Forget a view of one's own; shared ones too for who may design."""
    mine = table.c.person == actor.person_id
    removable = or_(mine, table.c.shared) if gate.allows(actor, "design", "definition") else mine
    if not connection().execute(delete(table).where(table.c.id == view, removable)).rowcount:
        raise NotFound
