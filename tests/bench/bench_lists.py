"""A page of 50 of 1,000,000 records, filtered and sorted, at the top and 10,000 pages deep."""

import logging
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from bench.shop import SYSTEM, median_ms, scaled, site
from formloop import db
from formloop.access import people, sessions, signing
from formloop.core import clock
from formloop.forms import keyset, listing
from formloop.forms.filters import Filter
from formloop.forms.kind import get_form
from formloop.forms.listing import Query
from formloop.web.tracing import start_logging

ROWS = scaled(1_000_000, 500)


def run() -> dict[str, Any]:
    """Milliseconds of the query and of the whole page, on both databases."""
    found: dict[str, Any] = {"records": ROWS}
    for database in ("sqlite", "postgresql"):
        with site(database) as app:
            _fill()
            found |= {f"{database} {key}": value for key, value in _measure(app).items()}
    return found


def _fill() -> None:
    spec, now = get_form("item"), clock.now()
    fixed = {"form_version": 1, "revision": 1, "state": "active", "created_at": now, "updated_at": now}
    for start in range(0, ROWS, 10_000):
        batch = [
            {
                **fixed,
                "id": id,
                "code": f"B{start + i:08}",
                "name": f"Part {start + i}",
                "source": ("make", "buy", "outsource")[i % 3],
                "planned": True,
                "list_price": Decimal(i % 997) / 4,
            }
            for i, id in enumerate(clock.new_ids(min(10_000, ROWS - start)))
        ]
        with db.begin_writing(db.engine()) as conn:
            conn.execute(insert(spec.table), batch)
    db.look_over(spec.table)  # as an import does at its end


def _measure(app: Any) -> dict[str, Any]:
    spec = get_form("item")
    by_source = (Filter("source", "is", "buy"),)
    top = Query(filters=by_source, sort=("code",))
    deep_at = f"B{min(ROWS - 100, 10_000 * 50 * 3 % ROWS or ROWS // 2):08}"
    page = listing.list_records(
        SYSTEM, spec, Query(filters=(*by_source, Filter("code", "is", deep_at)), sort=("code",))
    )
    start = page.rows[0] if page.rows else {"code": deep_at, "id": 0}
    mark = keyset.write_mark(("code", "id"), (start["code"], start["id"]))
    deep = Query(filters=by_source, sort=("code",), after=mark)
    start_logging(logging.WARNING)
    client = app.test_client()
    client.set_cookie(signing.COOKIE, sessions.open_session(people.find_person("administrator").id))
    address = "/f/item?f.source.is=buy&sort=code"
    return {
        "query ms, first page": median_ms(lambda: listing.list_records(SYSTEM, spec, top)),
        "query ms, deep page": median_ms(lambda: listing.list_records(SYSTEM, spec, deep)),
        "total ms (exact to 10,000)": median_ms(lambda: listing.count_records(SYSTEM, spec, top)),
        "whole page ms": median_ms(lambda: client.get(address), 31),
        "whole deep page ms": median_ms(lambda: client.get(f"{address}&after={mark}"), 31),
        "status": client.get(address).status_code,
    }


if __name__ == "__main__":
    print(run())
