"""Bridges that only change what is there: every record with the key, from what it is, and none is made."""

from decimal import Decimal as D
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.bridges import service as bridges
from formloop.bridges import trial
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.forms import reads, service
from formloop.forms.kind import get_form

WANT: Doc = {
    "x-kind": "form", "x-id": "00000004", "x-key": "want", "title": "Want", "type": "object",
    "properties": {
        "source": {"type": "number", "title": "Source", "x-scale": 0},
        "quantity": {"type": "number", "title": "Quantity", "x-scale": 2, "minimum": 0},
    },
    "x-states": {"open": {"title": "Open"}, "cancelled": {"title": "Cancelled"}},
}  # fmt: skip
HOLD: Doc = {
    "x-kind": "form", "x-id": "00000005", "x-key": "hold", "title": "Hold", "type": "object",
    "properties": {
        "for": {"type": "number", "title": "For", "x-scale": 0},
        "quantity": {"type": "number", "title": "Quantity", "x-scale": 2, "minimum": 0},
    },
    "x-states": {"held": {"title": "Held"}, "cancelled": {"title": "Cancelled"}},
}  # fmt: skip
LESS: Doc = {
    "x-kind": "bridge", "x-id": "c41e99ad", "x-key": "want_to_hold", "title": "No more is held than is wanted",
    "from": {"form": "want", "on": ["updated", "cancelled", "deleted"]},
    "when": "AND(quantity > 0, there.quantity > 1)",
    "to": {"form": "hold", "by": ["for"], "every": True},
    "map": {"for": "source", "quantity": "MIN(there.quantity, quantity)"},
    "removed": "cancel",
    "run": "together",
}  # fmt: skip


@pytest.fixture
def stage(database: Any) -> None:
    bridges.start()
    definitions.publish_many(SYSTEM, [WANT, HOLD, LESS], "test")


def wanted(quantity: str) -> int:
    return int(service.create(SYSTEM, "want", {"source": "7", "quantity": quantity})["id"])


def hold(quantity: str, source: str = "7") -> int:
    return int(service.create(SYSTEM, "hold", {"for": source, "quantity": quantity})["id"])


def held(*ids: int) -> list[tuple[str, Any]]:
    found = [reads.get_record(SYSTEM, "hold", each) for each in ids]
    return [(each["state"], each["quantity"]) for each in found]


def test_every_record_with_the_key_is_changed_from_what_it_is_and_none_is_made(stage: None) -> None:
    want = wanted("10")
    service.change_record(SYSTEM, "want", want, {"quantity": "9"})
    with reading() as conn:
        assert conn.execute(get_form("hold").table.select()).all() == []
    ids = hold("8"), hold("3"), hold("8", source="6")
    service.change_record(SYSTEM, "want", want, {"quantity": "5"})
    assert held(*ids) == [("held", 5), ("held", 3), ("held", 8)]
    service.change_record(SYSTEM, "want", want, {"quantity": "9"})
    assert held(*ids) == [("held", 5), ("held", 3), ("held", 8)]


@pytest.mark.parametrize("end", ["nothing", "cancelled", "deleted"])
def test_what_lost_its_source_is_cancelled_and_stays_so(stage: None, end: str) -> None:
    want, ids = wanted("10"), (hold("8"), hold("3"))
    if end == "nothing":
        service.change_record(SYSTEM, "want", want, {"quantity": "0"})
    elif end == "cancelled":
        service.set_state(SYSTEM, "want", want, "cancelled")
    else:
        service.delete_record(SYSTEM, "want", want)
    assert held(*ids) == [("cancelled", 8), ("cancelled", 3)]
    if end == "nothing":
        service.change_record(SYSTEM, "want", want, {"quantity": "2"})
        assert held(*ids) == [("cancelled", 8), ("cancelled", 3)]


def test_the_condition_may_ask_for_what_is_there(stage: None) -> None:
    want, ids = wanted("10"), (hold("8"), hold("1"))
    service.change_record(SYSTEM, "want", want, {"quantity": "9"})
    assert held(*ids) == [("held", 8), ("cancelled", 1)]


def test_each_sees_those_before_it_so_that_together_they_are_no_more_than_is_wanted(stage: None) -> None:
    together = {
        "when": "quantity > SUM(earlier.quantity)",
        "map": {"for": "source", "quantity": "MIN(there.quantity, quantity - SUM(earlier.quantity))"},
    }
    definitions.publish_many(SYSTEM, [LESS | together], "together")
    want, ids = wanted("20"), (hold("8"), hold("3"), hold("4"))
    service.change_record(SYSTEM, "want", want, {"quantity": "10"})
    assert held(*ids) == [("held", 8), ("held", 2), ("cancelled", 4)]


def test_a_refusal_of_one_refuses_the_change_of_the_source(stage: None) -> None:
    more = {"for": "source", "quantity": "there.quantity - quantity"}
    definitions.publish_many(SYSTEM, [LESS | {"map": more}], "more")
    want, held_for_it = wanted("1"), hold("8")
    with pytest.raises(Invalid):
        service.change_record(SYSTEM, "want", want, {"quantity": "9"})
    assert held(held_for_it) == [("held", D(8))]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_trying_it_tells_what_would_change(stage: None) -> None:
    want, first = wanted("5"), hold("8")
    (tried,) = trial.try_out(SYSTEM, LESS, {want: "D"}, "en", "updated")
    assert [each.action for each in tried.targets] == ["changed"]
    assert held(first) == [("held", 8)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "quantity",
    ["MIN(there.quantity, quantity)", "IF(there.quantity = quantity, 1 / 0, quantity)"],
    ids=["its condition holds no more", "it cannot be calculated again"],
)
def test_trying_it_tells_of_what_is_there_before_and_not_afterwards(stage: None, quantity: str) -> None:
    want, first = wanted("1"), hold("8")
    doc = LESS | {"map": {"for": "source", "quantity": quantity}}
    (tried,) = trial.try_out(SYSTEM, doc, {want: "D"}, "en", "updated")
    assert ([each.action for each in tried.targets], tried.problems) == (["changed"], [])
    assert held(first) == [("held", 8)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"to": {"form": "hold", "every": True}}, "to.by"),
        ({"from": {"form": "want", "on": ["asked"]}}, "to.every"),
        ({"map": {"for": "there.quantity", "quantity": "1"}}, "map.for"),
        ({"map": {"for": "SUM(earlier.quantity)", "quantity": "1"}}, "map.for"),
        ({"to": {"form": "hold", "by": ["for"]}}, "map.quantity"),
    ],
    ids=["no key", "asked", "key of what is there", "key of those before", "makes records"],
)
def test_it_needs_a_key_of_the_source_and_runs_by_itself(database: Any, changes: Doc, at: str) -> None:
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(SYSTEM, [WANT, HOLD, LESS | changes], "wrong")
    assert at in [p.at.partition(": ")[2] or p.at for p in refused.value.problems]
