"""The application with the demo, for packs and their stories."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun, States
from formloop.access import people, sessions
from formloop.access.signing import COOKIE
from formloop.packs import demonstration


@pytest.fixture
def filled(app: Flask, begun: Begun) -> Flask:
    """The application with the demo, on both databases."""
    begun(demonstration.fill)
    return app


@pytest.fixture
def demo(on_sqlite: States, tmp_path: Path) -> Iterator[Flask]:
    """The application with the demo, on SQLite."""
    with on_sqlite.started(tmp_path) as settings:
        application = on_sqlite.build(replace(settings, demo=True))
        with application.app_context():
            on_sqlite.begin(demonstration.fill)
            yield application


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
