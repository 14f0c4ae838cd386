"""Publishing a change over many records while other processes save: how long the longest save had to wait."""

import multiprocessing
import os
import time
from multiprocessing.synchronize import Event
from typing import Any

from sqlalchemy import text

from bench.shop import SYSTEM, scaled
from formloop import db
from formloop.app import create_app
from formloop.core import clock
from formloop.db import connection, transactional
from formloop.definitions import service as definitions
from formloop.events import jobs
from formloop.forms import ahead, service
from formloop.settings import Settings

RECORDS = int(os.environ.get("FORMLOOP_BENCH_RECORDS", scaled(1_000_000, 400)))
FILL = """
INSERT INTO large_form (id, form_version, revision, state, created_at, updated_at, name, size)
SELECT n, 1, 1, 'draft', :at, :at, 'part ' || n, (n % 5000) / 10.0 || CASE WHEN n % 1000 = 0 THEN ' mm' ELSE '' END
FROM generate_series(1, :count) AS n
"""


def _form(size: str) -> dict[str, Any]:
    fields = {"name": {"type": "string", "title": "Name"}, "size": {"type": size, "title": "Size"}}
    head = {
        "x-kind": "form",
        "x-id": "0000b1b1",
        "x-key": "large_form",
        "title": "Large form",
        "type": "object",
    }
    return {
        **head,
        "properties": fields,
        "x-list": {"columns": ["name", "size"], "filters": ["name", "size"]},
    }


def measure(settings: Settings) -> dict[str, Any]:
    """Seconds that a type change and going back take, and milliseconds of the longest save of another process."""
    definitions.publish_many(SYSTEM, [_form("string")], "bench")
    _fill()
    ahead.MANY = min(ahead.MANY, RECORDS // 2)
    found: dict[str, Any] = {"records": RECORDS}
    definitions.save_draft(SYSTEM, "form", _form("number"))
    for what, version in (("a type change", None), ("going back", 1)):
        found |= {f"{key}, {what}": value for key, value in _publish(settings, version).items()}
    return found


@transactional
def _fill() -> None:
    connection().exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection().execute(text(FILL), {"at": clock.now(), "count": RECORDS})
    connection().exec_driver_sql("ANALYZE large_form")


def _publish(settings: Settings, version: int | None) -> dict[str, Any]:
    spawning = multiprocessing.get_context("spawn")
    ready, over, told = spawning.Event(), spawning.Event(), spawning.Queue()
    writer = spawning.Process(target=_write, args=(settings, ready, over, told), daemon=True)
    writer.start()
    ready.wait(60)
    begin, progress = time.perf_counter(), set[int]()
    run = definitions.begin(SYSTEM, "0000b1b1", version=version)
    if not isinstance(run, int):
        raise RuntimeError("it was published at once")
    while not (job := jobs.get_job(run)).over:
        jobs.step(job)
        progress.add(job.done)
    spent = time.perf_counter() - begin
    time.sleep(0.2)  # the first saves in the new version count too
    over.set()
    waits, failures = told.get(timeout=60)
    writer.join(60)
    job.require_done()
    if failures or not waits:
        raise RuntimeError(f"of {len(waits)} saves {len(failures)} failed: {failures[:3]}")
    return {
        "seconds": spent,
        "ms, the longest save meanwhile": max(waits) * 1000,
        "ms, the median save meanwhile": sorted(waits)[len(waits) // 2] * 1000,
        "saves meanwhile": len(waits),
        "times progress was told": len(progress),
    }


def _write(settings: Settings, ready: Event, over: Event, told: Any) -> None:
    """Change record after record, and make new ones, as another process of the site does."""
    waits, failures = [], []
    with create_app(settings).app_context():
        service.change_record(SYSTEM, "large_form", 1, {"name": "warm"})
        ready.set()
        while not over.is_set():
            begin, number = time.perf_counter(), len(waits)
            try:
                if number % 4 == 3:
                    service.create(SYSTEM, "large_form", {"name": "new", "size": str(number)})
                else:
                    record = 1 + number * 7919 % RECORDS
                    service.change_record(SYSTEM, "large_form", record, {"size": str(number)})
            except Exception as error:
                failures.append(repr(error)[:300])
            waits.append(time.perf_counter() - begin)
            time.sleep(0.002)
        told.put((waits, failures))
        db.engine().dispose()
