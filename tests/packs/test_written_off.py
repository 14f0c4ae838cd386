"""What is written off of an invoice is read on it, and stays within the limit of the settings."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import service as records
from formloop.workflows import service as workflows
from packs.test_payments import SIDES, Billed
from packs.trading import named, take_back


def limit(percent: int | None) -> None:
    settings = named("finance_settings", name="Accounts")
    records.change_record(SYSTEM, "finance_settings", settings, {"write_off_limit": percent})


def in_line(invoice: int, amount: str, off: str) -> dict[str, Any]:
    return {"amount": amount, "lines": [{"invoice": invoice, "amount": amount, "written_off": off}]}


@SIDES
def test_an_invoice_says_what_was_written_off_and_by_which_payment(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient], side: str
) -> None:
    billed = Billed(side)
    invoice = billed.invoice()
    first = billed.pay("50", invoice=invoice, written_off="2")
    second = billed.do(billed.payment, in_line(invoice, "20", "3"))
    assert [billed.see(billed.invoices, invoice)[key] for key in ("written_off", "open")] == [5, 25]
    panel = people_of_demo("accountant").get(f"/f/{billed.invoices}/query/payments?record={invoice}").text
    for each in (first, second):
        assert billed.see(billed.payment, each)["number"] in panel
    assert "3.00" in panel
    take_back(billed.payment, second)
    assert [billed.see(billed.invoices, invoice)[key] for key in ("written_off", "open")] == [2, 48]


@SIDES
@pytest.mark.parametrize("lines", [False, True])
def test_more_than_the_limit_is_refused_with_it(demo: Flask, side: str, lines: bool) -> None:
    billed = Billed(side)
    invoice = billed.invoice()
    billed.pay("10", invoice=invoice, written_off="3")
    more = {"invoice": invoice, "amount": "10", "written_off": "2.01"}
    paid = billed.draft(billed.payment, in_line(invoice, "10", "2.01") if lines else more)
    with pytest.raises(Invalid) as error:
        workflows.submit(billed.who, billed.payment, paid)
    (told,) = [each.message for each in error.value.problems]
    number = billed.see(billed.invoices, invoice)["number"]
    assert f"Of {number} at most 5 may be written off: 5 % of the invoice" in told.render("en")
    assert f"{number} 最多可核销尾差 5" in told.render("zh-CN")
    limit(None)
    workflows.submit(billed.who, billed.payment, paid)
    seen = billed.see(billed.invoices, invoice)
    assert [f"{seen[key]:f}" for key in ("written_off", "open")] == ["5.01", "74.99"]


def test_an_invoice_lists_its_credit_notes(demo: Flask, people_of_demo: Callable[[str], FlaskClient]) -> None:
    billed = Billed("supplier")
    all_of_it = {"received": billed.goods, "item": billed.item, "quantity": "100", "price": "10"}
    invoice = billed.invoice(lines=[all_of_it])
    goods = {"received": billed.goods, "item": billed.item, "quantity": "2"}
    back = billed.do("supplier_return", {"lines": [goods]}, "keeper")
    line = goods | {"quantity": "-2", "price": "10", "tax_rate": "0", "returned": back}
    notes = [
        billed.do("purchase_invoice", {"lines": [line | {"quantity": "-1"}], **of})
        for of in ({}, {"credits": invoice})
    ]
    panel = people_of_demo("accountant").get(f"/f/purchase_invoice/query/credit_notes?record={invoice}").text
    for each in notes:
        assert billed.see("purchase_invoice", each)["number"] in panel
