"""What is read of a file, how its columns find their fields, and what is reported."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from sqlalchemy import select

import formloop
from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.core.text import load_catalogues
from formloop.db import reading
from formloop.forms import service, staging, workbooks
from formloop.forms.importing import import_file
from formloop.forms.kind import get_form
from formloop.forms.sheets import open_sheet
from formloop.forms.tables import import_batch
from formloop.settings import Settings
from forms.imports.bringing import Write, mapping, records


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
    assert result.problems == ["Row 22, Partner: There is no “Partner” called “B9”."]


def test_constants_words_and_joined_columns(site: Settings, write: Write, tmp_path: Path) -> None:
    said = mapping(
        tmp_path,
        columns={"first": "name", "last": "name", "grade": "level"},
        constants={"region": "East"},
        values={"level": {"1": "A", "2": "B"}},
    )
    import_file("partner", write(["first", "last", "grade"], ["Ann", "Lee", "2"]), said)
    assert [(r["name"], r["region"], r["level"]) for r in records("partner")] == [("Ann Lee", "East", "B")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
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


def test_the_workbook_to_mend_has_the_bad_rows_with_their_reasons(
    site: Settings, write: Write, tmp_path: Path
) -> None:
    path = write(["Text", "Number"], ["a", "1"], ["b", "many"])
    import_file("everything", path)
    with reading() as conn:
        batch = conn.execute(select(import_batch.c.id)).scalar_one()
    mended = tmp_path / "mend.xlsx"
    assert workbooks.write_errors(mended, staging.get_batch(batch), "zh-CN") == 1
    cells = CalamineWorkbook.from_path(str(mended)).get_sheet_by_index(0).to_python()
    assert (
        cells[0] == ["Text", "Number", "原因"] and cells[1][:2] == ["b", "many"] and "Number" in cells[1][2]
    )


def test_a_cell_of_ten_megabytes_is_one_bad_row(site: Settings, write: Write) -> None:
    result = import_file("everything", write(["Text", "Number"], ["x" * 10_000_000, "1"], ["b", "2"]))
    assert result.counts == {"created": 1, "bad": 1}


def test_rows_that_are_to_be_left_out_are_not_there(site: Settings, write: Write, tmp_path: Path) -> None:
    parents = write(
        ["id", "no", "kind"], ["7", "E3", " old "], ["8", "E4", ""], ["9", "E5", "new"], name="p.csv"
    )
    write(["parent", "text", "count"], ["8", "x", "0"], ["7", "y", "1"], ["8", "z", "2"], name="lines.csv")
    lines = {
        "into": "subform",
        "file": "lines.csv",
        "parent": "parent",
        "of": "id",
        "columns": {"text": "text"},
    }
    lines["skip"] = {"count": [0]}
    said = mapping(tmp_path, columns={"no": "serial"}, by="serial", lines=lines, skip={"kind": ["old", ""]})
    with pytest.raises(Invalid, match="no column “kind”"):
        import_file("everything", write(["id", "no"], ["7", "E3"], name="q.csv"), said)
    assert import_file("everything", parents, said).counts == {"created": 1}
    said = mapping(tmp_path, columns={"no": "serial"}, by="serial", lines=lines, skip={"kind": ["old"]})
    assert import_file("everything", parents, said).counts == {"created": 1, "unchanged": 1}
    table = get_form("everything").line_tables["subform"]
    with reading() as conn:
        assert conn.execute(select(table.c.text)).scalars().all() == ["z"]
    for wrong in ({"kind": "old"}, ["kind"]):
        with pytest.raises(Invalid, match="object"):
            import_file("everything", parents, mapping(tmp_path, columns={"no": "serial"}, skip=wrong))
