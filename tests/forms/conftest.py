"""A small shop in forms: customers, items, orders with lines; people with different rights."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun
from formloop.access import people, role_kind, sessions, signing
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.definitions import service as definitions
from formloop.forms import kind, service
from formloop.forms.spec import Values

KINDS = (kind.FORM, role_kind.ROLE)


def text(title: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "title": title, **more}


def number(title: str, **more: Any) -> dict[str, Any]:
    return {"type": "number", "title": title, **more}


def relation(title: str, form: str, **more: Any) -> dict[str, Any]:
    return {"type": "integer", "x-type": "relation", "title": title, "x-relation": {"form": form, **more}}


def form(key: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    number = sum(ord(letter) * 257**place for place, letter in enumerate(key)) % 0xFFFFFFFF
    head = {"x-kind": "form", "x-id": f"{number:08x}", "x-key": key, "title": key.capitalize()}
    return {**head, "type": "object", "properties": properties, **more}


def role(key: str, *grants: dict[str, Any]) -> dict[str, Any]:
    listed = [{"id": f"g{index}", **grant} for index, grant in enumerate(grants)]
    return {**form(key, {}), "x-kind": "role", "grants": listed} | {"type": None, "properties": None}


CUSTOMER = form(
    "customer",
    {
        "name": text("Name"),
        "active": {"type": "boolean", "title": "Active", "default": True},
        "limit": number("Limit", **{"x-type": "amount"}),
        "tax_number": text("Tax number", **{"x-unique": True}),
    },
    required=["name"],
)
ITEM = form(
    "item", {"name": text("Name"), "price": number("Price", **{"x-type": "amount"})}, required=["name"]
)
ORDER = form(
    "order",
    {
        "number": text("Number", **{"x-type": "serial", "x-serial": "SO{yyyy}-{0001}"}),
        "customer": relation("Customer", "customer", where="active"),
        "day": {"type": "string", "format": "date", "title": "Day", "x-default": "TODAY()"},
        "lines": {
            "type": "array",
            "title": "Lines",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["item", "quantity"],
                "properties": {
                    "item": relation("Item", "item", fill={"price": "price"}),
                    "quantity": number("Quantity", exclusiveMinimum=0),
                    "price": number("Price", **{"x-type": "amount"}),
                    "amount": number("Amount", **{"x-type": "amount", "x-formula": "quantity * price"}),
                },
            },
        },
        "total": number("Total", **{"x-type": "amount", "x-formula": "SUM(lines.amount)"}),
        "reason": text("Reason", **{"x-visible": "total > 1000", "x-required": "total > 1000"}),
        "note": text("Note"),
    },
    required=["customer"],
    **{
        "x-checks": [
            {
                "id": "limit",
                "holds": "OR(ISBLANK(customer.limit), total <= customer.limit)",
                "at": "customer",
                "says": "Over the limit.",
                "x-says": {"zh-CN": "超过额度。"},
            }
        ],
        "x-list": {
            "columns": ["number", "customer", "day", "total"],
            "sort": ["-day"],
            "filters": ["customer"],
        },
    },
)


def only(doc: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in doc.items() if value is not None}


def publish(*docs: dict[str, Any]) -> None:
    definitions.publish_many(SYSTEM, [only(doc) for doc in docs], "test")


class Shop:
    """Shorthand for what the tests say again and again."""

    def __init__(self) -> None:
        publish(CUSTOMER, ITEM, ORDER)
        self.acme = self.customer("Acme", limit="5000")
        self.bolt = self.item("Bolt", price="1.5")
        self.nut = self.item("Nut", price="0.25")

    def customer(self, name: str, **more: Any) -> int:
        return int(service.create(SYSTEM, "customer", {"name": name, **more})["id"])

    def item(self, name: str, **more: Any) -> int:
        return int(service.create(SYSTEM, "item", {"name": name, **more})["id"])

    def order(self, *lines: tuple[int, str], actor: Actor = SYSTEM, **more: Any) -> Values:
        raw = [{"item": item, "quantity": quantity} for item, quantity in lines or [(self.bolt, "2")]]
        return service.create(actor, "order", {"customer": self.acme, "lines": raw, **more})

    def person(self, account: str, *grants: dict[str, Any]) -> Actor:
        publish(role(f"role_{account}", *grants))
        person = people.add_person(SYSTEM, account, account.capitalize(), roles=[f"role_{account}"])
        return get_actor(person)


@pytest.fixture
def shop(begun: Begun) -> Shop:
    return begun(Shop)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    person = people.add_person(SYSTEM, "ann", "Ann", administrator=True)
    browser = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(person))
    return browser
