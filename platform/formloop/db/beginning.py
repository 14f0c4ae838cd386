"""How a transaction begins: one that writes takes the lock at once, others share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

DRIVER = "sqlite+formloop"
_WRITES = "writes"


class Sqlite(SQLiteDialect_pysqlite):
    """SQLite whose transactions we begin ourselves: Python's own begin late and as readers.

    A reader that turns into a writer half-way meets BUSY and cannot wait. An event of the engine could begin them
    too, but then every statement would stop to see whether anybody listens.
    """

    supports_statement_cache = True

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin a transaction on a connection of the pool."""
        writes = dbapi_connection.info.pop(_WRITES, False)
        dbapi_connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")


registry.register("sqlite.formloop", __name__, Sqlite.__name__)


@contextmanager
def begin_writing(target: Engine, alone: bool = False) -> Iterator[Connection]:
    """A transaction of its own that writes to `target`; committed at the end of the block, undone by an error.

    `alone` it sees nothing that others commit meanwhile, as every one does on SQLite.
    """
    with target.connect() as conn:
        if alone and target.dialect.name == "postgresql":
            conn.execution_options(isolation_level="REPEATABLE READ")
        conn.info[_WRITES] = True
        with conn.begin():
            yield conn
