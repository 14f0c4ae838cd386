"""What was agreed on an order is what its goods go out at; an invoice below that says so."""

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import Invalid
from formloop.forms import reads
from formloop.forms import service as records
from packs.test_order_progress import Sold
from packs.trading import Trade, actor_of, named


def test_goods_go_out_at_the_price_of_their_order(demo: Flask) -> None:
    sold = Sold()
    made = asking.ask(sold.keeper, "sales_order", sold.order, "order_to_delivery").record
    (row,) = [dict(each) for each in reads.get_record(SYSTEM, "delivery", made)["lines"]]
    for price in ("19.99", "20.01"):
        with pytest.raises(Invalid) as caught:
            records.change_record(sold.keeper, "delivery", made, {"lines": [row | {"price": price}]})
        (problem,) = caught.value.problems
        assert (problem.code, problem.at) == ("check:price_of_order", "lines.0.price")
        assert "the order says 20" in problem.message.render("en")
    sold.deliver("4")  # the same draft, as it was made
    goods = reads.get_record(SYSTEM, "delivered_item", named("delivered_item", delivery=made))
    assert goods["price"] == 20


def test_without_an_order_a_delivery_has_the_price_it_is_given(demo: Flask) -> None:
    line = {"item": Trade().item, "quantity": "1", "price": "7"}
    given = {"day": "2026-03-09", "customer": named("customer", code="C0001"), "lines": [line]}
    made = records.create(actor_of("keeper"), "delivery", given)
    assert made["lines"][0]["price"] == 7


def test_an_invoice_below_the_order_is_marked(demo: Flask) -> None:
    sold, clerk = Sold(), actor_of("accountant")
    delivery = sold.deliver("4")
    made = asking.ask(clerk, "delivery", delivery, "delivery_to_invoice").record
    (line,) = reads.get_record(SYSTEM, "sales_invoice", made)["lines"]
    row = {key: line[key] for key in ("id", "delivered", "quantity")}
    for price, hint in (("20", None), ("19.99", "cheaper"), ("21", None)):
        found = records.change_record(SYSTEM, "sales_invoice", made, {"lines": [row | {"price": price}]})
        assert (found["hint"], found["lines"][0]["hint"]) == (hint, hint)
