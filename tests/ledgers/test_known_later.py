"""What becomes known of a receipt only later – its invoice, its freight – changes no day before it became known."""

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import func, select

from formloop.access.actor import SYSTEM
from formloop.db import reading
from formloop.ledgers import periods
from formloop.ledgers.asof import balance_at
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.verifying import verify, verify_values
from ledgers.store import Store


def add(store: Store, receipt: dict[str, Any], quantity: str, cost: str, day: str) -> dict[str, Any]:
    row = {"quantity": quantity, "of": receipt["lines"][0]["id"]}
    return store.do("cost_added", row, cost=cost, day=day)


def on(store: Store, day: str) -> tuple[D, D, D, D]:
    """Quantity and value of the pool, the stock account and the cost as of a day."""
    entry, until = get_ledger("stock").tables.entry, date.fromisoformat(day)
    query = select(func.sum(entry.c.m_quantity), func.sum(entry.c.m_value))
    with reading() as conn:
        quantity, value = conn.execute(
            query.where(entry.c.date <= until, entry.c.d_place == store.main)
        ).one()
    sums = []
    for name in ("stock", "cost"):
        there = balance_at(get_ledger("general"), {"account": store.named[name], "party": 0}, until)
        sums.append(there["debit"] - there["credit"])
    return D(quantity or 0), D(value or 0), sums[0], sums[1]


def test_an_invoice_of_the_next_month_leaves_the_month_as_it_was(store: Store) -> None:
    receipt = store.buy("10", "2", day="2026-10-28")
    store.take("10", day="2026-10-29")
    add(store, receipt, "10", "10", "2026-11-23")
    assert on(store, "2026-10-28") == (10, 20, 20, 0)
    assert on(store, "2026-10-31") == on(store, "2026-11-22") == (0, 0, 0, 20)
    assert on(store, "2026-11-23") == (0, 0, 0, 30)
    assert verify() == []


def test_what_left_before_an_addition_bears_its_part_on_the_day_of_the_addition(store: Store) -> None:
    receipt = store.buy("60", "12.5", day="2026-11-12")
    store.take("30", day="2026-11-14")
    addition = add(store, receipt, "60", "50.22", "2026-11-16")
    store.take("10", day="2026-11-18")
    assert on(store, "2026-11-15") == (30, 375, 375, 375)
    assert on(store, "2026-11-16") == (30, D("400.11"), D("400.11"), D("400.11"))
    assert on(store, "2026-11-18") == (20, D("266.74"), D("266.74"), D("533.48"))
    store.cancel("cost_added", addition)
    assert on(store, "2026-11-15") == on(store, "2026-11-16") == (30, 375, 375, 375)
    assert on(store, "2026-11-18") == (20, 250, 250, 500)
    assert verify() == []


def test_an_issue_entered_later_for_a_day_before_an_addition_does_not_know_it_yet(store: Store) -> None:
    receipt = store.buy("60", "12.5", day="2026-11-12")
    add(store, receipt, "60", "50.22", "2026-11-16")
    add(store, receipt, "60", "6", "2026-11-20")
    issue = store.take("60", day="2026-11-14")
    assert on(store, "2026-11-14") == (0, 0, 0, 750)
    assert on(store, "2026-11-16") == (0, 0, 0, D("800.22"))
    assert on(store, "2026-11-20") == (0, 0, 0, D("806.22"))
    assert store.worth(issue) == [D("-806.22")]
    store.cancel("issue", issue)
    assert on(store, "2026-11-14") == (60, 750, 750, 0)
    assert on(store, "2026-11-16") == (60, D("800.22"), D("800.22"), 0)
    assert on(store, "2026-11-20") == (60, D("806.22"), D("806.22"), 0)
    assert verify() == []


def test_a_receipt_entered_later_changes_the_issue_behind_it_on_its_own_day(store: Store) -> None:
    receipt = store.buy("60", "12.5", day="2026-11-12")
    store.take("30", day="2026-11-14")
    add(store, receipt, "60", "60", "2026-11-16")
    store.buy("40", "10", day="2026-11-13")
    assert on(store, "2026-11-15") == (70, 805, 805, 345)  # 1150 / 100 is 11.50
    assert on(store, "2026-11-16") == (70, 847, 847, 363)  # 1210 / 100 is 12.10
    assert verify() == []


def test_a_transfer_carries_on_the_day_of_the_addition(store: Store) -> None:
    away = store.make("place", "away")
    receipt = store.buy("10", "2", day="2026-10-28")
    store.do("transfer", {"quantity": "10"}, day="2026-10-29", target=away)
    store.take("4", day="2026-10-30", place=away)
    add(store, receipt, "10", "10", "2026-11-23")
    assert on(store, "2026-10-31") == (0, 0, 12, 8)
    assert on(store, "2026-11-23") == (0, 0, 18, 12)
    assert verify() == []


def test_fifo_knows_of_an_addition_on_its_day(store: Store) -> None:
    nut = store.make("item", "nut", valuation="fifo")
    receipt = store.buy("10", "2", day="2026-10-28", item=nut)
    store.buy("10", "5", day="2026-10-28", item=nut)
    store.take("15", day="2026-10-29", item=nut)
    add(store, receipt, "10", "10", "2026-11-23")
    assert on(store, "2026-10-31") == (5, 25, 25, 45)
    assert on(store, "2026-11-23") == (5, 25, 25, 55)
    assert verify() == []


def test_a_closed_month_keeps_what_was_known_in_it(store: Store) -> None:
    receipt = store.buy("10", "2", day="2026-10-28")
    store.take("10", day="2026-10-29")
    periods.close(SYSTEM, "accounting", date(2026, 10, 31))
    add(store, receipt, "10", "10", "2026-11-23")
    assert on(store, "2026-10-31") == on(store, "2026-11-22") == (0, 0, 0, 20)
    assert on(store, "2026-11-23") == (0, 0, 0, 30)
    assert verify() == []


@pytest.mark.parametrize("method", ["moving_average", "fifo"])
def test_a_return_is_worth_what_was_known_on_its_day_whatever_was_entered_first(
    store: Store, method: str
) -> None:
    """10 at 10, 5 go back: a cost of an earlier day is borne by all 10, one of a later day by the 5 that are left."""

    def left(number: int, days: dict[str, str], order: str) -> D:
        item = store.make("item", f"{method}{number}", valuation=method)
        receipt = store.buy("10", "10", day="2026-03-02", item=item)
        for name in order:
            if name == "r":
                row = {"item": item, "quantity": "5", "of": receipt["lines"][0]["id"]}
                store.do("supplier_return", row, day=days[name])
            else:
                row = {"item": item, "quantity": "10", "of": receipt["lines"][0]["id"]}
                store.do("cost_added", row, cost="10", day=days[name])
        return D(store.there(item)[1])

    late = {"r": "2026-03-10", "a": "2026-03-20", "b": "2026-03-25"}
    early = {"a": "2026-03-10", "r": "2026-03-20"}
    both = {"a": "2026-03-10", "r": "2026-03-20", "b": "2026-03-25"}
    assert [left(at, late, order) for at, order in enumerate(("rab", "arb", "abr", "bar"))] == [70] * 4
    assert [left(at, early, order) for at, order in enumerate(("ar", "ra"), 10)] == [55] * 2
    assert [left(at, both, order) for at, order in enumerate(("arb", "bra", "bar", "rba"), 20)] == [65] * 4
    assert verify() == []


def test_what_is_taken_back_after_an_addition_follows_what_is_entered_for_a_day_before_it(
    store: Store,
) -> None:
    receipt = store.buy("10", "10", day="2026-03-02")
    issue = store.take("4", day="2026-03-05")
    add(store, receipt, "10", "10", "2026-03-15")
    periods.close(SYSTEM, "accounting", date(2026, 3, 20))
    store.cancel("issue", issue)  # on the 21st: 4 at 11
    periods.reopen(SYSTEM, "accounting", None, "Something was forgotten")
    store.buy("10", "20", day="2026-03-03")
    assert on(store, "2026-03-14") == (16, 240, 240, 60)  # 300 for 20, 4 of them at 15
    assert on(store, "2026-03-15") == (16, 248, 248, 62)
    assert on(store, "2026-03-31") == (20, 310, 310, 0)
    assert verify() == []


@pytest.mark.parametrize("method", ["moving_average", "fifo"])
def test_a_receipt_before_many_additions_changes_each_day_as_if_it_had_been_entered_first(
    store: Store, method: str
) -> None:
    def story(item: int, first: bool) -> list[tuple[D, D]]:
        def forgotten() -> None:
            store.buy("30", "9", day="2026-03-01", item=item)

        if first:
            forgotten()
        receipts = []
        for day in range(2, 26):
            receipts.append(store.buy("10", f"{10 + day % 3}", day=f"2026-03-{day:02}", item=item))
            store.take("4", day=f"2026-03-{day:02}", item=item)
            if day > 5:
                row = {"item": item, "quantity": "10", "of": receipts[day - 6]["lines"][0]["id"]}
                store.do("cost_added", row, cost=f"{day % 4 + 1}", day=f"2026-03-{day:02}")
        if not first:
            forgotten()
        entry = get_ledger("stock").tables.entry
        days = select(entry.c.date, func.sum(entry.c.m_value)).where(entry.c.d_item == item)
        with reading() as conn:
            return conn.execute(days.group_by(entry.c.date).order_by(entry.c.date)).all()

    found = [story(store.make("item", name, valuation=method), name == "one") for name in ("one", "two")]
    assert found[0] == found[1]
    assert verify() == []


def back(store: Store, form: str, of: dict[str, Any], quantity: str, day: str) -> dict[str, Any]:
    return store.do(form, {"quantity": quantity, "of": of["lines"][0]["id"]}, day=day)


def test_a_return_follows_its_delivery_on_every_day_on_which_more_becomes_known(store: Store) -> None:
    receipt = store.buy("10", "2", day="2026-03-01")
    issue = store.take("10", day="2026-03-02")
    add(store, receipt, "10", "10", "2026-03-20")
    returned = back(store, "customer_return", issue, "4", "2026-03-10")  # entered after the addition
    assert on(store, "2026-03-19") == (4, 8, 8, 12)
    assert on(store, "2026-03-20") == (4, 12, 12, 18)
    assert (store.worth(issue), store.worth(returned)) == ([-30], [12])
    store.buy("10", "4", day="2026-02-20")  # both at 3, and at 3.50 once more is known
    assert on(store, "2026-03-19") == (14, 42, 42, 18)
    assert on(store, "2026-03-20") == (14, 49, 49, 21)
    assert verify() == []


@pytest.mark.parametrize(("form", "value"), [("supplier_return", 18), ("customer_return", 12)])
def test_a_return_follows_when_one_of_several_additions_is_taken_back(
    store: Store, form: str, value: int
) -> None:
    receipt = store.buy("10", "2", day="2026-03-01")
    of = receipt if form == "supplier_return" else store.take("10", day="2026-03-02")
    first = add(store, receipt, "10", "10", "2026-03-20")
    add(store, receipt, "10", "10", "2026-03-22")
    back(store, form, of, "4", "2026-03-25")
    store.cancel("cost_added", first)
    assert on(store, "2026-03-25")[1:3] == (value, value)
    assert verify() == []


def test_what_is_taken_back_of_a_closed_month_follows_what_became_known_after_its_end(store: Store) -> None:
    receipt = store.buy("10", "2", day="2026-01-10")
    issue = store.take("10", day="2026-01-12")
    periods.close(SYSTEM, "accounting", date(2026, 1, 31))
    add(store, receipt, "10", "10", "2026-02-20")
    store.cancel("issue", issue)  # on the first of February
    assert on(store, "2026-01-31") == (0, 0, 0, 20)
    assert on(store, "2026-02-19") == (10, 20, 20, 0)
    assert on(store, "2026-02-20") == (10, 30, 30, 0)
    assert verify() == []


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_else_was_taken_back_takes_its_part_whatever_is_entered_or_undone_first(
    store: Store, elsewhere: bool
) -> None:
    place = store.make("place", "other") if elsewhere else store.main
    store.buy("3", "3.3333", day="2026-03-01")
    row = {"quantity": "1", "of": store.take("3", day="2026-03-02")["lines"][0]["id"]}
    later = store.do("customer_return", row, day="2026-03-10")
    assert store.worth(later) == [D("3.33")]
    earlier = store.do("customer_return", row, day="2026-03-05", place=place)
    assert (store.worth(earlier), store.worth(later)) == ([D("3.33")], [D("3.34")])
    store.cancel("customer_return", earlier)
    assert store.worth(later) == [D("3.33")]
    assert verify() == verify_values(get_ledger("stock"), {}, date(2026, 3, 10)) == []


def test_a_cost_for_two_places_goes_along_with_what_went_from_one_to_the_other(store: Store) -> None:
    other = store.make("place", "other")
    first = store.buy("10", "1", day="2026-03-01")
    moved = store.do("transfer", {"quantity": "4"}, day="2026-03-05", target=other)
    second = store.buy("10", "1", day="2026-03-10", place=other)
    rows = [{"quantity": "10", "of": each["lines"][0]["id"]} for each in (first, second)]
    store.do("cost_added", *rows, cost="20", day="2026-03-20")
    assert store.worth(moved) == [-8, 8]
    assert (store.there(), store.there(place=other)) == ((6, 12), (14, 28))
    assert verify() == []
