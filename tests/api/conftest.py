"""A whole site with a form of items, and a client that carries a token."""

from typing import Any

import pytest
from flask import Flask

from databases import Begun, Build
from formloop.access import people, sessions
from formloop.access.actor import SYSTEM, get_actor
from formloop.definitions import service as definitions
from formloop.forms import service

ITEM = {
    "x-kind": "form", "x-id": "0000000a", "x-key": "item", "title": "Item", "x-title": {"zh-CN": "物料"},
    "type": "object", "required": ["name"],
    "properties": {
        "name": {"type": "string", "title": "Name", "maxLength": 20},
        "price": {"type": "number", "x-type": "amount", "x-scale": 4, "title": "Price"},
        "cost": {"type": "number", "x-type": "amount", "x-scale": 4, "title": "Cost"},
        "made_on": {"type": "string", "format": "date", "title": "Made on"},
        "parts": {
            "type": "array", "x-type": "subform", "title": "Parts",
            "items": {"type": "object", "properties": {
                "what": {"type": "string", "title": "What"},
                "count": {"type": "number", "title": "Count", "x-scale": 6},
            }},
        },
        "double": {"type": "number", "x-type": "calculation", "title": "Double", "x-scale": 4, "x-formula": "price * 2"},
    },
}  # fmt: skip
SELLER = {
    "x-kind": "role", "x-id": "0000000b", "x-key": "seller", "title": "Seller",
    "grants": [
        {"id": "items", "form": "item", "may": ["view", "create", "edit"], "except": ["cost"]},
    ],
}  # fmt: skip


class Client:
    """Sends requests with a token, and gives answers as plain values."""

    def __init__(self, app: Flask, token: str | None) -> None:
        self.browser = app.test_client()
        self.token = token

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        given = {"json": body} if body is not None and not isinstance(body, str | bytes) else {"data": body}
        return self.browser.open(f"/api/v1{path}", method=method, headers=sent, **given)


@pytest.fixture
def site(build: Build, begun: Begun) -> Flask:
    app = build()
    with app.app_context():
        begun(set_up)
    return app


def set_up() -> None:
    """Items, and who sells them."""
    definitions.publish_many(SYSTEM, [ITEM, SELLER], "test")


def client_of(app: Flask, account: str, **more: Any) -> Client:
    """A new person with a token."""
    with app.app_context():
        person = people.add_person(SYSTEM, account, account.title(), **more)
        return Client(app, sessions.add_token(get_actor(person), "test"))


@pytest.fixture
def client(site: Flask) -> Client:
    return client_of(site, "boss", administrator=True)


@pytest.fixture
def seller(site: Flask) -> Client:
    return client_of(site, "mei", roles=["seller"])


@pytest.fixture
def bolt(site: Flask) -> Any:
    with site.app_context():
        values = {"name": "Bolt", "price": "0.1", "cost": "0.05", "parts": [{"what": "head", "count": "1"}]}
        return service.create(SYSTEM, "item", values)
