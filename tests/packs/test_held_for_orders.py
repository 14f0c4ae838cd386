"""Stock held for a line of an order: the line's own deliveries take it, and it is given back with the line."""

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import FormloopError, Invalid
from formloop.datasets import service as datasets
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers import periods
from formloop.ledgers.verifying import verify
from formloop.workflows import service
from formloop.workflows.amendments import service as amendments
from packs.test_closing_short import SoldShort, reserved, rows_of
from packs.test_order_progress import agree
from packs.trading import Trade, actor_of, named


class Scarce(SoldShort):
    """An order of 10 of an item of which there are just so many."""

    def __init__(self, there: str = "10") -> None:
        super().__init__(lines=1)
        (self.item,) = self.items
        row = {"item": self.item, "quantity": str(100 - int(there))}
        head = {"day": "2026-03-02", "warehouse": named("warehouse", code="MAIN"), "lines": [row]}
        service.submit(self.keeper, "stock_out", int(records.create(SYSTEM, "stock_out", head)["id"]))

    def held(self) -> list[tuple[Any, ...]]:
        found = rows_of("reservation", item=self.item)
        return [(each["state"], each["quantity"]) for each in found]

    def cancel(self) -> None:
        amendments.propose(self.seller, "sales_order", self.order, None, "Not wanted")
        agree("sales_order", self.order, "approver")

    def stock_in(self, code: str) -> int:
        """A lot of its own, with 20 of the item."""
        lot = int(records.create(SYSTEM, "lot", {"code": code, "item": self.item})["id"])
        row = {"item": self.item, "quantity": "20", "lot": lot, "price": "10"}
        head = {"day": "2026-03-02", "warehouse": named("warehouse", code="MAIN"), "lines": [row]}
        service.submit(self.keeper, "stock_in", int(records.create(SYSTEM, "stock_in", head)["id"]))
        return lot


def test_a_delivery_takes_what_is_held_for_its_own_line(filled: Flask) -> None:
    sold = Scarce("10")
    sold.hold("10")
    sold.deliver("4")
    assert (sold.held(), reserved(sold.item)) == ([("held", 6)], 6)
    sold.deliver("6")
    assert (sold.held(), reserved(sold.item), sold.state) == ([("cancelled", 6)], 0, "delivered")
    assert verify() == []


def test_order_lines_say_what_is_held_for_each_to_whom_may_see_it(filled: Flask) -> None:
    sold = Scarce("10")

    def lines(account: str) -> list[tuple[Any, ...]]:
        rows = datasets.read_all(actor_of(account), "order_lines")
        mine = [row for row in rows if row["order"] == sold.order]
        return [tuple(row[key] for key in ("ordered", "held", "delivered", "open")) for row in mine]

    assert lines("keeper") == [(10, None, 0, 10)]
    sold.hold("4")
    sold.hold("2")
    assert lines("keeper") == [(10, 6, 0, 10)]
    sold.deliver("5")
    assert (lines("keeper"), lines("seller")) == ([(10, 1, 5, 5)], [(10, None, 5, 5)])


def test_what_is_held_for_a_line_is_no_other_orders(demo: Flask) -> None:
    sold = Scarce("10")
    sold.hold("6")
    row = {"item": sold.item, "quantity": "5"}
    head = {"day": "2026-03-03", "warehouse": named("warehouse", code="MAIN"), "lines": [row]}
    other = int(records.create(SYSTEM, "stock_out", head)["id"])
    with pytest.raises(Invalid):
        service.submit(sold.keeper, "stock_out", other)


def test_more_delivered_than_held_leaves_nothing_held_and_the_rest_of_the_line_open(demo: Flask) -> None:
    sold = Scarce("10")
    sold.hold("4")
    sold.deliver("4")
    assert (sold.held(), sold.progress()) == ([("cancelled", 4)], [("open", 6)])
    sold.hold("2")
    sold.deliver("6")
    assert (sold.held()[1], reserved(sold.item)) == (("cancelled", 2), 0)


def test_a_cancelled_order_gives_back_what_was_held_for_it(demo: Flask) -> None:
    sold = Scarce()
    sold.hold("6")
    sold.cancel()
    assert (sold.held(), reserved(sold.item), verify()) == ([("cancelled", 6)], 0, [])


def test_of_a_line_amended_to_less_no_more_is_held_than_is_open(demo: Flask) -> None:
    sold = Scarce()
    sold.hold("8")
    sold.amend("5")
    assert (sold.held(), reserved(sold.item)) == ([("held", 5)], 5)
    sold.amend("9")
    assert (sold.held(), reserved(sold.item)) == ([("held", 5)], 5)


def test_a_delivery_taken_back_leaves_what_was_given_back_free(demo: Flask) -> None:
    sold = Scarce()
    sold.hold("10")
    sent = sold.deliver("4")
    amendments.propose(sold.keeper, "delivery", sent, None, "Not loaded")
    agree("delivery", sent, "accountant")
    assert (sold.held(), sold.progress()) == ([("held", 6)], [("open", 10)])
    sold.deliver("10")
    assert (sold.held(), reserved(sold.item)) == ([("cancelled", 6)], 0)


def test_no_more_is_held_for_a_line_than_is_open_of_it(demo: Flask) -> None:
    sold = Scarce("99")
    with pytest.raises(Invalid) as error:
        sold.hold("50")
    assert "check:of_open" in [each.code for each in error.value.problems]
    assert reserved(sold.item) == D(0)


def test_a_draft_for_a_line_goes_with_the_line(demo: Flask) -> None:
    sold = Scarce()
    made = sold.draft_of_hold()
    sold.close()
    assert reads.get_record(SYSTEM, "reservation", made)["state"] == "cancelled"
    with pytest.raises(FormloopError):
        service.submit(sold.keeper, "reservation", made)
    sold.close(bridge="sales_order_to_reopening")
    sold.hold("3")
    assert (sold.held()[1:], reserved(sold.item)) == ([("held", 3)], 3)


def test_what_was_held_until_a_day_that_has_passed_is_not_held_again(demo: Flask) -> None:
    sold = Scarce("10")
    made = sold.draft_of_hold()
    head = {"quantity": "6", "warehouse": named("warehouse", code="MAIN"), "until": "2026-03-04"}
    records.change_record(sold.keeper, "reservation", made, head)
    service.submit(sold.keeper, "reservation", made)
    sold.deliver("4")
    assert (sold.held(), reserved(sold.item)) == ([("cancelled", 6)], 0)


def test_a_line_that_is_taken_out_of_the_order_holds_nothing(demo: Flask) -> None:
    sold = Scarce()
    sold.hold("6")
    row = {"item": named("item", code="LAMP-02"), "quantity": "1", "price": "1"}
    amendments.propose(sold.seller, "sales_order", sold.order, {"lines": [row]}, "Something else")
    agree("sales_order", sold.order, "approver")
    assert (sold.held(), reserved(sold.item)) == ([("cancelled", 6)], 0)


@pytest.mark.parametrize("closed", ["2026-03-31", "2026-04-30"])
def test_what_is_held_since_a_month_that_is_closed_now_is_delivered_and_lowered(
    demo: Flask, closed: str
) -> None:
    sold = Scarce("10")
    sold.hold("10", day="2026-03-03")
    periods.close(SYSTEM, "accounting", date(2026, 3, 31))
    sold.deliver("4", day="2026-04-02")
    assert (sold.held(), reserved(sold.item)) == ([("held", 6)], 6)
    if closed > "2026-03-31":
        periods.close(SYSTEM, "accounting", date.fromisoformat(closed))
    sold.amend("8")
    assert (sold.held(), reserved(sold.item)) == ([("held", 4)], 4)
    sold.deliver("4", day="2026-05-02")
    assert (sold.held(), sold.state, verify()) == ([("cancelled", 4)], "delivered", [])
    (hold,) = rows_of("reservation", item=sold.item)
    assert hold["day"] == date(2026, 3, 3)  # what it says itself stays


def test_in_a_closed_month_nothing_is_held_anew(demo: Flask) -> None:
    sold = Scarce("10")
    periods.close(SYSTEM, "accounting", date(2026, 3, 31))
    with pytest.raises(Invalid) as error:
        sold.hold("10", day="2026-03-03")
    assert [each.code for each in error.value.problems] == ["closed"]
    sold.hold("10", day="2026-04-01")
    with pytest.raises(FormloopError):
        sold.deliver("4", day="2026-03-05")
    assert (sold.held(), reserved(sold.item), verify()) == ([("held", 10)], 10, [])


@pytest.mark.parametrize("submitted", [True, False], ids=["held", "draft"])
def test_a_lot_that_is_blocked_after_it_was_held_stops_nothing(demo: Flask, submitted: bool) -> None:
    sold = Scarce("99")
    lot = sold.stock_in("HELD-1")
    made = sold.draft_of_hold()
    head = {"quantity": "10", "lot": lot, "warehouse": named("warehouse", code="MAIN")}
    records.change_record(sold.keeper, "reservation", made, head)
    if submitted:
        service.submit(sold.keeper, "reservation", made)
    records.change_record(SYSTEM, "lot", lot, {"status": "blocked"})
    sold.deliver("4")
    state = "held" if submitted else "draft"
    assert (sold.held(), sold.progress()) == ([(state, 6)], [("open", 6)])
    if not submitted:
        with pytest.raises(Invalid) as error:
            service.submit(sold.keeper, "reservation", made)
        assert [each.code for each in error.value.problems] == ["check:lot_free"]
    sold.close()
    assert (sold.held(), sold.state, verify()) == ([("cancelled", 6)], "closed", [])


def test_a_line_amended_to_another_item_gives_the_old_one_back(demo: Flask) -> None:
    sold, other = Scarce("99"), Trade().item
    sold.hold("8")
    rows = [
        dict(row) | {"item": other} for row in reads.get_record(SYSTEM, "sales_order", sold.order)["lines"]
    ]
    amendments.propose(sold.seller, "sales_order", sold.order, {"lines": rows}, "Another")
    agree("sales_order", sold.order, "approver")
    assert (sold.held(), reserved(sold.item), reserved(other)) == ([("cancelled", 8)], 0, 0)
    made = sold.draft_of_hold()
    assert reads.get_record(SYSTEM, "reservation", made)["item"] == other


def test_of_several_holds_of_a_line_the_oldest_is_taken_first_and_together_they_hold_what_is_open(
    filled: Flask,
) -> None:
    sold = Scarce("10")
    first, second = sold.hold("6"), sold.hold("4")
    assert (first != second, sold.held()) == (True, [("held", 6), ("held", 4)])
    sold.deliver("4")
    assert (sold.held(), reserved(sold.item)) == ([("held", 2), ("held", 4)], 6)
    sold.deliver("3")
    assert (sold.held(), reserved(sold.item)) == ([("cancelled", 2), ("held", 3)], 3)
    sold.deliver("3")
    assert (sold.held(), sold.state, verify()) == ([("cancelled", 2), ("cancelled", 3)], "delivered", [])


def test_of_several_holds_of_a_line_amended_to_less_the_newest_is_given_back_first(demo: Flask) -> None:
    sold = Scarce("99")
    sold.hold("6")
    sold.hold("3")
    sold.amend("8")
    assert sold.held() == [("held", 6), ("held", 2)]
    sold.amend("5")
    assert (sold.held(), reserved(sold.item)) == ([("held", 5), ("cancelled", 2)], 5)


def test_what_is_open_and_not_held_yet_is_held_besides(demo: Flask) -> None:
    sold = Scarce("20")
    sold.hold("10")
    with pytest.raises(FormloopError):
        sold.draft_of_hold()
    sent = sold.deliver("4")
    amendments.propose(sold.keeper, "delivery", sent, None, "Not loaded")
    agree("delivery", sent, "accountant")
    assert (sold.held(), sold.progress()) == ([("held", 6)], [("open", 10)])
    made = sold.draft_of_hold()
    assert reads.get_record(SYSTEM, "reservation", made)["quantity"] == 4
    assert sold.draft_of_hold() == made
    with pytest.raises(Invalid) as error:
        sold.hold("5")
    assert "check:of_open" in [each.code for each in error.value.problems]
    sold.hold("4")
    sold.amend("12")
    sold.hold("2")
    assert (sold.held(), reserved(sold.item)) == ([("held", 6), ("held", 4), ("held", 2)], 12)
    sold.deliver("12")
    assert (reserved(sold.item), verify()) == (0, [])


def test_a_draft_from_the_bin_does_not_hold_more_than_is_open(demo: Flask) -> None:
    sold = Scarce("20")
    first = sold.draft_of_hold()
    head = {"quantity": "10", "warehouse": named("warehouse", code="MAIN")}
    records.change_record(sold.keeper, "reservation", first, head)
    records.delete_record(sold.keeper, "reservation", first)
    sold.hold("7")
    records.restore_record(sold.keeper, "reservation", first)
    service.submit(sold.keeper, "reservation", first)
    assert (sold.held(), reserved(sold.item)) == ([("rejected", 10), ("held", 7)], 7)


def test_a_hold_whose_day_has_passed_stands_in_no_other_ones_way(demo: Flask) -> None:
    sold = Scarce("20")
    sold.hold("6", until="2026-03-04")
    sold.hold("10")
    sold.deliver("4")
    assert (sold.held(), reserved(sold.item)) == ([("cancelled", 6), ("held", 6)], 6)
