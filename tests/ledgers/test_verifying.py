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
from ledgers.store import STOCK, Store

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


def at_day_end() -> Store:
    return Store(stock={**STOCK, "valuation": {**STOCK["valuation"], "same_day": "day_end"}})


def test_a_wrong_value_where_issues_cost_what_their_day_ends_with(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only moving averages do; an issue first in, first out for 1 too much is told with what it should be."""
    store = at_day_end()
    nut = store.make("item", "nut", valuation="fifo")
    store.buy("10", "2", item=nut)
    fifo = METHODS["fifo"]

    def too_dear(stock: Stock, move: Move) -> Outcome:
        right = fifo(stock, move)
        return right._replace(value=right.value - 1, stock=right.stock._replace(value=right.stock.value - 1))

    with monkeypatch.context() as wrong:
        wrong.setitem(METHODS, "fifo", too_dear)
        store.take("4", item=nut)
    (found,) = verify()
    assert (found.params["found"], found.params["wanted"]) == (-9, -8)


def test_issues_at_the_cost_of_the_end_of_their_day_are_no_mistake(database: Any) -> None:
    store = at_day_end()
    first = store.buy("1", "100", day="2026-03-01")
    taken = store.take("2", day="2026-03-02", place=store.make("place", "short", negative=True))
    store.cancel("issue", taken)
    store.buy("2", "130", day="2026-03-02")
    store.take("1", day="2026-03-02")
    store.buy("2", "120", day="2026-03-02")
    assert verify() == []
    store.buy("1", "130", day="2026-03-01")
    store.cancel("receipt", first)
    assert verify() == []


@pytest.mark.parametrize("method", ["fifo", "moving_average"])
def test_what_was_carried_to_a_shortage_tells_what_issues_cost_there_whatever_is_entered_first(
    store: Store, method: str
) -> None:
    nut, short = store.make("item", "nut", valuation=method), store.make("place", "short", negative=True)
    store.buy("10", "9", item=nut)
    store.take("9", item=nut, place=short)
    store.do("transfer", {"item": nut, "quantity": "2"}, day="2026-03-02", target=short)
    later = store.take("4", day="2026-03-05", item=nut, place=short)
    earlier = store.take("4", day="2026-03-03", item=nut, place=short)
    assert (store.worth(earlier), store.worth(later), verify()) == ([-36], [-36], [])


def test_a_shortage_is_covered_at_the_cost_of_the_end_of_its_day(database: Any) -> None:
    store = at_day_end()
    short = store.make("place", "short", negative=True)
    taken = store.take("7", day="2026-03-05", place=short)
    store.buy("1", "17", day="2026-03-05", place=short)
    store.take("1", day="2026-03-06", place=short)
    store.take("2", day="2026-03-02", place=short)
    assert store.worth(taken) == [-119]
    covering = store.buy("3", "5", day="2026-03-05", place=short)
    assert (store.worth(covering), verify()) == ([D("39.67")], [])


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
