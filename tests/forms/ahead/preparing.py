"""A form whose sizes are in words and become numbers, while people go on working."""

import copy
from collections.abc import Callable
from typing import Any

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.db import is_sqlite
from formloop.definitions import service as definitions
from formloop.events import jobs
from formloop.forms import behind, reads, service
from forms.conftest import ITEM, number, text

ID = ITEM["x-id"]
SIZES = ["1", "2.5", "large", "4", "", "6"]
LIST = {"columns": ["name", "size"], "sort": ["-size"], "filters": ["size", "name"]}


def changed(**properties: Any) -> dict[str, Any]:
    doc = copy.deepcopy(ITEM)
    doc["properties"] |= properties
    return {**doc, "x-list": LIST} if "size" in doc["properties"] else doc


WORDS, NUMBERS = changed(size=text("Size")), changed(size=number("Size"))


def begin(doc: dict[str, Any]) -> int:
    definitions.save_draft(SYSTEM, "form", doc)
    run = definitions.begin(SYSTEM, ID)
    assert isinstance(run, int)
    return run


def go_on(run: int, meanwhile: Callable[[str], None]) -> jobs.Job:
    """Carry out a publication, calling `meanwhile(stage)` between its steps."""
    while not (job := jobs.get_job(run)).over:
        meanwhile(job.result.get("ahead", {}).get("stage", ""))
        jobs.step(jobs.get_job(run))
    return job


def sizes(items: list[int]) -> list[Any]:
    return [reads.get_record(SYSTEM, "item", each)["size"] for each in items]


def nothing_is_left() -> bool:
    """Whether a publication that did not come has left nothing that goes on."""
    service.create(SYSTEM, "item", {"name": "new", "size": "1"})
    with db.reading() as conn:
        cleaned = (
            is_sqlite()
            or not conn.exec_driver_sql(
                "SELECT reloptions FROM pg_class WHERE relname = 'item' AND reloptions IS NOT NULL"
            ).all()
        )
        return cleaned and not behind.count(conn, ["item"]) and not definitions.get_definition(ID).publishing
