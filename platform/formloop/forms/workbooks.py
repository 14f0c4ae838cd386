"""Excel workbooks that people download: the rows of an import that need mending, and exports."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from formloop.core.text import M
from formloop.forms import staging

_RED, _HEAD = "#fde2e0", "#eef1f6"
_MOST_WIDTH = 40


class Book:
    """A workbook written row by row, in little memory. Text stays text: nothing in it is ever a formula."""

    def __init__(self, path: Path) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._head = self._book.add_format({"bold": True, "bg_color": _HEAD, "border": 1})
        self._bad = self._book.add_format({"bg_color": _RED})
        self._date = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm"})

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def sheet(
        self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], red: Any = None
    ) -> None:
        """One sheet with its column names in the first row; `red(row, column)` says which cells are marked."""
        sheet = self._book.add_worksheet(name[:31])
        for place, column in enumerate(columns):
            sheet.set_column(place, place, min(max(len(column) * 1.6, 10), _MOST_WIDTH))
            sheet.write_string(0, place, column, self._head)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row):
                self._write(
                    sheet, number, place, value, self._bad if red and red(number - 1, place) else None
                )

    def _write(self, sheet: Any, row: int, column: int, value: Any, form: Any) -> None:
        if value in (None, ""):
            if form:
                sheet.write_blank(row, column, None, form)
        elif isinstance(value, bool):
            sheet.write_boolean(row, column, value, form)
        elif isinstance(value, Decimal | int | float):
            sheet.write_number(row, column, value, form)
        elif isinstance(value, datetime):
            sheet.write_datetime(row, column, value.replace(tzinfo=None), form or self._moment)
        elif isinstance(value, date):
            sheet.write_datetime(row, column, datetime.combine(value, time()), form or self._date)
        else:
            sheet.write_string(row, column, str(value)[:32_000], form)


def write_errors(path: Path, batch: staging.Batch, locale: str) -> int:
    """The rows of an import that cannot be or were not saved, each with its reasons; returns how many."""
    own: dict[int, tuple[list[Any], list[Any]]] = {}
    lines: dict[int, tuple[list[Any], list[Any]]] = {}
    after, found = -1, 0
    while rows := staging.list_rows(batch.id, ("bad", "failed"), after):
        after, found = rows[-1].number, found + len(rows)
        for row in rows:
            _sort_in(row, own, lines, two_files=bool(batch.line_columns))
    reason = M("Reason").render(locale)
    with Book(path) as book:
        _sheet(book, M("Rows").render(locale), [*batch.columns, reason], own, locale)
        if lines:
            _sheet(book, M("Lines").render(locale), [*batch.line_columns, reason], lines, locale)
    return found


def _sort_in(row: Any, own: Any, lines: Any, two_files: bool) -> None:
    number, cells = row.raw["own"]
    own[number] = (cells, [])
    for line_number, line_cells in row.raw.get("lines", ()):
        (lines if two_files else own).setdefault(line_number, (line_cells, []))
    for problem in row.problems or ():
        in_line = two_files and "." in problem["at"]
        place = (lines if in_line else own).get(problem["row"]) or own[number]
        place[1].append(problem)


def _sheet(
    book: Book, name: str, columns: list[str], rows: dict[int, tuple[list[Any], list[Any]]], locale: str
) -> None:
    listed = [rows[number] for number in sorted(rows)]

    def shown() -> Iterable[list[Any]]:
        for cells, problems in listed:
            texts = [
                ": ".join(filter(None, (p["column"] or p["field"][locale], p[locale]))) for p in problems
            ]
            yield [*cells, "; ".join(texts)]

    def red(row: int, place: int) -> bool:
        problems = listed[row][1]
        return bool(problems) and (
            place == len(columns) - 1 or columns[place] in {p["column"] for p in problems}
        )

    book.sheet(name, columns, shown(), red)
