"""What a database should know of a table that has just grown much, so that it plans its reading well."""

from sqlalchemy import Table

from formloop.db.beginning import begin_writing
from formloop.db.engines import engine, is_sqlite

_LOOKED_AT = 1_000  # rows of each index from which SQLite judges it; without a limit it would read them all


def look_over(*tables: Table) -> None:
    """Let the database look tables over at once; PostgreSQL would do so itself some minutes later, SQLite never.

    Not inside a transaction. Besides counting what is there, PostgreSQL marks the pages that everybody sees, and only
    then counts records by an index alone.
    """
    if is_sqlite():
        with begin_writing(engine()) as conn:
            conn.exec_driver_sql(f"PRAGMA analysis_limit = {_LOOKED_AT}")
            for table in tables:
                conn.exec_driver_sql(f"ANALYZE {table.name}")
        return
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        for table in tables:
            conn.exec_driver_sql(f"VACUUM (ANALYZE) {table.name}")
