"""A line of an order that comes or goes in another unit takes the price of its order along."""

from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import Invalid
from formloop.forms import live, reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.ledgers.verifying import verify
from formloop.workflows import service
from packs.test_order_progress import Sold
from packs.test_reference_units import Weighed, other
from packs.trading import Trade, actor_of, named


def typed(line: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A line as its page says it."""
    keys = ("ordered", "item", "accepted", "quantity", "price")
    return {key: str(line[key]) for key in keys if line.get(key) is not None} | {"id": str(line["id"])} | more


def test_the_price_of_the_order_goes_with_the_unit(demo: Flask) -> None:
    """24 pieces at 2.50, received by the dozen, and by the piece after all."""
    weighed, keeper = Weighed("moving_average"), actor_of("keeper")
    weighed.item, box = other("Screw", "PCS", "SET", "12", "moving_average")
    order = weighed.order("24", "2.5")
    made = asking.ask(keeper, "purchase_order", order, "order_to_receipt").record
    before = reads.get_record(SYSTEM, "receipt", made)
    spec, line = get_form("receipt"), before["lines"][0]

    def told(unit: str, **more: str) -> dict[str, Any]:
        raw = {"lines": [typed(line, unit=unit, **more)]}
        return live.answer(keeper, spec, raw, before, ["lines.0.unit"], "en")["values"]

    answer = told(str(box))
    assert [answer[f"lines.0.{key}"]["input"] for key in ("price", "accepted")] == ["30", "2"]
    answer = told("", price="30", accepted="2")
    assert [answer[f"lines.0.{key}"]["input"] for key in ("price", "accepted")] == ["2.5", "2"]
    changed = records.change_record(
        keeper, "receipt", made, {"lines": [{"id": line["id"], "unit": box}], "warehouse": weighed.place}
    )
    assert [changed["lines"][0][key] for key in ("price", "accepted", "stock_accepted")] == [30, 2, 24]
    with pytest.raises(Invalid) as caught:
        records.change_record(keeper, "receipt", made, {"lines": [{"id": line["id"], "accepted": "3"}]})
    (problem,) = caught.value.problems
    unit = named("unit", code="PCS")
    name = reads.get_record(SYSTEM, "unit", unit)["name"]
    assert f"at most 24 {name} = 2 " in problem.message.render("en")


def test_a_price_without_an_order_stays_when_a_unit_is_chosen(demo: Flask) -> None:
    item, box = other("Screw", "PCS", "SET", "12", "moving_average")
    raw = {"supplier": str(named("supplier", code="S0002"))}
    line = {"item": str(item), "unit": str(box), "accepted": "5", "price": "7"}
    spec = get_form("receipt")
    told = live.answer(actor_of("keeper"), spec, raw | {"lines": [line]}, None, ["lines.0.unit"], "en")
    values = told["values"]
    for key, stays in (("price", "7"), ("accepted", "5")):
        assert values.get(f"lines.0.{key}", {"input": stays})["input"] == stays


def test_a_delivery_takes_the_price_along_too(demo: Flask) -> None:
    """Ten at 20, four in a pack: two packs at 80 and what is still open in both units."""
    sold, pack = Sold(), named("unit", code="SET")
    records.change_record(SYSTEM, "item", sold.items[0], {"conversions": [{"unit": pack, "factor": "4"}]})
    made = asking.ask(sold.keeper, "sales_order", sold.order, "order_to_delivery").record
    (line,) = reads.get_record(SYSTEM, "delivery", made)["lines"]
    given = {"id": line["id"], "unit": named("item_unit", item=sold.items[0]), "quantity": "2"}
    changed = records.change_record(SYSTEM, "delivery", made, {"lines": [given]})
    assert changed["lines"][0]["price"] == 80
    with pytest.raises(Invalid) as caught:
        records.change_record(SYSTEM, "delivery", made, {"lines": [given | {"quantity": "3"}]})
    assert "= 2.5 " in caught.value.problems[0].message.render("en")


def test_an_invoice_says_what_the_paper_does_of_goods_in_another_unit(demo: Flask) -> None:
    """10,000 boxes of twelve at 10.00 are 100,000.00, though a piece has no round price."""
    weighed, clerk = Weighed("moving_average"), actor_of("accountant")
    weighed.item, box = other("Screw", "PCS", "SET", "12", "moving_average")
    before = weighed.account("220202")
    line = {"item": weighed.item, "unit": box, "accepted": "10000", "price": "10"}
    receipt = weighed.do("receipt", [line], warehouse=weighed.place)
    bill = asking.ask(clerk, "receipt", receipt, "receipt_to_supplier_invoice").record
    seen = reads.get_record(SYSTEM, "purchase_invoice", bill)
    assert (seen["net"], seen["lines"][0]["stated"], seen["hint"]) == (100_000, 100_000, None)
    with pytest.raises(Invalid) as caught:
        wrong = {"id": seen["lines"][0]["id"], "stated": "99000"}
        records.change_record(clerk, "purchase_invoice", bill, {"lines": [wrong]})
    (problem,) = caught.value.problems
    assert problem.code == "check:stated_fits" and "the price is 0.825" in problem.message.render("en")
    service.submit(clerk, "purchase_invoice", bill)
    assert weighed.account("220202") == before
    assert weighed.there() == (120_000, 100_000)
    assert verify() == []


def test_tax_of_the_document_counts_from_what_the_paper_says(demo: Flask) -> None:
    trade, settings = Trade(), named("finance_settings", name="Accounts")
    records.change_record(SYSTEM, "finance_settings", settings, {"tax_by": "document"})
    row = {"received": trade.goods, "item": trade.item, "quantity": "30", "price": "0.333333"}
    line = row | {"stated": "10", "tax_rate": "0.13"}
    given = {"supplier": trade.supplier, "day": "2026-03-20", "lines": [line]}
    made = records.create(SYSTEM, "purchase_invoice", given)
    assert (made["net"], made["tax"], made["total"]) == (10, D("1.3"), D("11.3"))
