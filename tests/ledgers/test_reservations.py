"""What is only reserved: it counts as taken, is used in parts, expires and is given back."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import Invalid
from formloop.forms import service as records
from formloop.ledgers import expiring, periods, reading
from formloop.ledgers.verifying import verify
from ledgers import store as definitions
from ledgers.store import Store, form, link, number, posting

HELD = form("held", day=definitions.date(), until=definitions.date("Until"), place=link("Place", "place"),
            item=link("Item", "item"), quantity=number("Quantity"))  # fmt: skip
HOLDING = posting("holding", "held", {"ledger": "stock", "item": "item", "place": "place", "quantity": "-quantity",
                                      "pending": True, "expires": "until"}, date="day")  # fmt: skip
USING = posting("using", "taken", {"ledger": "stock", "item": "item", "place": "place", "quantity": "-quantity",
                                   "uses": "held"}, definitions.debit("settings.cost", "-entries.stock.value"),
                definitions.credit("settings.stock", "-entries.stock.value"), date="day")  # fmt: skip
TAKEN = form("taken", day=definitions.date(), place=link("Place", "place"), item=link("Item", "item"),
             quantity=number("Quantity"), held=link("Held", "held"))  # fmt: skip


@pytest.fixture
def store(database: Any) -> Iterator[Store]:
    made = Store(HELD, HOLDING, TAKEN, USING)
    made.buy("10", "2")
    yield made
    assert verify() == []


def hold(store: Store, quantity: str, until: str | None = None) -> dict[str, Any]:
    return store.do("held", item=store.bolt, place=store.main, quantity=quantity, until=until)


def use(store: Store, quantity: str, held: dict[str, Any] | None = None) -> dict[str, Any]:
    more = {"held": held["id"]} if held else {}
    return store.do("taken", item=store.bolt, place=store.main, quantity=quantity, **more)


def reserved(store: Store) -> Any:
    row = reading.find_balance("stock", {"item": store.bolt, "place": store.main})
    return -row["r_quantity"] if row else 0


def test_what_is_reserved_cannot_be_taken_by_others(store: Store) -> None:
    held = hold(store, "8")
    with pytest.raises(Invalid) as error:
        use(store, "3")
    assert error.value.problems[0].code == "never:below_zero"
    with pytest.raises(Invalid):
        hold(store, "3")
    use(store, "5", held)
    assert (reserved(store), store.there()[0]) == (3, 5)
    use(store, "3", held)
    assert (reserved(store), store.there()[0]) == (0, 2)


def test_an_undone_use_reserves_again(store: Store) -> None:
    held = hold(store, "8")
    used = use(store, "5", held)
    store.cancel("taken", used)
    assert (reserved(store), store.there()) == (8, (10, 20))
    use(store, "8", held)
    assert (reserved(store), store.there()[0]) == (0, 2)


def test_a_cancelled_reservation_gives_back_what_was_not_used(store: Store) -> None:
    held = hold(store, "8")
    use(store, "5", held)
    store.cancel("held", held)
    assert (reserved(store), store.there()[0]) == (0, 5)
    use(store, "5")


def test_an_expired_reservation_stands_in_nobodys_way(store: Store) -> None:
    hold(store, "8", until="2026-03-05")
    with clock.stopped_at(clock.now().replace(year=2027)):
        use(store, "9")
    assert (reserved(store), store.there()[0]) == (0, 1)


def test_expired_reservations_are_given_back_once_a_day(store: Store) -> None:
    hold(store, "4", until="2098-01-01")
    hold(store, "4", until=str(date(2100, 1, 1)))
    with clock.stopped_at(clock.now().replace(year=2099)):
        assert expiring.release_expired() == 1
        assert expiring.release_expired() == 0
    assert reserved(store) == 4


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_of_a_reservation_used_in_part_the_rest_is_given_back_to_the_last_digit(store: Store) -> None:
    for total, used in (("3", "2"), ("7", "1"), ("6", "1"), ("3.5", "2")):
        held = hold(store, total)
        use(store, used, held)
        store.cancel("held", held)
        assert reserved(store) == 0


def test_what_is_reserved_since_a_day_that_is_closed_now_is_changed_and_not_moved_into_one(
    store: Store,
) -> None:
    held = store.do("held", item=store.bolt, place=store.main, quantity="8", day="2026-01-07")
    periods.close(SYSTEM, "accounting", date(2026, 1, 15))
    records.change_record(SYSTEM, "held", held["id"], {"quantity": "5"})
    assert reserved(store) == 5
    with pytest.raises(Invalid) as error:
        records.change_record(SYSTEM, "held", held["id"], {"day": "2026-01-08"})
    assert error.value.problems[0].code == "closed"
    periods.close(SYSTEM, "accounting", date(2026, 2, 28))
    records.change_record(SYSTEM, "held", held["id"], {"quantity": "6"})
    assert reserved(store) == 6
    store.cancel("held", held)
    assert reserved(store) == 0
