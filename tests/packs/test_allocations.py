"""Payments, credits and allocations: what an invoice has open is used once, whoever comes at the same moment."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.forms import reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.ledgers import reading as ledgers
from formloop.ledgers.verifying import verify
from formloop.packs import scenario
from formloop.packs import service as service_of_packs
from formloop.workflows import cases, service
from formloop.workflows.amendments import service as amendments
from packs.trading import actor_of, named, sums
from workflows.at_once import begun_while

ON_POSTGRESQL = pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


class Bought:
    """A supplier with invoices over goods of theirs."""

    def __init__(self) -> None:
        self.accountant = actor_of("accountant")
        self.item = int(records.create(SYSTEM, "item", {"name": "Nut", "source": "buy"})["id"])
        self.supplier = int(records.create(SYSTEM, "supplier", {"name": "Old Mill"})["id"])
        warehouse = get_form("warehouse").table
        with reading() as conn:
            place = conn.execute(select(warehouse.c.id).where(warehouse.c.code == "MAIN")).scalar_one()
        row = {"item": self.item, "accepted": "100", "price": "10"}
        receipt = self.make("receipt", {"warehouse": place, "lines": [row]})
        service.submit(actor_of("keeper"), "receipt", receipt)
        goods = get_form("received_item").table
        with reading() as conn:
            self.goods = conn.execute(select(goods.c.id).where(goods.c.receipt == receipt)).scalar_one()

    def make(self, form: str, values: dict[str, Any]) -> int:
        given = {"day": "2026-03-01", "supplier": self.supplier, **values}
        return int(records.create(SYSTEM, form, given)["id"])

    def submit(self, form: str, record: int) -> Callable[[], Any]:
        return lambda: service.submit(self.accountant, form, record)

    def invoice(self, quantity: str) -> int:
        row = {"received": self.goods, "item": self.item, "quantity": quantity, "price": "10"}
        made = self.make("purchase_invoice", {"lines": [row]})
        self.submit("purchase_invoice", made)()
        return made

    def pay(self, amount: str, **parts: int) -> int:
        rows = [{"invoice": of, "amount": part.removeprefix("of_")} for part, of in parts.items()]
        return self.make("supplier_payment", {"amount": amount, "lines": rows})

    def see(self, form: str, record: int) -> dict[str, Any]:
        return dict(reads.get_record(SYSTEM, form, record))

    def left(self) -> list[D]:
        found = ledgers.list_open(
            SYSTEM, "general", {"supplier": self.supplier, "account": self._payable()}, None
        )
        return sorted(-each.left for each in found)

    def _payable(self) -> int:
        account = get_form("account").table
        with reading() as conn:
            return int(conn.execute(select(account.c.id).where(account.c.code == "2202")).scalar_one())


@ON_POSTGRESQL
def test_of_two_payments_of_one_invoice_at_once_only_what_is_open_is_settled(filled: Flask) -> None:
    bought = Bought()
    one, two = bought.invoice("10"), bought.invoice("10")
    payments = [bought.pay("100", of_60=one, of_40=two), bought.pay("100", of_50=one, of_45=two)]
    assert refused(*(bought.submit("supplier_payment", each) for each in payments)) == ["refused"]
    states = [bought.see("supplier_payment", each)["state"] for each in payments]
    open_ = [bought.see("purchase_invoice", each)["open"] for each in (one, two)]
    assert (states, open_, bought.left()) == (["posted", "draft"], [40, 60], [40, 60])


@ON_POSTGRESQL
def test_an_advance_is_put_against_invoices_once(filled: Flask) -> None:
    bought = Bought()
    one, two, paid = bought.invoice("10"), bought.invoice("10"), bought.pay("100")
    bought.submit("supplier_payment", paid)()
    both = [
        bought.make("supplier_allocation", {"payment": paid, "lines": [{"invoice": of, "amount": "70"}]})
        for of in (one, two)
    ]
    assert refused(*(bought.submit("supplier_allocation", each) for each in both)) == ["refused"]
    assert (bought.see("supplier_payment", paid)["open"], bought.left()) == (30, [-30, 30, 100])


@ON_POSTGRESQL
def test_an_invoice_is_not_taken_back_while_it_is_paid(filled: Flask) -> None:
    bought = Bought()
    one = bought.invoice("10")
    paid = bought.make("supplier_payment", {"invoice": one, "amount": "100"})

    def take_back() -> None:
        amendments.propose(bought.accountant, "purchase_invoice", one, None, "Wrong price")
        running = cases.find_open("purchase_invoice", one)
        task = cases.find_own_task(running.id, bought.accountant.person_id) if running else None
        service.decide(bought.accountant, task.id if task else 0, "approve")

    begun_while(bought.submit("supplier_payment", paid), take_back)
    assert verify() == [] and bought.see("purchase_invoice", one)["state"] == "posted"
    assert (bought.see("purchase_invoice", one)["open"], bought.left()) == (0, [])


def refused(first: Callable[[], Any], second: Callable[[], Any]) -> list[str]:
    with pytest.raises(Invalid) as error:
        begun_while(first, second)
    assert verify() == []
    return [each.code for each in error.value.problems]


@pytest.mark.parametrize(
    ("pack", "forms"),
    [
        ("purchase", ("purchase_invoice", "supplier_payment")),
        ("fulfilment", ("sales_invoice", "customer_payment")),
    ],
)
def test_what_documents_count_as_open_is_what_the_ledger_has_open(
    demo: Flask, pack: str, forms: tuple[str, str]
) -> None:
    story = service_of_packs.get_pack(pack).scenario
    assert story is not None and scenario.play(story) == []
    in_ledger: dict[int, D] = {}
    for each in ledgers.list_open(SYSTEM, "general", {}, None):
        in_ledger[each.record] = in_ledger.get(each.record, D(0)) + each.left
    compared, abroad = 0, dict[tuple[int, int], D]()
    party = "supplier" if pack == "purchase" else "customer"
    for form, sign in zip(forms, (-1, 1) if pack == "purchase" else (1, -1), strict=True):
        table = get_form(form).table
        with reading() as conn:
            rows = conn.execute(select(table).where(table.c.state == "posted")).mappings().all()
        for row in rows:
            found = sign * in_ledger.get(row["id"], D(0))
            if row["rate_used"] == 1:
                assert found == row["open"], row["number"]
            else:
                assert bool(found) == bool(row["open"]), row["number"]
                mark = (row[party], row["currency"])
                abroad[mark] = abroad.get(mark, D(0)) + sign * (row["open"] or 0)
            compared += 1
    owed = named("account", code="2202" if pack == "purchase" else "1122")
    for (who, currency), open_ in abroad.items():
        dims = {"account": owed, party: who, "currency": currency}
        assert sums("general", ("foreign",), **dims) == (open_,), dims
    assert compared > 10 and len(abroad) > 1 and verify() == []
