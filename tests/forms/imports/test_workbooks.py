"""Workbooks are read by a limited process: bombs end it with a clear reason, and sheets can be chosen."""

import tracemalloc
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from formloop.core.errors import Invalid
from formloop.forms import workbook_child
from formloop.forms.importing import import_file
from formloop.forms.sheets import LONGEST_CELL, open_sheet
from formloop.settings import Settings
from forms.imports.bringing import records


@pytest.fixture
def two_sheets(tmp_path: Path) -> Path:
    path = tmp_path / "two.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Notes").write_row(0, 0, ["Remark", "Writer"])
        partners = book.add_worksheet("Partners")
        partners.write_row(0, 0, ["Name", "Code"])
        partners.write_row(1, 0, ["Acme", "A1"])
    return path


def bomb(path: Path) -> Path:
    """A workbook of two cells in opposite corners, which unpacks into seventeen thousand million."""
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet().write_row(0, 0, ["Name"])
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    sheet = files["xl/worksheets/sheet1.xml"].decode()
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    files["xl/worksheets/sheet1.xml"] = sheet.replace("</sheetData>", far).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_bomb_ends_with_a_reason_and_hurts_nobody(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="takes too much memory or time"):
        open_sheet(bomb(tmp_path / "bomb.xlsx"))


def one_text(path: Path, characters: int, rows: int, columns: int) -> Path:
    """A workbook of a few kilobytes in which one long text stands in many cells."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Name", "Code"])
        for row in range(1, rows + 1):
            sheet.write_row(row, 0, ["long"] * columns)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    texts = files["xl/sharedStrings.xml"].decode()
    files["xl/sharedStrings.xml"] = texts.replace("<t>long</t>", f"<t>{'中' * characters}</t>").encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("characters", "rows", "columns"), [(300_000, 5, 8), (30_000, 100, 30), (90_000, 400, 2)]
)
def test_a_long_text_in_many_cells_is_never_held_whole(
    tmp_path: Path, characters: int, rows: int, columns: int
) -> None:
    path = one_text(tmp_path / "bomb.xlsx", characters, rows, columns)
    tracemalloc.start()
    try:
        with pytest.raises(Invalid, match="far more text"):
            for _ in open_sheet(path).rows:
                pass
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()


def test_a_cell_that_is_too_long_is_still_seen_to_be(tmp_path: Path) -> None:
    (row,) = open_sheet(one_text(tmp_path / "long.xlsx", 300_000, 1, 1)).rows
    assert len(row[1][0]) == LONGEST_CELL + 1


@pytest.mark.parametrize("place", [3, 6])
def test_a_workbook_with_a_damaged_directory_is_told_in_words(two_sheets: Path, place: int) -> None:
    content = bytearray(two_sheets.read_bytes())
    content[content.find(b"PK\x01\x02") + place] = 99
    two_sheets.write_bytes(content)
    with pytest.raises(Invalid, match="damaged"):
        open_sheet(two_sheets)


def test_a_table_that_is_given_up_leaves_no_process_behind(two_sheets: Path) -> None:
    sheet = open_sheet(two_sheets)
    sheet.rows.close()  # type: ignore[attr-defined]
    assert [p for p in Path("/proc").glob("[0-9]*/cmdline") if str(two_sheets) in _text(p)] == []


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def test_a_workbook_says_which_sheets_it_has(two_sheets: Path) -> None:
    sheet = open_sheet(two_sheets)
    assert (sheet.name, sheet.others, sheet.columns) == ("Notes", ("Notes", "Partners"), ("Remark", "Writer"))
    other = open_sheet(two_sheets, sheet="Partners")
    assert (other.columns, list(other.rows)) == (("Name", "Code"), [(2, ["Acme", "A1"])])


def test_a_sheet_that_is_not_there_is_told(two_sheets: Path) -> None:
    with pytest.raises(Invalid, match="has no sheet “Partner”"):
        open_sheet(two_sheets, sheet="Partner")


def test_a_mapping_names_the_sheet(site: Settings, two_sheets: Path) -> None:
    mapping = two_sheets.with_name("mapping.json")
    mapping.write_text('{"sheet": "Partners"}', "utf-8")
    assert import_file("partner", two_sheets, mapping).counts == {"created": 1}
    assert [r["code"] for r in records("partner")] == ["A1"]


def test_the_child_knows_nothing_of_the_site() -> None:
    text = Path(workbook_child.__file__).read_text("utf-8")
    assert "import formloop" not in text and "from formloop" not in text
