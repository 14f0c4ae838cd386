"""Goods that go back to their supplier: stock is worth what was invoiced for what was kept, and nothing stays open."""

from collections.abc import Callable
from decimal import Decimal as D
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.errors import Invalid
from formloop.datasets import service as datasets
from formloop.db import reading, undone
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.ledgers import reading as ledgers
from formloop.ledgers.verifying import verify
from formloop.workflows import cases, service
from formloop.workflows.amendments import service as amendments


def actor_of(account: str) -> Actor:
    person = people.find_person(account)
    assert person is not None
    return get_actor(person.id)


def named(form: str, **by: Any) -> int:
    table, ((key, value),) = get_form(form).table, by.items()
    with reading() as conn:
        return int(conn.execute(select(table.c.id).where(table.c[key] == value)).scalar_one())


class Trade:
    """One purchase of 100 pieces at 10, and what comes after it."""

    def __init__(self, method: str = "moving_average") -> None:
        made = records.create(SYSTEM, "item", {"name": "Nut", "source": "buy", "valuation": method})
        self.item, self.day = int(made["id"]), 1
        self.supplier = named("supplier", code="S0002")
        self.place = named("warehouse", code="MAIN")
        receipt = self.do("receipt", [{"item": self.item, "accepted": "100", "price": "10"}],
                          warehouse=self.place)  # fmt: skip
        self.goods = named("received_item", receipt=receipt)
        self.back = 0

    def do(self, form: str, lines: list[dict[str, Any]], **more: Any) -> int:
        self.day += 1
        given = {"day": f"2026-03-{self.day:02}", "supplier": self.supplier, "lines": lines, **more}
        made = int(records.create(SYSTEM, form, given)["id"])
        service.submit(
            actor_of("keeper" if form in ("receipt", "supplier_return") else "accountant"), form, made
        )
        return made

    def take_back(self, form: str, record: int) -> None:
        amendments.propose(actor_of("accountant"), form, record, None, "Wrong")
        running = cases.find_open(form, record)
        agreed = actor_of("accountant")
        task = cases.find_own_task(running.id, agreed.person_id) if running else None
        service.decide(agreed, task.id if task else 0, "approve")

    def invoice(self, quantity: str, price: str, **more: Any) -> int:
        row = {
            "received": self.goods,
            "item": self.item,
            "quantity": quantity,
            "price": price,
            "tax_rate": "0.13",
        }
        return self.do("purchase_invoice", [row | more])

    def send_back(self, quantity: str) -> None:
        row = {"received": self.goods, "item": self.item, "quantity": quantity}
        self.back = self.do("supplier_return", [row])

    def credit(self, quantity: str, price: str) -> None:
        self.invoice(f"-{quantity}", price, returned=self.back)

    def account(self, code: str) -> D:
        debit, credit = sums("general", ("debit", "credit"), account=named("account", code=code))
        return debit - credit

    def there(self) -> tuple[D, ...]:
        return sums("stock", ("quantity", "value"), item=self.item, warehouse=self.place)


def sums(ledger: str, measures: tuple[str, ...], **dims: int) -> tuple[D, ...]:
    found = ledgers.list_balances(SYSTEM, ledger, dims, per=list(dims), limit=1, empty=True).rows
    return tuple(found[0].amounts[each] if found else D(0) for each in measures)


Story = Callable[[Trade], Any]


def invoice_then_back(trade: Trade) -> None:
    trade.invoice("100", "12")
    trade.send_back("10")
    trade.credit("10", "12")


def back_then_invoice(trade: Trade) -> None:
    trade.send_back("10")
    trade.invoice("90", "12")


def half_then_back_then_half(trade: Trade) -> None:
    trade.invoice("50", "10")
    trade.send_back("10")
    trade.invoice("40", "12")


def credited_twice(trade: Trade) -> None:
    trade.invoice("100", "12")
    for _ in range(2):
        trade.send_back("5")
        trade.credit("5", "12")


def allowed_something(trade: Trade) -> None:
    trade.invoice("100", "12")
    trade.send_back("10")
    trade.credit("10", "12")
    trade.invoice("0", "0", allowance="90")


def invoice_taken_back(trade: Trade) -> None:
    wrong = trade.invoice("100", "13")
    trade.send_back("10")
    trade.take_back("purchase_invoice", wrong)
    trade.invoice("90", "12")


STORIES: list[tuple[Story, str]] = [
    (invoice_then_back, "1080"),
    (back_then_invoice, "1080"),
    (half_then_back_then_half, "980"),
    (credited_twice, "1080"),
    (allowed_something, "990"),
    (invoice_taken_back, "1080"),
]


def test_what_is_kept_is_worth_what_was_invoiced(demo: Flask) -> None:
    def tell(method: str, story: Story, worth: D) -> None:
        trade = Trade(method)
        story(trade)
        found = {code: trade.account(code) for code in ("1405", "220202", "1404", "2202")}
        owed = -worth - trade.account("222101")
        assert trade.there() == (90, worth), (method, story)
        assert found == {"1405": worth, "220202": 0, "1404": 0, "2202": owed}, (method, story)
        assert verify() == []

    for story, worth in STORIES:
        for method in ("moving_average", "fifo"):
            undone(partial(tell, method, story, D(worth)))


def test_a_credit_below_cost_is_a_difference_and_leaves_the_stock_alone(demo: Flask) -> None:
    trade = Trade()
    trade.invoice("100", "12")
    trade.send_back("10")
    trade.credit("10", "11")
    assert (trade.account("1405"), trade.account("1404"), trade.account("220202")) == (1080, 10, 0)


def test_what_goes_back_to_its_supplier_was_not_issued(demo: Flask) -> None:
    trade = Trade()
    trade.send_back("10")
    given = {"since": "2026-03-01", "until": "2026-03-31"}
    assert [
        row for row in datasets.read_all(SYSTEM, "issues_by_item", given) if row["item"] == trade.item
    ] == []
    row = {"item": trade.item, "quantity": "4"}
    used = int(
        records.create(SYSTEM, "stock_out", {"day": "2026-03-09", "warehouse": trade.place, "lines": [row]})[
            "id"
        ]
    )
    records.set_state(SYSTEM, "stock_out", used, "posted")
    (issued,) = [
        row for row in datasets.read_all(SYSTEM, "issues_by_item", given) if row["item"] == trade.item
    ]
    assert (issued["quantity"], issued["value"]) == (4, 40)


def test_goods_are_credited_only_for_a_return_and_once(demo: Flask) -> None:
    trade = Trade()
    trade.invoice("100", "12")
    with pytest.raises(Invalid) as unnamed:
        trade.invoice("-10", "12")
    assert [p.code for p in unnamed.value.problems] == ["required"]
    trade.send_back("10")
    trade.credit("10", "12")
    with pytest.raises(Invalid) as twice:
        trade.credit("10", "12")
    assert [p.code for p in twice.value.problems] == ["check:not_more_credited"]
