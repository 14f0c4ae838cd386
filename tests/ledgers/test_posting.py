"""What documents write into ledgers, and what they may not."""

from decimal import Decimal as D

import pytest

from formloop.core.errors import Invalid
from ledgers.store import Store


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
