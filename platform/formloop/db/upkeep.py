"""What a database should know of a table that has just grown much, so that it plans its reading well."""

import logging
from collections.abc import Sequence

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError

from formloop.db.beginning import begin_writing
from formloop.db.engines import engine, is_sqlite

_log = logging.getLogger(__name__)
_LOOKED_AT = 1_000  # rows of each index from which SQLite judges it; without a limit it would read them all


def look_over(*tables: Table) -> None:
    """Let the database look tables over at once; PostgreSQL would do so itself some minutes later, SQLite never.

    Not inside a transaction. Besides counting what is there, PostgreSQL marks the pages that everybody sees, and only
    then counts records by an index alone. Somebody who is in the way is not waited for long: it is no work that
    anybody needs to hear of when it fails.
    """
    names = [engine().dialect.identifier_preparer.format_table(table) for table in tables]
    try:
        if is_sqlite():
            _on_sqlite(names)
        else:
            _on_postgresql(names)
    except DBAPIError:
        _log.warning("could not look over %s", ", ".join(names), exc_info=True)


def _on_sqlite(names: Sequence[str]) -> None:
    with begin_writing(engine()) as conn:
        conn.exec_driver_sql(f"PRAGMA analysis_limit = {_LOOKED_AT}")
        for name in names:
            conn.exec_driver_sql(f"ANALYZE {name}")


def _on_postgresql(names: Sequence[str]) -> None:
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.detach()  # its patience is its own
        conn.exec_driver_sql("SET statement_timeout = 0")
        for name in names:
            conn.exec_driver_sql(f"VACUUM (ANALYZE) {name}")
