"""Bringing our own tables (`fl_…`) to the state this version of the program needs.

Missing tables and indexes, and missing columns that may be empty, are made from the rooms' declarations; whatever else a release
changes in tables that exist is a step in `STEPS`, run once each and in order. Tables of forms are not made here:
publishing a form makes them. What the declarations came to is remembered in the database, so that a process that starts
on what another has brought up does not look through all of it again.
"""

import zlib
from collections.abc import Callable, Sequence

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

from formloop.db.beginning import begin_writing

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
    with begin_writing(engine) as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SELECT pg_advisory_xact_lock(7263001)")  # one process at a time
        own.create_all(conn)
        if raise_by(conn, "shape", 0) == (shape := _shape(metadata)):
            return
        there = set(inspect(conn).get_table_names())
        missing = [table for table in metadata.sorted_tables if table.name not in there]
        done = len(STEPS) if not there & set(metadata.tables) else raise_by(conn, "schema", 0)
        known = [table for table in metadata.sorted_tables if table.name in there]
        _add_columns(conn, known)
        _add_indexes(conn, known)
        metadata.create_all(conn, tables=missing, checkfirst=False)
        for step in STEPS[done:]:
            step(conn)
        raise_by(conn, "schema", len(STEPS) - raise_by(conn, "schema", 0))
        raise_by(conn, "shape", shape - raise_by(conn, "shape", 0))


def _shape(metadata: MetaData) -> int:
    """A number that changes with whatever `bring_up` makes: what is declared, and how many steps there are."""
    said = [str(len(STEPS))]
    for table in metadata.sorted_tables:
        said += [f"{table.name}.{column.name}" for column in table.columns]
        said += sorted(str(index.name) for index in table.indexes)
    return zlib.crc32("\n".join(said).encode()) & 0x7FFFFFFF  # a counter has 31 bits


def _add_columns(conn: Connection, tables: Sequence[Table]) -> None:
    known = inspect(conn).get_multi_columns(filter_names=[table.name for table in tables])
    there = {(name, column["name"]) for (_, name), columns in known.items() for column in columns}
    quoted = conn.dialect.identifier_preparer
    for table in tables:
        for column in table.columns:
            if column.nullable and (table.name, column.name) not in there:
                made = f"{quoted.format_column(column)} {column.type.compile(conn.dialect)}"
                conn.exec_driver_sql(f"ALTER TABLE {quoted.format_table(table)} ADD COLUMN {made}")


def _add_indexes(conn: Connection, tables: Sequence[Table]) -> None:
    known = inspect(conn).get_multi_indexes(filter_names=[table.name for table in tables])
    there = {index["name"] for indexes in known.values() for index in indexes}
    for table in tables:
        for index in table.indexes:
            if index.name not in there:
                index.create(conn)


def take_node(conn: Connection) -> int:
    """The number of this process among all that have ever started on this database."""
    return raise_by(conn, "node", 1)


def raise_by(conn: Connection, name: str, step: int) -> int:
    """Raise a counter inside the open transaction; returns its new value."""
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
