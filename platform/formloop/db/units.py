"""Transactions: one unit of writing with everything it calls, or one steady view to read."""

import functools
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ParamSpec, TypeVar

from flask import Flask, g, request
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from formloop.core.errors import FormloopError, StorageFull, Unavailable
from formloop.core.text import M
from formloop.db import turns
from formloop.db.beginning import begin_writing
from formloop.db.engines import engine, for_reading

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 5
_LOCK_TIMEOUT = "55P03"
_RETRIED = {"40001", "40P01", _LOCK_TIMEOUT}  # the first two: serialization failure, deadlock
_OUTDATED = {
    "0A000",
    "42804",
}  # it waited while a publication gave a column another type, and begins anew with that
_log = logging.getLogger(__name__)
_looks: list[Callable[[], None]] = []
_doubts: list[Callable[[Mapping[str, Any]], bool]] = []
_bonds: list[Callable[[Mapping[str, Any]], bool]] = []


@dataclass(slots=True)
class Unit:
    """A transaction that is open: what follows its commit, what it keeps while it lasts, and its glances.

    `hurried`: it rather fails than waits for a table. `seen` is what glances showed as it began or what was said of
    them since; `said` names the latter.
    """

    connection: Connection
    writes: bool
    hurried: bool = False
    after: list[Callable[[], None]] = field(default_factory=list)
    keep: dict[str, Any] = field(default_factory=dict)
    keep_standing: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)


_unit: ContextVar[Unit | None] = ContextVar("unit", default=None)


def find_unit() -> Unit | None:
    """The transaction or reading that runs now."""
    return _unit.get()


def connection() -> Connection:
    """The connection of the transaction or reading that runs now."""
    unit = _unit.get()
    if unit is None:
        raise RuntimeError("no transaction is open here")
    return unit.connection


def in_transaction() -> bool:
    """Whether a write transaction is open here."""
    unit = _unit.get()
    return unit is not None and unit.writes


def after_commit(action: Callable[[], None]) -> None:
    """Run `action` once the transaction that is open now has been committed; never if it is rolled back."""
    unit = _unit.get()
    if unit is None or not unit.writes:
        raise RuntimeError("no transaction is open here")
    unit.after.append(action)


def hurry() -> None:
    """Let the open transaction rather fail with Unavailable than wait for a table: everybody queues behind it.

    It is not tried again at once, or everybody would stand still most of the time: the caller waits a while.
    """
    unit = _unit.get()
    if unit is not None:
        unit.hurried = True
    if connection().dialect.name == "postgresql":
        connection().exec_driver_sql("SET LOCAL lock_timeout = '400ms'")


def kept(name: str, make: Callable[[], R]) -> R:
    """A value that lives as long as the open transaction, made at its first use."""
    unit = _unit.get()
    if unit is not None and name in unit.keep:  # asked at every turn
        found: R = unit.keep[name]
        return found
    return _once(unit.keep if unit else None, name, make)


def kept_standing(name: str, make: Callable[[], R]) -> R:
    """The same for what was read, written or locked: it is forgotten as soon as a part of the transaction is undone."""
    unit = _unit.get()
    return _once(unit.keep_standing if unit else None, name, make)


def _once(values: dict[str, Any] | None, name: str, make: Callable[[], R]) -> R:
    if values is None:
        return make()
    if name not in values:
        values[name] = make()
    found: R = values[name]
    return found


def forget_standing() -> None:
    """A part of the open transaction has been undone: its locks are gone, and what was read in it may not stand."""
    unit = _unit.get()
    if unit is not None:
        unit.keep_standing.clear()


def transactional(work: Callable[P, R]) -> Callable[P, R]:
    """Make `work` one write transaction; called inside another one it becomes part of that.

    The whole unit is tried again, up to five times, when the database chose it as the victim of a
    serialization failure, a deadlock or a lock time-out, when it broke and a table it met, or what its glances
    showed, has changed since it began, or when what binds it is no longer so at its end; it must therefore have no
    effect elsewhere.
    """

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        unit = _unit.get()
        if unit is not None and unit.writes:
            return work(*args, **kwargs)
        result, after = _tried_again(partial(_one_unit, partial(work, *args, **kwargs)))
        _follow(after)  # what is committed must neither be done again nor be called failed
        return result

    return run


def _tried_again(unit: Callable[[], R]) -> R:
    attempt = 0
    while True:
        attempt += 1
        try:
            return unit()
        except _Outdated as error:
            if attempt == TRIES:
                raise error.broke from error
        except DBAPIError as error:
            if attempt == TRIES or not (_worth_retrying(error) or _state_of(error) in _OUTDATED):
                raise _for_people(error) from error
        time.sleep(random.SystemRandom().uniform(0.5, 1.5) * 0.01 * 2**attempt)


class _Outdated(Exception):
    """A transaction broke, or would leave what is wrong, since it knew less than is published by now."""

    def __init__(self, broke: Exception) -> None:
        super().__init__()
        self.broke = broke


class _Undone(Exception):
    """Takes a result out of the transaction that is undone."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


def undone(work: Callable[[], R]) -> R:
    """What `work` comes to in a write transaction of its own, of which nothing stays.

    It sees nothing that others commit meanwhile: what it finds anew it has made itself.
    """
    if in_transaction():
        raise RuntimeError("what is only tried needs a transaction of its own")

    def run() -> R:
        raise _Undone(work())

    try:
        return _tried_again(partial(_one_unit, run, alone=True))[0]
    except _Undone as done:
        found: R = done.result
        return found


def before_writing(
    look: Callable[[], None],
    has_changed: Callable[[Mapping[str, Any]], bool],
    no_longer_binds: Callable[[Mapping[str, Any]], bool] = lambda seen: False,
) -> None:
    """Let `look()` be called at the beginning of every write transaction, inside it.

    When one has broken, `has_changed(seen)` is asked, with a reading, whether it would see anything else by now. One
    that has not is not committed if `no_longer_binds(seen)`, asked at its end: it begins anew, too.
    """
    _looks.append(look)
    _doubts.append(has_changed)
    _bonds.append(no_longer_binds)


def _one_unit(work: Callable[[], R], alone: bool = False) -> tuple[R, list[Callable[[], None]]]:
    seen: dict[str, Any] = {}
    try:
        with turns.taken(engine()), begin_writing(engine(), alone) as conn:
            unit = Unit(conn, writes=True)
            for look in _looks:
                _inside(unit, look)
            seen |= unit.seen
            try:
                result = _inside(unit, work)
                if not alone and any(_inside(unit, partial(gone, unit.seen)) for gone in _bonds):
                    raise _Outdated(_busy())
            except DBAPIError as error:
                if unit.hurried and _state_of(error) == _LOCK_TIMEOUT:
                    raise _for_people(error) from error
                raise
        return result, unit.after
    except (FormloopError, _Undone, _Outdated):
        raise
    except Exception as error:
        if not isinstance(error, OperationalError) and _is_outdated(seen):
            raise _Outdated(error) from error
        raise


def _is_outdated(seen: Mapping[str, Any]) -> bool:
    with reading():
        return any(has_changed(seen) for has_changed in _doubts)


def _follow(after: list[Callable[[], None]]) -> None:
    for action in after:
        try:
            action()
        except Exception:
            _log.exception("what follows a commit failed")


def _inside(unit: Unit, work: Callable[[], R]) -> R:
    token = _unit.set(unit)
    try:
        return work()
    finally:
        _unit.reset(token)


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection to read with: the open transaction's own, else a fresh one.

    On SQLite it has one steady view. PostgreSQL gives each statement a view of its own anyway, so there it is spared
    the beginning and the end of a transaction.
    """
    unit = _unit.get()
    if unit is not None:
        yield unit.connection
        return
    try:
        with for_reading().connect() as conn, conn.begin():
            token = _unit.set(Unit(conn, writes=False))
            try:
                yield conn
            finally:
                _unit.reset(token)
    except OperationalError as error:
        raise _for_people(error) from error


def read_once(app: Flask) -> None:
    """Let each request that only reads do so over one connection with one steady view."""

    @app.before_request
    def begin() -> None:
        if request.method in ("GET", "HEAD") and not request.path.startswith("/static/"):
            g.reading = ExitStack()
            g.reading.enter_context(reading())

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        stack = g.pop("reading", None)
        if stack is not None:
            try:
                stack.close()
            except SQLAlchemyError:  # the answer is made already, and the pool throws such a connection away
                _log.warning("a connection was lost while a page was read", exc_info=True)


def _state_of(error: DBAPIError) -> str | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def _worth_retrying(error: DBAPIError) -> bool:
    return _state_of(error) in _RETRIED or "database is locked" in str(error.orig)


def _for_people(error: DBAPIError) -> Exception:
    text = str(error.orig)
    if _state_of(error) == "53100" or "disk is full" in text or "disk I/O error" in text:
        return StorageFull()
    if _worth_retrying(error):
        return _busy()
    if error.connection_invalidated:
        return Unavailable(M("The connection to the database was lost. Try again in a moment."))
    return error


def _busy() -> Unavailable:
    return Unavailable(M("The database is busy. Try again in a moment."))
