"""Databases of tests: each state is made once in a process and copied from then on, which is the quicker by far."""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from flask import Flask
from sqlalchemy import create_engine, make_url, text, update

from formloop import db
from formloop.app import create_app
from formloop.db.migrations import counters
from formloop.db.units import before_writing
from formloop.definitions import library
from formloop.packs import demonstration
from formloop.settings import Settings, read_settings

EMPTY = "empty"  # the state with our own tables and nothing in them
T = TypeVar("T")


class Begun(Protocol):
    """Fill the database by a function that needs nothing, and return what it returns."""

    def __call__(self, make: Callable[[], T]) -> T: ...


class Build(Protocol):
    """Make the application, with these of its settings."""

    def __call__(self, **settings: Any) -> Flask: ...


class Databases(Protocol):
    """The databases of one kind, of which one is in use; nobody else may be using it when one of these is called."""

    def lay(self, state: str | None, instance: Path) -> str:
        """The address of a database in a state that was kept, or of one with nothing in it."""

    def keep(self, state: str) -> None:
        """Keep the database in use as it is now."""


class OnSqlite:
    """The file of an instance; a state is a file beside all instances."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "formloop.db"
        self.kept: dict[str, Path] = {}

    def lay(self, state: str | None, instance: Path) -> str:
        self.file = instance / "formloop.db"
        for each in instance.glob("formloop.db*"):
            each.unlink()
        if state:
            shutil.copyfile(self.kept[state], self.file)
        return f"sqlite:///{self.file}"

    def keep(self, state: str) -> None:
        with closing(sqlite3.connect(self.file)) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.kept[state] = self.folder / f"{len(self.kept)}.db"
        shutil.copyfile(self.file, self.kept[state])


class OnPostgresql:
    """A database beside the one whose address is given, which stays as it is; a state is a template for it."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.server = create_engine(url, isolation_level="AUTOCOMMIT")
        self.name = f"formloop_test_{os.getpid()}"
        self.kept: dict[str, str] = {}

    def lay(self, state: str | None, instance: Path) -> str:
        self._drop(self.name)
        self._copy(self.kept[state] if state else "template1", self.name)
        return self.url.set(database=self.name).render_as_string(hide_password=False)

    def keep(self, state: str) -> None:
        self._send_away(self.name)
        self.kept[state] = f"{self.name}_{len(self.kept)}"
        self._copy(self.name, self.kept[state])

    def leave(self) -> None:
        """Nothing of ours stays on the server."""
        for name in (self.name, *self.kept.values()):
            self._drop(name)
        self.server.dispose()

    def _copy(self, template: str, name: str) -> None:
        self._say(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')

    def _drop(self, name: str) -> None:
        self._send_away(name)
        self._say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _send_away(self, name: str) -> None:
        """Wait until connections that tests left open are gone: the server itself would look again after 0.1 s only."""
        using = "FROM pg_stat_activity WHERE datname = :name"
        end = time.monotonic() + 5
        if self._say(f"SELECT count(pg_terminate_backend(pid)) {using}", name=name):
            while self._say(f"SELECT count(*) {using}", name=name) and time.monotonic() < end:
                time.sleep(0.001)

    def _say(self, statement: str, **values: str) -> Any:
        with self.server.connect() as conn:
            found = conn.execute(text(statement), values)
            return found.scalar() if found.returns_rows else None


class States:
    """What one kind's databases are filled with before a test begins: made once, copied from then on."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.made: dict[str, Any] = {}  # what the making of each state returned
        self.now = ""  # the state that the database in use is in, unless somebody has written since
        self.written = False
        self.copies = 0
        self.settings: Settings | None = None
        before_writing(self._note, lambda seen: False)

    @contextmanager
    def started(self, instance: Path) -> Iterator[Settings]:
        """An empty database with our own tables, started for this process."""
        url = self.databases.lay(EMPTY if EMPTY in self.made else None, instance)
        given = read_settings({"FORMLOOP_INSTANCE": str(instance), "FORMLOOP_DATABASE_URL": url})
        self.settings = settings = replace(given, zone="Asia/Shanghai")
        _start(settings)
        self.now, self.written = EMPTY, False
        if EMPTY not in self.made:
            self._keep(EMPTY, None)
        yield settings
        db.engine().dispose()

    def build(self, settings: Settings) -> Flask:
        """The whole application on the database in use; what it writes as it begins is always the same."""
        untouched = not self.written
        db.engine().dispose()
        application = create_app(settings)
        if untouched:
            self.now, self.written = f"{self.now} app", False
        return application

    def begin(self, make: Callable[[], T]) -> T:
        """What `make` returns, and the database as it leaves it; in truth where somebody has written before."""
        settings = self.settings
        if self.written or settings is None:
            return make()
        name = f"{self.now} {make.__module__}.{make.__qualname__}"
        if name not in self.made:
            self._keep(name, make())
        else:
            db.engine().dispose()
            self.databases.lay(name, settings.instance)
            _start(settings)
            self._set_apart()
        self._warm_up(name)
        self.now, self.written = name, False
        found: T = deepcopy(self.made[name])
        return found

    def _keep(self, name: str, made: Any) -> None:
        db.engine().dispose()
        self.databases.keep(name)
        self.made[name] = made

    def lay_demo(self, instance: Path, story: bool = False) -> Settings:
        """The demo in an instance that nobody has started, as `formloop demo` makes it."""
        with self.started(instance) as settings, self.build(replace(settings, demo=True)).app_context():
            self.begin(demonstration.fill)
            if story:
                self.begin(demonstration.play)
        demonstration.prepare(settings)
        return settings

    def _set_apart(self) -> None:
        """A copy has the people and the counters of the one before; what is remembered of these must not fit here."""
        self.copies += 1
        raised = counters.c.value + self.copies * 1_000
        with db.begin_writing(db.engine()) as conn:
            conn.execute(
                update(counters).where(counters.c.name.in_(["access", "definitions"])).values(value=raised)
            )

    def _warm_up(self, name: str) -> None:
        """What is published in a state is prepared once for the tests of a file, not by each of them."""
        prepared = _prepared.get((self, name))
        if prepared is None:
            shelf = library._current()
            for entry in library.list_entries():
                library.find_document(entry.kind, entry.key)
            _prepared[self, name] = shelf, dict(library._documents)
            return
        shelf, documents = prepared
        library._documents.clear()
        library._documents.update(documents)
        library._shelf = replace(shelf, engine=db.engine(), epoch=library.epoch(), notes={})

    def _note(self) -> None:
        self.written = True


_prepared: dict[tuple[States, str], tuple[Any, dict[Any, Any]]] = {}  # shelf and documents of the library
forget = _prepared.clear


def _start(settings: Settings) -> None:
    db.start(Flask("formloop", root_path=str(settings.instance)), settings)
