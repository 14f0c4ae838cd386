"""Who may see which cells of a ledger: a hidden dimension tells nothing, neither in a row nor when it is asked for."""

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.definitions import library
from formloop.ledgers import explaining, reading
from formloop.ledgers.publisher_rights import check_posting
from formloop.ledgers.tracing import trace
from forms.conftest import publish, role
from ledgers.store import OUT, PER_LINE, Store, debit, document, form, lines, link, posting, text

DAYS = (None, date(2026, 4, 1))


def reader(*grants: dict[str, Any]) -> Actor:
    publish(role("reader", *({"ledger": "stock", "may": ["view"], **each} for each in grants)))
    return get_actor(people.add_person(SYSTEM, "reader", "Reader", roles=["reader"]))


@pytest.fixture
def lots(store: Store) -> dict[str, int]:
    shed, plain, secret = store.make("place", "shed"), store.make("lot", "plain"), store.make("lot", "secret")
    store.buy("5", "2", lot=plain)
    store.buy("7", "3", lot=secret, place=shed)
    store.buy("9", "3", lot=plain, place=shed)
    return {"main": store.main, "shed": shed, "plain": plain, "secret": secret}


@pytest.mark.parametrize("day", DAYS)
def test_a_dimension_hidden_in_some_rows_is_empty_there(lots: dict[str, int], day: date | None) -> None:
    somebody = reader(
        {"where": 'place.name = "main"'}, {"where": 'place.name = "shed"', "except": ["lot", "value"]}
    )

    def found(**dims: int) -> list[Any]:
        rows = reading.list_balances(somebody, "stock", dims, day, per=("place", "lot")).rows
        return [(r.dims["place"], r.dims["lot"], r.amounts["quantity"], r.amounts["value"]) for r in rows]

    main, shed = (lots["main"], lots["plain"], D(5), D(10)), (lots["shed"], 0, D(16), None)
    assert found() == [main, shed]
    assert found(lot=lots["plain"]) == [main]
    assert found(lot=lots["secret"]) == []
    assert len(explaining.list_entries(somebody, "stock", {"lot": lots["plain"]})) == 1


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_finds_out_by_asking_for_a_dimension_that_is_hidden(
    lots: dict[str, int], day: date | None
) -> None:
    blind = reader({"except": ["lot"]})
    assert reading.list_balances(blind, "stock", {"lot": lots["secret"]}, day).rows == []
    assert explaining.list_entries(blind, "stock", {"lot": lots["secret"]}) == []
    (total,) = reading.list_balances(blind, "stock", {}, day, per=("item", "lot")).rows
    assert (total.amounts["quantity"], "lot" in total.dims) == (21, False)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_way_of_a_lot_ends_where_the_lot_is_hidden(database: Any) -> None:
    out, into = {**OUT, "id": "out"}, {**OUT, "id": "into", "lot": "target", "quantity": "line.quantity"}
    worth = {"value": "-entries.out.value"}
    store = Store(
        document("packing", target=link("Into", "lot")),
        posting("packing_posting", "packing", out, into | worth, **PER_LINE),
    )
    first, second, third = (store.make("lot", each) for each in ("first", "second", "third"))
    shed = store.make("place", "shed")
    store.buy("5", "2", lot=first)
    store.buy("5", "2", lot=second, place=shed)
    store.do("packing", {"quantity": "5", "lot": first}, place=store.main, target=second)
    store.do("packing", {"quantity": "5", "lot": second}, place=shed, target=third)
    assert trace(SYSTEM, "stock", "lot", first, down=True) == [second, third]
    somebody = reader({"where": 'place.name = "main"'}, {"where": 'place.name = "shed"', "except": ["lot"]})
    assert trace(somebody, "stock", "lot", first, down=True) == [second]
    assert trace(somebody, "stock", "lot", third, down=False) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_posting_tells_nobody_what_its_publisher_may_not_see(store: Store) -> None:
    tells = {"there": "before.quantity", "what": "line.item.name", "far": "place.negative"}
    check = {"holds": "before.quantity < 0", "tells": tells, "says": "{there} {what} {far}"}
    doc = posting("telling", "issue", {**OUT, "check": check}, **PER_LINE)
    publish(doc)
    spec = library.published("posting", "telling")
    documents = {"form": "issue", "may": ["view"]}
    whole, part = (
        {"ledger": "stock", "may": ["view"]},
        {"ledger": "stock", "may": ["view"], "except": ["value"]},
    )
    item, place = (
        {"form": "item", "may": ["view"]},
        {"form": "place", "may": ["view"], "except": ["negative"]},
    )
    publish(
        role("seeing_little", documents, part, item, place),
        role("seeing_all", documents, whole, item, place | {"except": []}),
    )
    little, much = (
        get_actor(people.add_person(SYSTEM, key, key, roles=[f"seeing_{key}"])) for key in ("little", "all")
    )
    told = [str(each.message) for each in check_posting(little, spec)]
    assert told == [
        "This message tells what stands in “Stock”, of which you do not see everything.",
        "This message tells May go negative of Place, which you may not see yourself.",
    ]
    assert list(check_posting(much, spec)) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_posting_enters_nothing_that_its_publisher_may_not_see(store: Store) -> None:
    amounts = {"quantity": "-line.price"}
    more = {**OUT, "id": "again", "quantity": "entries.stock.value", "when": 'line.item.name = "bolt"'}
    publish(posting("showing", "issue", {**OUT, **amounts}, more, **PER_LINE))
    spec = library.published("posting", "showing")
    documents, item = ({"form": each, "may": ["view"]} for each in ("issue", "item"))
    stock = {"ledger": "stock", "may": ["view"]}
    publish(
        role("seeing_little", documents | {"except": ["lines.price"]}, stock | {"except": ["value"]}),
        role("seeing_all", documents, item, stock),
    )
    little, much = (
        get_actor(people.add_person(SYSTEM, key, key, roles=[f"seeing_{key}"])) for key in ("little", "all")
    )
    told = [(each.at, str(each.message)) for each in check_posting(little, spec)]
    assert told == [
        ("entries.0", "This posting reads Price of Issue, which you may not see yourself."),
        ("entries.1", "This posting reads Name of Item, which you may not see yourself."),
        ("entries.1", "This posting reads “value” of “Stock”, which you may not see in every entry."),
    ]
    assert list(check_posting(much, spec)) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_lines_that_a_line_names_are_told_by_those_only_who_see_them(store: Store) -> None:
    check = {
        "holds": "line.price < 5",
        "tells": {"price": "line.price", "why": "outer.why"},
        "says": "{price} {why}",
    }
    entry = debit("settings.expense", "1", each="parts.bought.lines", check=check)
    parts = lines(bought=link("Bought by", "receipt"), why=text("Why"))
    publish(form("audit", parts=parts), posting("audited", "audit", entry))
    spec, books = library.published("posting", "audited"), {"ledger": "general", "may": ["view"]}
    audit, receipt, settings = ({"form": key, "may": ["view"]} for key in ("audit", "receipt", "books"))
    publish(
        role("seeing_no_price", audit, books, receipt | {"except": ["lines.price"]}),
        role("seeing_price", audit, books, receipt, settings),
    )
    no_price, price = (
        get_actor(people.add_person(SYSTEM, key, key, roles=[f"seeing_{key}"]))
        for key in ("no_price", "price")
    )
    told = [str(each.message) for each in check_posting(no_price, spec)]
    assert told == [
        "This message tells Price of Receipt, which you may not see yourself.",
        "This posting reads expense of Books, which you may not see yourself.",
    ]
    assert list(check_posting(price, spec)) == []
