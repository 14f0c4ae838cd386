"""One purchase and what comes after it, for tests of what it leaves in stock and on the books."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

from sqlalchemy import select

from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.db import reading
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.ledgers import reading as ledgers
from formloop.ledgers.asof import balance_at
from formloop.ledgers.kind import get_ledger
from formloop.workflows import cases, service
from formloop.workflows.amendments import service as amendments


def actor_of(account: str) -> Actor:
    person = people.find_person(account)
    assert person is not None
    return get_actor(person.id)


def who_does(form: str) -> str:
    return (
        "keeper"
        if form in ("receipt", "supplier_return", "stock_in", "stock_out", "outsourcing_receipt", "delivery")
        else "accountant"
    )


def named(form: str, **by: Any) -> int:
    table, ((key, value),) = get_form(form).table, by.items()
    with reading() as conn:
        return int(conn.execute(select(table.c.id).where(table.c[key] == value)).scalar_one())


def take_back(form: str, record: int) -> None:
    """Somebody proposes that it was wrong, and the accountant agrees."""
    amendments.propose(actor_of(who_does(form)), form, record, None, "Wrong")
    running = cases.find_open(form, record)
    agreed = actor_of("accountant")
    task = cases.find_own_task(running.id, agreed.person_id) if running else None
    service.decide(agreed, task.id if task else 0, "approve")


class Trade:
    """One purchase, of 100 pieces at 10 unless said, and what comes after it, a day apart."""

    def __init__(
        self, method: str = "moving_average", goods: tuple[str, str] = ("100", "10"), **more: Any
    ) -> None:
        own = {key: more.pop(key) for key in ("category", "standard_cost") if key in more}
        made = records.create(SYSTEM, "item", {"name": "Nut", "source": "buy", "valuation": method} | own)
        self.item, self.day, self.back = int(made["id"]), date(2026, 3, 1), 0
        self.supplier = named("supplier", code="S0002")
        self.place = named("warehouse", code="MAIN")
        self.receive(*goods, **more)

    def receive(self, quantity: str, price: str, **more: Any) -> None:
        """What is invoiced and sent back from now on."""
        line = {"item": self.item, "accepted": quantity, "price": price}
        receipt = self.do("receipt", [line], warehouse=self.place, **more)
        self.goods = named("received_item", receipt=receipt)

    def do(self, form: str, lines: list[dict[str, Any]], **more: Any) -> int:
        self.day += timedelta(days=1)
        given = {"day": self.day.isoformat(), "lines": lines, **more}
        if "supplier" in get_form(form).fields:
            given["supplier"] = self.supplier
        made = int(records.create(SYSTEM, form, given)["id"])
        self.submit(form, made)
        return made

    def submit(self, form: str, record: int) -> None:
        """Whoever does such things submits it."""
        service.submit(actor_of(who_does(form)), form, record)

    def issue(self, quantity: str) -> None:
        """Some of it is used."""
        self.do("stock_out", [{"item": self.item, "quantity": quantity}], warehouse=self.place)

    def take_back(self, form: str, record: int) -> None:
        take_back(form, record)

    def invoice(self, quantity: str, price: str, head: dict[str, Any] | None = None, **more: Any) -> int:
        row = {
            "received": self.goods,
            "item": self.item,
            "quantity": quantity,
            "price": price,
            "tax_rate": "0.13",
        }
        return self.do("purchase_invoice", [row | more], **(head or {}))

    def send_back(self, quantity: str) -> None:
        row = {"received": self.goods, "item": self.item, "quantity": quantity}
        self.back = self.do("supplier_return", [row])

    def credit(self, quantity: str, price: str) -> None:
        self.invoice(f"-{quantity}", price, returned=self.back)

    def account(self, code: str) -> D:
        debit, credit = sums("general", ("debit", "credit"), account=named("account", code=code))
        return debit - credit

    def as_of(self, day: str, *codes: str) -> tuple[D, ...]:
        """What stands on accounts at the end of a day."""
        found = [
            balance_at(
                get_ledger("general"),
                {"account": named("account", code=code)},
                date.fromisoformat(day),
                ("account",),
            )
            for code in codes
        ]
        return tuple(each["debit"] - each["credit"] for each in found)

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
