"""An invoice that is made of goods is due after the payment days of its own date, unless another date is given."""

from datetime import date

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers import reading as ledgers
from formloop.workflows import service
from packs.test_order_progress import Sold
from packs.trading import Trade, actor_of, named


@pytest.mark.parametrize("typed", [None, "2026-06-30"])
def test_the_due_date_moves_with_the_date_until_one_is_given(demo: Flask, typed: str | None) -> None:
    trade, clerk = Trade(), actor_of("accountant")
    records.change_record(SYSTEM, "supplier", trade.supplier, {"payment_days": 45})
    receipt = reads.get_record(SYSTEM, "received_item", trade.goods)["receipt"]
    made = asking.ask(clerk, "receipt", receipt, "receipt_to_supplier_invoice").record
    changed = records.change_record(clerk, "purchase_invoice", made, {"day": "2026-03-10", "due": typed})
    assert changed["due_on"] == (None if typed else date(2026, 4, 24))
    service.submit(clerk, "purchase_invoice", made)
    due = date.fromisoformat(typed or "2026-04-24")
    kept = reads.get_record(SYSTEM, "purchase_invoice", made)
    assert (kept["due"], kept["due_on"]) == (due, None)
    of = {"account": named("account", code="2202"), "supplier": trade.supplier}
    assert [each.due for each in ledgers.list_open(SYSTEM, "general", of, None)] == [due]


def test_a_customer_invoice_does_so_too(demo: Flask) -> None:
    sold, clerk = Sold(), actor_of("accountant")
    made = asking.ask(clerk, "delivery", sold.deliver("4"), "delivery_to_invoice").record
    days = reads.get_record(SYSTEM, "customer", named("customer", code="C0001"))["payment_days"]
    records.change_record(clerk, "sales_invoice", made, {"day": "2026-03-10"})
    service.submit(clerk, "sales_invoice", made)
    assert (reads.get_record(SYSTEM, "sales_invoice", made)["due"] - date(2026, 3, 10)).days == days


@pytest.mark.parametrize("amount, wanted", [("100", date(2026, 4, 9)), ("-100", None)])
def test_an_invoice_over_costs_alone_is_due_after_the_payment_days(
    demo: Flask, amount: str, wanted: date | None
) -> None:
    """A credit note waits for nobody."""
    clerk, supplier = actor_of("accountant"), named("supplier", code="S0002")
    records.change_record(SYSTEM, "supplier", supplier, {"payment_days": 30})
    line = {"account": named("account", code="5602"), "amount": amount}
    given = {"supplier": supplier, "day": "2026-03-10", "costs": [line]}
    made = records.create(clerk, "purchase_invoice", given)
    assert made["due_on"] == wanted
    service.submit(clerk, "purchase_invoice", made["id"])
    assert reads.get_record(SYSTEM, "purchase_invoice", made["id"])["due"] == wanted


def test_charges_alone_are_due_so_too(demo: Flask) -> None:
    clerk, customer = actor_of("accountant"), named("customer", code="C0001")
    records.change_record(SYSTEM, "customer", customer, {"payment_days": 30})
    line = {"account": named("account", code="5051"), "amount": "100"}
    given = {"customer": customer, "day": "2026-03-10", "charges": [line]}
    assert records.create(clerk, "sales_invoice", given)["due_on"] == date(2026, 4, 9)
