"""Orders on paper say the unit and where the goods go; an invoice without a tax rate says so."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.access.actor import SYSTEM
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from packs.trading import named

Open = Callable[[str], FlaskClient]


def test_a_printed_purchase_order_carries_unit_and_delivery_address(people_of_demo: Open) -> None:
    values = {
        "supplier": named("supplier", code="S0003"),
        "warehouse": named("warehouse", code="MAIN"),
        "lines": [{"item": named("item", code="CABLE-01"), "quantity": "50", "price": "2.4"}],
    }
    order = records.create(SYSTEM, "purchase_order", values)
    paper = people_of_demo("buyer").get(f"/f/purchase_order/{order['id']}/print").text
    assert "Metre 米" in paper and "12 Larch Lane, Birchfield" in paper  # of the warehouse
    assert "Textile cable 布艺电线" in paper  # goods are named in both languages


@pytest.mark.parametrize("form", ["purchase_invoice", "sales_invoice"])
def test_an_invoice_line_without_a_tax_rate_says_so(demo: Flask, form: str) -> None:
    hint = get_form(form).find("lines.tax_hint")
    assert hint is not None and hint.formula is not None
    lines = [{"tax_rate": rate, "price": price} for rate in (None, 0, Decimal("0.13")) for price in (None, 1)]
    said = [hint.formula.evaluate(line, context_of(SYSTEM)) for line in lines]
    assert said == [None, "none", None, None, None, None]
