"""Bridges that run together with what sets them off."""

from decimal import Decimal
from typing import Any

import pytest

from bridges.trade import BRIDGE_DOC, Trade, bridge
from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.forms import reads, service


def test_confirming_an_order_makes_demand_of_its_planned_lines(trade: Trade) -> None:
    order = trade.order((trade.bolt, "10"), (trade.advice, "1"), (trade.bolt, "2.5"))
    assert trade.demand() == []
    trade.confirm(order)
    assert [(d["source"], d["quantity"]) for d in trade.demand()] == [
        (order["lines"][0]["id"], Decimal(10)),
        (order["lines"][2]["id"], Decimal("2.5")),
    ]
    assert {d["customer"] for d in trade.demand()} == {trade.customer}


def test_the_chain_can_be_walked_in_both_directions(trade: Trade) -> None:
    order = trade.order((trade.bolt, "10"))
    trade.confirm(order)
    (demand,) = trade.demand()
    assert [
        (r.way, r.form, r.record, r.via) for r in reads.list_chain(SYSTEM, "sales_order", order["id"])
    ] == [("to", "demand", demand["id"], "order_to_demand")]
    assert [(r.way, r.form, r.record) for r in reads.list_chain(SYSTEM, "demand", demand["id"])] == [
        ("from", "sales_order", order["id"])
    ]


def test_an_amended_order_changes_its_demand_and_makes_no_second_one(trade: Trade) -> None:
    order = trade.confirm(trade.order((trade.bolt, "10"), (trade.bolt, "5")))
    first, second = order["lines"]
    trade.change(
        order,
        [{"id": first["id"], "quantity": "12"}, {"id": second["id"]}, {"item": trade.bolt, "quantity": "1"}],
    )
    assert [(d["quantity"], d["revision"]) for d in trade.demand()] == [(12, 2), (5, 1), (1, 1)]


def test_an_order_that_went_on_is_still_followed(trade: Trade) -> None:
    order = trade.confirm(trade.order((trade.bolt, "10")))
    service.set_state(SYSTEM, "sales_order", order["id"], "review")
    trade.change(order, [{"id": order["lines"][0]["id"], "delivered": "4"}])
    assert [d["quantity"] for d in trade.demand()] == [6]


def test_an_order_that_goes_on_with_other_lines_is_followed_too(trade: Trade) -> None:
    order = trade.confirm(trade.order((trade.bolt, "10")))
    lines = [{"id": order["lines"][0]["id"], "delivered": "4"}]
    service.change_record(SYSTEM, "sales_order", order["id"], {"lines": lines}, state="review")
    assert [d["quantity"] for d in trade.demand()] == [6]


def test_a_draft_that_was_never_confirmed_makes_nothing(trade: Trade) -> None:
    order = trade.order((trade.bolt, "10"))
    trade.change(order, [{"id": order["lines"][0]["id"], "quantity": "11"}])
    assert trade.demand() == []


def test_demand_whose_line_disappeared_is_cancelled_and_comes_back_with_it(trade: Trade) -> None:
    order = trade.confirm(trade.order((trade.bolt, "10"), (trade.bolt, "5")))
    trade.change(order, [{"id": order["lines"][0]["id"]}])
    assert [d["state"] for d in trade.demand()] == ["open", "cancelled"]


def test_cancelling_the_order_cancels_its_demand_and_confirming_again_revives_it(trade: Trade) -> None:
    order = trade.confirm(trade.order((trade.bolt, "10"), (trade.bolt, "5")))
    service.set_state(SYSTEM, "sales_order", order["id"], "cancelled")
    assert [d["state"] for d in trade.demand()] == ["cancelled", "cancelled"]
    trade.confirm(order)
    assert [d["state"] for d in trade.demand()] == ["open", "open"]


@pytest.mark.parametrize(("removed", "left"), [("keep", ["open", "open"]), ("delete", ["open"])])
def test_what_lost_its_source_is_kept_or_binned_when_the_bridge_says_so(
    database: Any, removed: str, left: list[str]
) -> None:
    trade = Trade(bridge(removed=removed))
    order = trade.confirm(trade.order((trade.bolt, "10"), (trade.bolt, "5")))
    trade.change(order, [{"id": order["lines"][0]["id"]}])
    assert [d["state"] for d in trade.demand()] == left


def test_without_a_key_the_target_is_found_through_its_link(database: Any) -> None:
    trade = Trade(bridge(to={"form": "demand"}))
    order = trade.confirm(trade.order((trade.bolt, "10")))
    trade.change(order, [{"id": order["lines"][0]["id"], "quantity": "3"}])
    assert [d["quantity"] for d in trade.demand()] == [3]


def test_numbers_are_rounded_to_the_digits_of_the_target(trade: Trade) -> None:
    trade.confirm(trade.order((trade.bolt, "1.005")))
    assert trade.demand()[0]["quantity"] == Decimal("1.01")


def test_a_target_that_refuses_stops_the_source_and_names_bridge_and_line(trade: Trade) -> None:
    order = trade.order((trade.bolt, "10"), (trade.bolt, "-5"))
    with pytest.raises(Invalid) as refused:
        trade.confirm(order)
    (problem,) = refused.value.problems
    assert problem.at == "lines"
    assert problem.message.render("en").startswith(
        "Bridge “Confirmed order lines become demand”, line 2: Demand, “Quantity”: "
    )
    assert problem.message.render("zh-CN").startswith("数据桥“订单确认生成需求”，第 2 行：")
    assert trade.demand() == []
    assert reads.get_record(SYSTEM, "sales_order", order["id"])["state"] == "draft"


def test_a_record_that_refuses_a_change_is_named(trade: Trade) -> None:
    order = trade.confirm(trade.order((trade.bolt, "10")))
    number = reads.get_record(SYSTEM, "demand", trade.demand()[0]["id"])["source"]
    with pytest.raises(Invalid) as refused:
        trade.change(order, [{"id": order["lines"][0]["id"], "quantity": "-3"}])
    assert f"line 1: Demand “{number}”, “Quantity”: " in str(refused.value.problems[0].message)


def test_a_problem_points_at_the_field_that_gave_the_value(database: Any) -> None:
    trade = Trade(bridge(map={**BRIDGE_DOC["map"], "quantity": "line.quantity"}))
    with pytest.raises(Invalid) as refused:
        trade.confirm(trade.order((trade.bolt, "1"), (trade.bolt, "-5")))
    assert [p.at for p in refused.value.problems] == ["lines.1.quantity"]


def test_two_lines_with_one_key_are_refused(database: Any) -> None:
    trade = Trade(bridge(map={**BRIDGE_DOC["map"], "source": "line.item"}))
    with pytest.raises(Invalid) as refused:
        trade.confirm(trade.order((trade.bolt, "1"), (trade.bolt, "2")))
    assert "same record as line 1" in str(refused.value.problems[0].message)


def test_a_bridge_never_sets_itself_off_again(database: Any) -> None:
    back = {
        **BRIDGE_DOC, "x-id": "c41e99ac", "x-key": "demand_to_order", "title": "Back", "run": "together",
        "from": {"form": "demand", "on": ["created", "updated"]}, "to": {"form": "sales_order"},
        "map": {"customer": "customer"}, "removed": "keep",
    }  # fmt: skip
    back.pop("when")
    forth = bridge(**{"from": {"form": "sales_order", "on": ["state:confirmed", "created"], "each": "lines"}})
    trade = Trade(forth, {**back, "map": {"number": '"copy"', "customer": "customer"}})
    with pytest.raises(Invalid):
        trade.confirm(trade.order((trade.bolt, "1")))
    assert trade.demand() == []


def test_one_statement_serves_all_lines(trade: Trade, statements: list[str]) -> None:
    few = trade.order((trade.bolt, "1"))
    many = trade.order(*[(trade.bolt, "1")] * 40)
    statements.clear()
    trade.confirm(few)
    needed = len(statements)
    statements.clear()
    trade.confirm(many)
    assert len(statements) == needed


def test_the_bridge_follows_when_it_is_published_anew(trade: Trade) -> None:
    definitions.publish_many(
        SYSTEM, [bridge(map={**BRIDGE_DOC["map"], "quantity": "line.quantity * 2"})], "twice"
    )
    trade.confirm(trade.order((trade.bolt, "10")))
    assert [d["quantity"] for d in trade.demand()] == [20]
