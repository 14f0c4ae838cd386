"""What month end proposes can be submitted, and nothing is posted twice for one month."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import Invalid
from formloop.datasets import service as datasets
from formloop.forms import reads
from formloop.forms import service as records
from formloop.forms.names import context_of
from formloop.workflows import service as workflows
from packs.test_order_progress import agree
from packs.trading import Trade, actor_of, named


def asked(bridge: str) -> tuple[str, int]:
    made = asking.ask(
        actor_of("accountant"), "finance_settings", named("finance_settings", name="Accounts"), bridge
    )
    return made.form, made.record


def test_one_month_is_accrued_once_whatever_its_day(demo: Flask) -> None:
    books = named("finance_settings", name="Accounts")
    records.change_record(SYSTEM, "finance_settings", books, {"accrual": "month_start"})
    trade = Trade()
    row = {"supplier": trade.supplier, "amount": "1000"}

    def accrue(day: str) -> int:
        made = int(records.create(SYSTEM, "goods_accrual", {"day": day, "lines": [row]})["id"])
        workflows.submit(actor_of("accountant"), "goods_accrual", made)
        return made

    first = accrue("2026-05-31")
    for day in ("2026-05-30", "2026-05-31", "2026-04-30"):
        with pytest.raises(Invalid) as error:
            accrue(day)
        assert {p.code for p in error.value.problems} == {"check:in_order"}
        assert trade.account("220202") == D(0)
    trade.take_back("goods_accrual", first)
    accrue("2026-05-30")


def test_standard_costs_are_proposed_for_what_a_cost_run_takes(demo: Flask) -> None:
    place = named("warehouse", code="MAIN")
    for name, tracking in (("Standard nut", "none"), ("Standard wax", "lot")):
        item = int(
            records.create(
                SYSTEM,
                "item",
                {"name": name, "valuation": "standard", "tracking": tracking, "standard_cost": "2"},
            )["id"]
        )
        line = {"item": item, "quantity": "10", "price": "2"}
        if tracking == "lot":
            line["lot"] = int(records.create(SYSTEM, "lot", {"code": "W-1", "item": item})["id"])
        stored = {"warehouse": place, "account": named("account", code="3001"), "lines": [line]}
        made = int(records.create(SYSTEM, "stock_in", stored)["id"])
        workflows.submit(actor_of("accountant"), "stock_in", made)
    form, run = asked("settings_to_cost_run")
    lines = reads.get_record(SYSTEM, form, run)["lines"]
    assert [line["item"] for line in lines] == [named("item", name="Standard nut")]
    workflows.submit(actor_of("accountant"), form, run)


def test_foreign_balances_are_proposed_as_of_the_end_of_last_month(demo: Flask) -> None:
    today = context_of(SYSTEM).today
    last = today.replace(day=1) - timedelta(days=1)
    bank, capital = (named("account", code=code) for code in ("1002", "3001"))
    euro = named("currency", code="EUR")
    given = {"day": last.isoformat(), "lines": [
        {"account": bank, "debit": "780", "currency": euro, "foreign": "100"},
        {"account": capital, "credit": "780"},
    ]}  # fmt: skip
    voucher = int(records.create(SYSTEM, "voucher", given)["id"])
    workflows.submit(actor_of("accountant"), "voucher", voucher)
    form, made = asked("settings_to_revaluation")
    found = reads.get_record(SYSTEM, form, made)
    assert found["day"] == last
    assert [(line["account"], line["currency"]) for line in found["lines"]] == [(bank, euro)]


def test_what_a_cost_run_left_out_waits_at_month_end_and_names_its_warehouse(demo: Flask) -> None:
    places = [named("warehouse", code=code) for code in ("MAIN", "SHOP")]
    made = {"name": "Standard bolt", "valuation": "standard", "standard_cost": "2"}
    item = int(records.create(SYSTEM, "item", made)["id"])
    for place in places:
        line = {"item": item, "quantity": "10", "price": "2"}
        head = {"warehouse": place, "account": named("account", code="3001"), "lines": [line]}
        stored = records.create(SYSTEM, "stock_in", head)
        records.set_state(SYSTEM, "stock_in", stored["id"], "posted")

    def publish(place: int) -> None:
        line = {"item": item, "warehouse": place, "cost": "3"}
        run = int(records.create(SYSTEM, "cost_run", {"lines": [line]})["id"])
        workflows.submit(actor_of("accountant"), "cost_run", run)
        agree("cost_run", run, "accountant")

    def waits() -> Any:
        (row,) = [r for r in datasets.read_all(SYSTEM, "month_end") if r["step"] == "5 cost"]
        left = [r for r in datasets.read_all(SYSTEM, "standard_stock") if r["difference"]]
        return row["open"], [(r["warehouse"], r["difference"]) for r in left if r["item"] == item]

    assert waits() == (0, [])
    publish(places[0])
    assert waits() == (1, [(places[1], 10)])
    publish(places[1])
    assert waits() == (0, [])


def test_what_waits_at_month_end_leads_to_its_documents(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    today = context_of(SYSTEM).today
    lines = [{"account": named("account", code="1002"), side: "1"} for side in ("debit", "credit")]
    voucher = int(records.create(SYSTEM, "voucher", {"day": today.isoformat(), "lines": lines})["id"])
    browser = people_of_demo("accountant")
    page = browser.get("/datasets/month_end").text
    (way,) = [
        each for each in re.findall(r'href="(/datasets/month_documents[^"]+)"', page) if "6+other" in each
    ]
    assert "f.status.is=waiting" in way
    shown = browser.get(html.unescape(way)).text
    assert f'href="/f/voucher/{voucher}"' in shown and "6 other" not in shown.split("<tbody")[1]
    assert browser.get(html.unescape(way), headers={"Accept-Language": "zh-CN"}).status_code == 200
    for of_pack in ("month_end_buying", "month_end_selling"):
        assert browser.get(f"/datasets/{of_pack}").status_code == 200
