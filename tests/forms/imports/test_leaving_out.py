"""Rows that a mapping leaves out, by what their cells say as people see it; and mappings that say what cannot be read."""

import csv
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.forms import importing, rows
from formloop.forms.importing import import_file
from formloop.forms.kind import get_form
from forms.conftest import form, number, publish, text
from forms.imports.bringing import mapping, records
from forms.specimens import publish_all

LINES = {
    "type": "array",
    "title": "Lines",
    "items": {"type": "object", "properties": {"item": text("Item"), "qty": number("Qty")}},
}
ORDER = form("po", {"number": text("Number"), "vendor": text("Vendor"), "lines": LINES})
COLUMNS = {"Number": "number", "Vendor": "vendor", "Item": "lines.item", "Qty": "lines.qty"}
HEAD = ["Number", "Vendor", "Kind", "Item", "Qty"]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def orders(folder: Path, lines: list[list[Any]], **said: Any) -> list[tuple[str, str, list[str]]]:
    """What an import of these rows makes: number, vendor and items of each order."""
    publish(ORDER)
    path = folder / "orders.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *lines])
    import_file("po", path, mapping(folder, columns=COLUMNS, **said))
    with reading() as conn:
        found = rows.load(conn, get_form("po"), [record["id"] for record in records("po")]).values()
    return [(each["number"], each["vendor"], [line["item"] for line in each["lines"]]) for each in found]


@pytest.mark.parametrize("by", [{}, {"by": "number"}])
def test_the_lines_of_a_record_that_is_left_out_join_no_other(
    app: Flask, tmp_path: Path, by: dict[str, str]
) -> None:
    lines = [
        ["A1", "V", "keep", "bolt", 1],
        ["", "", "", "nut", 2],
        ["A2", "V", "cancelled", "gold", 9],
        ["", "", "", "diamond", 9],
        ["A2", "V", "", "ruby", 9],
        ["A3", "V", "keep", "pin", 1],
    ]
    made = orders(tmp_path, lines, skip={"Kind": ["cancelled"]}, **by)
    assert made == [("A1", "V", ["bolt", "nut"]), ("A3", "V", ["pin"])]


def test_a_line_that_is_left_out_leaves_its_record_and_the_other_lines(app: Flask, tmp_path: Path) -> None:
    lines = [
        ["A1", "V", "", "none", 0],
        ["", "", "", "nut", 2],
        ["A2", "old", "", "none", 0],
        ["A2", "new", "", "pin", 1],
        ["A2", "", "", "none", 0],
    ]
    made = orders(tmp_path, lines, skip={"Qty": ["0"]}, by="number")
    assert made == [("A1", "V", ["nut"]), ("A2", "new", ["pin"])]


@pytest.mark.parametrize(
    "said",
    [["", "1", "1.5", "TRUE", "2026-01-31"], [None, 1, 1.5, True, "2026-01-31"]],
    ids=["typed", "json"],
)
def test_cells_of_a_workbook_are_compared_as_they_are_shown(
    app: Flask, tmp_path: Path, said: list[Any]
) -> None:
    publish_all()
    with xlsxwriter.Workbook(str(tmp_path / "p.xlsx"), {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Name", "Kind", "Level"])
        kinds = (None, 1, 1.5, True, False, "keep")
        for place, kind in enumerate(kinds, 1):
            sheet.write_row(place, 0, [f"P{place}", kind, place % 2 == 0])
    levels = {"level": {"TRUE": "A", "FALSE": "B"}}
    chosen = mapping(tmp_path, columns={"Name": "name", "Level": "level"}, values=levels, skip={"Kind": said})
    import_file("partner", tmp_path / "p.xlsx", chosen)
    assert [(record["name"], record["level"]) for record in records("partner")] == [("P5", "B"), ("P6", "A")]


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"submit": 1}, "submit"),
        ({"submit": 0}, "submit"),
        ({"each_row": "yes"}, "each_row"),
        ({"submit": "yes"}, "submit"),
        ({"by": 5}, "by"),
        ({"by": ["name"]}, "by"),
        ({"owner": 7}, "owner"),
        ({"sheet": ["a"]}, "sheet"),
        ({"values": {"level": "A"}}, "values.level"),
        ({"relations": {"level": 1}}, "relations.level"),
        ({"lines": ["a"]}, "lines"),
        ({"lines": {"parent": 5, "columns": {"a": "b"}}}, "lines.parent"),
        ({"lines": {"parent": "a", "columns": ["b"]}}, "lines.columns"),
        ({"columns": ["a"]}, "columns"),
    ],
)
def test_what_a_mapping_says_in_another_shape_is_refused(
    app: Flask, tmp_path: Path, said: dict[str, Any], at: str
) -> None:
    publish_all()
    (tmp_path / "rows.csv").write_text("Name\nAcme\n")
    with pytest.raises(Invalid) as refused:
        importing.begin(
            SYSTEM, "partner", "rows.csv", tmp_path / "rows.csv", {"columns": {"Name": "name"}, **said}
        )
    assert [problem.at for problem in refused.value.problems] == [at]
    with pytest.raises(Invalid):
        import_file(
            "partner", tmp_path / "rows.csv", mapping(tmp_path, **{"columns": {"Name": "name"}, **said})
        )


def test_what_a_mapping_leaves_empty_is_as_if_it_did_not_say_it(app: Flask, tmp_path: Path) -> None:
    publish_all()
    (tmp_path / "rows.csv").write_text("Name\nAcme\n")
    empty = dict.fromkeys(
        ("by", "owner", "sheet", "relations", "constants", "values", "skip", "lines", "submit")
    )
    said = mapping(tmp_path, columns={"Name": "name"}, **empty)
    assert import_file("partner", tmp_path / "rows.csv", said).counts == {"created": 1}
