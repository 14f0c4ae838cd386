"""Errands: the other form that steps without people make, look up and change."""

from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.events import outbox
from formloop.forms import rows
from formloop.forms.kind import get_form
from formloop.workflows import (
    cases,
    hearing,
)
from workflows.stage import Stage

OTHER: Doc = {
    "x-kind": "form",
    "x-id": "000000f2",
    "x-key": "errand",
    "title": "Errand",
    "type": "object",
    "properties": {
        "subject": {"type": "string", "title": "Subject"},
        "amount": {"type": "number", "x-type": "amount", "title": "Amount"},
        "request": {
            "type": "integer",
            "x-type": "relation",
            "x-relation": {"form": "request"},
            "title": "Request",
        },
    },
}


@pytest.fixture(autouse=True)
def listening(stage: Stage) -> None:
    hearing.start()
    definitions.publish_many(SYSTEM, [OTHER], "first")


def status_of(case: int) -> str:
    found = cases.get_case(case)
    assert found is not None
    return str(found.status)


def errands() -> list[dict[str, Any]]:
    spec = get_form("errand")
    with reading() as conn:
        ids = list(conn.execute(spec.table.select().with_only_columns(spec.table.c.id)).scalars())
        return list(rows.load(conn, spec, ids).values())


def drained() -> None:
    for _ in range(5):
        outbox.drain("workflow")
        outbox.drain("workflow-http")


def make(**more: Any) -> Doc:
    values = {"subject": "subject", "amount": "amount", "request": "id"}
    return {"id": "make", "node": "data", "do": "create", "form": "errand", "values": values, **more}
