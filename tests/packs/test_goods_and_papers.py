"""What a paper says of goods fits the goods: their supplier, item, currency, quantity and value; and accounts keep to it."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import service as records
from formloop.forms.reads import get_record
from formloop.workflows import service
from packs.trading import Trade, actor_of, named


@pytest.fixture
def trade(demo: Flask) -> Trade:
    return Trade()


def refused(work: Callable[[], Any]) -> list[str]:
    with pytest.raises(Invalid) as raised:
        work()
    return [each.code for each in raised.value.problems]


def test_what_went_back_before_its_invoice_is_not_invoiced(trade: Trade) -> None:
    """60 of 100 went back: an invoice of all of them left an open return that no credit note could settle."""
    trade.send_back("60")
    assert refused(lambda: trade.invoice("100", "12")) == ["check:not_more"]
    trade.invoice("40", "12")
    assert (trade.account("220202"), trade.there()) == (0, (40, 480))


def test_an_allowance_is_no_more_than_the_goods_cost(demo: Flask) -> None:
    trade = Trade("moving_average", ("10", "1"))
    assert refused(lambda: trade.invoice("10", "1", allowance="50")) == ["check:allowance_fits"]
    trade.invoice("10", "1", allowance="10")
    assert trade.there() == (10, 0)


def test_goods_are_invoiced_and_go_back_to_whom_they_came_from(demo: Flask) -> None:
    """Also those that cost nothing, which leave nothing open to settle."""
    trade = Trade("moving_average", ("10", "0"))
    trade.supplier = named("supplier", code="S0003")
    assert refused(lambda: trade.invoice("10", "5")) == ["check:goods_of_supplier"]
    assert refused(lambda: trade.send_back("1")) == ["check:goods_of_supplier"]


def test_a_line_names_the_item_of_its_goods(trade: Trade) -> None:
    other = Trade().item
    line = {"received": trade.goods, "item": other, "quantity": "1"}
    assert refused(lambda: trade.invoice("1", "10", item=other)) == ["check:item_of_goods"]
    assert refused(lambda: trade.do("supplier_return", [line])) == ["check:item_of_goods"]
    assert trade.there() == (100, 1000)


def test_goods_come_in_in_the_currency_of_their_order(trade: Trade) -> None:
    line = {"item": trade.item, "quantity": "10", "price": "10"}
    order = records.create(SYSTEM, "purchase_order", {"supplier": trade.supplier, "lines": [line]})["id"]
    service.submit(actor_of("buyer"), "purchase_order", order)
    line = {
        "ordered": named("purchase_progress", order=order),
        "item": trade.item,
        "accepted": "10",
        "price": "10",
    }
    head = {"order": order, "warehouse": trade.place}

    def receive(currency: str) -> int:
        return trade.do("receipt", [line], **head, currency=named("currency", code=currency))

    assert refused(lambda: receive("USD")) == ["check:currency_of_order"]
    receive("CNY")
    assert trade.there() == (110, 1100)


def pay(trade: Trade, currency: int, **more: Any) -> Any:
    given = {"supplier": trade.supplier, "currency": currency, "amount": "100", **more}
    made = records.create(SYSTEM, "supplier_payment", {"day": "2026-04-01", **given})["id"]
    trade.submit("supplier_payment", made)
    return get_record(SYSTEM, "supplier_payment", made)


def test_a_currency_without_a_rate_is_asked_for_one(trade: Trade) -> None:
    """It was posted one to one."""
    yen = records.create(SYSTEM, "currency", {"code": "JPX", "name": "Yen", "rate": None})["id"]
    assert refused(lambda: pay(trade, yen)) == ["required"]
    assert pay(trade, yen, rate="0.05")["rate_used"] == D("0.05")


def test_vouchers_move_no_value_of_stock_but_between_its_accounts(trade: Trade) -> None:
    def voucher(debit: str, credit: str) -> int:
        sides = ({"account": named("account", code=debit), "debit": "50"},)
        lines = [*sides, {"account": named("account", code=credit), "credit": "50"}]
        return trade.do("voucher", lines, text="Move")

    assert refused(lambda: voucher("1002", "1405")) == ["check:stock_by_documents"]
    voucher("1403", "1405")


def test_how_an_account_is_kept_stays_once_it_has_entries(trade: Trade) -> None:
    """Open items that a payment passes by would stay for ever."""
    payables = named("account", code="2202")
    change = {"open_items": False}
    assert records.change_record(SYSTEM, "account", payables, change)["open_items"] is False
    records.change_record(SYSTEM, "account", payables, {"open_items": True})
    trade.invoice("50", "10")
    assert refused(lambda: records.change_record(SYSTEM, "account", payables, change))
    assert refused(lambda: records.change_record(SYSTEM, "account", payables, {"kept_by": "customer"}))


def test_the_item_of_a_lot_stays_once_it_was_in_stock(trade: Trade) -> None:
    items = [
        records.create(SYSTEM, "item", {"name": name, "source": "buy", "tracking": "lot"})["id"]
        for name in ("Varnish", "Glue")
    ]
    lot = records.create(SYSTEM, "lot", {"code": "LX", "item": items[0]})["id"]
    trade.do(
        "receipt", [{"item": items[0], "accepted": "5", "price": "9", "lot": lot}], warehouse=trade.place
    )
    assert refused(lambda: records.change_record(SYSTEM, "lot", lot, {"item": items[1]}))
