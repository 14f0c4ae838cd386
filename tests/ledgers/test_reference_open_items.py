"""The worked figures of the reference cases for what customers owe: parts, instalments, ages, other currencies."""

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.ledgers import periods, reading
from formloop.ledgers.asof import balance_at
from formloop.ledgers.kind import get_ledger
from ledgers import store as definitions
from ledgers.invoices import INVOICE, INVOICED, PAID, PARTY, PAYMENT, invoice, left, pay
from ledgers.store import GENERAL, Store, credit, debit, form, link, number, posting


@pytest.fixture
def trade(database: Any) -> Store:
    store = Store(INVOICE, INVOICED, PAYMENT, PAID)
    store.make("party", "Acme")
    return store


def test_gl_02_payments_in_parts_and_a_write_off_close_an_invoice(trade: Store) -> None:
    of = invoice(trade, "240")
    found = []
    for amount, off in (("120", "0"), ("20", "0"), ("99", "1")):
        pay(trade, of, amount, off=off)
        found.append(sum(left(trade)))
    assert found == [120, 100, 0]
    matched = reading.list_settlements("general", "invoice", of["id"])
    assert sorted(each.amount for each in matched) == [1, 20, 99, 120]


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


def test_ar_01_a_payment_fills_instalments_in_the_order_they_are_due(trade: Store) -> None:
    of = invoice(trade, "30", "50", "20", dues=("2026-03-31", "2026-04-30", "2026-05-31"))
    pay(trade, of, "40")
    found = reading.list_open(SYSTEM, "general", {"account": trade.named["receivable"]}, None, settled=True)
    assert [(e.total, e.total - e.left, e.left) for e in found if e.total > 0] == [
        (30, 30, 0), (50, 10, 40), (20, 0, 20),
    ]  # fmt: skip


def test_ar_03_ageing_by_days_overdue_with_later_settlements(trade: Store) -> None:
    """Policy: borders are a parameter; what is settled after the date of the report is open in it."""
    of_report = date(2026, 6, 30)
    late = {-1: "10", 0: "20", 29: "30", 30: "40", 59: "50", 60: "60", 90: "70"}
    made = []
    for days, amount in late.items():
        due = date.fromordinal(of_report.toordinal() - days)
        made.append(invoice(trade, amount, dues=(str(due),)))
    pay(trade, made[-1], "70", day="2026-07-05")
    found = reading.ageing(
        SYSTEM, "general", {"account": trade.named["receivable"]}, of_report, (0, 30, 60, 90)
    )
    assert found == [10, 50, 90, 60, 70]


def test_ar_05_one_cent_stays_visible(trade: Store) -> None:
    pay(trade, invoice(trade, "100"), "99.99")
    assert left(trade) == [D("0.01")]


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


TERMS = form(
    "terms", day=definitions.date(), total=number("Total", 2), party=link("Party", "party"),
    first=number("First", 2, **{"x-formula": "ROUND(total * 0.25, 2)"}),
    second=number("Second", 2, **{"x-formula": "ROUND(total * 0.25, 2)"}),
    third=number("Third", 2), rest=number("Rest", 2, **{"x-formula": "total - first - second - third"}),
)  # fmt: skip
DUE = {
    "first": "day + 30", "second": "EDATE(day, 1)", "third": "EDATE(day, 1) + 30",
    "rest": "EDATE(DATE(YEAR(day), MONTH(day), 15), 2) + 30",
}  # fmt: skip
TERMED = posting(
    "termed", "terms", *(debit("settings.receivable", key, due=due, party="party") for key, due in DUE.items()),
    credit("settings.revenue", "total"), date="day",
)  # fmt: skip


def test_gl_16_payment_terms_give_dated_instalments(database: Any) -> None:
    store = Store(TERMS, TERMED)
    store.do("terms", day="2011-10-01", total="1587.35", third="396.84", party=store.make("party", "Acme"))
    found = reading.list_open(SYSTEM, "general", {"account": store.named["receivable"]}, None)
    assert [(str(each.due), each.left) for each in found] == [
        ("2011-10-31", D("396.84")), ("2011-11-01", D("396.84")), ("2011-12-01", D("396.84")),
        ("2012-01-14", D("396.83")),
    ]  # fmt: skip


FOREIGN = {
    **GENERAL,
    "dimensions": {**GENERAL["dimensions"], "currency": {"type": "text", "optional": True}},
    "measures": {**GENERAL["measures"], "foreign": {"scale": 2}},
    "open": {"sum": {"foreign": 1}, "when": "account.open = 1"},
}
ABROAD = form("abroad", day=definitions.date(), party=link("Party", "party"), amount=number("Amount", 2),
              rate=number("Rate", 4))  # fmt: skip
SOLD_ABROAD = posting(
    "sold_abroad", "abroad",
    debit("settings.receivable", "amount * rate", party="party", currency='"USD"', foreign="amount"),
    credit("settings.revenue", "amount * rate"), date="day",
)  # fmt: skip
FROM_ABROAD = form("from_abroad", day=definitions.date(), party=link("Party", "party"),
                   invoice=link("Invoice", "abroad"), amount=number("Amount", 2), rate=number("Rate", 4))  # fmt: skip
PAID_ABROAD = posting(
    "paid_abroad", "from_abroad", debit("settings.bank", "amount * rate"),
    debit("settings.variance", "amount * (invoice.rate - rate)"),
    credit("settings.receivable", "amount * invoice.rate", party="party", currency='"USD"', foreign="-amount",
           settles="invoice"), date="day",
)  # fmt: skip


@pytest.mark.parametrize("paid, settled, loss, foreign", [("100", 7500, 500, 0), ("90", 6750, 450, 10)])
def test_gl_18_a_foreign_receivable_settled_at_another_rate(
    database: Any, paid: str, settled: int, loss: int, foreign: int
) -> None:
    """Of the difference of 1,250 in the second case 800 are still owed; the loss is 450."""
    store = Store(ABROAD, SOLD_ABROAD, FROM_ABROAD, PAID_ABROAD, general=FOREIGN)
    party = store.make("party", "Acme")
    of = store.do("abroad", party=party, amount="100", rate="80")
    dims = {"account": store.named["receivable"], "party": party, "currency": "USD"}
    before = reading.find_balance("general", dims)
    assert before is not None and before["m_debit"] == 8000
    store.do("from_abroad", party=party, invoice=of["id"], amount=paid, rate="75")
    after = reading.find_balance("general", dims)
    bank = reading.find_balance("general", {"account": store.named["bank"]})
    loss_row = reading.find_balance("general", {"account": store.named["variance"]})
    assert after is not None and bank is not None and loss_row is not None
    assert (bank["m_debit"], loss_row["m_debit"], after["m_foreign"]) == (settled, loss, foreign)
    assert after["m_debit"] - after["m_credit"] == foreign * 80
    assert left(store) == ([D(foreign)] if foreign else [])


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
