"""Bridges: deliveries a second, from an idle worker to the effect, and together with the request; beside the same
rows written by hand."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, insert, select, update

from bench.shop import SYSTEM, median_ms, per_second, scaled, site
from bridges.trade import BRIDGE_DOC, CUSTOMER, DEMAND, ITEM, ORDER
from formloop import db
from formloop.core import clock
from formloop.definitions import service as definitions
from formloop.events import outbox, queue, queue_server, tables
from formloop.forms import rows, service
from formloop.forms.kind import get_form
from formloop.forms.tables import change, record_link

MANY, CLIENTS, LINES = scaled(2_000, 20), scaled(64, 4), 5
# beside the demo's own forms of these names
_NAMES = {"item": "b_item", "customer": "b_customer", "sales_order": "b_order", "demand": "b_demand"}


def run() -> dict[str, Any]:
    """The figures on both databases."""
    found: dict[str, Any] = {}
    for database in ("sqlite", "postgresql"):
        with site(database) as app:
            found |= {f"{database} {key}": value for key, value in _measure(app.config["SETTINGS"]).items()}
    return found


def _measure(settings: Any) -> dict[str, Any]:
    outbox.drain()
    item = _publish("together")
    orders = iter([_order(item) for _ in range(150)])
    found: dict[str, Any] = {
        "together: request to effect, median ms": median_ms(lambda: _confirm(next(orders)), 60),
        "together: the same without a bridge, median ms": median_ms(lambda: _review(next(orders)), 60),
    }
    found |= _crowd(item)
    _publish("after")
    for _ in range(MANY):
        _confirm(_order(item))
    begin = time.perf_counter()
    done = outbox.drain()
    found["after: deliveries a second"] = done / (time.perf_counter() - begin)
    found["after: by hand a second"] = per_second(_by_hand(), 2.0)
    found |= _idle(settings, item)
    return found


def _named(doc: Any, number: int) -> Any:
    """A form of the tests under a name of its own."""
    text = json.dumps(doc)
    for old, new in _NAMES.items():
        text = text.replace(f'"form": "{old}"', f'"form": "{new}"').replace(
            f'"x-key": "{old}"', f'"x-key": "{new}"'
        )
    return {**json.loads(text), "x-id": f"bbbb000{number}"}


def _publish(way: str) -> int:
    docs = [_named(doc, number) for number, doc in enumerate((ITEM, CUSTOMER, ORDER, DEMAND))]
    bridge = {**_named(BRIDGE_DOC, 9), "x-key": "b_bridge", "run": way}
    definitions.publish_many(SYSTEM, [*docs, bridge], way)
    return int(service.create(SYSTEM, "b_item", {"name": "Bolt"})["id"])


def _order(item: int) -> int:
    lines = [{"item": item, "quantity": "3"} for _ in range(LINES)]
    return int(service.create(SYSTEM, "b_order", {"lines": lines})["id"])


def _confirm(order: int) -> None:
    service.set_state(SYSTEM, "b_order", order, "confirmed")


def _review(order: int) -> None:
    service.set_state(SYSTEM, "b_order", order, "review")


def _crowd(item: int) -> dict[str, Any]:
    """Many clients at once, each saving and confirming."""
    orders = [_order(item) for _ in range(CLIENTS * 4)]
    spent: list[float] = []

    def client(mine: list[int]) -> None:
        for order in mine:
            begin = time.perf_counter()
            _confirm(order)
            spent.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=client, args=(orders[n::CLIENTS],)) for n in range(CLIENTS)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = time.perf_counter() - begin
    return {
        f"together: {CLIENTS} clients, saves a second": len(spent) / whole,
        f"together: {CLIENTS} clients, failed": len(orders) - len(spent),
        f"together: {CLIENTS} clients, slowest ms": max(spent) * 1000,
    }


def _by_hand() -> Callable[[], None]:
    """The rows of one delivery as a program written for this alone would write them."""
    demand = get_form("b_demand")
    with db.reading() as conn:
        ids = list(conn.execute(select(demand.table.c.id).limit(LINES)).scalars())
        whole = list(rows.load(conn, demand, ids).values())
        log = dict(conn.execute(select(change).limit(1)).mappings().one())
        message = dict(conn.execute(select(tables.outbox).limit(1)).mappings().one())

    def write() -> None:
        made = [{**row, "id": clock.new_id()} for row in whole]
        for row in made:
            row["source"] = row["id"]
        links = [
            {"from_form": "b_order", "from_record": row["id"], "from_line": 1, "to_form": "b_demand",
             "to_record": row["id"], "via": "hand", "version": 1, "at": clock.now()}
            for row in made
        ]  # fmt: skip
        with db.begin_writing(db.engine()) as conn:
            conn.execute(
                insert(demand.table), [{k: r[k] for k in rows.columns_of(demand.table)} for r in made]
            )
            conn.execute(insert(change), [{**log, "id": clock.new_id()} for _ in made])
            conn.execute(insert(record_link), links)
            conn.execute(
                update(tables.outbox).where(tables.outbox.c.id == message["id"]).values(state="done")
            )

    return write


def _idle(settings: Any, item: int) -> dict[str, Any]:
    """From the confirmed order to the demand, by a worker that had nothing to do."""
    with _worker(settings):
        spent = []
        for _ in range(21):
            order = _order(item)
            before = _demands()
            begin = time.perf_counter()
            _confirm(order)
            while _demands() == before:
                time.sleep(0.002)
            spent.append((time.perf_counter() - begin) * 1000)
            time.sleep(0.05)
    return {
        "after: idle to effect, median ms": sorted(spent)[10],
        "after: idle to effect, slowest ms": max(spent),
    }


def _demands() -> int:
    with db.reading() as conn:
        return int(conn.execute(select(func.count()).select_from(get_form("b_demand").table)).scalar_one())


@contextmanager
def _worker(settings: Any) -> Iterator[None]:
    server = queue_server.start_server(settings)
    outbox.on_put(queue.Waker(settings))
    own = {"FORMLOOP_INSTANCE": str(settings.instance), "FORMLOOP_DATABASE_URL": settings.database_url}
    worker = subprocess.Popen([sys.executable, "-m", "formloop.cli", "worker"], env={**os.environ, **own})
    while not queue.connect(settings).exists("rq:workers"):
        time.sleep(0.05)
    yield
    worker.terminate()
    worker.wait(timeout=25)
    if server is not None:
        server.stop()


if __name__ == "__main__":
    print(run())
