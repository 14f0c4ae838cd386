"""Part of the proof `ddl-kill`: a publication that is prepared ahead, its workers killed one after the other.

Each lives for some statements, then somebody saves. Until the publication comes every record must read as in the
old version, and after it as in the new one, with what was saved last.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

from flask import Flask
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.db import reading
from formloop.db.children import KILLED, die_before, in_child
from formloop.definitions import service as definitions
from formloop.events import jobs
from formloop.forms import ahead, convert, service
from formloop.forms.kind import get_form

KEY, ID = "prepared", "0badcaff"
ROWS = 30
OVER, NEITHER = 10, 11  # what a child says


def _document(kind: str) -> dict[str, Any]:
    size = {"type": kind, "title": "Size", "x-unique": True}
    head = {"x-kind": "form", "x-id": ID, "x-key": KEY, "title": "Prepared", "type": "object"}
    return {**head, "properties": {"size": size}, "x-list": {"sort": ["size"]}}


def prove(
    random: Random, create_app: Callable[[], Flask], environment: Mapping[str, str], every: int
) -> dict[str, int]:
    """Change a type and go back under kills: how many there were, and how often records were old, new or neither."""
    found = {"changes": 0, "kills": 0, "old": 0, "new": 0, "neither": 0}
    child = partial(in_child, create_app, environment)
    child(_make)
    values = {n: n for n in range(1, ROWS + 1)}
    for version, types in ((None, ("text", "number")), (1, ("number", "text"))):
        found["changes"] += 1
        child(partial(_begin, version))
        said = at = 0
        while said not in (OVER, NEITHER):
            at += 4 * every  # a step that no worker lived through is tried again by one that lives longer
            row, value = random.randint(1, ROWS), 1000 + sum(found.values())
            said = child(partial(_judge_and_work, values, row, value, types, at))
            values[row] = value
            found["kills"] += said == KILLED
            found[{OVER: "new", NEITHER: "neither"}.get(said, "old")] += 1
    return found


def _make() -> None:
    definitions.publish_many(SYSTEM, [_document("string")], "proof")
    drafts = [service.Draft({"size": str(n)}) for n in range(1, ROWS + 1)]
    service.save_many(SYSTEM, KEY, drafts)


def _begin(version: int | None) -> None:
    ahead.MANY = ROWS // 2
    definitions.save_draft(SYSTEM, "form", _document("number"))
    definitions.begin(SYSTEM, ID, version=version)


def _judge_and_work(values: Mapping[int, int], row: int, value: int, types: tuple[str, str], at: int) -> int:
    """Compare every record with what was saved last, save once more, and go on until the `at`-th statement."""
    spec, run = get_form(KEY), definitions.get_definition(ID).publishing
    with reading() as conn:
        found = conn.execute(select(spec.table.c.id, spec.table.c.size).order_by(spec.table.c.id)).all()
    same = [Decimal(each.size) for each in found] == [values[n] for n in range(1, ROWS + 1)]
    if not same or spec.fields["size"].type.name != types[run is None]:
        return NEITHER
    service.change_record(SYSTEM, KEY, found[row - 1].id, {"size": str(value)})
    if run is None:
        return OVER
    convert.BATCH, ahead.PARTS = 7, 1
    die_before(at)
    jobs.run(run).require_done()
    return 0
