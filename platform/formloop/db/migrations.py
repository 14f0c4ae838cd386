"""Bringing our own tables (`fl_…`) to the state this version of the program needs.

Missing tables are made from the rooms' declarations; what a release changes in tables that exist is a step
in `STEPS`, run once each and in order. Tables of forms are not made here: publishing a form makes them.
"""

from collections.abc import Callable

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    insert,
    inspect,
    select,
    update,
)

STEPS: tuple[Callable[[Connection], None], ...] = ()

own = MetaData()
counters = Table(
    "fl_counter",
    own,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)


def bring_up(engine: Engine, metadata: MetaData) -> None:
    """Make the tables that are missing and run the steps that have not run here yet."""
    with engine.execution_options(writes=True).begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SELECT pg_advisory_xact_lock(7263001)")  # one process at a time
        own.create_all(conn)
        there = set(inspect(conn).get_table_names())
        missing = [table for table in metadata.sorted_tables if table.name not in there]
        done = len(STEPS) if not there & set(metadata.tables) else _take(conn, "schema", 0)
        metadata.create_all(conn, tables=missing, checkfirst=False)
        for step in STEPS[done:]:
            step(conn)
        _take(conn, "schema", len(STEPS) - _take(conn, "schema", 0))


def take_node(conn: Connection) -> int:
    """The number of this process among all that have ever started on this database."""
    return _take(conn, "node", 1)


def _take(conn: Connection, name: str, step: int) -> int:
    taken = conn.execute(
        update(counters)
        .where(counters.c.name == name)
        .values(value=counters.c.value + step)
        .returning(counters.c.value)
    ).scalar()
    if taken is not None:
        return int(taken)
    conn.execute(insert(counters).values(name=name, value=step))
    return int(conn.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one())


def read_counter(conn: Connection, name: str) -> int:
    """The value of a counter, 0 before its first rise."""
    return int(conn.execute(select(counters.c.value).where(counters.c.name == name)).scalar() or 0)


def raise_counter(conn: Connection, name: str) -> int:
    """Raise a counter by one inside the open transaction; what is cached by it is stale from then on."""
    return _take(conn, name, 1)
