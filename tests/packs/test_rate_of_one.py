"""What is in a foreign currency stands in it on the books, also when its rate is exactly 1."""

from decimal import Decimal as D

from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.datasets import service as datasets
from formloop.forms import service as records
from formloop.ledgers.verifying import verify
from packs.test_payments import SIDES, Billed
from packs.trading import named, sums


def stands(billed: Billed, currency: int) -> tuple[D, ...]:
    """On the party's account: in home currency, and in this one."""
    account = named("account", code="2202" if billed.side == "supplier" else "1122")
    dims = {"account": account, billed.side: billed.party, "currency": currency}
    debit, credit, foreign = sums("general", ("debit", "credit", "foreign"), **dims)
    sign = -1 if billed.side == "supplier" else 1
    return sign * (debit - credit), sign * foreign


@SIDES
def test_an_invoice_at_rate_one_keeps_its_currency_and_is_revalued_and_paid_in_it(
    demo: Flask, side: str
) -> None:
    usd = named("currency", code="USD")
    billed = Billed(side, currency=usd, rate="1")
    invoice = billed.invoice(currency=usd, rate="1")
    assert stands(billed, usd) == (100, 100)
    rows = datasets.read_all(SYSTEM, "foreign_balances", {"day": "2026-03-31"})
    (row,) = [each for each in rows if each[side] == billed.party]
    assert (abs(row["foreign"]), abs(row["worth"])) == (100, 712)
    billed.pay("40", invoice=invoice, currency=usd, rate="7")
    assert stands(billed, usd) == (60, 60)
    advance = billed.pay("60", currency=usd, rate="1")
    assert stands(billed, usd) == (0, 0)
    line = {"invoice": invoice, "amount": "60"}
    billed.do(f"{side}_allocation", {"payment": advance, "currency": usd, "lines": [line]})
    assert billed.see(billed.invoices, invoice)["open"] == 0
    assert stands(billed, usd) == (0, 0)
    assert verify() == []


@SIDES
def test_an_invoice_at_the_rate_of_the_home_currency_names_none_on_the_books(demo: Flask, side: str) -> None:
    cny = named("currency", code="CNY")
    billed = Billed(side, currency=cny)
    billed.pay("100", invoice=billed.invoice(currency=cny), currency=cny)
    assert stands(billed, cny) == (0, 0)


@SIDES
def test_an_invoice_keeps_its_rate_of_one_when_the_currency_has_another_since(demo: Flask, side: str) -> None:
    pegged = int(records.create(SYSTEM, "currency", {"code": "XAA", "name": "Pegged", "rate": "1"})["id"])
    billed = Billed(side, currency=pegged)
    invoice = billed.invoice(currency=pegged)
    records.change_record(SYSTEM, "currency", pegged, {"rate": "7"})
    billed.pay("30", invoice=invoice, currency=pegged)
    seen = billed.see(billed.invoices, invoice)
    assert (seen["rate_used"], seen["open"]) == (1, 70)
    assert verify() == []
