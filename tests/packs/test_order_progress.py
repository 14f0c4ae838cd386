"""How far an order is: what its lines, the next document and its seller are told."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from formloop.access import gate
from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.db import connection, transactional
from formloop.forms import reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import cases, service
from formloop.workflows.amendments import service as amendments
from packs.trading import Trade, actor_of, named


def agree(form: str, record: int, *accounts: str) -> None:
    for account in accounts:
        running = cases.find_open(form, record)
        task = cases.find_own_task(running.id, actor_of(account).person_id) if running else None
        service.decide(actor_of(account), task.id if task else 0, "approve")


class Sold:
    """A confirmed order of the seller, a line of 10 for each item, with enough of each in stock."""

    def __init__(self, lines: int = 1, **more: Any) -> None:
        self.items = [Trade().item for _ in range(lines)]
        self.seller, self.keeper = actor_of("seller"), actor_of("keeper")
        rows = [{"item": each, "quantity": "10", "price": "20"} for each in self.items]
        head = {"customer": named("customer", code="C0001"), "order_date": "2026-03-01", "lines": rows}
        head |= more
        self.order = int(records.create(self.seller, "sales_order", head)["id"])
        service.submit(self.seller, "sales_order", self.order)
        agree("sales_order", self.order, "approver")

    def deliver(self, *quantities: str, **more: Any) -> int:
        made = asking.ask(self.keeper, "sales_order", self.order, "order_to_delivery").record
        rows = reads.get_record(SYSTEM, "delivery", made)["lines"]
        rows = [row | {"quantity": each} for row, each in zip(rows, quantities, strict=True)]
        head = {"warehouse": named("warehouse", code="MAIN"), "lines": rows, **more}
        records.change_record(SYSTEM, "delivery", made, head)
        service.submit(self.keeper, "delivery", made)
        return int(made)

    def amend(self, *quantities: str) -> None:
        rows = [dict(row) for row in reads.get_record(SYSTEM, "sales_order", self.order)["lines"]]
        rows = [row | {"quantity": each} for row, each in zip(rows, quantities, strict=True)]
        amendments.propose(self.seller, "sales_order", self.order, {"lines": rows}, "Wished so")
        agree("sales_order", self.order, "approver")

    def progress(self) -> list[tuple[str, Any]]:
        found = [named("order_progress", item=each) for each in self.items]
        rows = [reads.get_record(SYSTEM, "order_progress", each) for each in found]
        return [(row["state"], row["open"]) for row in rows]


def test_a_line_is_done_when_all_of_it_is_delivered_and_open_when_that_is_taken_back(demo: Flask) -> None:
    sold = Sold()
    sold.deliver("4")
    assert sold.progress() == [("open", 6)]
    rest = sold.deliver("6")
    assert sold.progress() == [("done", 0)]
    amendments.propose(sold.keeper, "delivery", rest, None, "Not loaded")
    agree("delivery", rest, "accountant")
    assert sold.progress() == [("open", 6)]


def test_progress_counts_what_of_each_line_came_back_and_was_invoiced(demo: Flask) -> None:
    sold, clerk = Sold(2), actor_of("accountant")

    def counted() -> list[tuple[Any, ...]]:
        found = [named("order_progress", item=each) for each in sold.items]
        rows = [reads.get_record(SYSTEM, "order_progress", each) for each in found]
        return [tuple(row[key] for key in ("delivered", "returned", "invoiced")) for row in rows]

    def take_back(form: str, record: int, *agreeing: str) -> None:
        amendments.propose(clerk, form, record, None, "Wrong")
        agree(form, record, *agreeing)

    delivery = sold.deliver("4", "1")
    assert counted() == [(4, 0, 0), (1, 0, 0)]
    invoice = asking.ask(clerk, "sales_order", sold.order, "order_to_invoice").record
    service.submit(clerk, "sales_invoice", invoice)
    assert counted() == [(4, 0, 4), (1, 0, 1)]
    back = asking.ask(sold.keeper, "delivery", delivery, "delivery_to_return").record
    rows = reads.get_record(SYSTEM, "sales_return", back)["lines"]
    records.change_record(SYSTEM, "sales_return", back, {"lines": [dict(rows[0]) | {"quantity": "3"}]})
    service.submit(sold.keeper, "sales_return", back)
    assert counted() == [(4, 3, 4), (1, 0, 1)]
    note = asking.ask(clerk, "sales_return", back, "return_to_credit_note").record
    service.submit(clerk, "sales_invoice", note)
    assert counted() == [(4, 3, 1), (1, 0, 1)]
    take_back("sales_invoice", note, "accountant")
    assert counted() == [(4, 3, 4), (1, 0, 1)]
    amendments.propose(sold.keeper, "sales_return", back, None, "Wrong")
    agree("sales_return", back, "accountant")
    assert counted() == [(4, 0, 4), (1, 0, 1)]
    take_back("sales_invoice", invoice, "accountant")
    assert counted() == [(4, 0, 0), (1, 0, 0)]


def test_what_was_delivered_before_returns_and_invoices_were_counted_says_nothing_of_them(
    demo: Flask,
) -> None:
    sold = Sold()
    (line,) = [named("order_progress", item=each) for each in sold.items]
    sold.deliver("4")
    unknown = {"returned": None, "invoiced": None}
    records.change_record(SYSTEM, "order_progress", line, unknown, how=records.How(trusted=True))
    sold.deliver("2")
    row = reads.get_record(SYSTEM, "order_progress", line)
    assert (row["delivered"], row["returned"], row["invoiced"]) == (6, None, None)


def test_the_order_shows_per_line_what_is_open_and_what_was_refused(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    lines = [{"item": named("item", code="LAMP-01"), "quantity": "10", "price": "5"}]
    given = {"supplier": named("supplier", code="S0002"), "lines": lines}
    order = records.create(actor_of("buyer"), "purchase_order", given)["id"]
    page = people_of_demo("buyer").get(f"/f/purchase_order/query/progress?record={order}").text
    assert all(head in page for head in ("Refused", "Still to come", "Returned"))


def test_a_changed_line_is_open_while_something_of_it_is(demo: Flask) -> None:
    sold = Sold(2)
    sold.deliver("10", "4")
    assert sold.progress() == [("done", 0), ("open", 6)]
    sold.amend("12", "4")
    assert sold.progress() == [("open", 2), ("done", 0)]


def test_a_seller_finds_deliveries_and_invoices_of_own_orders_and_of_no_others(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    sold = Sold()
    delivery = sold.deliver("10")
    invoice = asking.ask(actor_of("accountant"), "delivery", delivery, "delivery_to_invoice").record
    made = (("delivery", delivery), ("sales_invoice", invoice))
    numbers = [reads.get_record(SYSTEM, form, record)["number"] for form, record in made]
    seller = people_of_demo("seller")
    assert numbers[0] in seller.get(f"/f/sales_order/{sold.order}").text
    assert numbers[1] in seller.get(f"/f/delivery/{delivery}").text
    assert seller.get(f"/f/sales_invoice/{invoice}").status_code == 200
    orders = get_form("sales_order").table
    other = update(orders).where(orders.c.id == sold.order).values(owner=actor_of("approver").person_id)
    transactional(lambda: connection().execute(other))()
    for form, record in made:
        assert seller.get(f"/f/{form}/{record}").status_code == 404


@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
def test_a_seller_sees_what_was_paid_of_own_orders_and_of_no_others(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient], several: bool
) -> None:
    clerk, seller = actor_of("accountant"), people_of_demo("seller")

    def paid(owner: str) -> tuple[int, int]:
        sold = Sold()
        orders = get_form("sales_order").table
        person = actor_of(owner).person_id
        given = update(orders).where(orders.c.id == sold.order).values(owner=person)
        transactional(lambda: connection().execute(given))()
        invoice = asking.ask(clerk, "delivery", sold.deliver("10"), "delivery_to_invoice").record
        service.submit(clerk, "sales_invoice", invoice)
        bill = reads.get_record(SYSTEM, "sales_invoice", invoice)
        one = {"lines": [{"invoice": invoice, "amount": bill["total"]}]} if several else {"invoice": invoice}
        head = {"customer": bill["customer"], "currency": bill["currency"], "amount": bill["total"]}
        made = int(records.create(SYSTEM, "customer_payment", one | head)["id"])
        service.submit(clerk, "customer_payment", made)
        return invoice, made

    invoice, own = paid("seller")
    number = reads.get_record(SYSTEM, "customer_payment", own)["number"]
    assert number in seller.get(f"/f/sales_invoice/query/payments?record={invoice}").text
    assert seller.get(f"/f/customer_payment/{own}").status_code == 200
    assert not gate.allows(actor_of("seller"), "edit", "form:customer_payment")
    assert seller.get(f"/f/customer_payment/{paid('approver')[1]}").status_code == 404


def test_an_invoice_of_two_sellers_says_who_is_listed_its_payments(demo: Flask) -> None:
    lines, deliveries = [], [Sold(), Sold()]
    for sold in deliveries:
        goods = reads.get_record(
            SYSTEM, "delivered_item", named("delivered_item", delivery=sold.deliver("10"))
        )
        lines.append({"delivered": goods["id"], "item": goods["item"], "quantity": "1", "price": "1"})
    head = {"customer": named("customer", code="C0001")}

    def hint(*chosen: dict[str, Any]) -> str | None:
        made = records.create(SYSTEM, "sales_invoice", head | {"lines": list(chosen)})
        return cast("str | None", made["seller_hint"])

    assert hint(*lines) is None
    orders = get_form("sales_order").table
    given = update(orders).where(orders.c.id == deliveries[1].order)
    transactional(lambda: connection().execute(given.values(owner=actor_of("approver").person_id)))()
    assert (hint(lines[1]), hint(*lines)) == (None, "several")


def test_goods_are_received_where_the_order_wants_them(demo: Flask) -> None:
    rows = [{"item": Trade().item, "quantity": "10", "price": "10"}]
    place = named("warehouse", code="MAIN")
    for given in (place, None):
        head = {"day": "2026-03-01", "supplier": named("supplier", code="S0002"), "warehouse": given}
        order = int(records.create(SYSTEM, "purchase_order", head | {"lines": rows})["id"])
        service.submit(actor_of("buyer"), "purchase_order", order)
        receipt = asking.ask(actor_of("keeper"), "purchase_order", order, "order_to_receipt").record
        assert reads.get_record(SYSTEM, "receipt", receipt)["warehouse"] == given
