"""Imports: what is read, how columns find their fields, what is reported, what is written and taken back."""

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select

import formloop
from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.errors import Forbidden, Invalid, Unavailable
from formloop.core.text import load_catalogues
from formloop.db import reading
from formloop.events import jobs
from formloop.forms import (
    drafts,
    import_views,
    importing,
    listing,
    service,
    staging,
    taking_back,
    workbooks,
    writing,
)
from formloop.forms.importing import import_file
from formloop.forms.kind import get_form
from formloop.forms.sheets import open_sheet
from formloop.settings import Settings
from forms.conftest import form, publish, role, text
from forms.specimens import publish_all

Write = Callable[..., Path]


@pytest.fixture
def site(database: Settings) -> Settings:
    publish_all()
    return database


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_csv(
        *rows: list[Any], name: str = "rows.csv", encoding: str = "utf-8", delimiter: str = ","
    ) -> Path:
        path = tmp_path / name
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        return path

    return write_csv


def mapping(folder: Path, **document: Any) -> Path:
    path = folder / "mapping.json"
    path.write_text(json.dumps(document))
    return path


def records(form: str) -> list[dict[str, Any]]:
    columns = tuple(f.key for f in get_form(form).stored)
    return listing.list_records(
        SYSTEM, get_form(form), listing.Query(sort=("id",), columns=columns, limit=999)
    ).rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_the_encodings_and_with_the_marks_people_use(
    write: Write, encoding: str, delimiter: str
) -> None:
    sheet = open_sheet(write(["名称", "数量"], ["螺丝", "5"], encoding=encoding, delimiter=delimiter))
    assert sheet.columns == ("名称", "数量") and list(sheet.rows) == [(2, ["螺丝", "5"])]


def test_the_row_of_column_names_is_found_below_a_title(write: Write) -> None:
    path = write(["Partners of 2026"], [], ["Name", "Code", "Amount"], ["Acme", "A1", "5"])
    assert open_sheet(path).columns == ("Name", "Code", "Amount")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", b"not a workbook"),
        ("a.csv", b""),
        ("a.csv", b"\x00\x01\x02\x03" * 50),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")),
        ("a.csv", (",".join(f"c{n}" for n in range(600)) + "\n1\n").encode()),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, content: bytes) -> None:
    load_catalogues(Path(formloop.__file__).parent)
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Invalid) as refused:
        open_sheet(path)
    assert refused.value.problems[0].message.render("zh-CN") != refused.value.problems[0].message.render("en")


def test_columns_find_their_fields_by_key_and_label_in_both_languages(site: Settings, write: Write) -> None:
    result = import_file("partner", write(["名称", "CODE", " region "], ["Acme", "A1", "East"]))
    assert result.counts == {"created": 1}
    assert [(r["name"], r["code"], r["region"]) for r in records("partner")] == [("Acme", "A1", "East")]


def test_numbers_and_days_of_excel_arrive_as_they_were(site: Settings, tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Text", "Number", "Moment", "Switch"])
        sheet.write_row(1, 0, [1001, 0.1, "2026-11-21 08:00", True])
        sheet.write_datetime(
            2, 2, __import__("datetime").datetime(2026, 1, 2), book.add_format({"num_format": "yyyy-mm-dd"})
        )
    import_file("everything", path)
    first, second = records("everything")
    assert (first["text"], first["number"], first["switch"]) == ("1001", Decimal("0.1"), True)
    assert second["datetime"].isoformat() == "2026-01-01T16:00:00+00:00"  # midnight in Shanghai


def test_a_bad_row_is_reported_with_row_column_and_reason_and_the_others_are_written(
    site: Settings, write: Write
) -> None:
    result = import_file("everything", write(["Text", "Number"], ["a", "1"], ["b", "many"], ["c", "3"]))
    assert result.counts == {"created": 2, "bad": 1}
    assert result.problems == ["Row 3, Number: “many” is not a number."]


def test_records_are_named_by_their_code_and_looked_up_once(site: Settings, write: Write) -> None:
    service.create(SYSTEM, "partner", {"name": "Acme", "code": "A1"})
    rows = [["Partner", "Price"], *([["A1", "5"]] * 20), ["B9", "5"], ["Acme", "6"]]
    result = import_file("rate", write(*rows))
    assert result.counts == {"created": 21, "bad": 1}
    assert result.problems == ["Row 22, Partner: There is no “partner” called “B9”."]


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


def test_constants_words_and_joined_columns(site: Settings, write: Write, tmp_path: Path) -> None:
    said = mapping(
        tmp_path,
        columns={"first": "name", "last": "name", "grade": "level"},
        constants={"region": "East"},
        values={"level": {"1": "A", "2": "B"}},
    )
    import_file("partner", write(["first", "last", "grade"], ["Ann", "Lee", "2"]), said)
    assert [(r["name"], r["region"], r["level"]) for r in records("partner")] == [("Ann Lee", "East", "B")]


@pytest.mark.parametrize(
    "document",
    [
        {"columns": {"Name": "nothing"}},
        {"columns": {"Nowhere": "name"}},
        {"colums": {"Name": "name"}},
        {"columns": {}},
        {"columns": {"Name": "name"}, "by": "nothing"},
        {"columns": {"Name": "name"}, "lines": {"into": "lines"}},
    ],
)
def test_a_mapping_that_cannot_work_is_refused(
    site: Settings, write: Write, tmp_path: Path, document: Any
) -> None:
    with pytest.raises(Invalid):
        import_file("partner", write(["Name"], ["Acme"]), mapping(tmp_path, **document))


def test_checking_writes_nothing(site: Settings, write: Write) -> None:
    path = write(["Name"], ["Acme"])
    batch = importing.begin(SYSTEM, "partner", path.name, path, {"columns": {"Name": "name"}})
    jobs.run(importing.start(SYSTEM, batch, "import_check", now=True))
    assert staging.counts(batch) == {"good": 1} and records("partner") == []


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


def test_an_import_is_taken_back_except_what_somebody_changed_since(site: Settings, write: Write) -> None:
    service.create(SYSTEM, "partner", {"name": "Old", "code": "O1"})
    path = write(["Name", "Code"], ["New", "O1"], ["Acme", "A1"], ["Bolt", "B1"])
    said = {"columns": {"Name": "name", "Code": "code"}, "by": "code"}
    batch = importing.begin(SYSTEM, "partner", path.name, path, said)
    for part in ("import_check", "import_run"):
        jobs.run(importing.start(SYSTEM, batch, part, now=True))
    bolt = next(r for r in records("partner") if r["code"] == "B1")
    service.change_record(SYSTEM, "partner", bolt["id"], {"region": "West"})
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    assert staging.counts(batch) == {"undone": 2, "kept": 1}
    assert {r["name"] for r in records("partner")} == {"Old", "Bolt"}


def test_the_workbook_to_mend_has_the_bad_rows_with_their_reasons(
    site: Settings, write: Write, tmp_path: Path
) -> None:
    path = write(["Text", "Number"], ["a", "1"], ["b", "many"])
    import_file("everything", path)
    with reading() as conn:
        batch = conn.execute(select(staging.batch_table.c.id)).scalar_one()
    mended = tmp_path / "mend.xlsx"
    assert workbooks.write_errors(mended, staging.get_batch(batch), "zh-CN") == 1
    cells = CalamineWorkbook.from_path(str(mended)).get_sheet_by_index(0).to_python()
    assert (
        cells[0] == ["Text", "Number", "原因"] and cells[1][:2] == ["b", "many"] and "Number" in cells[1][2]
    )


def test_a_cell_of_ten_megabytes_is_one_bad_row(site: Settings, write: Write) -> None:
    result = import_file("everything", write(["Text", "Number"], ["x" * 10_000_000, "1"], ["b", "2"]))
    assert result.counts == {"created": 1, "bad": 1}


def test_without_the_right_nothing_is_imported(site: Settings, write: Write) -> None:
    with pytest.raises(Forbidden):
        importing.begin(
            Actor(1, "Nobody"), "partner", "a.csv", write(["Name"], ["A"]), {"columns": {"Name": "name"}}
        )


def person(*grants: dict[str, Any]) -> Actor:
    """Somebody with a role of these grants."""
    publish(role("importer", *grants))
    return get_actor(people.add_person(SYSTEM, "importer", "Importer", roles=["importer"]))


def brought_in(actor: Actor, path: Path, by: str | None = "code", **columns: str) -> int:
    """A file as an import of partners, checked and written; returns the import."""
    said = {"columns": {"Code": "code", **columns}} | ({"by": by} if by else {})
    batch = importing.begin(actor, "partner", path.name, path, said)
    for part in ("import_check", "import_run"):
        assert jobs.run(importing.start(actor, batch, part, now=True)).state == "done"
    return batch


def test_a_locked_record_stays_as_it_is(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in ("L1", "L2", "O1"):
        service.create(SYSTEM, "partner", {"name": "Old", "code": code})
    monkeypatch.setattr(drafts, "_guards", [lambda spec, record: record["code"].startswith("L")])
    alone = brought_in(SYSTEM, write(["Code", "Name"], ["L1", "New"]), Name="name")
    assert staging.counts(alone) == {"bad": 1}
    batch = brought_in(
        SYSTEM, write(["Code", "Name"], *([c, "New"] for c in ("L1", "L2", "O1"))), Name="name"
    )
    assert staging.counts(batch) == {"bad": 2, "updated": 1}
    assert "approval" in importing.list_reasons(batch)[0]
    assert [r["name"] for r in records("partner")] == ["Old", "Old", "New"]


def test_an_import_keeps_to_the_rows_of_its_person(site: Settings, write: Write) -> None:
    east = {"form": "partner", "may": ["import"], "where": 'region = "East"'}
    path = write(["Code", "Name", "Region"], ["E1", "Acme", "East"], ["W1", "Bolt", "West"])
    batch = brought_in(person(east), path, Name="name", Region="region")
    assert staging.counts(batch) == {"created": 1, "bad": 1}
    assert [r["code"] for r in records("partner")] == ["E1"]


def test_a_field_needs_a_grant_that_gives_its_row_too(site: Settings, write: Write) -> None:
    for code, region in (("E1", "East"), ("W1", "West")):
        service.create(SYSTEM, "partner", {"name": "Old", "code": code, "region": region})
    actor = person(
        {"form": "partner", "may": ["import"], "fields": ["code"]},
        {"form": "partner", "may": ["import"], "where": 'region = "East"', "fields": ["code", "name"]},
    )
    batch = brought_in(actor, write(["Code", "Name"], ["E1", "New"], ["W1", "New"]), Name="name")
    assert staging.counts(batch) == {"updated": 1, "bad": 1}
    assert [r["name"] for r in records("partner")] == ["New", "Old"]


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


def stopped(site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch) -> int:
    """An import whose job failed after its first chunk."""
    monkeypatch.setattr(importing, "CHUNK", 2)
    path = write(["Name"], *([f"P{n}"] for n in range(5)))
    batch = importing.begin(SYSTEM, "partner", path.name, path, {"columns": {"Name": "name"}})
    jobs.run(importing.start(SYSTEM, batch, "import_check", now=True))
    job = importing.start(SYSTEM, batch, "import_run", now=True)
    jobs.step(jobs.get_job(job))
    with monkeypatch.context() as broken:
        broken.setattr(importing, "_write_rows", _unavailable)
        assert jobs.run(job).state == "failed" and staging.get_batch(batch).state == "running"
    return batch


def _unavailable(*_: Any) -> None:
    raise Unavailable


def test_an_import_whose_job_failed_goes_on_with_another_one(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = stopped(site, write, monkeypatch)
    found = staging.get_batch(batch)
    job = jobs.get_job(found.job or 0)
    assert import_views._may(found, job, "run") and import_views._may(found, job, "undo")
    again = jobs.run(importing.start(SYSTEM, batch, "import_run", now=True))
    assert (again.done, again.total) == (3, 3) and staging.counts(batch) == {"created": 5}


def test_an_import_whose_job_failed_can_be_taken_back(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = stopped(site, write, monkeypatch)
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    assert staging.counts(batch) == {"undone": 2, "good": 3} and records("partner") == []


STAMPED = form(
    "stamped",
    {
        "code": text("Code", **{"x-unique": True}),
        "stamp": text("Stamp", readOnly=True),
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {"part": text("Part"), "mark": text("Mark", readOnly=True)},
            },
        },
    },
)


def restamped(write: Write) -> int:
    """An import that changes what only programs may change, in the record and in its lines."""
    publish(STAMPED)
    lines = [{"part": "a", "mark": "old"}, {"part": "b", "mark": "old"}]
    service.create(
        SYSTEM, "stamped", {"code": "S1", "stamp": "old", "lines": lines}, how=service.How(trusted=True)
    )
    path = write(["Code", "Stamp", "Part", "Mark"], ["S1", "new", "a", "new"])
    said = {
        "columns": {"Code": "code", "Stamp": "stamp", "Part": "lines.part", "Mark": "lines.mark"},
        "by": "code",
    }
    batch = importing.begin(SYSTEM, "stamped", path.name, path, said)
    for part in ("import_check", "import_run"):
        jobs.run(importing.start(SYSTEM, batch, part, now=True))
    assert staging.counts(batch) == {"updated": 1} and records("stamped")[0]["stamp"] == "new"
    return batch


def marks() -> list[tuple[str, str]]:
    table = get_form("stamped").line_tables["lines"]
    with reading() as conn:
        return [(r.part, r.mark) for r in conn.execute(select(table).order_by(table.c.position))]


def test_what_only_programs_change_is_taken_back_too(site: Settings, write: Write) -> None:
    batch = restamped(write)
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    assert staging.counts(batch) == {"undone": 1}
    assert records("stamped")[0]["stamp"] == "old" and marks() == [("a", "old"), ("b", "old")]


def test_what_would_not_be_as_before_is_kept_and_said_to_be(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = restamped(write)
    monkeypatch.setattr(taking_back, "_HOW", service.How(asks="import"))  # read-only values are passed over
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    assert staging.counts(batch) == {"kept": 1}
    assert records("stamped")[0]["stamp"] == "new" and marks() == [("a", "new")]


def test_what_is_locked_meanwhile_is_not_taken_back(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.create(SYSTEM, "partner", {"name": "Old", "code": "A1"})
    batch = brought_in(SYSTEM, write(["Code", "Name"], ["A1", "New"], ["B1", "Bolt"]), Name="name")
    monkeypatch.setattr(drafts, "_guards", [lambda spec, record: True])
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    assert staging.counts(batch) == {"kept": 2} and {r["name"] for r in records("partner")} == {"New", "Bolt"}
