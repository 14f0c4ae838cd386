"""Datasets over ledgers: balances, what is reserved of them, entries; within everybody's rights."""

from decimal import Decimal
from typing import Any

import pytest

from datasets.conftest import dataset
from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.definitions import kinds
from formloop.core.errors import Forbidden, Invalid
from formloop.datasets import publisher_rights, service
from formloop.datasets.kind import references
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms.listing import Query
from forms.conftest import publish, role
from ledgers.store import MOVE, Store, document, posting

BALANCES = {"ledger": "stock", "per": ["item", "place", "lot"]}
RESERVE = {"ledger": "stock", **MOVE, "quantity": "-line.quantity", "pending": True}


@pytest.fixture
def store(database: Any) -> Store:
    return Store(
        document("promise"), posting("promise_posting", "promise", RESERVE, each="lines", date="day")
    )


def rows(key: str, actor: Actor = SYSTEM) -> list[dict[str, Any]]:
    found = service.list_rows(actor, key).rows
    return [{k: v for k, v in row.items() if not k.startswith("_")} for row in found]


def person(account: str, *grants: dict[str, Any]) -> Actor:
    publish(role(account, *grants))
    return get_actor(people.add_person(SYSTEM, account, account.title(), roles=[account]))


def test_balances_are_listed_with_names_and_what_is_free(store: Store) -> None:
    columns = {
        "item": "item.name",
        "place": "place",
        "there": "quantity",
        "free": "quantity - reserved.quantity",
    }
    publish(dataset("free_stock", {"ledger": "stock"}, {**columns, "lot": "lot"}, where="quantity <> 0"))
    store.buy("10", "2.5")
    store.do("promise", {"quantity": "4"}, place=store.main)
    assert rows("free_stock") == [
        {"item": "bolt", "place": store.main, "there": Decimal(10), "free": Decimal(6), "lot": None}
    ]


def test_entries_are_added_up_exactly_on_any_day(store: Store) -> None:
    publish(
        dataset(
            "turnover",
            {"ledger": "stock", "of": "entries"},
            {"item": "item", "month": 'TEXT(date, "yyyy-mm")', "quantity": "quantity", "value": "value"},
            where="NOT pending",
            group=["item", "month"],
            measures={"quantity": "SUM(quantity)", "value": "SUM(value)"},
        )
    )
    store.buy("3", "0.1", day="2026-03-01")
    store.buy("3", "0.2", day="2026-03-31")
    store.take("1", day="2026-04-01")
    store.do("promise", {"quantity": "1"}, day="2026-04-02", place=store.main)
    found = rows("turnover")
    assert [(row["month"], row["quantity"], row["value"]) for row in found] == [
        ("2026-03", Decimal(6), Decimal("0.9")),
        ("2026-04", Decimal(-1), Decimal("-0.15")),
    ]


def test_a_column_shows_what_was_asked_for(store: Store) -> None:
    given = {"day": {"type": "string", "format": "date", "title": "Day"}}
    for of in ("entries", "balances"):
        source = {"ledger": "stock", "of": of}
        publish(dataset(f"asked_{of}", source, {"asked": "parameters.day", "item": "item"}, parameters=given))
        store.buy("10", "2.5")
        found = service.read_all(SYSTEM, f"asked_{of}", {"day": "2026-03-01"})
        assert {str(row["asked"]) for row in found} == {"2026-03-01"}


def test_a_ledger_is_joined_to_a_form(store: Store) -> None:
    total = dataset(
        "by_item",
        BALANCES,
        {"item": "item", "quantity": "quantity"},
        group=["item"],
        measures={"quantity": "SUM(quantity)"},
    )
    items = dataset("items", "item", {"name": "name", "there": "stock.quantity"}, sort=["name"],
                    join={"stock": {"from": {"dataset": "by_item"}, "on": {"item": "id"}}})  # fmt: skip
    publish(total, items)
    store.make("item", "nut")
    store.buy("10", "1")
    assert rows("items") == [{"name": "bolt", "there": Decimal(10)}, {"name": "nut", "there": None}]


def test_balances_stand_beside_records_and_are_read_page_by_page(store: Store) -> None:
    store.buy("10", "2")
    store.make("item", "washer")
    union = [{"from": "item", "columns": {"item": "id", "there": "0"}}]
    columns = {"item": "item", "there": "quantity"}
    publish(dataset("both", {"ledger": "stock"}, columns, union=union, sort=["-there"]))
    found, after = list[Any](), None
    while True:
        page = service.list_rows(SYSTEM, "both", Query(limit=1, after=after))
        found += [(row["item"], row["there"]) for row in page.rows]
        if (after := page.next) is None:
            break
    assert found == [(store.bolt, 10), (store.bolt, 0), (store.named["washer"], 0)]


def test_everybody_sees_what_their_grants_on_the_ledger_give(store: Store) -> None:
    other = store.make("place", "other")
    columns = {"place": "place", "quantity": "quantity", "value": "value"}
    publish(
        dataset("worth", {"ledger": "stock"}, columns, measures={"n": "COUNT(rows)", "value": "SUM(value)"})
    )
    publish(dataset("plain", {"ledger": "stock"}, columns, sort=["quantity"]))
    store.buy("10", "1")
    store.buy("5", "1", place=other)
    keeper = person(
        "keeper", {"ledger": "stock", "may": ["view"], "where": 'place.name = "other"', "except": ["value"]}
    )
    stranger = person("stranger", {"form": "item", "may": ["view"]})
    assert rows("plain", keeper) == [{"place": other, "quantity": Decimal(5), "value": None}]
    assert rows("worth", keeper) == [{"n": 1, "value": None}]
    assert [row["value"] for row in rows("plain")] == [Decimal(5), Decimal(10)]
    with pytest.raises(Forbidden):
        service.list_rows(stranger, "plain")


@pytest.mark.parametrize(
    ("source", "columns", "code", "at"),
    [
        ({"ledger": "nothing"}, {"a": "quantity"}, "no_ledger", "from.ledger"),
        ({"ledger": "stock", "per": ["item"]}, {"a": "quantity"}, "no_balances", "from.per"),
        ({"ledger": "stock"}, {"a": "date"}, "unknown_name", "columns.a"),
        ({"ledger": "stock", "of": "entries"}, {"a": "reserved.quantity"}, "unknown_name", "columns.a"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    store: Store, source: Any, columns: Any, code: str, at: str
) -> None:
    problems = kinds.get("dataset").check(dataset("d", source, columns), library.VIEW)
    assert (code, at) in [(problem.code, problem.at) for problem in problems]
    if code != "no_ledger":
        assert references(dataset("d", source, columns)) == {("ledger", "stock")}


def test_nobody_publishes_what_they_may_not_see_of_a_ledger(store: Store) -> None:
    publisher_rights.enroll()
    builder = person(
        "builder",
        {"on": "definition", "may": ["design"]},
        {"ledger": "stock", "may": ["view"], "except": ["value"]},
    )
    definitions.publish_many(builder, [dataset("d", {"ledger": "stock"}, {"a": "reserved.quantity"})])
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(builder, [dataset("e", {"ledger": "stock"}, {"a": "reserved.value"})])
    assert [p.code for p in refused.value.problems] == ["reads_hidden"]


def test_nobody_publishes_through_which_day_a_ledger_is_closed_that_they_see_nothing_of(store: Store) -> None:
    publisher_rights.enroll()
    doc = dataset("closed", {"period": "stock"}, {"through": "closed_through"})
    designs = {"on": "definition", "may": ["design"]}
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(person("stranger", designs), [doc])
    assert [p.code for p in refused.value.problems] == ["reads_hidden"]
    keeper = person("keeper", designs, {"ledger": "stock", "may": ["view"], "except": ["value"]})
    definitions.publish_many(keeper, [doc])
