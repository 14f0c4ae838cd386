"""A draft of a bridge is tried on records that are there; nothing of it stays."""

import pytest

from bridges.test_publisher_rights import READS, WRITES, builder
from bridges.trade import Trade, bridge
from formloop.access import role_kind
from formloop.access.actor import SYSTEM
from formloop.bridges import trial
from formloop.core.errors import Invalid

assert role_kind.ROLE.name == "role"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def tried(order, on="", actor=SYSTEM, **changes):
    (found,) = trial.try_out(actor, bridge(**changes), {order["id"]: "Order"}, "en", on)
    return found


def test_what_would_be_made_is_told_and_nothing_stays(trade: Trade) -> None:
    order = trade.order((trade.bolt, "2.5"), (trade.advice, "1"))
    found = tried(order, "state:confirmed")
    (made,) = found.targets
    assert made.action == "created" and found.left_out == 1 and not found.problems
    assert ("Quantity", "", "2.5") in [(each.label, each.old, each.new) for each in made.values]
    assert trade.demand() == []


def test_what_is_there_would_be_changed_or_stay_as_it_is(trade: Trade) -> None:
    order = trade.confirm(trade.order((trade.bolt, "2"), (trade.bolt, "3")))
    assert [each.action for each in tried(order).targets] == ["same", "same"]
    found = tried(order, map={**bridge()["map"], "quantity": "line.quantity * 2"})
    assert [each.action for each in found.targets] == ["changed", "changed"]
    assert [(d.label, d.old, d.new) for d in found.targets[0].values] == [("Quantity", "2", "4")]
    assert [each["quantity"] for each in trade.demand()] == [2, 3]


def test_a_record_that_has_not_come_so_far_says_why_nothing_happens(trade: Trade) -> None:
    order = trade.order((trade.bolt, "2"))
    found = tried(order)
    assert not found.targets and "waits for something else" in str(found.reason)
    assert str(tried(order, "created").reason) == "This event does not set the bridge off."


def test_a_cancelled_source_would_cancel_its_targets(trade: Trade) -> None:
    order = trade.confirm(trade.order((trade.bolt, "2")))
    assert [each.action for each in tried(order, "cancelled").targets] == ["cancelled"]
    assert [each["state"] for each in trade.demand()] == ["open"]


def test_what_the_target_refuses_is_told_with_its_field(trade: Trade) -> None:
    order = trade.order((trade.bolt, "2"))
    found = tried(order, "state:confirmed", map={**bridge()["map"], "quantity": "0 - line.quantity"})
    assert not found.targets and "Quantity" in found.problems[0].message.render("en")


def test_who_may_not_read_what_it_reads_is_not_told(trade: Trade) -> None:
    order = trade.order((trade.bolt, "2"))
    with pytest.raises(Invalid) as refused:
        tried(order, actor=builder(READS, WRITES))
    assert refused.value.problems[0].code == "reads_hidden"
