"""Connecting to the database, and how connections of each kind are set up."""

import time
from functools import lru_cache
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, MetaData, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DisconnectionError

from formloop.core import clock
from formloop.core.expression import register_sqlite
from formloop.db.beginning import DRIVER, begin_writing
from formloop.db.migrations import bring_up, take_node
from formloop.settings import Settings

metadata = MetaData()
_sqla = SQLAlchemy(metadata=metadata)
_engine: Engine | None = None
IDLE = 5.0  # seconds
PLANS = 400  # of the statements that a connection prepares


def start(app: Flask, settings: Settings) -> None:
    """Connect `app` to its database, make our own tables, and give this process its node number."""
    global _engine
    url = make_url(settings.database_url)
    app.config["SQLALCHEMY_DATABASE_URI"] = url.set(drivername=DRIVER) if settings.on_sqlite else url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(settings)
    _sqla.init_app(app)
    with app.app_context():
        _engine = _sqla.engine
    _listen(_engine)
    bring_up(_engine, metadata)
    with begin_writing(_engine) as conn:
        clock.set_node(take_node(conn))


def engine() -> Engine:
    """The engine of this process; `start` must have run."""
    if _engine is None:
        raise RuntimeError("the database has not been started")
    return _engine


@lru_cache(maxsize=4)
def _without_transactions(target: Engine) -> Engine:
    return target.execution_options(isolation_level="AUTOCOMMIT")


def for_reading() -> Engine:
    """The engine whose connections only read."""
    return engine() if is_sqlite() else _without_transactions(engine())


def is_sqlite() -> bool:
    """Whether this site runs on SQLite."""
    return engine().dialect.name == "sqlite"


def upserting(table: Table) -> Any:
    """An INSERT that can say what happens `on_conflict…`, which the two databases share but not the library's core."""
    return (sqlite if is_sqlite() else postgresql).insert(table)


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
        _keep_plans(target)


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


def _keep_plans(target: Engine) -> None:
    """Let a connection keep what the database has planned: one order from entry to voucher asks over a hundred
    statements, and the driver would forget each before it comes again."""

    @event.listens_for(target, "connect")
    def _connected(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.prepared_max = PLANS


_SAFE = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000")
# 16 MB of pages in memory; every 32 MB the log is carried into the file: pages that change again and again, once
_QUICK = ("cache_size=-16000", "wal_autocheckpoint=8000")


def _listen_on_sqlite(target: Engine) -> None:
    @event.listens_for(target, "connect")
    def _connected(dbapi_connection: Any, _record: Any) -> None:
        for pragma in (*_SAFE, *_QUICK):
            dbapi_connection.execute(f"PRAGMA {pragma}")
        register_sqlite(dbapi_connection)
