"""Statements begin with balances instead of reading every entry, and say the same."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from databases import Begun
from datasets.conftest import dataset
from datasets.test_statements import CARD, MARCH, TRIAL, reader, rows, stocked
from formloop.access.actor import SYSTEM, Actor
from formloop.core.errors import Invalid
from formloop.datasets import service
from formloop.datasets.kind import get_dataset
from formloop.datasets.sources.ledger import LedgerOrigin
from formloop.db import connection, transactional
from formloop.ledgers import periods
from forms.conftest import publish
from ledgers.store import GENERAL, Store

ENTRIES = {"ledger": "stock", "of": "entries"}
DAY = {"day": {"type": "string", "format": "date"}}
UNTIL = "NOT pending AND date <= parameters.day"
SUMS = {"quantity": "SUM(quantity)", "value": "SUM(value)"}
PLACE = {"item": "item", "place": "place", "quantity": "quantity", "value": "value"}
AS_OF = dataset("as_of", ENTRIES, PLACE, parameters=DAY, where=UNTIL, group=["item", "place"], measures=SUMS)
MOVED = dataset(
    "moved",
    ENTRIES,
    {**PLACE, "now": "date >= parameters.since", "place": "place.name"},
    parameters={**DAY, "since": DAY["day"]},
    where='date <= parameters.day AND NOT pending AND (ISBLANK(parameters.since) OR item.name <> "x")',
    group=["place"],
    measures={
        "got": "SUMIF(quantity, now AND quantity > 0)",
        "worth": "IF(SUMIF(value, NOT now) > 0, SUMIF(value, NOT now), 0)",
        "share": "ROUND(SUM(value) / SUM(quantity), 4)",
    },
)


def story(seed: int, steps: int = 60) -> Store:
    """Receipts, issues and moves on days in any order, some taken back, a month closed in between."""
    random, store = Random(seed), Store(general={**GENERAL, "balances": [["account"]]})
    items = [store.bolt, store.make("item", "nut"), store.make("item", "pin", valuation="fifo")]
    places, done = [store.main, store.make("place", "shed")], list[tuple[str, dict[str, Any]]]()
    for step in range(steps):
        day = str(date(2026, 1, 1) + timedelta(random.randrange(150)))
        row = {"item": random.choice(items), "place": random.choice(places)}
        quantity, price = str(random.randrange(1, 40) / 4), str(random.randrange(1, 999) / 100)
        try:
            if done and step % 7 == 3:
                store.cancel(*done.pop(random.randrange(len(done))))
            elif step % 2:
                done.append(("issue", store.take(quantity, day=day, **row)))
            else:
                done.append(("receipt", store.buy(quantity, price, day=day, **row)))
        except Invalid:
            continue  # nothing is there on that day, or the month is closed
        if step == steps // 2:
            periods.close(SYSTEM, "accounting", date(2026, 1, 31))
    return store


def both_ways(key: str, actor: Actor = SYSTEM, **given: str) -> list[dict[str, Any]]:
    """The rows, which are the same when every entry is read."""
    (origin,) = [part.origin for part in get_dataset(key).parts]
    assert isinstance(origin, LedgerOrigin) and origin.summing is not None
    quick, summing = rows(key, actor, **given), origin.summing
    origin.summing = None
    try:
        assert quick == rows(key, actor, **given)
    finally:
        origin.summing = summing
    return quick


@pytest.mark.parametrize("seed", [1, 2])
def test_statements_from_balances_are_those_from_entries(database: Any, seed: int) -> None:
    store = story(seed)
    publish(CARD, TRIAL, AS_OF, MOVED)
    one_place = reader(
        {"ledger": "stock", "may": ["view"], "where": 'place.name = "shed"', "except": ["value"]},
        {"ledger": "stock", "may": ["view"], "where": "ISBLANK(lot)"},
    )
    random, filled = Random(seed), 0
    for _ in range(12):
        day = date(2025, 12, 20) + timedelta(random.randrange(200))
        first, last = sorted((day, date(2025, 12, 31) + timedelta(random.choice((31, 59, 90, 120, 200)))))
        span = {"since": str(first), "until": str(last)}
        filled += len(both_ways("card", **span)) + len(both_ways("trial", **span))
        filled += len(both_ways("as_of", day=str(last)))
        both_ways("moved", day=str(last), since=str(first))
        both_ways("as_of", one_place, day=str(last))
    assert filled > 100 and both_ways("as_of", day="2026-12-31")[0]["item"] == store.bolt


def test_what_came_to_nothing_is_there_as_well(begun: Begun) -> None:
    store = begun(stocked)
    publish(AS_OF)
    store.cancel("receipt", store.buy("1", "5", day="2026-02-01", item=store.make("item", "pin")))
    assert [row["quantity"] for row in both_ways("as_of", day="2026-02-02")][-1] == 0
    assert [row["item"] for row in both_ways("as_of", day="2026-01-31")] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        {"where": "date <= parameters.day"},  # pending entries are in no balance of what is there
        {"where": f"{UNTIL} AND quantity > 0"},
        {"where": "NOT pending AND date <= parameters.day + LEN(item.name)"},
        {"columns": {**PLACE, "place": "document"}},
        {"columns": {**PLACE, "place": "date"}},
        {"columns": {**PLACE, "value": "quantity * value"}},
        {"columns": {**PLACE, "value": "IF(quantity > 0, value)"}},
        {"measures": {"value": "MAX(value)"}},
        {"measures": {"value": "COUNT(rows)"}},
        {"measures": {"value": "SUMIF(value, quantity > 0)"}},
    ],
)
def test_what_asks_for_single_entries_reads_them(begun: Begun, change: dict[str, Any]) -> None:
    begun(stocked)
    publish({**AS_OF, **change})
    (origin,) = [part.origin for part in get_dataset("as_of").parts]
    assert isinstance(origin, LedgerOrigin) and origin.summing is None
    assert rows("as_of", day="2026-03-31")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_older_entries_cost_a_statement_nothing(begun: Begun) -> None:
    store = begun(stocked)
    publish(CARD, TRIAL, AS_OF)
    pin = store.make("item", "pin")
    store.buy("1", "2", day="2026-02-10", item=pin)
    asked: list[Callable[[], Any]] = [
        lambda: service.read_all(SYSTEM, "card", MARCH),
        lambda: service.read_all(SYSTEM, "trial", MARCH),
        lambda: service.read_all(SYSTEM, "as_of", {"day": "2026-03-31"}),
    ]
    before = [work_of(each) for each in asked]
    for _ in range(60):
        store.buy("1", "2", day="2026-02-10", item=pin)
    assert all(work_of(each) < most * 1.05 for each, most in zip(asked, before, strict=True))


@transactional
def work_of(read: Callable[[], Any]) -> int:
    """How many steps the database takes to answer."""
    steps, driver = [0], connection().connection.driver_connection

    def count() -> int:
        steps[0] += 1
        return 0

    driver.set_progress_handler(count, 1)  # type: ignore[union-attr]
    try:
        read()
    finally:
        driver.set_progress_handler(None, 0)  # type: ignore[union-attr]
    return steps[0]
