"""Which workers are alive: each notes every twenty seconds that it is, so that people learn when none is."""

from datetime import timedelta

from sqlalchemy import delete, func, insert, select, update

from formloop.core import clock
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.events.claims import owner
from formloop.events.tables import worker

SILENT = timedelta(seconds=60)
ADVICE = M(
    "No worker has reported for a minute: messages and jobs wait. Start one with “formloop serve” or “formloop worker”."
)
_FORGOTTEN = timedelta(days=1)


@transactional
def beat() -> None:
    """Note that the worker of this process is alive."""
    conn, now = connection(), clock.now()
    noted = conn.execute(update(worker).where(worker.c.owner == owner()).values(seen_at=now))
    if not noted.rowcount:
        conn.execute(delete(worker).where(worker.c.seen_at < now - _FORGOTTEN))
        conn.execute(insert(worker).values(owner=owner(), seen_at=now))


@transactional
def end() -> None:
    """Note that the worker of this process has stopped as it was told to."""
    connection().execute(delete(worker).where(worker.c.owner == owner()))


def is_missing() -> bool:
    """Whether no worker has reported for a minute: then nothing is delivered and no job goes on."""
    with reading() as conn:
        last = conn.execute(select(func.max(worker.c.seen_at))).scalar()
    return last is None or last < clock.now() - SILENT
