from datetime import timedelta
from decimal import Decimal
from typing import Any

from datasets.conftest import dataset
from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds
from formloop.datasets import service
from formloop.definitions import library
from formloop.forms import service as records
from formloop.forms.filters import Filter
from formloop.forms.listing import Query
from forms.conftest import Shop, form, publish, text


def rows(key: str, **query: Any) -> list[dict[str, Any]]:
    found = service.list_rows(SYSTEM, key, Query(**query))
    assert not found.problems
    return [{k: v for k, v in row.items() if not k.startswith("_")} for row in found.rows]


def test_records_are_listed_with_what_they_point_to(shop: Shop) -> None:
    publish(dataset("orders", "order", {"number": "number", "customer": "customer.name", "total": "total"}))
    shop.order((shop.bolt, "2"), (shop.nut, "4"))
    (found,) = rows("orders")
    assert found["customer"] == "Acme"
    assert found["total"] == Decimal("4")


def test_lines_are_listed_and_grouped_exactly(shop: Shop) -> None:
    lines = {"item": "line.item", "name": "line.item.name", "worth": "line.quantity * line.price"}
    measures = {"worth": "SUM(worth)", "orders": "COUNT(rows)", "mean": "SUM(worth) / COUNT(rows)"}
    source = {"form": "order", "each": "lines"}
    publish(dataset("sold", source, lines, group=["item", "name"], measures=measures, sort=["-worth"]))
    shop.order((shop.bolt, "2"), (shop.nut, "0.1"))
    shop.order((shop.bolt, "1"))
    assert rows("sold") == [
        {"item": shop.bolt, "name": "Bolt", "worth": Decimal("4.5"), "orders": 2, "mean": Decimal("2.25")},
        {"item": shop.nut, "name": "Nut", "worth": Decimal("0.025"), "orders": 1, "mean": Decimal("0.025")},
    ]


def test_moments_are_calculated_grouped_and_paged(shop: Shop) -> None:
    later = [{"from": "order", "columns": {"at": "updated_at + 1", "day": "DAYOF(updated_at)"}}]
    columns = {"at": "created_at", "day": "DAYOF(created_at)", "next": "created_at + 1"}
    publish(dataset("moments", "order", columns, union=later, sort=["-at"]))
    publish(dataset("days", "order", columns, group=["next"], measures={"count": "COUNT(rows)"}))
    shop.order()
    shop.order()
    whole = service.list_rows(SYSTEM, "moments").rows
    assert len(whole) == 4 and all(row["at"].tzinfo is not None for row in whole)
    assert [row["at"] for row in whole] == sorted((row["at"] for row in whole), reverse=True)
    paged = list[Any]()
    mark: str | None = ""
    while mark is not None:
        page = service.list_rows(SYSTEM, "moments", Query(limit=1, after=mark))
        paged, mark = paged + page.rows, page.next
    assert paged == whole
    assert len(rows("moments", filters=(Filter("at", "today"),))) == 2
    assert {row["next"] - timedelta(days=1) for row in rows("days")} <= {row["at"] for row in whole}


def test_a_field_of_several_values_is_shown_but_not_calculated_with(shop: Shop) -> None:
    tags = {
        "type": "array",
        "x-type": "multi_select",
        "title": "Tags",
        "items": {"type": "string", "enum": ["a", "b"]},
    }
    publish(form("thing", {"name": text("Name"), "tags": tags}))
    publish(dataset("things", "thing", {"name": "name", "tags": "tags"}))
    publish(dataset("same", {"dataset": "things"}, {"tags": "tags"}))
    records.create(SYSTEM, "thing", {"name": "x", "tags": ["a", "b"]})
    assert rows("same") == [{"tags": ["a", "b"]}]
    assert len(rows("things", filters=(Filter("tags", "has", "b"),))) == 1
    grouped = dataset("grouped", "thing", {"tags": "tags"}, group=["tags"])
    assert [p.at for p in kinds.get("dataset").check(grouped, library.VIEW)] == ["group.0"]


def test_totals_and_conditions_step_through_grouped_relations(shop: Shop) -> None:
    columns = {"customer": "customer", "total": "total"}
    measures = {"limits": "SUM(customer.limit)", "acme": 'COUNTIF(customer.name = "Acme")'}
    publish(dataset("by_day", "order", {**columns, "day": "day"}, group=["day"], measures=measures))
    publish(
        dataset(
            "by_customer", "order", columns, group=["customer"], measures={"total": "SUM(total)"},
            having='customer.name <> "Acme"',
        )
    )  # fmt: skip
    shop.order()
    shop.order()
    other = shop.customer("Omega", limit="7")
    shop.order((shop.bolt, "2"), customer=other)
    (found,) = rows("by_day")
    assert (found["limits"], found["acme"]) == (Decimal(10_007), 2)
    assert rows("by_customer") == [{"customer": other, "total": Decimal(3)}]
