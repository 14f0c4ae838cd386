"""What a process remembers may be older than the database: nothing wrong is written then."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.app import create_app
from formloop.core.errors import Invalid
from formloop.db import reading, transactional
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms import rows, service
from formloop.forms.kind import get_form
from formloop.settings import Settings

from .conftest import form, number

ON_POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgres)


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


@pytest.mark.parametrize("database", [ON_POSTGRESQL], indirect=True)  # on SQLite one writes at a time
def test_a_save_that_began_before_a_type_changed_begins_anew(database: Settings) -> None:
    tries, app = list[int](), create_app(database)
    with app.app_context():
        text = form(
            "gauge",
            {"factor": {"type": "string", "title": "Factor"}, "note": {"type": "string", "title": "Note"}},
        )
        definitions.publish_many(SYSTEM, [text], "text")
        made = service.create(SYSTEM, "gauge", {"factor": "12.5"})["id"]
        numbers = form("gauge", {"factor": number("Factor"), "note": {"type": "string", "title": "Note"}})
        stands = library._shelf

        def publish() -> None:
            with app.app_context():
                definitions.publish_many(SYSTEM, [numbers], "numbers")

        @transactional
        def late() -> Any:
            tries.append(get_form("gauge").version)
            if len(tries) == 1:
                with ThreadPoolExecutor(1) as other:
                    other.submit(publish).result()
                library._shelf = stands  # as in a process that has not noticed yet
            return service.change_record(SYSTEM, "gauge", made, {"note": "late"})

        found = late()
    assert tries == [1, 2]
    assert (found["factor"], found["note"]) == (Decimal("12.5"), "late")


COLOURS = {"type": "string", "title": "Value", "enum": ["red", "blue"]}
SEVERAL = {"type": "array", "title": "Value", "items": {"type": "string", "enum": ["red", "blue"]}}
DAY = {"type": "string", "format": "date", "title": "Value"}
MOMENT = {"type": "string", "format": "date-time", "title": "Value"}


@pytest.mark.parametrize("database", [ON_POSTGRESQL], indirect=True)
@pytest.mark.parametrize(
    ("old", "new", "typed"), [(COLOURS, SEVERAL, "red"), (DAY, MOMENT, "2026-03-01")], ids=["choice", "day"]
)
def test_what_the_database_would_take_by_an_older_type_is_not_written(
    database: Settings, old: dict[str, Any], new: dict[str, Any], typed: str
) -> None:
    versions, app = list[int](), create_app(database)
    with app.app_context():
        definitions.publish_many(SYSTEM, [form("gauge", {"value": old})], "old")
        first = service.create(SYSTEM, "gauge", {"value": typed})["id"]
        stands = library._shelf

        def publish() -> None:
            with app.app_context():
                definitions.publish_many(SYSTEM, [form("gauge", {"value": new})], "new")

        @transactional
        def late() -> Any:
            versions.append(get_form("gauge").version)
            if len(versions) == 1:
                with ThreadPoolExecutor(1) as other:
                    other.submit(publish).result()
                library._shelf = stands  # as in a process that has not noticed yet
            return service.create(SYSTEM, "gauge", {"value": typed})

        second = late()["id"]
        with reading() as conn:
            found = rows.load(conn, get_form("gauge"), [first, second])
    assert versions == [1, 2]
    assert found[first]["value"] == found[second]["value"]


@pytest.mark.parametrize("key", ["fl_person", "sqlite_master", "pg_class", "inv__lines"])
def test_no_form_takes_the_name_of_another_table(database: Settings, key: str) -> None:
    doc = {**gauge(2), "x-key": key}
    with create_app(database).app_context(), pytest.raises(Invalid) as refused:
        definitions.publish_many(SYSTEM, [doc], "first")
    assert [(p.code, p.at) for p in refused.value.problems] == [("reserved", "x-key")]
