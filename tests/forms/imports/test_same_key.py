"""One value of the field that records are found by, in several rows of a file or in two imports at once."""

import pytest

from formloop.access.actor import SYSTEM
from formloop.events import jobs
from formloop.forms import importing, staging
from formloop.settings import Settings
from forms.imports.bringing import Write, records
from workflows.at_once import begun_while

SAID = {"columns": {"Region": "region", "Name": "name"}, "by": "region"}  # which need not be unique


def checked(write: Write, *rows: list[str]) -> int:
    path = write(["Region", "Name"], *rows)
    batch = importing.begin(SYSTEM, "partner", path.name, path, SAID)
    jobs.run(importing.start(SYSTEM, batch, "import_check", now=True)).require_done()
    return batch


def ran(batch: int) -> dict[str, int]:
    jobs.run(importing.start(SYSTEM, batch, "import_run", now=True)).require_done()
    return staging.counts(batch)


@pytest.mark.parametrize("at_once", [2_000, 2])
def test_a_row_with_the_value_of_an_earlier_one_is_told_before_anything_is_written(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(importing, "CHECKED_AT_ONCE", at_once)
    batch = checked(
        write, ["West", "Acme"], ["East", "Bolt"], ["", "Cog"], ["", "Dot"], ["West", "Eve"], ["East", "Fin"]
    )
    rest = "; only the first row with it is imported. Join them, or leave one out."
    assert importing.list_reasons(batch) == [
        f"Row 6, Region: “West” stands in row 2 already{rest}",
        f"Row 7, Region: “East” stands in row 3 already{rest}",
    ]
    assert ran(batch) == {"created": 4, "bad": 2}
    assert sorted(record["name"] for record in records("partner")) == ["Acme", "Bolt", "Cog", "Dot"]


def test_two_imports_at_once_make_one_record_of_one_value(site: Settings, write: Write) -> None:
    first, second = (checked(write, ["West", "Acme"], ["East", "Bolt"]) for _ in range(2))
    waits = importing.start(SYSTEM, second, "import_run", now=True)

    def beside() -> float:
        job = jobs.get_job(waits)
        jobs.step(job)
        return job.pause

    begun_while(lambda: ran(first), beside)
    assert jobs.run(waits).state == "done"
    assert staging.counts(second) == {"unchanged": 2} and len(records("partner")) == 2


def test_a_value_that_several_records_have_names_none_of_them(site: Settings, write: Write) -> None:
    path = write(["Region", "Name"], ["West", "Acme"], ["West", "Bolt"], ["East", "Cog"])
    importing.import_file("partner", path)
    batch = checked(write, ["West", "Dot"], ["East", "Eve"])
    assert importing.list_reasons(batch) == [
        "Row 2, Region: More than one record has “West” there. Find records by a field that tells them apart."
    ]
    assert ran(batch) == {"updated": 1, "bad": 1}
    assert sorted(record["name"] for record in records("partner")) == ["Acme", "Bolt", "Eve"]
