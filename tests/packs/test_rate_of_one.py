"""What is in a foreign currency stands in it on the books, also when its rate is exactly 1."""

from decimal import Decimal as D
from functools import partial

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
    billed, pegged = pegged_trade(side)
    invoice = billed.invoice(currency=pegged)
    records.change_record(SYSTEM, "currency", pegged, {"rate": "7"})
    billed.pay("30", invoice=invoice, currency=pegged)
    seen = billed.see(billed.invoices, invoice)
    assert (seen["rate_used"], seen["open"]) == (1, 70)
    assert verify() == []


@SIDES
def test_what_is_settled_at_the_rate_of_one_leaves_the_difference_to_exchange(demo: Flask, side: str) -> None:
    """A currency that is at exactly 1 today; its invoices are from days when it was dearer."""
    billed, pegged = pegged_trade(side)
    dear = {"currency": pegged, "rate": "1.1"}
    exchange = partial(lost, billed)

    billed.pay("100", invoice=billed.invoice(**dear), currency=pegged)
    assert (stands(billed, pegged), exchange()) == ((0, 0), -10)

    line = {"invoice": billed.invoice(**dear), "amount": "100"}
    billed.pay("100", lines=[line], currency=pegged)
    assert (stands(billed, pegged), exchange()) == ((0, 0), -20)

    advance = billed.pay("100", currency=pegged)
    line = {"invoice": billed.invoice(currency=pegged, rate="1.2"), "amount": "100"}
    billed.do(f"{side}_allocation", {"payment": advance, "currency": pegged, "lines": [line]})
    assert exchange() == -40
    assert verify() == []


@SIDES
def test_a_credit_note_at_the_rate_of_one_leaves_the_difference_to_exchange(demo: Flask, side: str) -> None:
    billed, pegged = pegged_trade(side)
    goods, back = ("received", "supplier_return") if side == "supplier" else ("delivered", "sales_return")
    line = {goods: billed.goods, "item": billed.item, "price": "10", "tax_rate": "0"}
    whole = "100" if side == "supplier" else "50"
    bill = billed.invoice(lines=[line | {"quantity": whole}], currency=pegged, rate="1.1")
    returned = billed.do(back, {"lines": [{goods: billed.goods, "quantity": "10"}]}, "keeper")
    credit = line | {"quantity": "-10"} | ({"returned": returned} if side == "supplier" else {})
    note = billed.invoice(lines=[credit], currency=pegged, credits=bill)
    assert (billed.see(billed.invoices, note)["for_invoice"], lost(billed)) == (100, -10)
    assert verify() == []


@SIDES
def test_who_trades_at_home_alone_needs_no_account_of_exchange_differences(demo: Flask, side: str) -> None:
    books = named("finance_settings", name="Accounts")
    records.change_record(SYSTEM, "finance_settings", books, {"exchange": None})
    billed = Billed(side)
    billed.pay("100", invoice=billed.invoice())
    line = {"invoice": billed.invoice(), "amount": "20"}
    billed.do(f"{side}_allocation", {"payment": billed.pay("50"), "lines": [line]})
    assert verify() == []


def pegged_trade(side: str) -> tuple[Billed, int]:
    pegged = int(records.create(SYSTEM, "currency", {"code": "XAA", "name": "Pegged", "rate": "1"})["id"])
    return Billed(side, currency=pegged), pegged


def lost(billed: Billed) -> D:
    """What the account of exchange differences shows, seen from a buyer."""
    debit, credit = sums("general", ("debit", "credit"), account=named("account", code="5603"))
    return debit - credit if billed.side == "supplier" else credit - debit


def test_a_receipt_and_its_landed_cost_keep_their_rate_of_one(demo: Flask) -> None:
    billed, pegged = pegged_trade("supplier")
    lines = [{"received": billed.goods}]
    cost = billed.do("landed_cost", {"currency": pegged, "cost": "100", "lines": lines})
    records.change_record(SYSTEM, "currency", pegged, {"rate": "2"})
    bill = {"landed": cost, "amount": "100", "accrued": "100"}
    billed.do("purchase_invoice", {"currency": pegged, "rate": "1", "services": [bill]})
    seen = billed.see("landed_cost", cost)
    assert (seen["home_cost"], seen["to_invoice"]) == (100, 0)
    receipt = billed.see("received_item", billed.goods)["receipt"]
    assert billed.see("receipt", receipt)["rate"] == 1
    assert verify() == []
