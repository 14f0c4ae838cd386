"""What somebody leaves open or chooses amiss on an order or a receipt: the same rule before and after."""

from decimal import Decimal as D

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import service as records
from packs.trading import named


@pytest.mark.parametrize(("own", "total", "hint"), [(None, "226", "customer"), ("0", "200", None)])
def test_an_order_without_a_tax_rate_has_that_of_its_customer_as_the_invoice_will(
    demo: Flask, own: str | None, total: str, hint: str | None
) -> None:
    item = named("item", code="LAMP-01")
    tax = records.create(SYSTEM, "tax", {"code": "T13", "name": "13 %", "rate": "0.13"})["id"]
    customer = records.create(SYSTEM, "customer", {"name": "Wu", "tax": tax})["id"]
    lines = [{"item": item, "quantity": "2", "price": "100"}]
    order = records.create(SYSTEM, "sales_order", {"customer": customer, "tax_rate": own, "lines": lines})
    assert (order["total"], order["tax_hint"]) == (D(total), hint)


def test_a_receipt_takes_no_lot_of_another_item(demo: Flask) -> None:
    item, other = (
        records.create(SYSTEM, "item", {"name": name, "source": "buy", "tracking": "lot"})["id"]
        for name in ("Blank", "Stem")
    )
    lot = records.create(SYSTEM, "lot", {"code": "L-77", "item": other})["id"]
    given = {"supplier": named("supplier", code="S0002"), "warehouse": named("warehouse", code="MAIN")}
    line = {"item": item, "lot": lot, "accepted": "5", "price": "1"}
    with pytest.raises(Invalid) as refused:
        records.create(SYSTEM, "receipt", {**given, "day": "2026-03-09", "lines": [line]})
    assert [(each.code, each.at) for each in refused.value.problems] == [("unfit_record", "lines.0.lot")]
