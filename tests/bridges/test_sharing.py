"""A target that several sources feed, or that was there before, outlives the loss of one source."""

from typing import Any

import pytest

from bridges.trade import BRIDGE_DOC, DEMAND, Trade, bridge
from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.forms import service

TRUSTED = service.How(trusted=True)
BY_CUSTOMER = {**BRIDGE_DOC["map"], "source": "customer.priority"}


@pytest.fixture
def shared(database: Any) -> Trade:
    """All orders of a customer feed one demand."""
    return Trade(bridge(map=BY_CUSTOMER))


def cancel(order: dict[str, Any]) -> None:
    service.set_state(SYSTEM, "sales_order", order["id"], "cancelled")


def test_a_target_goes_with_the_last_source_that_feeds_it(shared: Trade) -> None:
    first, second = (shared.confirm(shared.order((shared.bolt, quantity))) for quantity in "12")
    cancel(first)
    assert [d["state"] for d in shared.demand()] == ["open"]
    cancel(second)
    assert [d["state"] for d in shared.demand()] == ["cancelled"]


def test_a_source_that_was_cancelled_before_holds_nothing(shared: Trade) -> None:
    first, second = (shared.confirm(shared.order((shared.bolt, quantity))) for quantity in "12")
    cancel(first)
    cancel(second)
    shared.confirm(first)
    assert [d["state"] for d in shared.demand()] == ["open"]
    cancel(first)
    assert [d["state"] for d in shared.demand()] == ["cancelled"]


def test_a_source_whose_line_gives_another_record_now_holds_nothing(shared: Trade) -> None:
    first, second = (shared.confirm(shared.order((shared.bolt, quantity))) for quantity in "12")
    other = service.create(SYSTEM, "customer", {"name": "Other", "priority": 9})["id"]
    service.change_record(SYSTEM, "sales_order", first["id"], {"customer": other})
    assert [d["state"] for d in shared.demand()] == ["open", "open"]
    cancel(second)
    assert [(d["source"], d["state"]) for d in shared.demand()] == [(3, "cancelled"), (9, "open")]


def test_a_binned_source_holds_nothing(database: Any) -> None:
    trade = Trade(bridge(map=BY_CUSTOMER, removed="delete"))
    first, second = (trade.confirm(trade.order((trade.bolt, quantity))) for quantity in "12")
    service.delete_record(SYSTEM, "sales_order", first["id"])
    assert len(trade.demand()) == 1
    cancel(second)
    assert trade.demand() == []


def test_what_another_bridge_feeds_stays(database: Any) -> None:
    also = bridge(**{"x-id": "c41e99ad", "x-key": "also", "title": "Also", "map": BY_CUSTOMER})
    also["from"] = {"form": "sales_order", "on": ["state:review"], "each": "lines"}
    trade = Trade(bridge(map=BY_CUSTOMER), also)
    first, second = (trade.confirm(trade.order((trade.bolt, quantity))) for quantity in "12")
    service.set_state(SYSTEM, "sales_order", second["id"], "review")
    cancel(first)
    assert [d["state"] for d in trade.demand()] == ["open"]


def test_a_record_that_was_there_before_the_bridge_stays(shared: Trade) -> None:
    service.create(SYSTEM, "demand", {"source": 3, "item": shared.bolt, "quantity": 1}, how=TRUSTED)
    order = shared.confirm(shared.order((shared.bolt, "5")))
    assert [d["quantity"] for d in shared.demand()] == [5]
    cancel(order)
    assert [d["state"] for d in shared.demand()] == ["open"]


def test_an_id_too_long_for_the_key_field_is_told_in_words(database: Any) -> None:
    field = {**DEMAND["properties"]["source"], "x-scale": 6}
    wide = {**DEMAND, "properties": {**DEMAND["properties"], "source": field}}
    trade = Trade()
    definitions.publish_many(SYSTEM, [{**wide, "x-id": "00000005", "x-key": "wide"}], "test")
    definitions.publish_many(SYSTEM, [bridge(to={"form": "wide", "by": ["source"]})], "test")
    order = trade.order((trade.bolt, "5"))
    with pytest.raises(Invalid) as refused:
        trade.confirm(order)
    (problem,) = refused.value.problems
    assert problem.at == "lines.0.id"
    assert problem.message.render("en").endswith(
        f"The number {order['lines'][0]['id']} is too large for “source”; 12 digits before the point are the limit."
    )
    assert "小数点前最多 12 位" in problem.message.render("zh-CN")
