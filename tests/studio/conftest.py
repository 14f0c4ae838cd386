"""A desk with a form on it, and the people who sit there."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.app import create_app
from formloop.definitions import service as definitions
from formloop.settings import Settings
from formloop.studio import drafting

PAPER = {
    "x-kind": "form",
    "x-id": "0000001a",
    "x-key": "request",
    "title": "Request",
    "type": "object",
    "required": ["item"],
    "properties": {
        "item": {"type": "string", "title": "Item"},
        "quantity": {"type": "number", "title": "Quantity"},
        "wanted": {"type": "string", "format": "date", "title": "Wanted by"},
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {"part": {"type": "string", "title": "Part"}},
            },
        },
    },
    "x-layout": [["item", "quantity"], ["wanted"]],
}


class Studio:
    """The site, two builders and the desk of one form."""

    id = PAPER["x-id"]

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(replace(settings, secret_key="k" * 32))
        self.mei, self.lin = self._builder("mei", "Mei"), self._builder("lin", "Lin")
        definitions.publish_many(SYSTEM, [PAPER], "first")

    def _builder(self, account: str, name: str) -> Actor:
        return get_actor(people.add_person(SYSTEM, account, name, administrator=True))

    def desk(self, actor: Actor | None = None) -> drafting.Desk:
        return drafting.open_desk(actor or self.mei, self.id)

    def edit(self, actor: Actor | None = None, **title: Any) -> drafting.Desk:
        actor = actor or self.mei
        return drafting.edit(actor, self.id, self.desk(actor).revision, lambda doc: {**doc, **title})

    def client(self, actor: Actor) -> FlaskClient:
        client = self.app.test_client()
        client.set_cookie(signing.COOKIE, sessions.open_session(actor.person_id))
        return client


@pytest.fixture
def studio(database: Settings) -> Iterator[Studio]:
    yield Studio(database)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Designers write definitions by services that other rooms test on both databases: one is enough here."""
    said = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "database" in metafunc.fixturenames and "database" not in said:
        metafunc.definition.add_marker(pytest.mark.parametrize("database", ["sqlite"], indirect=True))
