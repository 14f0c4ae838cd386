from decimal import Decimal
from typing import Any

from datasets.conftest import dataset
from formloop.access.actor import SYSTEM
from formloop.datasets import service
from formloop.forms.listing import Query
from forms.conftest import Shop, publish


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
