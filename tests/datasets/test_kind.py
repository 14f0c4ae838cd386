"""What can be wrong with a dataset is said with its path and the place in the expression."""

import json
from pathlib import Path
from typing import Any

import pytest

from datasets.conftest import dataset
from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.definitions import kinds, parse, write
from formloop.core.errors import Invalid
from formloop.datasets import publisher_rights, service
from formloop.datasets.kind import references
from formloop.definitions import library
from formloop.definitions import service as definitions
from forms.conftest import ITEM, Shop, form, number, publish, role, text

SHARED = Path(__file__).resolve().parents[3] / "shared" / "examples" / "open_demand.dataset.json"
SOLD = {"form": "order", "each": "lines"}


def problems(doc: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    return [(p.code, p.at, p.column) for p in kinds.get("dataset").check(doc, library.VIEW)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize(
    ("doc", "code", "at", "column"),
    [
        (dataset("d", "nothing", {"a": "id"}), "no_form", "from", None),
        (dataset("d", {"form": "order", "each": "rows"}, {"a": "id"}), "no_lines", "from.each", None),
        (dataset("d", {"dataset": "nothing"}, {"a": "id"}), "no_dataset", "from.dataset", None),
        (dataset("d", {"each": "lines"}, {"a": "id"}), "source", "from", None),
        (dataset("d", {"dataset": "paid", "each": "lines"}, {"a": "id"}), "source", "from.each", None),
        (dataset("d", "order", {"a": "total + nmber"}), "unknown_name", "columns.a", 9),
        (dataset("d", "order", {"a": {"value": "total +"}}), "unfinished", "columns.a.value", 8),
        (dataset("d", "order", {"a": "lines.amount"}), "list", "columns.a", None),
        (dataset("d", "order", {"a": "RMB(total)", "b": "total"}), "not_in_sql", "columns.a", 1),
        (dataset("d", "order", {"a": "lines"}), "list", "columns.a", None),
        (dataset("d", "order", {"a": "id"}, where="total"), "result_type", "where", 1),
        (dataset("d", "order", {"a": "id"}, where="parameters.since > 1"), "unknown_name", "where", 12),
        (dataset("d", "order", {"a": "id"}, sort=["-b"]), "no_column", "sort.0", None),
        (dataset("d", "order", {"a": "id"}, filters=["b"]), "no_column", "filters.0", None),
        (dataset("d", "order", {"a": "id"}, having="b > 1"), "unknown_name", "having", 1),
        (dataset("d", "order", {"a": "id"}, group=["b"]), "no_column", "group.0", None),
        (dataset("d", "order", {"a": "id"}, measures={"m": "a"}), "list", "measures.m", None),
        (dataset("d", "order", {"a": "id"}, group=["a"], measures={"a": "COUNT(rows)"}), "duplicate", "measures.a", None),
        (dataset("d", "order", {"a": "id"}, measures={"m": "COUNT(rows)"}, sort=["a"]), "no_column", "sort.0", None),
        (dataset("d", "order", {"a": "owner"}, measures={"m": "SUM(a)"}), "no_number", "measures.m", None),
        (dataset("d", "order", {"line": "id"}), "reserved", "columns.line", None),
        (dataset("d", "order", {"a": "id"}, union=[{"from": "item", "columns": {"b": "id"}}]), "no_column", "union.0.columns.b", None),
        (dataset("d", "order", {"a": "id"}, union=[{"from": "item", "columns": {"a": "name"}}]), "result_type", "union.0.columns.a", 1),
        (dataset("d", "order", {"a": "customer"}, union=[{"from": SOLD, "columns": {"a": "line.item"}}]), "result_type", "union.0.columns.a", None),
        (dataset("d", "order", {"a": "id"}, join={"item": {"from": "item", "on": {"nme": "note"}}}), "unknown_name", "join.item.on.nme", 6),
        (dataset("d", "order", {"a": "id"}, join={"item": {"from": "item", "on": {"name": "ttal"}}}), "unknown_name", "join.item.on.name", 1),
        (dataset("d", "order", {"a": "id"}, join={"total": {"from": "item", "on": {"name": "note"}}}), "reserved", "join.total", None),
        (dataset("d", "order", {"a": "id"}, parameters={"p": {"type": "string", "x-default": "1 +"}}), "unfinished", "parameters.p.x-default", 4),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(
    shop: Shop, doc: Any, code: str, at: str, column: int | None
) -> None:
    publish(dataset("paid", "order", {"total": "total"}))
    assert (code, at, column) in problems(doc)


def test_a_circle_of_datasets_is_refused_with_its_path(shop: Shop) -> None:
    publish(
        dataset("one", "order", {"total": "total"}), dataset("two", {"dataset": "one"}, {"total": "total"})
    )
    with pytest.raises(Invalid) as refused:
        publish(dataset("one", {"dataset": "two"}, {"total": "total"}))
    assert "one → two → one" in str(refused.value.problems[0].message)


def test_datasets_over_datasets_cannot_grow_beyond_measure(shop: Shop) -> None:
    def times(key: str, inner: Any) -> dict[str, Any]:
        joins = {f"j{number}": {"from": inner, "on": {"total": "total"}} for number in range(7)}
        return dataset(key, inner, {"total": "total"}, join=joins)

    publish(times("eight", "order"))
    assert service.list_rows(SYSTEM, "eight").rows == []
    with pytest.raises(Invalid) as refused:
        publish(times("many", {"dataset": "eight"}))
    assert [p.code for p in refused.value.problems] == ["too_large"]


def test_a_dataset_names_the_forms_and_datasets_it_reads(shop: Shop) -> None:
    doc = dataset(
        "d",
        SOLD,
        {"a": "id"},
        join={"paid": {"from": {"dataset": "paid"}, "on": {"order": "id"}}},
        union=[{"from": "item", "columns": {"a": "id"}}],
        parameters={"who": {"type": "integer", "x-type": "relation", "x-relation": {"form": "customer"}}},
    )
    assert references(doc) == {("form", "order"), ("dataset", "paid"), ("form", "item"), ("form", "customer")}


def test_a_form_cannot_lose_a_field_that_a_dataset_reads_even_through_another_form(shop: Shop) -> None:
    publish(dataset("sold", SOLD, {"price": "line.item.price"}))
    without = {**ITEM, "properties": {"name": ITEM["properties"]["name"], "cost": number("Cost")}}
    with pytest.raises(Invalid) as refused:
        publish(without)
    assert "Sold would no longer work" in str([str(p.message) for p in refused.value.problems])


def test_changing_a_form_tells_the_datasets_that_read_it(shop: Shop) -> None:
    publish(dataset("orders", "order", {"total": "total"}))
    assert ("dataset", "orders") in {(e.kind, e.key) for e in library.list_dependents("form", "order")}


def test_columns_keep_the_names_and_looks_of_their_fields(shop: Shop) -> None:
    publish(
        dataset(
            "d",
            "order",
            {
                "customer": "customer",
                "limit": "customer.limit",
                "state": "state",
                "twice": {
                    "value": "total * 2",
                    "title": "Twice",
                    "x-title": {"zh-CN": "两倍"},
                    "total": True,
                },
                "next_day": "day + 1",
            },
        )
    )
    fields = service.get_dataset("d").fields
    assert [(f.title("en"), f.type.name) for f in fields.values()] == [
        ("Customer", "relation"),
        ("Limit", "amount"),
        ("State", "dropdown"),
        ("Twice", "number"),
        ("Next day", "datetime"),
    ]
    assert fields["twice"].title("zh-CN") == "两倍"
    assert fields["state"].type.show(fields["state"], "draft", "zh-CN") == "草稿"


def test_nobody_publishes_a_dataset_that_reads_what_they_may_not_see(shop: Shop) -> None:
    publisher_rights.enroll()
    publish(
        role(
            "builder",
            {"on": "definition", "may": ["design"]},
            {"form": "order", "may": ["view"]},
            {"form": "customer", "may": ["view"], "except": ["limit"]},
        )
    )
    builder = get_actor(people.add_person(SYSTEM, "builder", "Builder", roles=["builder"]))
    definitions.publish_many(builder, [dataset("d", "order", {"name": "customer.name"})])
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(builder, [dataset("e", "order", {"id": "id"}, where="customer.limit > 3")])
    assert [p.code for p in refused.value.problems] == ["reads_hidden"]


@pytest.mark.shared
def test_the_reference_example_is_accepted_and_runs(shop: Shop) -> None:
    if not SHARED.exists():
        pytest.skip("the reference examples are not here")
    doc = json.loads(SHARED.read_text("utf-8"))
    publish(
        form("buyer", {"name": text("Name"), "priority": number("Priority")}),
        form(
            "demand",
            {
                "item": {
                    "type": "integer",
                    "x-type": "relation",
                    "title": "Item",
                    "x-relation": {"form": "item"},
                },
                "customer": {
                    "type": "integer",
                    "x-type": "relation",
                    "title": "Buyer",
                    "x-relation": {"form": "buyer"},
                },
                "need_date": {"type": "string", "format": "date", "title": "Needed"},
                "quantity": number("Quantity"),
                "source": number("Source"),
            },
            **{"x-states": {"open": {"title": "Open"}, "met": {"title": "Met"}}},
        ),
        doc,
    )
    assert service.list_rows(SYSTEM, "open_demand").rows == []
    kind = kinds.get("dataset")
    assert write(parse(write(doc, kind)).doc, kind) == write(doc, kind)
