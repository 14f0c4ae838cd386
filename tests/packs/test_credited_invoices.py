"""An invoice of which goods were credited is taken back after its credit note, whatever that was put against."""

from collections.abc import Callable

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import Invalid
from formloop.forms import reads
from formloop.forms import service as records
from formloop.workflows import service
from formloop.workflows.amendments import service as amendments
from packs.test_order_progress import Sold, agree
from packs.trading import Trade, actor_of, named


def refused(take_back: Callable[[], object]) -> None:
    with pytest.raises(Invalid) as caught:
        take_back()
    (problem,) = caught.value.problems
    assert (
        "Goods of it are credited: take back first what stands under Credit notes"
        in problem.message.render("en")
    )


def test_a_customer_invoice_is_taken_back_after_the_credit_of_its_goods(demo: Flask) -> None:
    sold, clerk = Sold(), actor_of("accountant")
    delivery = sold.deliver("4")

    def counted() -> list[object]:
        goods = reads.get_record(SYSTEM, "delivered_item", named("delivered_item", delivery=delivery))
        line = reads.get_record(SYSTEM, "order_progress", named("order_progress", item=sold.items[0]))
        return [goods["invoiced"], line["invoiced"]]

    def take_back(record: int) -> None:
        amendments.propose(clerk, "sales_invoice", record, None, "Wrong")
        agree("sales_invoice", record, "accountant")

    invoice = asking.ask(clerk, "delivery", delivery, "delivery_to_invoice").record
    service.submit(clerk, "sales_invoice", invoice)
    back = asking.ask(sold.keeper, "delivery", delivery, "delivery_to_return").record
    rows = [dict(row) | {"quantity": "3"} for row in reads.get_record(SYSTEM, "sales_return", back)["lines"]]
    records.change_record(SYSTEM, "sales_return", back, {"lines": rows})
    service.submit(sold.keeper, "sales_return", back)
    note = asking.ask(clerk, "sales_return", back, "return_to_credit_note").record
    records.change_record(SYSTEM, "sales_invoice", note, {"credits": None})
    service.submit(clerk, "sales_invoice", note)
    assert counted() == [1, 1]
    refused(lambda: take_back(invoice))
    take_back(note)
    assert counted() == [4, 4]
    take_back(invoice)
    assert counted() == [0, 0]


def test_a_supplier_invoice_is_taken_back_after_the_credit_of_its_goods(demo: Flask) -> None:
    trade = Trade()
    invoice = trade.invoice("100", "12")
    trade.send_back("10")
    row = {"received": trade.goods, "item": trade.item, "quantity": "-10", "price": "12"}
    note = trade.do("purchase_invoice", [row | {"returned": trade.back}])
    refused(lambda: trade.take_back("purchase_invoice", invoice))
    trade.take_back("purchase_invoice", note)
    trade.take_back("purchase_invoice", invoice)
    assert reads.get_record(SYSTEM, "received_item", trade.goods)["invoiced"] == 0
