"""What a process remembers may be older than the database: nothing wrong is written then."""

from decimal import Decimal
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.app import create_app
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms import rows, service
from formloop.forms.kind import get_form
from formloop.settings import Settings

from .conftest import form, number


def gauge(scale: int) -> dict[str, Any]:
    return form("gauge", {"factor": number("Factor", **{"x-scale": scale})})


def test_a_save_that_waited_while_somebody_published_writes_by_what_is_published_now(
    database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with create_app(database).app_context():
        definitions.publish_many(SYSTEM, [gauge(2)], "first")
        service.create(SYSTEM, "gauge", {"factor": "1.00"})
        before = library._shelf
        definitions.publish_many(SYSTEM, [gauge(4)], "finer")
        monkeypatch.setattr(library, "_shelf", before)  # as in a process that has not noticed yet
        saved = service.create(SYSTEM, "gauge", {"factor": "7.25"})
        with reading() as conn:
            found = rows.load(conn, get_form("gauge"), [saved["id"]])[saved["id"]]
        assert (found["factor"], found["form_version"]) == (Decimal("7.25"), 2)


@pytest.mark.parametrize("key", ["fl_person", "sqlite_master", "pg_class", "inv__lines"])
def test_no_form_takes_the_name_of_another_table(database: Settings, key: str) -> None:
    doc = {**gauge(2), "x-key": key}
    with create_app(database).app_context(), pytest.raises(Invalid) as refused:
        definitions.publish_many(SYSTEM, [doc], "first")
    assert [(p.code, p.at) for p in refused.value.problems] == [("reserved", "x-key")]
