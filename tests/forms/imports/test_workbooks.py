"""Workbooks are read by a limited process: bombs end it with a clear reason, and sheets can be chosen."""

import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from formloop.core.errors import Invalid
from formloop.forms import workbook_child
from formloop.forms.importing import import_file
from formloop.forms.sheets import open_sheet
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
