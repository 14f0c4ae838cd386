"""What documents write into ledgers, and what they may not."""

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.db import reading, undone
from formloop.forms import service
from formloop.ledgers import periods
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.pools import nets
from formloop.ledgers.verifying import verify
from formloop.settings import Settings
from ledgers.store import OUT, PER_LINE, STOCK, Store, credit, debit, document, posting


def test_a_receipt_adds_to_stock_and_to_the_books(store: Store) -> None:
    store.buy("10", "2.5")
    assert store.there() == (D(10), D("25.00"))
    assert store.account("stock") == D(25) == -store.account("accrued")


def test_an_issue_costs_the_average_of_what_is_there(store: Store) -> None:
    store.buy("10", "2")
    store.buy("10", "4")
    issue = store.take("5")
    assert store.worth(issue) == [D(-15)]
    assert store.there() == (D(15), D(45))
    assert store.account("cost") == D(15)


def test_more_than_there_is_cannot_be_taken(store: Store) -> None:
    store.buy("3", "1")
    with pytest.raises(Invalid) as error:
        store.take("4")
    assert [p.code for p in error.value.problems] == ["never:below_zero"]
    assert store.there() == (D(3), D(3))


def test_a_cancelled_document_is_reversed(store: Store) -> None:
    receipt = store.buy("3", "1")
    store.cancel("receipt", receipt)
    assert store.there() == (D(0), D(0))
    assert store.account("stock") == 0


def test_a_later_entry_for_an_earlier_date_values_again_what_follows(store: Store) -> None:
    store.buy("10", "2", day="2026-03-01")
    issue = store.take("5", day="2026-03-05")
    store.buy("10", "4", day="2026-03-03")
    assert store.worth(issue) == [D(-15)]
    assert store.there() == (D(15), D(45))
    assert store.account("cost") == D(15)
    assert store.account("stock") == D(45)


def test_what_a_return_leaves_aside_is_valued_again_with_all_its_digits(store: Store) -> None:
    dear = store.buy("1", "10", day="2026-03-02")
    store.buy("1", "0", day="2026-03-02")
    store.take("1", day="2026-03-03")
    back = store.do("supplier_return", {"quantity": "1", "of": dear["lines"][0]["id"]}, day="2026-03-04")
    assert _worth_with_variance(store, back) == (D(-5), D(-5))
    store.buy("1", "0.01", day="2026-03-01")
    assert _worth_with_variance(store, back) == (D("-3.34"), D("-6.66"))
    assert store.there() == (D(1), D("3.33")) and store.account("stock") == D("3.33")
    assert verify() == []


def _worth_with_variance(store: Store, record: dict[str, Any]) -> tuple[D, D]:
    entry = get_ledger("stock").tables.entry
    of = select(entry.c.id).where(entry.c.line == record["lines"][0]["id"], entry.c.way == "returned")
    with reading() as conn:
        ((_, value, variance),) = nets(get_ledger("stock"), conn.execute(of).scalars()).values()
    return value, variance


def test_amounts_that_are_no_sums_are_calculated_again_by_their_posting(database: Settings) -> None:
    store = Store(
        document("sample"),
        posting("sample_posting", "sample", OUT, debit("settings.cost", "-entries.stock.value"),
                credit("settings.stock", "-entries.stock.value"),
                debit("settings.expense", "ROUND(-entries.stock.value * 0.13, 2)"),
                credit("settings.payable", "ROUND(-entries.stock.value * 0.13, 2)"), **PER_LINE),
    )  # fmt: skip
    store.buy("10", "2", day="2026-03-01")
    store.do("sample", {"quantity": "5"}, day="2026-03-03", place=store.main)
    assert store.account("expense") == D("1.30")
    store.buy("10", "4", day="2026-03-02")
    assert (store.account("cost"), store.account("expense")) == (D(15), D("1.95"))
    assert verify() == []


def test_entries_that_wait_for_others_are_valued_again_one_by_one(database: Settings) -> None:
    store = Store(stock={**STOCK, "open": {"sum": {"value": 1}}})
    store.buy("10", "2", day="2026-03-01")
    store.take("1", day="2026-03-03")
    store.take("1", day="2026-03-03")
    store.buy("10", "4", day="2026-03-02")
    item = get_ledger("stock").tables.open
    with reading() as conn:
        waiting = conn.execute(select(item.c.total, item.c.line).order_by(item.c.entry)).all()
    assert [each.total for each in waiting] == [D(20), D(-2), D(-2), D(40), D(-1), D(-1)]
    assert [each.line for each in waiting[4:]] == [each.line for each in waiting[1:3]]
    assert verify() == []


def test_what_the_settings_say_now_is_what_postings_follow(store: Store) -> None:
    store.buy("1", "10")
    service.change_record(SYSTEM, "books", store.books, {"accrued": store.named["bank"]})
    store.buy("1", "3")
    assert (store.account("accrued"), store.account("bank")) == (D(-10), D(-3))


def test_settings_that_were_only_tried_are_forgotten(store: Store) -> None:
    def try_other_books() -> None:
        service.change_record(SYSTEM, "books", store.books, {"accrued": store.named["bank"]})
        store.buy("1", "3")
        assert store.account("bank") == D(-3)

    undone(try_other_books)
    store.buy("1", "10")
    assert (store.account("accrued"), store.account("bank")) == (D(-10), D(0))


@pytest.mark.parametrize("rate", ["1", "ROUND(1.0, 0)"])  # sums of values, and what must be calculated again
def test_what_was_undone_after_a_close_follows_the_value_of_what_it_undid(
    database: Settings, rate: str
) -> None:
    cost = f"-entries.stock.value * {rate}" if rate != "1" else "-entries.stock.value"
    store = Store(
        document("sample"),
        posting("sample_posting", "sample", OUT, debit("settings.cost", cost), credit("settings.stock", cost),
                **PER_LINE),
    )  # fmt: skip
    store.buy("10", "2", day="2026-01-05")
    taken = store.do("sample", {"quantity": "5"}, day="2026-01-10", place=store.main)
    periods.close(SYSTEM, "accounting", date(2026, 1, 15))
    store.cancel("sample", taken)
    store.take("2", day="2026-01-20")
    periods.reopen(SYSTEM, "accounting", None, "a receipt was forgotten")
    store.buy("10", "4", day="2026-01-06")
    assert store.there() == (D(18), D(54)) and store.account("stock") == D(54)
    assert store.account("cost") == D(6) and verify() == []
