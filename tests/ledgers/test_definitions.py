"""What can be wrong with ledgers and postings, what publishing them does, and what the database itself refuses."""

from copy import deepcopy
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from formloop.access.actor import SYSTEM
from formloop.core.definitions import diff
from formloop.core.errors import Invalid
from formloop.db import connection, reading, transactional
from formloop.definitions import service as definitions
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.posting_kind import POSTING
from formloop.ledgers.verifying import verify
from ledgers.store import GENERAL, IN_VALUE, PER_LINE, STOCK, Store, only, posting


def codes(error: Any) -> list[str]:
    return [p.code for p in error.value.problems]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize("change, code, at", [
    ({"dimensions": {"item": {"form": "nothing"}}}, "no_form", "dimensions.item.form"),
    ({"never": [{"id": "x", "measure": "weight", "below": 0}]}, "unknown", "never.0.measure"),
    ({"balances": [["colour"]]}, "unknown", "balances.0"),
    ({"valuation": {"method": "item.nothing", "quantity": "quantity", "value": "value"}}, "unknown_name", "valuation.method"),
    ({"valuation": {**STOCK["valuation"], "when": "ISBLANK(lot)"}}, "not_per", "valuation.when"),
    ({"measures": {"variance": {"scale": 2}}, "valuation": None, "never": None, "agrees": None}, "reserved",
     "measures.variance"),
])  # fmt: skip
def test_a_ledger_with_a_mistake_says_where(store: Store, change: Any, code: str, at: str) -> None:
    with pytest.raises(Invalid) as error:
        definitions.publish_many(SYSTEM, [only({**STOCK, **change})], "test")
    assert any(p.code == code and p.at.endswith(at) for p in error.value.problems), error.value.problems


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize("entry, code", [
    ({**IN_VALUE, "colour": "line.item"}, "unknown"),
    ({**IN_VALUE, "item": "line.lot"}, "other_form"),
    ({**IN_VALUE, "item": None}, "no_dimension"),
    ({**IN_VALUE, "carries": "later"}, "no_entry"),
    ({**IN_VALUE, "quantity": None, "value": None}, "no_measure"),
    ({**IN_VALUE, "returns": "line.of", "adds_to": "line.of"}, "two_ways"),
    ({"ledger": "nothing", "quantity": "1"}, "no_ledger"),
    ({"ledger": "general", "account": "settings.stock", "debit": "1", "returns": "line.of"}, "not_valued"),
])  # fmt: skip
def test_a_posting_with_a_mistake_says_where(store: Store, entry: Any, code: str) -> None:
    with pytest.raises(Invalid) as error:
        definitions.publish_many(SYSTEM, [only(posting("wrong", "receipt", entry, **PER_LINE))], "test")
    assert code in codes(error)


def test_a_ledger_grows_by_an_optional_dimension_and_keeps_its_balances(store: Store) -> None:
    store.buy("3", "2")
    wider = deepcopy(STOCK)
    wider["dimensions"]["party"] = {"form": "party", "optional": True}
    wider["balances"] = [["item"]]
    definitions.publish_many(SYSTEM, [wider], "test")
    assert store.there() == (3, 6)
    store.buy("1", "2")
    assert store.there() == (4, 8)
    assert verify() == []


@pytest.mark.parametrize("change", [
    {"measures": {"quantity": {"scale": 3}, "value": {"scale": 2}}},
    {"dimensions": {key: STOCK["dimensions"][key] for key in ("item", "place")}},
    {"valuation": {**STOCK["valuation"], "per": ["item"]}},
    {"valuation": {**STOCK["valuation"], "when": "place.negative"}},
])  # fmt: skip
def test_what_entries_mean_does_not_change(store: Store, change: Any) -> None:
    store.buy("3", "2")
    with pytest.raises(Invalid) as error:
        definitions.publish_many(SYSTEM, [{**STOCK, **change}], "test")
    assert set(codes(error)) <= {"has_entries", "breaks"}


@transactional
def run(statement: str) -> None:
    connection().execute(text(statement))


@pytest.mark.parametrize("statement", [
    "UPDATE fl_entry_stock SET m_quantity = 5",
    "DELETE FROM fl_entry_stock",
    "UPDATE fl_posted SET sealed = false WHERE sealed",
    "UPDATE fl_balance_stock SET m_quantity = -1",
    "INSERT INTO fl_entry_general (id, posted, rule, line, date, way, key, m_debit) "
    "SELECT 1, id, 0, 0, date, 'plain', 'x', 1 FROM fl_posted",
])  # fmt: skip
def test_the_database_refuses_what_no_program_should_do(store: Store, statement: str) -> None:
    store.buy("3", "2")
    with pytest.raises(DBAPIError):
        run(statement)
    assert store.there() == (3, 6)


def test_the_database_refuses_a_group_that_does_not_balance(store: Store) -> None:
    store.buy("3", "2")
    with pytest.raises(DBAPIError):
        _one_sided()


@transactional
def _one_sided() -> None:
    conn = connection()
    conn.execute(text(
        "INSERT INTO fl_posted (id, source, purpose, posting, version, form, record, date, at) "
        "SELECT 7, 'x', purpose, posting, version, form, record, date, at FROM fl_posted"))  # fmt: skip
    conn.execute(text(
        "INSERT INTO fl_entry_general (id, posted, rule, line, date, way, key, m_debit) "
        "SELECT 8, 7, 0, 0, date, 'plain', 'x', 100 FROM fl_posted WHERE id = 7"))  # fmt: skip
    conn.execute(text("UPDATE fl_posted SET sealed = true WHERE id = 7"))


def test_a_document_is_entered_once_however_often_it_is_saved(store: Store) -> None:
    from formloop.forms import service
    from formloop.forms.service import How

    receipt = store.buy("3", "2")
    line = receipt["lines"][0]
    how = How(trusted=True, unlocked=True)
    service.change_record(SYSTEM, "receipt", receipt["id"], {"lines": [line]}, how=how)
    table = get_ledger("stock").tables.entry
    with reading() as conn:
        assert len(conn.execute(select(table.c.id)).all()) == 1
    service.change_record(SYSTEM, "receipt", receipt["id"], {"lines": [{**line, "price": "5"}]}, how=how)
    assert store.there() == (3, 15)
    assert store.account("stock") == 15
    assert GENERAL["x-key"] == "general"


def test_what_a_posting_entered_is_valued_again_also_when_it_is_out_of_use(store: Store) -> None:
    store.buy("10", "2", day="2026-03-01")
    issue = store.take("5", day="2026-03-05")
    definitions.archive(SYSTEM, only(posting("issue_posting", "issue"))["x-id"])
    store.buy("10", "4", day="2026-03-03")
    assert store.worth(issue) == [-15]
    assert store.account("cost") == 15
    assert verify() == []


def test_what_a_posting_entered_is_reversed_also_when_it_is_out_of_use(store: Store) -> None:
    receipt = store.buy("3", "2")
    definitions.archive(SYSTEM, only(posting("receipt_posting", "receipt"))["x-id"])
    store.cancel("receipt", receipt)
    assert store.there() == (0, 0)
    assert verify() == []


def test_what_follows_from_a_changed_value_keeps_open_items_of_its_own(store: Store) -> None:
    from formloop.forms import service
    from formloop.ledgers import reading as ledgers

    service.change_record(SYSTEM, "books", store.books, {"cost": store.named["receivable"]})
    store.buy("10", "2", day="2026-03-01")
    store.take("5", day="2026-03-05")
    store.buy("10", "4", day="2026-03-03")
    found = ledgers.list_open(SYSTEM, "general", {"account": store.named["receivable"]}, None)
    assert sum(each.left for each in found) == 15


def test_a_posting_says_which_entry_changed_and_how(store: Store) -> None:
    line = {"ledger": "stock", "item": "line.item", "place": "place"}
    entries = {**line, "quantity": "-line.quantity"}, {**line, "id": "second", "quantity": "1"}
    old = posting("told", "receipt", *entries, **PER_LINE)
    new = deepcopy(old)
    new["entries"][1]["quantity"] = "line.quantity"
    (change,) = diff(old, new, POSTING)
    assert change.path == ("entries", "1", "quantity")
    assert change.describe() == "Entry 2 (Stock · second) › quantity changed from “1” to “line.quantity”."
    assert "第 2 条分录" in change.describe("zh-CN")
    del new["entries"][0]
    told = [each.describe() for each in diff(old, new, POSTING)]
    assert told[0] == "Entry 1 (Stock) was removed."
    assert told[1].startswith("Entry 1 (Stock · second) › quantity changed from")
    assert diff(new, new, POSTING) == []


def test_a_misspelt_measure_is_told_once(store: Store) -> None:
    entry = {"ledger": "stock", "item": "line.item", "place": "place", "quantity": "line.quantitty"}
    with pytest.raises(Invalid) as error:
        definitions.publish_many(SYSTEM, [posting("wrong", "receipt", entry, **PER_LINE)], "test")
    assert codes(error) == ["unknown_name"]
