"""Rows of a file that are joined into one record say the same of it, or nothing."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.forms.importing import import_file
from forms.conftest import publish
from forms.imports.bringing import mapping
from forms.imports.test_in_the_page import bring_in, page, upload
from forms.imports.test_leaving_out import COLUMNS, LINES, ORDER, orders

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_what_a_later_row_says_otherwise_is_told_and_its_record_stays_out(app: Flask, tmp_path: Path) -> None:
    lines = [
        ["A1", "V", "", "bolt", 1],
        ["", "W", "", "nut", 2],
        ["A2", "V", "", "pin", 1],
        ["A2", "", "", "cap", 1],
        ["A2", "V", "", "rod", 1],
    ]
    assert orders(tmp_path, lines, by="number") == [("A2", "V", ["pin", "cap", "rod"])]
    found = import_file("po", tmp_path / "orders.csv", tmp_path / "mapping.json")
    told, others = found.problems
    assert told == (
        "Row 3, Vendor: This row says “W”, row 2 of the same record “V”. "
        "Say the same, leave it empty, or give the row its own “Number”."
    )
    assert others == "Row 2: Not imported either, as part of the same record as row 3."


@pytest.mark.parametrize("by", [{}, {"by": "number"}])
def test_where_nothing_names_a_record_only_rows_that_agree_are_joined(
    app: Flask, tmp_path: Path, by: dict[str, str]
) -> None:
    lines = [
        ["", "V", "", "bolt", 1],
        ["", "V", "", "nut", 2],
        ["", "", "", "cap", 2],
        ["", "W", "", "pin", 1],
        ["A1", "W", "", "rod", 1],
    ]
    made = orders(tmp_path, lines, **by)
    assert made == [(None, "V", ["bolt", "nut", "cap"]), (None, "W", ["pin"]), ("A1", "W", ["rod"])]


def test_a_row_that_says_only_some_of_it_is_another_record(app: Flask, tmp_path: Path) -> None:
    lines = [["A1", "V", "", "bolt", 1], ["", "V", "", "nut", 2], ["", "V", "", "cap", 2]]
    assert orders(tmp_path, lines) == [("A1", "V", ["bolt"]), (None, "V", ["nut", "cap"])]


def test_each_row_can_be_a_record_of_its_own(app: Flask, tmp_path: Path) -> None:
    lines: list[list[Any]] = [["", "V", "", "bolt", 1], ["", "V", "", "bolt", 1], ["", "", "", "nut", 2]]
    made = orders(tmp_path, lines, each_row=True)
    assert made == [(None, "V", ["bolt"]), (None, "V", ["bolt"]), (None, None, ["nut"])]


def test_the_page_offers_it_and_keeps_it(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    publish(ORDER)
    path = tmp_path / "orders.csv"
    path.write_text("Vendor,Item\nV,bolt\nV,nut\n")
    batch = upload(
        client, "po", file=path, mapping=mapping(tmp_path, columns={"Vendor": "vendor", "Item": "lines.item"})
    )
    assert "Each row is a record of its own" in page(client, batch)
    assert 'name="each_row" value="1" checked' not in page(client, batch)
    assert bring_in(client, batch, each_row="1") == {"created": 2}
    assert client.get(f"{batch}/mapping").get_json()["each_row"] is True


def test_a_line_that_lacks_something_is_told_by_what_it_is_about(app: Flask, tmp_path: Path) -> None:
    items = {"type": "object", "required": ["qty"], "properties": LINES["items"]["properties"]}
    publish(ORDER | {"properties": {**ORDER["properties"], "lines": {**LINES, "items": items}}})
    rows = [["A1", "bolt", 1], ["A1", "nut", ""], ["A1", "pin", 2], ["A1", "cap", 3], ["A2", "", ""]]
    path = tmp_path / "orders.csv"
    path.write_text("Number,Item,Qty\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    said = mapping(tmp_path, columns={each: COLUMNS[each] for each in ("Number", "Item", "Qty")})
    found = import_file("po", path, said)
    assert found.problems == [
        "Row 3, Qty (nut): This must be filled in.",
        "Row 2, 4–5: Not imported either, as part of the same record as row 3.",
        "Row 6, Qty: This must be filled in.",
    ]
    chinese = import_file("po", path, said, locale="zh-CN").problems
    assert chinese[0].startswith("第 3 行“Qty（nut）”：")
    assert chinese[1] == "第 2, 4–5 行：与第 3 行属于同一记录，因此也未导入。"
