"""The audit trail: who did what to what, written in the same transaction as the deed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Row

from formloop.access.actor import Actor
from formloop.access.tables import audit
from formloop.core import clock
from formloop.db import connection, reading


def note(actor: Actor | None, action: str, about: str, **detail: Any) -> None:
    """Write one audit row inside the open transaction; `about` is such as `person:5` or `form:item`."""
    write([(actor, action, about, detail)])


def write(rows: list[tuple[Actor | None, str, str, Mapping[str, Any]]]) -> None:
    """Write several audit rows in one statement."""
    connection().execute(
        insert(audit),
        [
            {
                "id": clock.new_id(),
                "at": clock.now(),
                "person": actor.person_id if actor else None,
                "action": action,
                "object": about,
                "detail": dict(detail),
            }
            for actor, action, about, detail in rows
        ],
    )


def list_rows(about: str | None = None, before: int | None = None, limit: int = 50) -> list[Row[Any]]:
    """The newest audit rows, older than `before`, of one object or of all."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if about:
        query = query.where(audit.c.object == about)
    if before:
        query = query.where(audit.c.id < before)
    with reading() as conn:
        return list(conn.execute(query))
