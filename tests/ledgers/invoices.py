"""Invoices and their payments, for tests of what is open."""

from datetime import date
from decimal import Decimal as D
from typing import Any

from formloop.access.actor import SYSTEM
from formloop.ledgers import reading
from ledgers import store as definitions
from ledgers.store import Store, credit, debit, form, lines, link, number, posting

PARTY = {"party": "party"}
INVOICE = form("invoice", day=definitions.date(), party=link("Party", "party"), total=number("Total", 2),
               lines=lines(due=definitions.date("Due"), amount=number("Amount", 2)))  # fmt: skip
INVOICED = posting(
    "invoiced", "invoice",
    debit("settings.receivable", "line.amount", each="lines", due="line.due", **PARTY),
    credit("settings.revenue", "SUM(lines.amount)"), date="day",
)  # fmt: skip
PAYMENT = form("payment", day=definitions.date(), party=link("Party", "party"), invoice=link("Invoice", "invoice"),
               amount=number("Amount", 2), off=number("Written off", 2))  # fmt: skip
PAID = posting(
    "paid", "payment",
    debit("settings.bank", "amount"), debit("settings.expense", "off"),
    credit("settings.receivable", "off", settles="invoice", **PARTY),
    credit("settings.receivable", "amount", settles="invoice", **PARTY), date="day",
)  # fmt: skip


def invoice(store: Store, *parts: str, day: str = "2026-03-01", dues: tuple[str, ...] = ()) -> dict[str, Any]:
    given = [
        {"amount": each, "due": due} for each, due in zip(parts, dues or [day] * len(parts), strict=True)
    ]
    return store.do("invoice", day=day, party=store.named["Acme"], lines=given)


def pay(
    store: Store, of: dict[str, Any], amount: str, day: str = "2026-03-02", **more: Any
) -> dict[str, Any]:
    return store.do("payment", day=day, party=store.named["Acme"], invoice=of["id"], amount=amount, **more)


def left(store: Store, day: date | None = None) -> list[D]:
    found = reading.list_open(SYSTEM, "general", {"account": store.named["receivable"]}, day)
    return [each.left for each in found]
