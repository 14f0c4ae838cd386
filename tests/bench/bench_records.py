"""Saving an order of ten lines through the service, beside the same rows inserted by hand."""

from typing import Any

from sqlalchemy import event, insert, select

from bench.shop import per_second, seller, site
from formloop import db
from formloop.core import clock
from formloop.forms import rows, service
from formloop.forms.kind import get_form


def run() -> dict[str, Any]:
    """Records a second, statements a save, and the ratio to a hand-written insert."""
    found: dict[str, Any] = {}
    for database in ("sqlite", "postgresql"):
        with site(database):
            found |= {f"{database} {key}": value for key, value in _measure().items()}
    return found


def _measure() -> dict[str, Any]:
    actor, raw = seller(), _order()
    spec = get_form("sales_order")
    saved = service.create(actor, "sales_order", raw)
    statements = _count(lambda: service.create(actor, "sales_order", raw))
    ours = per_second(lambda: service.create(actor, "sales_order", raw))
    with db.reading() as conn:
        whole = rows.load(conn, spec, [saved["id"]])[saved["id"]]

    def by_hand() -> None:
        record = {**whole, "id": clock.new_id(), "number": f"H{clock.new_id()}"}
        lines = [{**line, "id": clock.new_id(), "record": record["id"]} for line in whole["lines"]]
        with db.begin_writing(db.engine()) as conn:
            conn.execute(insert(spec.table), {key: record[key] for key in rows.columns_of(spec.table)})
            conn.execute(insert(spec.line_tables["lines"]), lines)

    hand = per_second(by_hand)
    return {
        "saves a second": ours,
        "by hand a second": hand,
        "times the cost": hand / ours,
        "statements": statements,
    }


def _order() -> dict[str, Any]:
    customer, item = get_form("customer").table, get_form("item").table
    with db.reading() as conn:
        who = conn.execute(select(customer.c.id)).scalars().first()
        items = conn.execute(select(item.c.id).where(item.c.sellable)).scalars().all()
    lines = [{"item": items[i % len(items)], "quantity": str(i + 1), "price": "12.5"} for i in range(10)]
    return {"customer": who, "tax_rate": "0.13", "lines": lines}


def _count(work: Any) -> int:
    counted: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        counted.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    work()
    event.remove(db.engine(), "before_cursor_execute", note)
    return len(counted)


if __name__ == "__main__":
    print(run())
