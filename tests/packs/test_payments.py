"""What a payment says of itself, where it is seen, and how it is refused in words."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.forms import elsewhere, reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import service as workflows
from packs.trading import actor_of, named

SIDES = pytest.mark.parametrize("side", ["supplier", "customer"])


class Billed:
    """Invoices of 100 each, bought or sold, and payments of them."""

    def __init__(self, side: str, **more: Any) -> None:
        self.payment = f"{side}_payment"
        self.invoices = "purchase_invoice" if side == "supplier" else "sales_invoice"
        self.side, self.who = side, actor_of("accountant")
        self.party = named(side, code="S0002" if side == "supplier" else "C0001")
        self.place = named("warehouse", code="MAIN")
        self.item = int(records.create(SYSTEM, "item", {"name": "Nut", "source": "buy"})["id"])
        goods = {"item": self.item, "accepted": "100", "price": "10"}
        head = {"supplier": named("supplier", code="S0002"), "lines": [goods], **more}
        receipt = self.do("receipt", head, "keeper")
        self.goods = named("received_item", receipt=receipt)
        if side == "customer":
            sent = {"item": self.item, "quantity": "50", "price": "10"}
            delivery = self.do("delivery", {"customer": self.party, "lines": [sent]}, "keeper")
            self.goods = named("delivered_item", delivery=delivery)

    def do(self, form: str, values: dict[str, Any], who: str = "accountant") -> int:
        record = self.draft(form, values)
        workflows.submit(actor_of(who), form, record)
        return record

    def draft(self, form: str, values: dict[str, Any]) -> int:
        given = {"day": "2026-03-01", "warehouse": self.place, self.side: self.party, **values}
        known = {key: value for key, value in given.items() if key in get_form(form).fields}
        return int(records.create(SYSTEM, form, known)["id"])

    def invoice(self, **more: Any) -> int:
        goods = "received" if self.side == "supplier" else "delivered"
        line = {goods: self.goods, "item": self.item, "quantity": "10", "price": "10", "tax_rate": "0"}
        return self.do(self.invoices, {"lines": [line], **more})

    def pay(self, amount: str, **more: Any) -> int:
        return self.do(self.payment, {"amount": amount, **more})

    def see(self, form: str, record: int) -> dict[str, Any]:
        return dict(reads.get_record(SYSTEM, form, record))


@SIDES
def test_a_payment_of_what_is_open_is_not_called_too_much(demo: Flask, side: str) -> None:
    billed = Billed(side)
    one, two = billed.invoice(), billed.invoice()
    for given in (
        {"amount": "60", "invoice": one},
        {"amount": "40", "invoice": one},
        {"amount": "100", "lines": [{"invoice": two, "amount": "100"}]},
    ):
        paid = billed.do(billed.payment, given)
        assert billed.see(billed.payment, paid)["hint"] is None
    assert [billed.see(billed.invoices, each)["open"] for each in (one, two)] == [0, 0]


@SIDES
def test_a_payment_says_that_it_is_more_until_it_is_posted(demo: Flask, side: str) -> None:
    billed = Billed(side)
    given = {"amount": "130", "invoice": billed.invoice()}
    paid = billed.draft(billed.payment, given)
    assert billed.see(billed.payment, paid)["hint"] == "more"
    workflows.submit(billed.who, billed.payment, paid)
    seen = billed.see(billed.payment, paid)
    assert (seen["hint"], seen["for_invoice"], seen["open"]) == ("advance", 100, 30)


def test_a_payment_of_several_invoices_is_seen_from_its_orders_and_invoices(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    billed = Billed("supplier")
    orders, invoices = [], []
    for _ in range(2):
        line = {"item": billed.item, "quantity": "10", "price": "10"}
        orders.append(billed.do("purchase_order", {"lines": [line]}, "buyer"))
        goods = {"ordered": named("purchase_progress", order=orders[-1]), "accepted": "10", "price": "10"}
        receipt = billed.do(
            "receipt", {"order": orders[-1], "lines": [goods | {"item": billed.item}]}, "keeper"
        )
        billed.goods = named("received_item", receipt=receipt)
        invoices.append(billed.invoice())
    paid = billed.pay("200", lines=[{"invoice": each, "amount": "100"} for each in invoices])
    number = billed.see(billed.payment, paid)["number"]
    for form, records_of in (("purchase_order", orders), ("purchase_invoice", invoices)):
        for record in records_of:
            assert number in people_of_demo("buyer").get(f"/f/{form}/query/payments?record={record}").text
    for order, invoice in zip(orders, invoices, strict=True):
        assert (
            billed.see("purchase_invoice", invoice)["orders"] == billed.see("purchase_order", order)["number"]
        )


def test_an_invoice_shows_what_was_paid_and_put_against_it(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    billed = Billed("customer")
    one = billed.invoice(
        lines=[{"delivered": billed.goods, "item": billed.item, "quantity": "20", "price": "10"}]
    )
    part = billed.pay("30", invoice=one)
    rest = billed.pay("50", lines=[{"invoice": one, "amount": "40"}])
    put = billed.do("customer_allocation", {"payment": rest, "lines": [{"invoice": one, "amount": "10"}]})
    draft = billed.draft("customer_payment", {"amount": "1", "invoice": one})
    page = people_of_demo("accountant").get(f"/f/sales_invoice/query/payments?record={one}").text
    assert billed.see("customer_payment", draft)["number"] not in page
    for panel, made in (("payments", [part, rest]), ("allocations", [put])):
        page = people_of_demo("accountant").get(f"/f/sales_invoice/query/{panel}?record={one}").text
        form = "customer_payment" if panel == "payments" else "customer_allocation"
        assert all(billed.see(form, each)["number"] in page for each in made)


@SIDES
def test_a_paid_invoice_is_not_offered_and_refused_in_words(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient], side: str
) -> None:
    billed = Billed(side)
    paid, unpaid = billed.invoice(), billed.invoice()
    late = billed.draft(billed.payment, {"amount": "100", "invoice": paid})
    first = billed.pay("100", invoice=paid)
    with pytest.raises(Invalid) as error:
        workflows.submit(billed.who, billed.payment, late)
    assert "check:still_open" in {each.code for each in error.value.problems}
    spec = get_form(billed.payment)
    other = named(side, code="S0001" if side == "supplier" else "C0002")
    for party, offered in ((billed.party, {unpaid}), (None, {unpaid}), (other, set())):
        found = elsewhere.fitting(billed.who, spec, spec.fields["invoice"], "x-relation", {side: party})
        table = get_form(billed.invoices).table
        with reading() as conn:
            rows = conn.execute(select(table.c.id).where(found, table.c.id.in_([paid, unpaid]))).scalars()
            assert set(rows) == offered
    assert billed.see(billed.payment, first)["state"] == "posted"


@SIDES
def test_a_payment_allocated_later_says_by_what_and_what_to_do(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient], side: str
) -> None:
    billed = Billed(side)
    advance = billed.pay("50")
    line = {"invoice": billed.invoice(), "amount": "20"}
    put = billed.do(f"{side}_allocation", {"payment": advance, "lines": [line]})
    browser = people_of_demo("accountant")
    assert "take that back first" in browser.get(f"/f/{billed.payment}/{advance}").text
    panel = browser.get(f"/f/{billed.payment}/query/allocations?record={advance}").text
    assert billed.see(f"{side}_allocation", put)["number"] in panel


@SIDES
def test_a_payment_keeps_its_rate_also_when_that_was_one(demo: Flask, side: str) -> None:
    currency = int(records.create(SYSTEM, "currency", {"code": "XAA", "name": "Pegged", "rate": "1"})["id"])
    billed = Billed(side, currency=currency)
    paid = billed.pay("50", currency=currency)
    invoice = billed.invoice(currency=currency, rate="1")
    records.change_record(SYSTEM, "currency", currency, {"rate": "7"})
    billed.do(f"{side}_allocation", {"payment": paid, "lines": [{"invoice": invoice, "amount": "20"}]})
    seen = billed.see(billed.payment, paid)
    assert (seen["rate_used"], seen["open"]) == (1, 30)


@SIDES
def test_what_is_more_than_open_and_of_another_is_refused_in_plain_words(demo: Flask, side: str) -> None:
    billed = Billed(side)
    line = {"invoice": billed.invoice(), "amount": "60"}
    drafts = [billed.draft(billed.payment, {"amount": "60", "lines": [line]}) for _ in range(2)]
    workflows.submit(billed.who, billed.payment, drafts[0])
    number = billed.see(billed.invoices, line["invoice"])["number"]
    with pytest.raises(Invalid) as error:
        workflows.submit(billed.who, billed.payment, drafts[1])
    assert f"Only 40 of {number} is still open." in error.value.problems[0].message.render("en")
    labels = get_form(billed.payment).fields["allocated"].schema
    assert labels["title"] == "Put against invoices or paid back"
    other = named(side, code="S0001" if side == "supplier" else "C0002")
    with pytest.raises(Invalid) as error:
        billed.draft(f"{side}_refund", {side: other, "payment": billed.pay("5"), "amount": "1"})
    assert "This document belongs to " in error.value.problems[0].message.render("en")


@SIDES
def test_what_names_no_currency_is_called_the_home_currency(demo: Flask, side: str) -> None:
    """An invoice and an advance without a currency, used in US dollars, which each message says to leave out."""
    billed, usd = Billed(side, currency=None), named("currency", code="USD")
    invoice, paid = billed.invoice(currency=None), billed.pay("50", currency=None)
    line = {"invoice": invoice, "amount": "10"}
    number = billed.see(billed.invoices, invoice)["number"]
    for form, more in (
        (billed.payment, {"amount": "10", "lines": [line]}),
        (f"{side}_allocation", {"payment": paid, "lines": [line]}),
    ):
        told = messages(billed, form, {"currency": usd, **more})["check:line_at_home"]
        assert told[0].startswith(f"Line 1: {number} is in the home currency, without naming it. Leave the")
        assert told[1].startswith(f"第 1 行：{number} 为本位币（未填币种），请将")
    told = messages(billed, f"{side}_refund", {"payment": paid, "amount": "5", "currency": usd})
    number = billed.see(billed.payment, paid)["number"]
    assert told["check:source_at_home"] == [
        f"{number} is in the home currency, without naming it. Leave the currency of the refund empty.",
        f"{number} 为本位币（未填币种），请将退款单的币种留空。",
    ]


@SIDES
def test_a_currency_that_is_named_is_told_by_its_code(demo: Flask, side: str) -> None:
    usd = named("currency", code="USD")
    billed = Billed(side, currency=usd)
    invoice, paid = billed.invoice(currency=usd), billed.pay("50", currency=usd)
    lines = [{"invoice": invoice, "amount": "10"}]
    told = messages(billed, billed.payment, {"amount": "10", "currency": None, "lines": lines})
    assert told["check:line_currency"][0] == "Line 1: this invoice is in another currency: USD."
    told = messages(billed, f"{side}_refund", {"payment": paid, "amount": "5", "currency": None})
    assert told["check:source_currency"][0] == "A refund is in the currency of what is paid back: USD."


def messages(billed: Billed, form: str, values: dict[str, Any]) -> dict[str, list[str]]:
    """What a draft is refused with, in both languages."""
    with pytest.raises(Invalid) as error:
        billed.draft(form, values)
    return {p.code: [p.message.render(locale) for locale in ("en", "zh-CN")] for p in error.value.problems}
