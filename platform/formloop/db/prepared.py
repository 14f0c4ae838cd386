"""Statements that are asked again and again: compiled once a process, then handed to the driver as they are.

What the library does anew for each execution (its cache key, a context, a result with all its ways) costs several
times what the driver needs for a row. Transactions, savepoints, errors and listeners stay the library's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Executable, Table, insert
from sqlalchemy.engine import IteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData

Values = dict[str, Any]
Reader = tuple[int, Callable[[Any], Any]]  # which place, and how its value is handed over or read


@dataclass(slots=True)
class _Text:
    """A statement as a dialect spells it: what it is given, in order, and the columns that it answers with.

    Threads share it. `readers` are known since the first answer, and the same whoever finds them out.
    """

    sql: str
    names_given: tuple[str, ...]
    take: Callable[[Values], tuple[Any, ...]]  # the values under these names
    binds: list[Reader]
    fixed: dict[str, Any]
    by_name: bool
    kinds: list[Any]
    names: list[str]
    shape: SimpleResultMetaData
    readers: list[Reader] | None = None


class Prepared:
    """A statement that is the same object each time; an INSERT takes the columns `keys`.

    One whose text hangs on its values (a list of any length) goes through the library each time.
    """

    __slots__ = ("_keys", "_statement", "_text")

    def __init__(self, statement: Executable, keys: Sequence[str] | None = None) -> None:
        self._statement: Any = statement
        self._keys = keys
        self._text: tuple[Dialect, _Text | None] | None = None  # replaced as one: threads share it

    def dicts(self, conn: Connection, values: Values) -> list[dict[str, Any]]:
        """The rows, each by the names of its columns."""
        text = self._spelt(conn.dialect)
        if text is None:
            return [dict(row) for row in conn.execute(self._statement, values).mappings()]
        return [dict(zip(text.names, row, strict=True)) for row in _found(conn, text, values)]

    def rows(self, conn: Connection, values: Values) -> Result[Any]:
        """The rows, with the library's own ways to take them."""
        text = self._spelt(conn.dialect)
        if text is None:
            return cast(Result[Any], conn.execute(self._statement, values))
        return IteratorResult(text.shape, iter(_found(conn, text, values)))

    def run(self, conn: Connection, values: Values | list[Values]) -> int:
        """Change rows, with several sets of values one after the other; how many were changed."""
        text = self._spelt(conn.dialect)
        if isinstance(values, list) and len(values) == 1:
            values = values[0]
        if text is None:
            return conn.execute(self._statement, values).rowcount
        cursor = _executed(conn, text, values)
        changed: int = cursor.rowcount
        cursor.close()
        return changed

    def _spelt(self, dialect: Dialect) -> _Text | None:
        spelt = self._text
        if spelt is None or spelt[0] is not dialect:
            spelt = self._text = dialect, _spell(self._statement, self._keys, dialect)
        return spelt[1]


@lru_cache(maxsize=4_000)
def adding(table: Table, keys: tuple[str, ...]) -> Prepared:
    """INSERT into these columns of `table`."""
    return Prepared(insert(table), keys)


def _found(conn: Connection, text: _Text, values: Values) -> list[Sequence[Any]]:
    cursor = _executed(conn, text, values)
    found: list[Sequence[Any]] = cursor.fetchall()
    readers = text.readers
    if readers is None:
        readers = text.readers = _readers(text, conn.dialect, cursor.description)
    cursor.close()
    return [_read(row, readers) for row in found] if readers else found


def _executed(conn: Connection, text: _Text, values: Values | list[Values]) -> Any:
    many = isinstance(values, list)
    given = [_given(text, each) for each in values] if isinstance(values, list) else _given(text, values)
    cursor: Any = conn.connection.cursor()
    try:
        if conn.engine._has_events:
            for told in conn.engine.dispatch.before_cursor_execute:
                told(conn, cursor, text.sql, given, None, many)
        (cursor.executemany if many else cursor.execute)(text.sql, given)
    except conn.dialect.loaded_dbapi.Error as error:
        # what a driver's error means, also for the pool, stays for the library to say
        conn._handle_dbapi_exception(error, text.sql, given, cursor, None)
    return cursor


def _given(text: _Text, values: Values) -> Any:
    if text.fixed:
        values = {**text.fixed, **values}
    given = list(text.take(values))
    for place, bind in text.binds:
        given[place] = bind(given[place])
    return dict(zip(text.names_given, given, strict=True)) if text.by_name else given


def _taking(names: tuple[str, ...]) -> Callable[[Values], tuple[Any, ...]]:
    if len(names) < 2:  # there it would answer with the value itself, or not at all
        return lambda values: tuple(values[name] for name in names)
    return itemgetter(*names)


def _spell(statement: Any, keys: Sequence[str] | None, dialect: Dialect) -> _Text | None:
    """The text of a statement; None when it hangs on values, or Python makes some of them."""
    compiled: Any = statement.compile(dialect=dialect, column_keys=keys)
    binds = compiled.binds
    if (
        compiled.post_compile_params
        or compiled.literal_execute_params
        or compiled.insert_prefetch
        or compiled.update_prefetch
        or any(bind.callable is not None for bind in binds.values())
    ):
        return None
    names = tuple(compiled.positiontup if compiled.positional else binds)
    processors = [binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    columns = statement.returning_column_descriptions if statement.is_dml else statement.column_descriptions
    shown = [str(column["name"]) for column in columns]
    return _Text(
        str(compiled),
        names,
        _taking(names),
        [(place, bind) for place, bind in enumerate(processors) if bind is not None],
        {name: bind.value for name, bind in binds.items() if not bind.required},
        not compiled.positional,
        [column["type"].dialect_impl(dialect) for column in columns],
        shown,
        SimpleResultMetaData(shown),
    )


def _readers(text: _Text, dialect: Dialect, description: Sequence[Any]) -> list[Reader]:
    told = [each[1] for each in description]  # the driver's own word for each column's type
    found = [kind.result_processor(dialect, code) for kind, code in zip(text.kinds, told, strict=True)]
    return [(place, read) for place, read in enumerate(found) if read is not None]


def _read(row: Sequence[Any], readers: list[Reader]) -> Sequence[Any]:
    values = list(row)
    for place, read in readers:
        values[place] = read(values[place])
    return values
