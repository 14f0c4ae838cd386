"""What a table's columns hold is guessed from their names and cells."""

from typing import Any

import pytest

from formloop.forms.from_table import Guess, form_of, guess

BASE: dict[str, Any] = {"x-kind": "form", "x-id": "00000001", "x-key": "orders", "title": "Orders"}


def kinds_of(cells: list[Any], title: str = "Column") -> str:
    """The kind guessed for a column with these cells."""
    return guess([title], [[cell] for cell in cells]).columns[0].kind


@pytest.mark.parametrize(
    ("title", "cells", "kind"),
    [
        ("Quantity", [3, "4.5", "1,000"], "number"),
        ("单价", ["12.50", 3], "amount"),
        ("Wanted by", ["2026-11-30", "2026/12/1"], "date"),
        ("日期", ["2026年3月1日"], "date"),
        ("Seen at", ["2026-11-30 08:15"], "time"),
        ("Item code", ["00123", "00124"], "text"),
        ("Barcode", ["6901234567892012", "6901234567892013"], "text"),
        ("手机", [13800138000, "13900139000"], "phone"),
        ("Mail", ["a@example.com", "b@example.com"], "e-mail"),
        ("Page", ["https://example.com/a"], "link"),
        ("Active", ["是", "否", "是"], "switch"),
        ("Flags", [1, 0, 1], "number"),
        ("Colour", ["red", "green"] * 5, "choice"),
        ("Colour", ["red", "green"], "text"),
        ("Note", ["x" * 90], "long text"),
        ("Note", ["two\nlines"], "long text"),
        ("Mixed", ["2026-01-01", "soon"], "text"),
        ("Empty", ["", None], "text"),
        ("螺栓规格", ["M8×20", "M10×30"], "text"),
    ],
)
def test_a_kind_is_what_takes_all_cells_and_loses_nothing(title: str, cells: list[Any], kind: str) -> None:
    assert kinds_of(cells, title) == kind


def test_a_few_odd_cells_are_told_with_what_the_column_would_be_without_them() -> None:
    cells = ["12.50", 3, "ask", "4", "5", "6"]
    (column,) = guess(["Unit price"], [[cell] for cell in cells]).columns
    assert (column.kind, column.nearly, column.odd) == ("text", "amount", "ask")
    (many,) = guess(["Unit price"], [[cell] for cell in [*cells, "later"]]).columns
    assert (many.kind, many.nearly, many.odd) == ("text", "", "")


ORDERS = [
    ["SO-1", "Acme", "2026-01-02", "Bolt", 10, "1.25"],
    ["SO-1", "Acme", "2026-01-02", "Nut", 20, "0.12345"],
    ["SO-2", "Beta", "2026-01-03", "Bolt", 5, "1.2"],
]
TITLES = ["Order no.", "Customer", "Date", "Item", "Quantity", "Price"]


def test_rows_of_one_number_are_lines_of_one_record() -> None:
    found = guess(TITLES, ORDERS)
    assert found.by == 0
    assert [column.line for column in found.columns] == [False, False, False, True, True, True]


def test_rows_below_an_empty_cell_belong_to_the_record_above() -> None:
    rows = [["A", "x", 1], ["", "", 2], ["B", "y", 3]]
    assert guess(["Name", "Kind", "Count"], rows).by == 0


@pytest.mark.parametrize(
    "rows",
    [
        [["Hardware", "Bolt", 1], ["Hardware", "Nut", 2]],  # sorted by a group, not records with lines
        [["SO-1", "Bolt", 1], ["SO-2", "Nut", 2]],
        [["SO-1", "Bolt", 1], ["SO-2", "Nut", 2], ["SO-1", "Pin", 3]],  # the same number again later
        [],
    ],
)
def test_rows_that_only_look_alike_are_records_of_their_own(rows: list[list[Any]]) -> None:
    assert guess(["Group", "Item", "Count"], rows).by is None


def test_the_form_has_the_fields_the_lines_and_a_unique_number() -> None:
    doc, problems = form_of(BASE, guess(TITLES, ORDERS))
    assert problems == []
    assert list(doc["properties"]) == ["order_no", "customer", "date", "lines"]
    assert doc["required"] == ["order_no"] and doc["properties"]["order_no"]["x-unique"]
    columns = doc["properties"]["lines"]["items"]["properties"]
    assert list(columns) == ["item", "quantity", "price"]
    assert columns["price"] == {"type": "number", "x-type": "amount", "title": "Price", "x-scale": 5}
    assert doc["x-list"] == {"columns": ["order_no", "customer", "date"]}


def test_a_form_of_nothing_is_refused() -> None:
    assert [p.code for p in form_of(BASE, Guess(()))[1]] == ["required"]
