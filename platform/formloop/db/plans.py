"""Statements that PostgreSQL prepared for a connection, which it refuses once a column has another type.

Each process keeps connections; a publication in one of them makes what all others have prepared useless.
"""

from sqlalchemy import select

from formloop.db.engines import engine, is_sqlite
from formloop.db.glances import counter
from formloop.db.migrations import raise_by
from formloop.db.units import connection, find_unit, reading

_COUNTER = "columns"
_known: int | None = None


def columns_changed() -> None:
    """Say that the open transaction gives a column another type."""
    raise_by(connection(), _COUNTER, 1)


def forget_plans() -> None:
    """Where a column has another type since this was last asked, let no connection of this process remember."""
    global _known
    if is_sqlite():
        return
    with reading() as conn:
        now = int(conn.execute(select(counter(_COUNTER))).scalar_one())
    if _known not in (None, now):
        if (unit := find_unit()) is not None:
            unit.connection.exec_driver_sql("DEALLOCATE ALL")
        engine().dispose()  # what is in use just now is closed when it comes back
    _known = now
