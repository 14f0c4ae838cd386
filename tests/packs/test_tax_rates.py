"""The tax rate of an invoice line begins with what was agreed, and says how it is written."""

from typing import Any

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import reads
from formloop.forms import service as records
from packs.test_order_progress import Sold
from packs.trading import Trade, named


def test_a_line_of_goods_begins_with_the_tax_of_its_supplier(demo: Flask) -> None:
    trade = Trade()
    line = {"received": trade.goods, "item": trade.item, "quantity": "1", "price": "10"}
    given = {"day": "2026-03-05", "supplier": trade.supplier, "lines": [line]}

    def rate() -> Any:
        return records.create(SYSTEM, "purchase_invoice", given)["lines"][0].get("tax_rate")

    assert f"{rate():f}" == "0.13"  # that of the sample suppliers
    tax = named("tax", code="VAT6")
    for given_tax, wanted in ((None, None), (tax, reads.get_record(SYSTEM, "tax", tax)["rate"])):
        records.change_record(SYSTEM, "supplier", trade.supplier, {"tax": given_tax})
        assert rate() == wanted
    line["tax_rate"] = "0.05"
    assert f"{rate()}" == "0.05"


def test_a_line_of_goods_begins_with_the_tax_of_its_order(demo: Flask) -> None:
    goods = named("delivered_item", delivery=Sold(tax_rate="0.05").deliver("4"))
    line = {"delivered": goods, "quantity": "1", "price": "20"}
    given = {"day": "2026-03-05", "customer": named("customer", code="C0001"), "lines": [line]}
    assert f"{records.create(SYSTEM, 'sales_invoice', given)['lines'][0]['tax_rate']:f}" == "0.05"


@pytest.mark.parametrize(
    "form, part", [("purchase_invoice", "costs"), ("purchase_invoice", "lines"), ("sales_invoice", "charges")]
)
def test_a_percentage_is_told_how_it_is_written(demo: Flask, form: str, part: str) -> None:
    line = {"account": named("account", code="5602"), "amount": "100", "tax_rate": "13"}
    if part == "lines":
        trade = Trade()
        line = {"received": trade.goods, "quantity": "1", "price": "1", "tax_rate": "13"}
    given = {"supplier": named("supplier", code="S0002"), "customer": named("customer", code="C0001")}
    given = {"day": "2026-03-05", part: [line]} | {
        key: each for key, each in given.items() if (key == "supplier") == (form == "purchase_invoice")
    }
    with pytest.raises(Invalid) as caught:
        records.create(SYSTEM, form, given)
    (problem,) = caught.value.problems
    assert (problem.code, problem.at) == (f"check:tax_rate_of_{part}", f"{part}.0.tax_rate")
    assert "For 13 % write 0.13" in problem.message.render("en")
    assert "13% 请填 0.13" in problem.message.render("zh-CN")
