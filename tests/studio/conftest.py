"""A desk with a form on it, and the people who sit there."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun, Build
from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.definitions import service as definitions
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

    def __init__(self, app: Flask, mei: Actor, lin: Actor) -> None:
        self.app, self.mei, self.lin = app, mei, lin

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
def studio(build: Build, begun: Begun) -> Studio:
    app = build(secret_key="k" * 32)
    return Studio(app, *begun(set_up))


def set_up() -> tuple[Actor, Actor]:
    """Mei and Lin, and the form."""
    mei, lin = (
        get_actor(people.add_person(SYSTEM, account, account.title(), administrator=True))
        for account in ("mei", "lin")
    )
    definitions.publish_many(SYSTEM, [PAPER], "first")
    return mei, lin


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Designers write definitions by services that other rooms test on both databases: one is enough here."""
    said = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "database" in metafunc.fixturenames and "database" not in said:
        metafunc.definition.add_marker(pytest.mark.parametrize("database", ["sqlite"], indirect=True))
