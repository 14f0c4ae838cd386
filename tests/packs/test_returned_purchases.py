"""Goods that go back to their supplier: stock is worth what was invoiced for what was kept, and nothing stays open."""

from datetime import date
from decimal import Decimal as D
from functools import partial
from typing import Any

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import Invalid
from formloop.datasets import service as datasets
from formloop.db import undone
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers.verifying import verify
from packs.trading import STORIES, Story, Trade, actor_of


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


def test_a_return_is_taken_back_only_after_its_credit_note(demo: Flask) -> None:
    trade = Trade()
    trade.invoice("100", "12")
    trade.send_back("10")
    note = trade.invoice("-10", "12", returned=trade.back)
    with pytest.raises(Invalid) as error:
        trade.take_back("supplier_return", trade.back)
    assert "Credited" in error.value.problems[0].message.render("en")
    trade.take_back("purchase_invoice", note)
    trade.take_back("supplier_return", trade.back)
    assert (trade.there(), trade.account("220202")) == ((100, 1200), 0)
    assert verify() == []


@pytest.mark.parametrize("rate", ["0.06", None], ids=["another rate than the supplier's", "no tax"])
def test_a_credit_note_takes_the_tax_rate_of_the_invoice_it_credits(demo: Flask, rate: str | None) -> None:
    trade = Trade()
    trade.invoice("100", "10", tax_rate=rate)
    trade.send_back("10")
    made = asking.ask(
        actor_of("accountant"), "supplier_return", trade.back, "supplier_return_to_credit_note"
    ).record
    (line,) = reads.get_record(SYSTEM, "purchase_invoice", made)["lines"]
    assert line["tax_rate"] == D(rate or 0)


def test_what_an_invoice_adds_to_what_was_issued_counts_as_issued_on_its_day(demo: Flask) -> None:
    trade = Trade()
    row = {"item": trade.item, "quantity": "40"}
    values = {"day": "2026-03-02", "warehouse": trade.place, "lines": [row]}
    used = int(records.create(SYSTEM, "stock_out", values)["id"])
    records.set_state(SYSTEM, "stock_out", used, "posted")
    trade.invoice("100", "12")
    issued = [
        (row["quantity"], row["value"])
        for since, until in (("01", "31"), ("01", "02"), ("03", "31"))
        for row in datasets.read_all(
            SYSTEM, "issues_by_item", {"since": f"2026-03-{since}", "until": f"2026-03-{until}"}
        )
        if row["item"] == trade.item
    ]
    assert issued == [(40, 480), (40, 400), (0, 80)]  # 40 at 10, then 40 at 2 more
    given = {"since": "2026-03-01", "until": "2026-03-31"}
    (turned,) = [
        row for row in datasets.read_all(SYSTEM, "stock_turnover", given) if row["item"] == trade.item
    ]
    assert (turned["issued"], turned["value"]) == (480, 720)


def test_an_invoice_does_not_make_slow_stock_move(demo: Flask) -> None:
    trade = Trade()
    row = {"item": trade.item, "quantity": "40"}
    used = int(
        records.create(SYSTEM, "stock_out", {"day": "2026-03-02", "warehouse": trade.place, "lines": [row]})[
            "id"
        ]
    )
    records.set_state(SYSTEM, "stock_out", used, "posted")
    given = {"until": "2026-07-01", "days": 90}

    def idle() -> list[tuple[Any, ...]]:
        found = datasets.read_all(SYSTEM, "slow_stock", given)
        return [(row["quantity"], row["last"]) for row in found if row["item"] == trade.item]

    before = idle()
    assert before == [(60, date(2026, 3, 2))]
    trade.day = date(2026, 6, 10)
    trade.invoice("100", "12")
    assert idle() == before
