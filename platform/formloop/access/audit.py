"""The audit trail: who did what to what, written in the same transaction as the deed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Row

from formloop.access import sealing
from formloop.access.actor import Actor
from formloop.access.tables import audit
from formloop.core import clock
from formloop.db import connection, reading


def note(actor: Actor | None, action: str, about: str, **detail: Any) -> None:
    """Write one audit row inside the open transaction; `about` is such as `person:5` or `form:item`."""
    write([(actor, action, about, detail)])


def write(rows: list[tuple[Actor | None, str, str, Mapping[str, Any]]]) -> None:
    """Write several audit rows in one statement."""
    ids = clock.new_ids(len(rows))
    connection().execute(
        insert(audit),
        [
            {
                "id": row_id,
                "at": clock.now(),
                "person": actor.person_id if actor else None,
                "action": action,
                "object": about,
                "detail": dict(detail),
            }
            for row_id, (actor, action, about, detail) in zip(ids, rows, strict=True)
        ],
    )
    sealing.seal_written(ids)


def list_rows(
    about: str | None = None,
    before: int | None = None,
    limit: int = 50,
    *,
    person_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Row[Any]]:
    """The newest audit rows, older than the row `before`; of one object, person or time, or of all."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if about:
        query = query.where(audit.c.object == about)
    if before:
        query = query.where(audit.c.id < before)
    if person_id is not None:
        query = query.where(audit.c.person == person_id)
    if since is not None:
        query = query.where(audit.c.at >= since)
    if until is not None:
        query = query.where(audit.c.at < until)
    with reading() as conn:
        return list(conn.execute(query))
