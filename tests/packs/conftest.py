"""The whole application on an empty database, for packs and their stories."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop import db
from formloop.access import people, sessions
from formloop.access.signing import COOKIE
from formloop.app import create_app
from formloop.packs import demonstration
from formloop.settings import Settings, read_settings


@pytest.fixture
def app(database: Settings) -> Iterator[Flask]:
    application = create_app(replace(database, demo=True))
    with application.app_context():
        yield application


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a site with the demo, which takes seconds to make and is only copied."""
    settings = read_settings({"FORMLOOP_INSTANCE": str(tmp_path_factory.mktemp("filled"))})
    with create_app(replace(settings, demo=True, zone="Asia/Shanghai")).app_context():
        demonstration.fill()
    db.engine().dispose()
    file = settings.instance / "formloop.db"
    with closing(sqlite3.connect(file)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture
def demo(filled: Path, tmp_path: Path) -> Iterator[Flask]:
    """The application with the demo, on SQLite."""
    shutil.copy(filled, tmp_path / "formloop.db")
    settings = read_settings({"FORMLOOP_INSTANCE": str(tmp_path)})
    application = create_app(replace(settings, demo=True, zone="Asia/Shanghai"))
    with application.app_context():
        yield application
    db.engine().dispose()


@pytest.fixture
def people_of_demo(demo: Flask) -> Callable[[str], FlaskClient]:
    """Browsers of the demo's people, by account."""
    demo.config["WTF_CSRF_ENABLED"] = False

    def open_browser(account: str) -> FlaskClient:
        person = people.find_person(account)
        assert person is not None
        client = demo.test_client()
        client.set_cookie(COOKIE, sessions.open_session(person.id))
        return client

    return open_browser
