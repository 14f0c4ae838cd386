"""A site with a few people, and shorthands to make roles and grants."""

import itertools
from typing import Any

import pytest

from databases import Begun
from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.definitions import service as definitions
from formloop.settings import Settings

_ids = itertools.count(0xA0000000)


def role(key: str, *grants: dict[str, Any], x_id: str | None = None, **more: Any) -> dict[str, Any]:
    """A role's definition."""
    numbered = [{"id": f"g{n}", **each} for n, each in enumerate(grants)]
    made = x_id or f"{next(_ids):08x}"
    return {"x-kind": "role", "x-id": made, "x-key": key, "title": key, "grants": numbered, **more}


def publish(doc: dict[str, Any], actor: Actor = SYSTEM) -> None:
    """Publish a definition."""
    definitions.publish_many(actor, [doc], "test")


class Office:
    """People of all powers."""

    def __init__(self) -> None:
        publish(role("manager", {"on": "people", "may": ["manage"]}))
        publish(role("designer", {"on": "definition", "may": ["design"]}))
        self.boss = self.add("boss", administrator=True)
        self.hera = self.add("hera", "manager")
        self.ben = self.add("ben", "designer")
        self.sue = self.add("sue")

    def add(self, account: str, *roles: str, **more: Any) -> Actor:
        """Add a person; an actor with their rights."""
        person = people.add_person(SYSTEM, account, account.title(), roles=roles, **more)
        return self.again(person)

    def again(self, person: int | None) -> Actor:
        """The person as their next request sees them."""
        return get_actor(person or 0)


@pytest.fixture
def office(begun: Begun) -> Office:
    return begun(Office)


@pytest.fixture
def fresh(database: Settings) -> None:
    """A site on which nobody is yet."""
