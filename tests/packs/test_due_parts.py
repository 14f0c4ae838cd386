"""Payments are proposed for the instalments that are due: of one invoice, and of all of a supplier."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from formloop.bridges import asking
from formloop.core import clock
from formloop.forms.fields.datetime import site_zone
from formloop.workflows import service as workflows
from packs.test_payments import SIDES, Billed

BUTTONS = {"supplier": "supplier_invoice_to_payment", "customer": "invoice_to_payment"}


def terms(first: int) -> dict[str, Any]:
    """An invoice of today: 30 after so many days, the rest of 70 a month later."""
    parts = [{"days": str(first), "fixed": "30"}, {"days": str(first + 30)}]
    return {"day": clock.today(site_zone()).isoformat(), "instalments": parts}


def begun(billed: Billed, invoice: int) -> dict[str, Any]:
    made = asking.ask(billed.who, billed.invoices, invoice, BUTTONS[billed.side])
    return billed.see(made.form, made.record)


@SIDES
def test_a_payment_begins_with_the_instalments_that_are_due(demo: Flask, side: str) -> None:
    billed = Billed(side)
    invoice = billed.invoice(**terms(0))
    payment = begun(billed, invoice)
    assert (payment["amount"], payment["due_part"]) == (30, 30)
    workflows.submit(billed.who, billed.payment, payment["id"])
    seen = billed.see(billed.invoices, invoice)
    assert (seen["open"], [each["left"] for each in seen["instalments"]]) == (70, [0, 70])
    rest = begun(billed, invoice)  # nothing of it is due any more: all of it is offered
    assert (rest["amount"], rest["due_part"]) == (70, 0)


@SIDES
def test_without_instalments_all_of_it_is_offered(demo: Flask, side: str) -> None:
    billed = Billed(side)
    payment = begun(billed, billed.invoice())
    assert (payment["amount"], payment["due_part"]) == (100, None)


@pytest.mark.parametrize("first, due", [(7, "30"), (8, None)])
def test_what_is_due_of_a_supplier_is_its_instalments(filled: Flask, first: int, due: str | None) -> None:
    billed = Billed("supplier")
    later = (clock.today(site_zone()) + timedelta(days=60)).isoformat()
    plain, parts = (
        billed.invoice(due=clock.today(site_zone()).isoformat()),
        billed.invoice(**terms(first), due=later),
    )
    billed.invoice(due=later)
    made = asking.ask(billed.who, "supplier", billed.party, "supplier_to_payment").record
    payment = billed.see("supplier_payment", made)
    lines = {int(each["invoice"]): each["amount"] for each in payment["lines"]}
    assert lines.pop(plain) == 100
    assert lines == ({parts: 30} if due else {})
    assert payment["amount"] == 100 + int(due or 0)
    workflows.submit(billed.who, "supplier_payment", made)
    assert billed.see("purchase_invoice", parts)["open"] == 100 - int(due or 0)
