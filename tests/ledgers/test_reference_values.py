"""Worked figures of reference cases for valuation which no form of the packs shows: units of lines, balances of suppliers
and customers. All others are in `packs/test_reference_values.py`."""

from decimal import Decimal as D
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.ledgers.asof import balance_at
from formloop.ledgers.kind import get_ledger
from ledgers import store as definitions
from ledgers.store import Store


@pytest.fixture
def fifo(store: Store) -> Store:
    store.bolt = store.make("item", "nut", valuation="fifo")
    return store


def average(store: Store) -> D:
    quantity, value = store.there()
    return D(value / quantity)


def test_val_05_first_in_first_out_in_two_units(fifo: Store) -> None:
    """Grams are turned into kilograms by the document, 0.025 a gram into 25 a kilogram."""
    fifo.buy("4", "10")
    fifo.buy("2", "25")
    assert average(fifo) == 15
    issues = [fifo.take(quantity) for quantity in ("3", "1", "1")]
    assert [fifo.worth(each)[0] for each in issues] == [-30, -10, -25]
    assert average(fifo) == 25


PLACES = {
    **definitions.head("ledger", "moves"),
    "dimensions": {"item": {"form": "item"}, "place": {"form": "place"}},
    "measures": {"quantity": {"scale": 6}},
    "balanced": [{"id": "nothing_lost", "sum": {"quantity": 1}, "by": ["item"]}],
}
MOVING = definitions.form("moving", day=definitions.date(), source=definitions.link("From", "place"),
                          target=definitions.link("To", "place"), item=definitions.link("Item", "item"),
                          quantity=definitions.number("Quantity"))  # fmt: skip


def _moving(key: str, on: str, **more: Any) -> Any:
    return definitions.posting(
        key, "moving",
        {"id": "out", "ledger": "moves", "item": "item", "place": "source", "quantity": "-quantity", **more},
        {"id": "into", "ledger": "moves", "item": "item", "place": "target", "quantity": "quantity", **more},
        date="day",
    ) | {"on": on}  # fmt: skip


def test_val_25_quantities_as_of_a_date_with_planned_moves_in_the_future_only(database: Any) -> None:
    from datetime import date, timedelta

    from formloop.forms import service

    done = _moving("moving_done", "state:done")
    planned = _moving("moving_planned", "state:draft", pending=True) | {
        "until": ["state:done", "state:cancelled"]
    }
    store = Store(PLACES, MOVING, done, planned)
    named = {each: store.make("place", each) for each in ("supplier", "storage", "customer")}
    today = date(2026, 3, 20)

    def move(day: int, source: str, target: str, quantity: str) -> dict[str, Any]:
        said = {"day": str(today + timedelta(day)), "item": store.bolt, "quantity": quantity}
        return service.create(SYSTEM, "moving", {**said, "source": named[source], "target": named[target]})

    for day, source, target, quantity in (
        (-5, "supplier", "storage", "10"), (-4, "supplier", "storage", "15"), (-3, "storage", "customer", "5"),
    ):  # fmt: skip
        service.set_state(SYSTEM, "moving", move(day, source, target, quantity)["id"], "done")
    move(5, "supplier", "storage", "3")

    def there(place: str, day: int) -> D:
        dims = {"item": store.bolt, "place": named[place]}
        return balance_at(get_ledger("moves"), dims, today + timedelta(day))["quantity"]

    assert [there("storage", day) for day in (-6, -5, -4, -3, 0)] == [0, 10, 25, 20, 20]
    from formloop.ledgers.reading import find_balance

    row = find_balance("moves", {"item": store.bolt, "place": named["storage"]})
    assert row is not None and row["m_quantity"] + row["r_quantity"] + row["e_quantity"] == 23
    assert [there("supplier", -5), there("storage", -5)] == [-10, 10]
    assert [there(each, -3) for each in named] == [-25, 20, 5]
