"""What is told about a bridge that cannot work, before it is published."""

import json
from pathlib import Path
from typing import Any

import pytest

from bridges.trade import BRIDGE_DOC, CUSTOMER, DEMAND, ITEM, ORDER, bridge
from formloop.access.actor import SYSTEM
from formloop.bridges import kind
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid
from formloop.definitions import library
from formloop.definitions import service as definitions

SHARED = Path(__file__).resolve().parents[3] / "shared" / "examples" / "order_to_demand.bridge.json"
PACK = Path(__file__).resolve().parents[2] / "templates_library"


def problems_of(doc: Doc) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(SYSTEM, [ITEM, CUSTOMER, ORDER, DEMAND, doc], "wrong")
    return [(p.code, p.at.partition(": ")[2] or p.at) for p in refused.value.problems]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize(
    ("changes", "code", "at"),
    [
        ({"from": {**BRIDGE_DOC["from"], "form": "nothing"}}, "no_form", "from.form"),
        ({"from": {**BRIDGE_DOC["from"], "on": ["state:conformed"]}}, "no_state", "from.on.0"),
        ({"from": {**BRIDGE_DOC["from"], "each": "rows"}}, "no_lines", "from.each"),
        ({"to": {"form": "nowhere", "by": ["source"]}}, "no_form", "to.form"),
        ({"to": {"form": "demand", "by": ["sauce"]}}, "no_field", "to.by.0"),
        (
            {"to": {"form": "demand", "by": ["need_date"]}, "map": {"source": "line.id"}},
            "no_value",
            "to.by.0",
        ),
        ({"map": {**BRIDGE_DOC["map"], "quantity": "line.item.name"}}, "result_type", "map.quantity"),
        ({"map": {**BRIDGE_DOC["map"], "quantity": "line.quantty"}}, "unknown_name", "map.quantity"),
        ({"map": {**BRIDGE_DOC["map"], "item": "customer"}}, "other_form", "map.item"),
        ({"map": {**BRIDGE_DOC["map"], "colour": "1"}}, "no_field", "map.colour"),
        ({"when": "line.quantity"}, "result_type", "when"),
    ],
)
def test_a_mistake_is_told_with_its_place(database: Any, changes: Doc, code: str, at: str) -> None:
    assert (code, at) in problems_of(bridge(**changes))


def test_unknown_keys_are_refused(database: Any) -> None:
    assert ("unknown_key", "mapp") in problems_of({**BRIDGE_DOC, "mapp": {}})


def test_a_form_that_a_bridge_needs_cannot_lose_the_field(database: Any) -> None:
    definitions.publish_many(SYSTEM, [ITEM, CUSTOMER, ORDER, DEMAND, BRIDGE_DOC], "first")
    fields = {key: schema for key, schema in DEMAND["properties"].items() if key != "need_date"}
    with pytest.raises(Invalid):
        definitions.publish_many(SYSTEM, [{**DEMAND, "properties": fields}], "smaller")


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="the reference data are not beside the project")
def test_the_example_publishes_as_it_stands(database: Any) -> None:
    definitions.publish_many(
        SYSTEM, [ITEM, CUSTOMER, ORDER, DEMAND, json.loads(SHARED.read_text("utf-8"))], "example"
    )
    assert library.published("bridge", "order_to_demand").together


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("line.level", ["options"]),
        ('SWITCH(line.level, "urgent", "high", line.level)', []),
        ('"high"', []),
        ('IF(line.quantity > 5, "high", "urgent")', ["options"]),
        ('SWITCH(line.level, "urgent", "high", COALESCE("urgent", "low"))', ["options"]),
    ],
)
def test_options_that_the_target_does_not_offer_are_named(database: Any, value: str, told: list[str]) -> None:
    level = {"type": "string", "title": "Level", "enum": ["low", "high", "urgent"]}
    lines = ORDER["properties"]["lines"]
    columns = {**lines["items"]["properties"], "level": level}
    rows = {**lines, "items": {**lines["items"], "properties": columns}}
    order = {**ORDER, "properties": {**ORDER["properties"], "lines": rows}}
    demand = {
        **DEMAND,
        "properties": {**DEMAND["properties"], "level": {**level, "enum": ["low", "high"]}},
    }
    definitions.publish_many(SYSTEM, [ITEM, CUSTOMER, order, demand], "first")
    problems = kind.check(bridge(map={**BRIDGE_DOC["map"], "level": value}), library.VIEW)
    assert [p.code for p in problems if p.at == "map.level"] == told
    assert all("urgent" in p.message.render("zh-CN") for p in problems)
