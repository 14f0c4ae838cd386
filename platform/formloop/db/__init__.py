"""One database behind one transaction: SQLite on one machine, PostgreSQL on many.

`@transactional` makes a function one write transaction, together with everything it calls; `reading()` lends
a connection for reads. Nothing may wait for the network inside a transaction.
"""

import functools
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

from flask import Flask, g, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError

from formloop.core import clock
from formloop.core.errors import StorageFull, Unavailable
from formloop.core.expression import register_sqlite
from formloop.core.text import M
from formloop.db import turns
from formloop.db.migrations import bring_up, take_node
from formloop.db.triggers import never_changed
from formloop.db.turns import patience
from formloop.db.types import Exact, JsonText, UtcTime
from formloop.settings import Settings

__all__ = [
    "Exact",
    "JsonText",
    "UtcTime",
    "after_commit",
    "before_writing",
    "connection",
    "engine",
    "in_transaction",
    "is_sqlite",
    "kept",
    "metadata",
    "never_changed",
    "patience",
    "read_once",
    "reading",
    "start",
    "transactional",
]

P = ParamSpec("P")
R = TypeVar("R")

metadata = MetaData()
_sqla = SQLAlchemy(metadata=metadata)
_engine: Engine | None = None
_looks: list[Callable[[], None]] = []
_log = logging.getLogger(__name__)

TRIES, IDLE = 5, 5.0  # seconds
_RETRIED = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock timeout


@dataclass(slots=True)
class _Unit:
    connection: Connection
    writes: bool
    after: list[Callable[[], None]] = field(default_factory=list)
    keep: dict[str, Any] = field(default_factory=dict)


_unit: ContextVar[_Unit | None] = ContextVar("unit", default=None)


def start(app: Flask, settings: Settings) -> None:
    """Connect `app` to its database, make our own tables, and give this process its node number."""
    global _engine
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(settings)
    _sqla.init_app(app)
    with app.app_context():
        _engine = _sqla.engine
    _listen(_engine)
    bring_up(_engine, metadata)
    with _engine.begin() as conn:
        clock.set_node(take_node(conn))


def engine() -> Engine:
    """The engine of this process; `start` must have run."""
    if _engine is None:
        raise RuntimeError("the database has not been started")
    return _engine


@lru_cache(maxsize=4)
def _without_transactions(target: Engine) -> Engine:
    return target.execution_options(isolation_level="AUTOCOMMIT")


def _for_reading() -> Engine:
    return engine() if is_sqlite() else _without_transactions(engine())


def is_sqlite() -> bool:
    """Whether this site runs on SQLite."""
    return engine().dialect.name == "sqlite"


def _engine_options(settings: Settings) -> dict[str, Any]:
    if settings.on_sqlite:
        return {
            "connect_args": {"isolation_level": None, "check_same_thread": False, "timeout": 5.0},
            "pool_size": 8,
            "max_overflow": 72,
        }
    options = "-c lock_timeout=2s -c statement_timeout=30s -c timezone=UTC"
    return {"connect_args": {"options": options}, "pool_size": 8, "max_overflow": 24}


def _listen(target: Engine) -> None:
    if target.dialect.name == "sqlite":
        _listen_on_sqlite(target)
    else:
        _look_after_idle(target)


def _look_after_idle(target: Engine) -> None:
    """See whether a connection still lives that nobody used for a while; asking each time doubles the short waits."""

    @event.listens_for(target, "checkin")
    def _returned(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(target, "checkout")
    def _taken(dbapi_connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used", time.monotonic()) < IDLE:
            return
        try:
            target.dialect.do_ping(dbapi_connection)
        except target.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool takes another one


def _listen_on_sqlite(target: Engine) -> None:
    @event.listens_for(target, "connect")
    def _connected(dbapi_connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            dbapi_connection.execute(f"PRAGMA {pragma}")
        dbapi_connection.execute("PRAGMA cache_size=-16000")
        register_sqlite(dbapi_connection)

    @event.listens_for(target, "begin")
    def _begun(connection: Connection) -> None:
        # a deferred transaction that turns into a writer half-way meets BUSY and cannot wait
        immediate = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


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


def kept(name: str, make: Callable[[], R]) -> R:
    """A value that lives as long as the open transaction, made at its first use."""
    unit = _unit.get()
    if unit is None:
        return make()
    if name not in unit.keep:
        unit.keep[name] = make()
    found: R = unit.keep[name]
    return found


def transactional(work: Callable[P, R]) -> Callable[P, R]:
    """Make `work` one write transaction; called inside another one it becomes part of that.

    The whole unit is tried again, up to five times, when the database chose it as the victim of a
    serialization failure, a deadlock or a lock time-out; it must therefore have no effect elsewhere.
    """

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        unit = _unit.get()
        if unit is not None and unit.writes:
            return work(*args, **kwargs)
        for attempt in range(1, TRIES + 1):
            try:
                result, after = _one_unit(functools.partial(work, *args, **kwargs))
                break
            except DBAPIError as error:
                if attempt == TRIES or not _worth_retrying(error):
                    raise _for_people(error) from error
                time.sleep(random.SystemRandom().uniform(0.5, 1.5) * 0.01 * 2**attempt)
        _follow(after)  # what is committed must neither be done again nor be called failed
        return result

    return run


def before_writing(look: Callable[[], None]) -> None:
    """Let `look()` be called at the beginning of every write transaction, with a reading on its connection.

    What a process remembers may have changed while it waited for its turn.
    """
    if look not in _looks:
        _looks.append(look)


def _one_unit(work: Callable[[], R]) -> tuple[R, list[Callable[[], None]]]:
    with turns.taken(engine()), engine().connect().execution_options(writes=True) as conn, conn.begin():
        for look in _looks:
            _inside(_Unit(conn, writes=False), look)
        unit = _Unit(conn, writes=True)
        result = _inside(unit, work)
    return result, unit.after


def _follow(after: list[Callable[[], None]]) -> None:
    for action in after:
        try:
            action()
        except Exception:
            _log.exception("what follows a commit failed")


def _inside(unit: _Unit, work: Callable[[], R]) -> R:
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
        with _for_reading().connect() as conn, conn.begin():
            token = _unit.set(_Unit(conn, writes=False))
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
            stack.close()


def _worth_retrying(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state in _RETRIED or "database is locked" in str(error.orig)


def _for_people(error: DBAPIError) -> Exception:
    text, state = str(error.orig), getattr(error.orig, "sqlstate", None)
    if state == "53100" or "disk is full" in text or "disk I/O error" in text:
        return StorageFull()
    if _worth_retrying(error):
        return Unavailable(M("The database is busy. Try again in a moment."))
    return error
