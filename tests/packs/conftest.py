"""The whole application on an empty database, for packs and their stories."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.access import people, sessions
from formloop.access.signing import COOKIE
from formloop.app import create_app
from formloop.packs import demonstration
from formloop.settings import Settings


@pytest.fixture
def app(database: Settings) -> Iterator[Flask]:
    application = create_app(replace(database, demo=True))
    with application.app_context():
        yield application


@pytest.fixture
def people_of_demo(app: Flask) -> Iterator[Callable[[str], FlaskClient]]:
    """Browsers of the demo's people, by account."""
    demonstration.fill()
    app.config["WTF_CSRF_ENABLED"] = False

    def open_browser(account: str) -> FlaskClient:
        person = people.find_person(account)
        assert person is not None
        client = app.test_client()
        client.set_cookie(COOKIE, sessions.open_session(person.id))
        return client

    yield open_browser
