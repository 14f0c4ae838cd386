"""Datasets over 200,000 order lines: a page by key, a group of all of them, beside the same query by hand."""

from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from bench.shop import SYSTEM, median_ms, scaled, seller, site
from formloop import db
from formloop.core import clock
from formloop.datasets import service
from formloop.datasets.kind import get_dataset
from formloop.definitions import service as definitions
from formloop.forms.filters import Filter
from formloop.forms.kind import get_form
from formloop.forms.listing import Query

ORDERS, LINES = scaled(40_000, 50), 5
SOURCE = {"form": "sales_order", "each": "lines"}
FLAT = {
    "x-kind": "dataset", "x-id": "0be0c0d1", "x-key": "b_lines", "title": "Lines", "from": SOURCE,
    "columns": {"number": "number", "customer": "customer.name", "item": "line.item.name", "quantity": "line.quantity",
                "worth": "line.quantity * line.price"},
    "where": "line.quantity > 1",
}  # fmt: skip
GROUPED = {
    "x-kind": "dataset", "x-id": "0be0c0d2", "x-key": "b_groups", "title": "Groups", "from": SOURCE,
    "columns": {"item": "line.item", "quantity": "line.quantity"},
    "group": ["item"], "measures": {"quantity": "SUM(quantity)", "lines": "COUNT(rows)"}, "sort": ["-quantity"],
}  # fmt: skip
WORTH = {
    **GROUPED, "x-id": "0be0c0d3", "x-key": "b_worth",
    "columns": {"item": "line.item", "worth": "line.quantity * line.price"},
    "measures": {"worth": "SUM(worth)"}, "sort": ["-worth"],
}  # fmt: skip


def run() -> dict[str, Any]:
    """Milliseconds on both databases."""
    found: dict[str, Any] = {"order lines": ORDERS * LINES}
    for database in ("sqlite", "postgresql"):
        with site(database):
            _fill()
            found |= {f"{database} {key}": value for key, value in _measure().items()}
    return found


def _fill() -> None:
    definitions.publish_many(SYSTEM, [FLAT, GROUPED, WORTH])
    spec, now = get_form("sales_order"), clock.now()
    lines = spec.line_tables["lines"]
    fixed = {"form_version": 1, "revision": 1, "state": "draft", "created_at": now, "updated_at": now}
    with db.reading() as conn:
        customers = list(conn.execute(select(get_form("customer").table.c.id)).scalars())
        items = list(conn.execute(select(get_form("item").table.c.id)).scalars())
    for start in range(0, ORDERS, 5_000):
        ids = clock.new_ids(min(5_000, ORDERS - start))
        orders = [
            {**fixed, "id": id, "number": f"B{start + i:08}", "customer": customers[i % len(customers)]}
            for i, id in enumerate(ids)
        ]
        rows = [
            {"id": each, "record": ids[i // LINES], "position": i % LINES, "item": items[i % len(items)],
             "quantity": Decimal(i % 97), "price": Decimal(i % 89) / 4}
            for i, each in enumerate(clock.new_ids(len(ids) * LINES))
        ]  # fmt: skip
        with db.begin_writing(db.engine()) as conn:
            conn.execute(insert(spec.table), orders)
            conn.execute(insert(lines), rows)
    db.look_over(spec.table, lines)


def _measure() -> dict[str, Any]:
    flat, top = get_dataset("b_lines"), Query()
    deep = top
    for _ in range(20):
        deep = Query(
            after=service.Reading(SYSTEM, flat).page(Query(limit=1_000, after=deep.after)).next or ""
        )
    named = Query(filters=(Filter("number", "is", f"B{ORDERS // 2:08}"),))
    restricted = seller()
    return {
        "statement put together ms": median_ms(lambda: service.Reading(SYSTEM, flat)),
        "page of 50 ms": median_ms(lambda: service.list_rows(SYSTEM, "b_lines", top)),
        "page of 50 with row rights ms": median_ms(lambda: service.list_rows(restricted, "b_lines", top), 31),
        "page 20,000 rows deep ms": median_ms(lambda: service.list_rows(SYSTEM, "b_lines", deep)),
        "rows of one order ms": median_ms(lambda: service.list_rows(SYSTEM, "b_lines", named), 31),
        "group of all lines ms": median_ms(lambda: service.list_rows(SYSTEM, "b_groups", top), 11),
        "the same by hand ms": median_ms(_by_hand, 11),
        "group of calculated worth ms": median_ms(lambda: service.list_rows(SYSTEM, "b_worth", top), 5),
    }


def _by_hand() -> None:
    spec = get_form("sales_order")
    lines = spec.line_tables["lines"]
    total = func.sum(lines.c.quantity).label("total")
    query = select(lines.c.item, total, func.count()).join(spec.table, spec.table.c.id == lines.c.record)
    query = query.where(spec.table.c.deleted_at.is_(None)).group_by(lines.c.item).order_by(total.desc())
    with db.reading() as conn:
        conn.execute(query).all()


if __name__ == "__main__":
    print(run())
