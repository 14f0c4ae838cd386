"""Rows that people change while a coming column is being filled: a trigger notes them, in the same transaction.

It does not matter who writes, by which version of the form and from which machine: what was noted and committed
is brought over once more, so the coming column is right in every row but those.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select

from formloop.forms.tables import row_behind

_FUNCTION = """
CREATE OR REPLACE FUNCTION fl_note_behind() RETURNS trigger AS $$ BEGIN
  INSERT INTO fl_row_behind ("table", "row") VALUES (TG_TABLE_NAME, NEW.id); RETURN NULL;
END $$ LANGUAGE plpgsql
"""
_ON_SQLITE = """
CREATE TRIGGER "{name}" AFTER {event} ON "{table}" BEGIN
  INSERT INTO fl_row_behind ("table", "row") VALUES ('{table}', NEW.id);
END
"""


def stop_cleaning(conn: Connection, table: str) -> None:
    """Keep PostgreSQL's own cleaning away from a table: it would hold a lock that nobody outlasts who is in a hurry.

    One that is under way gives in after a second; nobody who reads or writes waits for this.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f'ALTER TABLE "{table}" SET (autovacuum_enabled = false)')


def watch(conn: Connection, table: str, columns: Sequence[str]) -> None:
    """Note from now on every row of `table` that is new or gets another value in one of `columns`."""
    forget(conn, table)
    stop_cleaning(conn, table)
    of = ", ".join(f'"{column}"' for column in columns)
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(_FUNCTION)
        conn.exec_driver_sql(
            f'CREATE TRIGGER "fl_behind" AFTER INSERT OR UPDATE OF {of} ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION fl_note_behind()"
        )
        return
    for name, event in _sqlite_triggers(table, of):
        conn.exec_driver_sql(_ON_SQLITE.format(name=name, event=event, table=table))


def forget(conn: Connection, table: str) -> None:
    """Note nothing any more, and forget what was noted."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f'DROP TRIGGER IF EXISTS "fl_behind" ON "{table}"')
        conn.exec_driver_sql(f'ALTER TABLE "{table}" RESET (autovacuum_enabled)')
    else:
        for name, _ in _sqlite_triggers(table, ""):
            conn.exec_driver_sql(f'DROP TRIGGER IF EXISTS "{name}"')
    conn.execute(delete(row_behind).where(row_behind.c.table == table))


def _sqlite_triggers(table: str, columns: str) -> tuple[tuple[str, str], ...]:
    return (f"fl_behind_new_{table}", "INSERT"), (f"fl_behind_old_{table}", f"UPDATE OF {columns}")


def take(conn: Connection, table: str, most: int | None = None) -> list[int]:
    """Rows that were noted, each once, which are not noted any more: to be brought over in this transaction."""
    some = select(row_behind.c.row).where(row_behind.c.table == table).distinct().limit(most)
    ids = sorted(conn.execute(some).scalars())
    for start in range(0, len(ids), 500):
        these = row_behind.c.row.in_(ids[start : start + 500])
        conn.execute(delete(row_behind).where(row_behind.c.table == table, these))
    return ids


def count(conn: Connection, tables: Sequence[str]) -> int:
    """How many notes there are about these tables."""
    query = select(func.count()).select_from(row_behind).where(row_behind.c.table.in_(tables))
    return int(conn.execute(query).scalar_one())
