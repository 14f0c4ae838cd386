"""`formloop doctor`: what is missing or wrong on this machine and this site, and what to do about it."""

import importlib.metadata
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy import func, inspect, select

from formloop import db
from formloop.access import sealing
from formloop.core.text import M, Message
from formloop.definitions import library
from formloop.events import heartbeat, queue, repair
from formloop.events.tables import outbox
from formloop.forms.kind import get_form
from formloop.settings import Settings

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LEAST_FREE = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: fine, or what is wrong and how to mend it. Only needed things make the site ill."""

    what: Message
    fine: bool
    advice: Message | None = None
    needed: bool = True


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything worth looking at, in the order in which to mend it."""
    for look in (
        _python,
        _packages,
        _browser_libraries,
        _disk,
        _database,
        _tables,
        _queue,
        _workers,
        _messages,
        _audit,
        _chromium,
    ):
        yield from look(settings)


def _python(_: Settings) -> Iterator[Finding]:
    fine = sys.version_info >= (3, 11)
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(M("Python {version}", version=version), fine, M("Install Python 3.11 or newer."))


def _packages(_: Settings) -> Iterator[Finding]:
    missing = []
    for line in importlib.metadata.requires("formloop") or ():
        name = line.split(";")[0].split("[")[0].strip()
        for sign in "<>=!~":
            name = name.split(sign)[0]
        if "extra ==" in line or "Windows" in line:
            continue
        try:
            importlib.metadata.distribution(name.strip())
        except importlib.metadata.PackageNotFoundError:
            missing.append(name.strip())
    advice = M("Missing: {names}. Run: make run", names=", ".join(missing))
    yield Finding(M("Python packages"), not missing, advice)


def _browser_libraries(settings: Settings) -> Iterator[Finding]:
    vendor = settings.statics / "vendor"
    there = all((vendor / name).exists() for name in ("htmx.js", "tabler.css", "icons.svg"))
    yield Finding(M("Browser libraries"), there, M("Run: make run (it installs them with npm)."))


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.instance).free
    text = M("Free disk space: {count} MB", count=free // 1024 // 1024)
    yield Finding(text, free > LEAST_FREE, M("Free some space: when the disk is full the site only reads."))


def _database(settings: Settings) -> Iterator[Finding]:
    with db.reading() as conn:
        version = conn.exec_driver_sql(
            "SELECT sqlite_version()" if settings.on_sqlite else "SHOW server_version"
        ).scalar()
        fine = True
        if settings.on_sqlite:
            fine = conn.exec_driver_sql("PRAGMA quick_check").scalar() == "ok"
    name = "SQLite" if settings.on_sqlite else "PostgreSQL"
    yield Finding(
        M("Database {name} {version}", name=name, version=version),
        fine,
        M("The database file is damaged: restore a backup."),
    )


def _tables(_: Settings) -> Iterator[Finding]:
    """The tables of forms are what their definitions say."""
    wrong = []
    with db.reading() as conn:
        seen = inspect(conn)
        for key in library.list_keys("form"):
            spec = get_form(key)
            for table in (spec.table, *spec.line_tables.values()):
                there = (
                    {c["name"] for c in seen.get_columns(table.name)} if seen.has_table(table.name) else set()
                )
                wrong += [f"{table.name}.{column.name}" for column in table.c if column.name not in there]
    advice = M("Missing columns: {names}. Publish these forms again.", names=", ".join(wrong[:10]))
    yield Finding(M("Tables of forms"), not wrong, advice)


def _queue(settings: Settings) -> Iterator[Finding]:
    try:
        queue.connect(settings).ping()
        fine = True
    except (RedisError, OSError):
        fine = False
    advice = M("It starts with “formloop serve”. Without it workers look for messages every two seconds.")
    yield Finding(M("Queue server"), fine, advice, needed=False)


def _workers(_: Settings) -> Iterator[Finding]:
    text = M("A worker, which delivers messages and carries out jobs")
    missing = heartbeat.is_missing()
    yield Finding(text, not missing, heartbeat.ADVICE, needed=missing and repair.count_waiting() > 0)


def _messages(_: Settings) -> Iterator[Finding]:
    with db.reading() as conn:
        query = select(func.count()).where(outbox.c.state.in_(("dead", "unknown")))
        count = conn.execute(query).scalar_one()
    text = M("Messages that need a person: {count}", count=count)
    yield Finding(text, count == 0, M("Open the repair desk."), needed=False)


def _audit(_: Settings) -> Iterator[Finding]:
    verdict = sealing.verify_audit()
    advice = M("Rows were changed or removed behind the program’s back. Compare with a backup.")
    yield Finding(M("Audit trail: {count} rows sealed", count=verdict.sealed), not verdict.problems, advice)


def _chromium(_: Settings) -> Iterator[Finding]:
    fine = any(shutil.which(name) for name in CHROMIUM)
    yield Finding(
        M("Chromium, for the browser tests"),
        fine,
        M("Debian or Ubuntu: apt-get install chromium"),
        needed=False,
    )
