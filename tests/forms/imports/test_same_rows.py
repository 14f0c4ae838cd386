"""Rows that are the same as one above to the last cell are told before they are imported."""

from pathlib import Path
from typing import Any

from formloop.access.actor import SYSTEM
from formloop.events import jobs
from formloop.forms import importing, staging
from formloop.settings import Settings
from forms.imports.bringing import Write


def checked(form: str, path: Path, said: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    batch = importing.begin(SYSTEM, form, path.name, path, said)
    return batch, jobs.run(importing.start(SYSTEM, batch, "import_check", now=True)).result


def test_rows_that_stand_twice_are_counted_and_named_and_no_mistake(site: Settings, write: Write) -> None:
    rows = (["Acme", "1"], ["Bolt", "2"], ["Acme", "1"], ["", ""], ["", ""], ["Acme", "3"])
    path = write(["Name", "Code"], *rows)
    batch, told = checked("partner", path, {"columns": {"Name": "name"}})
    assert told == {"twice": 1, "rows": [4]}
    assert importing.list_kept(batch, "en", 9) == [] and staging.counts(batch).get("good", 0) >= 4


def test_what_records_are_found_by_is_told_apart_otherwise(site: Settings, write: Write) -> None:
    path = write(["Name", "Code"], ["Acme", "1"], ["Acme", "1"])
    said = {"columns": {"Name": "name", "Code": "code"}, "by": "code"}
    batch, told = checked("partner", path, said)
    assert (told, staging.counts(batch)) == ({}, {"good": 1, "bad": 1})
