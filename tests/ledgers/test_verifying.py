"""What the doctor says of ledgers in which something went wrong, made here by taking a guard out."""

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from formloop.db import connection, transactional
from formloop.ledgers import origins, reversing
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.valuations import METHODS, Move, Outcome, Stock
from formloop.ledgers.verifying import verify
from ledgers.invoices import INVOICE, INVOICED, PAID, PAYMENT, invoice
from ledgers.store import Store

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def said() -> list[str]:
    return [each.msgid.partition(": ")[2] for each in verify()]


def test_more_taken_back_than_there_was_and_what_rests_on_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.buy("10", "2")
    taken = store.take("1")
    monkeypatch.setattr(origins, "_require_left", lambda *_: None)
    for _ in range(2):
        store.do("customer_return", {"quantity": "1", "of": taken["lines"][0]["id"]})
    assert said() == ["of the entry {entry} over {amount} {returned} is taken back."]
    monkeypatch.setattr(reversing, "_require_free", lambda *_: None)
    store.cancel("issue", taken)
    assert said()[0].startswith("the entry {entry} is undone, but what takes it back")


def test_a_value_of_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.buy("10", "2")

    def too_cheap(stock: Stock, move: Move) -> Outcome:
        after = Stock(stock.quantity + move.quantity, stock.value + move.quantity)
        return Outcome(after, move.quantity)

    monkeypatch.setitem(METHODS, "moving_average", too_cheap)
    store.take("10")
    assert any(each.startswith("of “{key}” nothing is left, but it is worth {value}") for each in said())


def test_more_settled_than_there_is(database: Any) -> None:
    store = Store(INVOICE, INVOICED, PAYMENT, PAID)
    store.make("party", "Acme")
    of = invoice(store, "100")
    ledger = get_ledger("general")

    @transactional
    def settle_too_much() -> None:
        item, match = ledger.tables.open, ledger.tables.match
        (entry,) = connection().execute(select(item.c.entry)).scalars()
        settled = {"entry": entry, "by_entry": 2, "amount": D(140), "date": date(2026, 3, 1)}
        connection().execute(insert(match), {"id": 1, "posted": of["id"], **settled})
        connection().execute(update(item).values(left=D(-40)))

    settle_too_much()
    assert said() == ["of the open item {entry} over {total} {settled} is settled."]
