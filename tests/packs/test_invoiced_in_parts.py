"""Goods invoiced, sent back and credited in parts that do not divide evenly: no cent stays on the accrual."""

from collections.abc import Callable
from decimal import Decimal as D
from functools import partial

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.datasets import service as datasets
from formloop.db import undone
from formloop.forms import service as records
from formloop.ledgers import reading as ledgers
from formloop.ledgers.verifying import verify
from packs.trading import Trade, named

POLICIES = ("difference", "invoice", "month_start")
ACCRUED, CLEARING = "220202", "220203"
THIRDS = ("3", "3.333333")


def choose(policy: str) -> None:
    books = named("finance_settings", name="Accounts")
    records.change_record(SYSTEM, "finance_settings", books, {"accrual": policy})


def left(trade: Trade) -> list[D]:
    """What waits on the accrual, item by item."""
    codes = [named("account", code=code) for code in (ACCRUED, CLEARING)]
    found = [
        ledgers.list_open(SYSTEM, "general", {"supplier": trade.supplier, "account": code}, None)
        for code in codes
    ]
    return sorted(each.left for part in found for each in part)


def agree(trade: Trade, worth: str | None = None) -> None:
    """Nothing waits, and stock is worth what its accounts say."""
    assert (trade.account(ACCRUED), trade.account(CLEARING), left(trade)) == (0, 0, [])
    assert worth is None or trade.there()[1] == D(worth)
    assert verify() == []
    rows = datasets.read_all(SYSTEM, "stock_and_books", {"day": "2026-12-31"})
    assert [row["difference"] for row in rows if row["difference"]] == []


def one_by_one(trade: Trade) -> None:
    for _ in range(3):
        trade.invoice("1", "3.333333")


def in_two_lines(trade: Trade) -> None:
    trade.invoice("1", "3.333333")
    row = {"received": trade.goods, "item": trade.item, "quantity": "1", "price": "3.333333"}
    trade.do("purchase_invoice", [row, row])


def first_back(trade: Trade) -> None:
    trade.send_back("1")
    trade.invoice("1", "3.333333")
    trade.invoice("1", "3.333333")


def last_back(trade: Trade) -> None:
    trade.invoice("1", "3.333333")
    trade.invoice("1", "3.333333")
    trade.send_back("1")


def partly_invoiced_back(trade: Trade) -> None:
    trade.invoice("2", "3.333333")
    trade.send_back("2")
    trade.credit("1", "3.333333")


def credited_one_by_one(trade: Trade) -> None:
    trade.invoice("3", "3.333333")
    trade.send_back("3")
    for _ in range(3):
        trade.credit("1", "3.333333")


def taken_back_and_again(trade: Trade) -> None:
    wrong = trade.invoice("1", "4")
    trade.invoice("1", "3.333333")
    trade.invoice("1", "3.333333")
    trade.take_back("purchase_invoice", wrong)
    trade.invoice("1", "3.333333")


Story = Callable[[Trade], None]
PARTS: list[tuple[Story, str]] = [
    (one_by_one, "9.99"),
    (in_two_lines, "9.99"),
    (taken_back_and_again, "9.99"),
    (credited_one_by_one, "0"),
    (first_back, "6.66"),
    (last_back, "6.67"),
    (partly_invoiced_back, "3.33"),
]


def tell(policy: str, method: str, story: Story, worth: str | None) -> None:
    choose(policy)
    trade = Trade(method, THIRDS)
    story(trade)
    agree(trade, worth)


def test_goods_in_thirds_leave_nothing_on_the_accrual(filled: Flask) -> None:
    for policy in POLICIES:
        for story, worth in PARTS:
            undone(partial(tell, policy, "moving_average", story, worth))


def test_thirds_abroad_and_at_other_costs_leave_nothing_either(demo: Flask) -> None:
    def abroad(policy: str) -> None:
        choose(policy)
        dollars = {"currency": named("currency", code="USD"), "rate": "7.13"}
        trade = Trade("moving_average", ("3", "0.37"), **dollars)
        for _ in range(3):
            trade.invoice("1", "0.37", head=dollars)
        agree(trade)

    for policy in POLICIES:
        undone(partial(abroad, policy))
        undone(partial(tell, policy, "fifo", one_by_one, "9.99"))


def test_goods_sent_back_before_their_invoice_wait_for_nothing(demo: Flask) -> None:
    """Of a return what was not invoiced settles the receipt; what was waits for the credit note."""

    def told(policy: str) -> None:
        choose(policy)
        trade = Trade()
        trade.send_back("10")
        assert left(trade) == [-900], policy
        trade.invoice("60", "12")
        assert left(trade) == [-300], policy
        trade.send_back("40")
        assert left(trade) == [100], policy
        trade.credit("10", "12")
        agree(trade, "566.67")

    for policy in POLICIES:
        undone(partial(told, policy))


def test_received_goods_stand_in_one_line_of_a_return(demo: Flask) -> None:
    trade = Trade()
    row = {"received": trade.goods, "item": trade.item, "quantity": "1"}
    with pytest.raises(Invalid) as error:
        trade.do("supplier_return", [row, row])
    assert [each.code for each in error.value.problems] == ["check:once"]
