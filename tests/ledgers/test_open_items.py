"""Open items as of any day, taken back with what settled them, and asked for by postings."""

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.ledgers import periods
from formloop.ledgers.asof import balance_at
from formloop.ledgers.kind import get_ledger
from ledgers.invoices import INVOICE, INVOICED, PAID, PARTY, PAYMENT, invoice, left, pay
from ledgers.store import Store, credit, debit, posting


@pytest.fixture
def trade(database: Any) -> Store:
    store = Store(INVOICE, INVOICED, PAYMENT, PAID)
    store.make("party", "Acme")
    return store


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("paid", ["2026-02-27", "2026-03-04"])
@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("cancelled", ["invoice", "payment"])
def test_open_items_as_of_any_day_come_to_the_account(
    trade: Store, paid: str, closed: bool, cancelled: str
) -> None:
    of = invoice(trade, "100", day="2026-03-01")
    by = pay(trade, of, "60", off="0", day=paid)
    days = [date(2026, 2, 26) + timedelta(number) for number in range(12)]
    dims = {"account": trade.named["receivable"], "party": trade.named["Acme"]}

    def differing() -> list[date]:
        booked = {day: balance_at(get_ledger("general"), dims, day) for day in days}
        return [day for day in days if sum(left(trade, day)) != booked[day]["debit"] - booked[day]["credit"]]

    assert differing() == []
    if closed:
        periods.close(SYSTEM, "accounting", date(2026, 3, 5))
    trade.cancel(cancelled, {"invoice": of, "payment": by}[cancelled])
    assert differing() == []
    assert sum(left(trade)) == {"invoice": -60, "payment": 100}[cancelled]


def test_a_reversed_payment_opens_what_it_settled(trade: Store) -> None:
    of = invoice(trade, "100")
    payment = pay(trade, of, "60")
    trade.cancel("payment", payment)
    assert left(trade) == [100]
    pay(trade, of, "100")
    assert left(trade) == []


def test_a_reversed_invoice_leaves_its_payment_open(trade: Store) -> None:
    of = invoice(trade, "100")
    pay(trade, of, "60")
    trade.cancel("invoice", of)
    assert left(trade) == [-60]


def test_what_is_settled_cannot_be_settled_again(trade: Store) -> None:
    of = invoice(trade, "100")
    pay(trade, of, "100")
    with pytest.raises(Invalid) as error:
        pay(trade, of, "1")
    assert error.value.problems[0].code == "not_open"


def test_what_is_open_of_what_an_entry_settles_can_be_asked_for(database: Any) -> None:
    """The last payment takes what is left, to the cent, whatever was rounded before and whoever was taken back."""
    part = "IF(amount = 1, before.open, ROUND(amount * 719.93, 2))"
    paid = posting("paid", "payment", credit("settings.receivable", part, settles="invoice", id="part", **PARTY),
                   debit("settings.bank", "entries.part.credit"), date="day")  # fmt: skip
    store = Store(INVOICE, INVOICED, PAYMENT, paid)
    store.make("party", "Acme")
    of = invoice(store, "719.93")
    first, _ = pay(store, of, "0.33"), pay(store, of, "0.33")
    assert left(store) == [D("244.77")]
    store.cancel("payment", first)
    pay(store, of, "1")
    assert left(store) == [] and store.account("bank") == D("719.93")
