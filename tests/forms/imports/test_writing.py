"""What an import writes, also when it was stopped, and what it leaves alone."""

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.events import jobs
from formloop.forms import import_turns, importing, service, staging, writing
from formloop.forms.importing import import_file
from formloop.forms.kind import get_form
from formloop.settings import Settings
from forms.conftest import publish
from forms.imports.bringing import Write, brought_in, mapping, records, stopped


def test_checking_writes_nothing(site: Settings, write: Write) -> None:
    path = write(["Name"], ["Acme"])
    batch = importing.begin(SYSTEM, "partner", path.name, path, {"columns": {"Name": "name"}})
    jobs.run(importing.start(SYSTEM, batch, "import_check", now=True))
    assert staging.counts(batch) == {"good": 1} and records("partner") == []


def test_the_same_file_again_changes_nothing(site: Settings, write: Write) -> None:
    path = write(["Name", "Code"], ["Acme", "A1"], ["Bolt", "B1"])
    import_file("partner", path, update_by="code")
    assert import_file("partner", path, update_by="code").counts == {"unchanged": 2}
    changed = write(["Name", "Code"], ["Acme Ltd", "A1"], ["Bolt", "B1"], ["Cog", "C1"])
    assert import_file("partner", changed, update_by="code").counts == {
        "updated": 1,
        "unchanged": 1,
        "created": 1,
    }


PRICE = {
    "x-kind": "form", "x-id": "0000f00d", "x-key": "price", "title": "Price", "type": "object",
    "properties": {
        "partner": {"type": "integer", "x-type": "relation", "title": "Partner", "x-relation": {"form": "partner"}},
        "least": {"type": "number", "title": "Least", "x-scale": 2},
        "since": {"type": "string", "format": "date", "title": "Since", "default": "2026-01-01"},
        "price": {"type": "number", "title": "Price", "x-scale": 2},
        "key": {"type": "string", "title": "Told apart by", "x-unique": True,
                "x-formula": "partner.code & \" / \" & since & \" / \" & COALESCE(least, 0)"},
    },
}  # fmt: skip


@pytest.mark.parametrize("by", [None, "key"])
def test_records_are_found_again_by_what_is_calculated_of_several_columns(
    site: Settings, write: Write, tmp_path: Path, by: str | None
) -> None:
    publish(PRICE)
    import_file("partner", write(["Name", "Code"], ["Acme", "A1"], ["Bolt", "B1"]))
    head = ["Partner", "Least", "Price"]
    said = {"columns": {each: each.lower() for each in head}, "relations": {"partner": "code"}}
    how = mapping(tmp_path, **said, by=by) if by else None  # without a mapping it is found by itself
    path = write(head, ["A1", "", "5"], ["A1", "100.00", "4"], ["B1", "100", "3"])
    assert import_file("price", path, how).counts == {"created": 3}
    assert import_file("price", path, how).counts == {"unchanged": 3}
    dearer = write(head, ["A1", "100", "4.2"], ["A1", "200", "3.9"])
    assert import_file("price", dearer, how).counts == {"updated": 1, "created": 1}
    assert [row["price"] for row in records("price")] == [D("5"), D("4.2"), D("3"), D("3.9")]
    with pytest.raises(Invalid) as error:
        service.create(
            SYSTEM, "price", {"partner": records("partner")[0]["id"], "least": "200", "price": "1"}
        )
    assert "A1 / 2026-01-01 / 200" in error.value.problems[0].message.render()


def test_lines_come_from_the_same_file_or_from_a_second_one(
    site: Settings, write: Write, tmp_path: Path
) -> None:
    together = write(["Serial number", "Lines · Text"], ["E1", "a"], ["E1", "b"], ["E2", "c"])
    assert import_file("everything", together).counts == {"created": 2}
    parents = write(["id", "no"], ["7", "E3"], ["8", "E4"], name="parents.csv")
    write(["parent", "text"], ["8", "x"], ["7", "y"], ["8", "z"], name="lines.csv")
    lines = {
        "into": "subform",
        "file": "lines.csv",
        "parent": "parent",
        "of": "id",
        "columns": {"text": "text"},
    }
    said = mapping(tmp_path, columns={"no": "serial"}, by="serial", lines=lines)
    assert import_file("everything", parents, said).counts == {"created": 2}
    assert import_file("everything", parents, said).counts == {"unchanged": 2}
    table = get_form("everything").line_tables["subform"]
    with reading() as conn:
        assert conn.execute(select(func.count()).select_from(table)).scalar() == 6


def test_rows_that_say_nothing_unique_are_new_records_and_together_where_they_agree(
    site: Settings, write: Write
) -> None:
    rows = ["Ann", "a"], ["Ann", "b"], ["Ann", "c"], ["Bo", "d"]
    for _ in range(2):
        file = write(["Text", "Lines · Text"], *rows)
        assert import_file("everything", file).counts == {"created": 2}


def test_an_import_that_was_stopped_goes_on_and_makes_nothing_twice(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 2)
    path = write(["Name"], *([f"P{n}"] for n in range(5)))
    batch = importing.begin(SYSTEM, "partner", path.name, path, {"columns": {"Name": "name"}})
    jobs.run(importing.start(SYSTEM, batch, "import_check", now=True))
    job = importing.start(SYSTEM, batch, "import_run", now=True)
    jobs.step(jobs.get_job(job))  # the worker dies here
    assert staging.counts(batch) == {"created": 2, "good": 3}
    jobs.run(job)
    assert staging.counts(batch) == {"created": 5} and len(records("partner")) == 5


def test_an_import_whose_job_failed_goes_on_with_another_one(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = stopped(site, write, monkeypatch)
    found = staging.get_batch(batch)
    assert import_turns.may(found, "import_run") and import_turns.may(found, "import_undo")
    again = jobs.run(importing.start(SYSTEM, batch, "import_run", now=True))
    assert (again.done, again.total) == (3, 3) and staging.counts(batch) == {"created": 5}


def test_a_conflict_while_writing_fails_its_row_and_the_others_are_written(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.create(SYSTEM, "partner", {"name": "Old", "code": "A1"})
    change_row = writing.rows.change

    def refused(*args: Any) -> bool:
        return args[3]["code"] != "A1" and change_row(*args)

    monkeypatch.setattr(writing.rows, "change", refused)
    batch = brought_in(SYSTEM, write(["Code", "Name"], ["A1", "New"], ["B1", "Bolt"]), Name="name")
    assert staging.counts(batch) == {"failed": 1, "created": 1}
    assert staging.get_batch(batch).state == "done"
