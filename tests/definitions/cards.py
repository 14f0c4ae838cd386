"""A kind of definition made for these tests: it has a table of its own and may refer to its like."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import inspect, text

from formloop.access.actor import SYSTEM, Actor
from formloop.core.definitions import Doc, ImpactRow, Kind, complete, kinds
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.definitions import service

SCHEMA = {
    "properties": {
        "columns": {"type": "array", "items": {"type": "string", "pattern": "^[a-z_]+$"}, "title": "Columns"},
        "uses": {"type": "string"},
        "reads": {"type": "string"},
        "crash": {"type": "boolean"},
    }
}


def _check(doc: Doc, library: Any) -> list[Problem]:
    used = library.find_document("card", doc["uses"]) if "uses" in doc else None
    if used and "reads" in doc and doc["reads"] not in used.get("columns", ()):
        return [Problem("no_column", "reads", M("There is no field “{key}”.", key=doc["reads"]))]
    return []


def _apply(conn: Any, old: Doc | None, new: Doc) -> None:
    if new.get("crash"):
        raise ZeroDivisionError
    if old is None:
        conn.execute(text(f"CREATE TABLE card_{new['x-key']} (id INTEGER)"))
    there = {column["name"] for column in inspect(conn).get_columns(f"card_{new['x-key']}")}
    for column in new.get("columns", ()):
        if column not in there:
            conn.execute(text(f"ALTER TABLE card_{new['x-key']} ADD COLUMN {column} TEXT"))


def _impact(_conn: Any, old: Doc | None, new: Doc) -> list[ImpactRow]:
    gone = set((old or {}).get("columns", ())) - set(new.get("columns", ()))
    return [
        ImpactRow(message=M("{place} was removed.", place=name), severity="warning") for name in sorted(gone)
    ]


CARD = Kind(
    name="card",
    title=M("kind of definition"),
    schema=complete("card", SCHEMA),
    check=_check,
    references=lambda doc: {("card", doc["uses"])} if "uses" in doc else set(),
    prepare=lambda doc, version: {"key": doc["x-key"], "version": version, "columns": doc.get("columns", [])},
    apply=_apply,
    impact=_impact,
)


def card(key: str = "stock", **more: Any) -> Doc:
    """A small document of that kind."""
    ids = {"stock": "0000000a", "order": "0000000b", "plan": "0000000c"}
    named = {
        "x-kind": "card",
        "x-id": ids[key],
        "x-key": key,
        "title": key.title(),
        "x-title": {"zh-CN": "卡"},
    }
    return {**named, "columns": ["name"], **more}


@pytest.fixture(autouse=True)
def kind_of_card() -> Iterator[None]:
    if "card" not in kinds:
        kinds.add("card", CARD)
    yield
    kinds._things.pop("card", None)


@pytest.fixture
def builder() -> Actor:
    return SYSTEM


@pytest.fixture
def stock(database: Any, builder: Actor) -> service.Definition:
    """A published definition."""
    service.publish_many(builder, [card()], "first")
    return service.get_definition("0000000a")
