"""Outsourced services and landed cost are invoiced as lines of a supplier's invoice, once and not beyond."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import Conflict, Invalid
from formloop.db import connection, reading, transactional
from formloop.forms import elsewhere, reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows.amendments import service as amendments
from packs.trading import Trade, actor_of, named


@pytest.fixture
def trade(demo: Flask) -> Trade:
    return Trade()


def landed(trade: Trade, cost: str = "20", **more: Any) -> int:
    return trade.do("landed_cost", [{"received": trade.goods}], cost=cost, **more)


def drafted(trade: Trade, *services: dict[str, Any]) -> int:
    head = {"day": "2026-03-20", "supplier": trade.supplier, "services": list(services)}
    return int(records.create(SYSTEM, "purchase_invoice", head)["id"])


def refusal(trade: Trade, record: int) -> dict[str, str]:
    with pytest.raises(Invalid) as error:
        trade.submit("purchase_invoice", record)
    return {each.code: each.message.render("en") for each in error.value.problems}


def test_of_two_invoices_of_the_same_service_the_second_is_told_what_is_left(trade: Trade) -> None:
    cost = landed(trade)
    line = {"landed": cost, "amount": "20", "accrued": "20", "tax_rate": "0"}
    first, second = drafted(trade, line), drafted(trade, line)
    trade.submit("purchase_invoice", first)
    number = reads.get_record(SYSTEM, "landed_cost", cost)["number"]
    told = refusal(trade, second)["check:not_more_service"]
    assert told == f"Line 1: of {number} only 0 is not invoiced yet."
    assert reads.get_record(SYSTEM, "purchase_invoice", second)["state"] == "draft"
    assert trade.account("220202") == -1000


def test_an_invoice_of_nothing_is_refused_in_words(trade: Trade) -> None:
    with pytest.raises(Invalid) as error:
        drafted(trade)
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("check:something", "lines")
    assert problem.message.render("zh-CN") == "发票至少要有一行：已收货物、服务或费用。"


@pytest.mark.parametrize("both", [True, False], ids=["both", "neither"])
def test_a_line_names_one_service(trade: Trade, both: bool) -> None:
    cost = landed(trade)
    line = {"landed": cost, "outsourced": outsourced(trade, "1")} if both else {}
    with pytest.raises(Invalid) as error:
        drafted(trade, line | {"amount": "1", "accrued": "0"})
    assert "check:one_service" in {each.code for each in error.value.problems}


def test_goods_and_services_stand_on_one_invoice(trade: Trade) -> None:
    cost = landed(trade)
    service = {"landed": cost, "amount": "20", "accrued": "20", "tax_rate": "0.09"}
    trade.invoice("100", "10", {"services": [service]})
    assert trade.account("220202") == 0
    invoice = named("purchase_invoice", day=trade.day)
    seen = reads.get_record(SYSTEM, "purchase_invoice", invoice)
    assert [str(seen[key].normalize()) for key in ("net", "tax", "open")] == ["1.02E+3", "131.8", "1151.8"]


def test_one_button_enters_the_invoice_once(trade: Trade) -> None:
    cost, who = landed(trade), actor_of("accountant")
    first = asking.ask(who, "landed_cost", cost, "landed_cost_to_supplier_invoice")
    again = asking.ask(who, "landed_cost", cost, "landed_cost_to_supplier_invoice")
    assert (first.record, first.new, again.record, again.new) == (first.record, True, first.record, False)
    trade.submit("purchase_invoice", first.record)
    with pytest.raises(Conflict):
        asking.ask(who, "landed_cost", cost, "landed_cost_to_supplier_invoice")


def test_what_was_posted_before_services_were_invoiced_is_not_offered(trade: Trade) -> None:
    old, new = landed(trade), landed(trade)
    table = get_form("landed_cost").table
    forget = update(table).where(table.c.id == old).values(invoiced=None, to_invoice=None)
    transactional(lambda: connection().execute(forget))()
    spec = get_form("purchase_invoice")
    field = spec.find("services.landed")
    assert field is not None
    found = elsewhere.fitting(actor_of("accountant"), spec, field, "x-relation", {"supplier": trade.supplier})
    with reading() as conn:
        offered = set(conn.execute(select(table.c.id).where(found)).scalars())
    assert new in offered
    assert old not in offered


def test_an_invoiced_service_is_taken_back_after_its_invoice(trade: Trade) -> None:
    cost = landed(trade)
    invoice = drafted(trade, {"landed": cost, "amount": "21", "accrued": "20", "tax_rate": "0"})
    trade.submit("purchase_invoice", invoice)
    with pytest.raises(Invalid) as error:
        amendments.propose(actor_of("accountant"), "landed_cost", cost, None, "Wrong")
    assert "take its invoice back first" in error.value.problems[0].message.render("en")
    trade.take_back("purchase_invoice", invoice)
    trade.take_back("landed_cost", cost)
    assert (trade.account("220202"), trade.there()) == (-1000, (100, 1000))


def test_outsourced_goods_of_a_supplier_abroad_are_invoiced_as_they_were_accrued(trade: Trade) -> None:
    usd, who = named("currency", code="USD"), actor_of("accountant")
    records.change_record(SYSTEM, "supplier", trade.supplier, {"currency": usd})
    made = outsourced(trade, "100")
    asked = asking.ask(who, "outsourcing_receipt", made, "outsourcing_receipt_to_supplier_invoice")
    trade.submit("purchase_invoice", asked.record)
    seen = reads.get_record(SYSTEM, "purchase_invoice", asked.record)
    assert (seen["currency"], seen["net"], seen["home_net"]) == (None, 100, 100)
    assert trade.account("220202") == -1000


def test_a_home_figure_on_an_invoice_in_foreign_currency_is_told(trade: Trade) -> None:
    usd, line = named("currency", code="USD"), {"outsourced": outsourced(trade, "100"), "accrued": "100"}
    head = {"day": "2026-03-20", "supplier": trade.supplier, "currency": usd}
    with pytest.raises(Invalid) as error:
        records.create(SYSTEM, "purchase_invoice", head | {"services": [line | {"amount": "100"}]})
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("check:outsourced_currency", "services.0.amount")
    assert "Give its net in USD, or leave the currency of the invoice empty." in problem.message.render("en")
    assert "请按 USD 填写不含税金额" in problem.message.render("zh-CN")
    records.create(SYSTEM, "purchase_invoice", head | {"services": [line | {"amount": "14.04"}]})


def test_landed_cost_at_home_of_a_supplier_abroad_is_invoiced_at_home(trade: Trade) -> None:
    usd, who = named("currency", code="USD"), actor_of("accountant")
    records.change_record(SYSTEM, "supplier", trade.supplier, {"currency": usd})
    cost = landed(trade, currency=None)
    asked = asking.ask(who, "landed_cost", cost, "landed_cost_to_supplier_invoice")
    seen = reads.get_record(SYSTEM, "purchase_invoice", asked.record)
    assert (seen["currency"], seen["net"]) == (None, 20)
    number = reads.get_record(SYSTEM, "landed_cost", cost)["number"]
    with pytest.raises(Invalid) as error:
        records.change_record(SYSTEM, "purchase_invoice", asked.record, {"currency": usd})
    (problem,) = error.value.problems
    told = f"Line 1: {number} was entered in the home currency. Leave the currency of the invoice empty."
    assert problem.message.render("en") == told
    assert problem.message.render("zh-CN") == f"第 1 行：{number} 按本位币登记，请将发票币种留空。"
    trade.submit("purchase_invoice", asked.record)
    assert trade.account("220202") == -1000


def outsourced(trade: Trade, service: str) -> int:
    """A piece that others made out of ours."""
    made = records.create(SYSTEM, "item", {"name": "Painted nut", "source": "outsource"})["id"]
    head = {"at_supplier": trade.place, "warehouse": trade.place, "made": made, "quantity": "1"}
    used = [{"item": trade.item, "quantity": "1"}]
    return trade.do("outsourcing_receipt", used, service=service, **head)


def test_outsourced_goods_are_not_made_of_themselves_where_they_are(trade: Trade) -> None:
    head = {"day": "2026-03-20", "supplier": trade.supplier, "at_supplier": trade.place, "made": trade.item}
    given = head | {"quantity": "1", "service": "10", "lines": [{"item": trade.item, "quantity": "1"}]}
    with pytest.raises(Invalid) as error:
        records.create(SYSTEM, "outsourcing_receipt", given | {"warehouse": trade.place})
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("check:not_itself", "lines.0.item")
    assert "Line 1: Nut is not made of itself in the same warehouse" in problem.message.render("en")
    assert "不能在同一仓库" in problem.message.render("zh-CN")
    other = records.create(SYSTEM, "warehouse", {"code": "ABROAD", "name": "At the painter's"})["id"]
    records.create(SYSTEM, "outsourcing_receipt", given | {"warehouse": other})
