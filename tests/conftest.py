"""What tests of several rooms need: a site's database, once on SQLite and once on PostgreSQL."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, event, text
from werkzeug.routing import Rule

import databases
import formloop
from databases import Begun, Build, OnPostgresql, OnSqlite, States
from formloop import db
from formloop.core.text import load_catalogues
from formloop.db import engines
from formloop.db.throwaway import postgresql_in
from formloop.forms.fields.datetime import use_zone
from formloop.settings import Settings
from formloop.web import viewer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, so that no process is left with one of them at the end."""
    items.sort(key=lambda item: not _takes_long(item.path))


def _takes_long(path: Path) -> bool:
    return path.parent.name in ("bench", "browser", "packs") or path.name.startswith("test_proof")


@pytest.fixture(scope="session", autouse=True)
def sentences() -> None:
    """Both languages, whatever test comes first."""
    load_catalogues(Path(formloop.__file__).parent)


@pytest.fixture(scope="session", autouse=True)
def program() -> None:
    """What is imported stays until the end, so that nobody looks through it again and again for what can go."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def addresses() -> Iterator[None]:
    """How an address is built is compiled once, not in each of the thousand applications that tests make: they have
    the same addresses. What is compiled knows its rule by its first parameter only."""
    compiled: dict[tuple[object, ...], Any] = {}
    compiling = Rule._compile_builder

    def remembered(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return compiling(rule, append_unknown)
        key = (rule.rule, append_unknown, *rule._trace)
        if key not in compiled:
            compiled[key] = compiling(rule, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", remembered)
        yield


@pytest.fixture(scope="session", autouse=True)
def dialects() -> Iterator[None]:
    """A statement is compiled once for a kind of database, not for each of the thousands of engines that tests make."""
    first: dict[str, Engine] = {}
    listen = engines._listen

    def alike(target: Engine) -> None:
        one = first.setdefault(target.dialect.name, target)
        target.dialect, target._compiled_cache = one.dialect, one._compiled_cache
        listen(target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "_listen", alike)
        yield


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """What was prepared for the forms of a file's tests goes with them; kept, it makes every later test slower."""
    yield
    databases.forget()
    ours = [module for name, module in sys.modules.items() if name.partition(".")[0] == "formloop"]
    for each in {id(v): v for module in ours for v in vars(module).values()}.values():
        if isinstance(each, _lru_cache_wrapper):
            each.cache_clear()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole session: the one given, else one of our own. It runs as somebody else, who must
    not lose the way to its files: pytest's folder is closed to all others whenever another session begins.
    """
    if given := os.environ.get("FORMLOOP_TEST_DATABASE_URL"):
        yield given
        return
    own = tempfile.TemporaryDirectory(prefix="formloop_test_")
    with own as folder, postgresql_in(Path(folder) / "postgres") as server:
        _wait_for_no_disk(server.get_uri())
        yield server.get_uri()


def _wait_for_no_disk(url: str) -> None:
    """No test takes the machine's power away; processes that are killed lose nothing that was written."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            conn.execute(text(f"ALTER SYSTEM SET {name} = off"))
        conn.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> States:
    return States(OnSqlite(tmp_path_factory.mktemp("sqlite")))


@pytest.fixture(scope="session")
def on_postgresql(postgres_url: str) -> Iterator[States]:
    own = OnPostgresql(postgres_url)
    yield States(own)
    own.leave()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """An empty database with our own tables, started for this process."""
    states: States = request.getfixturevalue(f"on_{request.param}")
    with states.started(tmp_path) as settings:
        yield settings


@pytest.fixture
def states(request: pytest.FixtureRequest, database: Settings) -> States:
    """Those of the database's kind."""
    found: States = request.getfixturevalue("on_sqlite" if database.on_sqlite else "on_postgresql")
    return found


@pytest.fixture
def begun(states: States) -> Begun:
    """Fill the database by a function: the first time in truth, from then on by a copy of what it left there.

    A copy brings what is in the database and what the function returned, nothing else that it did.
    """
    return states.begin


@pytest.fixture
def build(states: States, database: Settings) -> Build:
    """Make the whole application on the database, with settings of its own."""
    return lambda **more: states.build(replace(database, **more))


@pytest.fixture
def app(build: Build) -> Iterator[Flask]:
    """The whole application on an empty database."""
    application = build(demo=True)
    with application.app_context():
        yield application


@pytest.fixture
def statements(database: Settings) -> Iterator[list[str]]:
    """The SQL statements that are sent from now on."""
    sent: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    yield sent
    event.remove(db.engine(), "before_cursor_execute", note)


@pytest.fixture(autouse=True)
def nobody_looks() -> None:
    """A request of an earlier test leaves its viewer behind; each test begins without one, in the site's zone."""
    viewer.see_as(viewer.Guest())
    use_zone("Asia/Shanghai")
