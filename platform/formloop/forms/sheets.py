"""Tables as people have them, Excel workbooks and CSV files, as headed rows of plain cells."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from formloop.core.errors import Invalid, Problem
from formloop.core.text import M, Message
from formloop.forms.workbook_reading import ENDINGS, Opened, open_workbook

MOST_COLUMNS = 500
MOST_ROWS = 1_000_000
LONGEST_CELL = 200_000
_HEAD_ROWS = 10
_NUMBER = re.compile(r"[-+¥$€]?[\d.,/: -]+%?")
csv.field_size_limit(16 * 1024 * 1024)

Cells = list[Any]
Row = tuple[int, Cells]  # its number as the spreadsheet shows it, its cells


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its column names and its rows, read as they are asked for; in a workbook, which of its sheets."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    total: int
    name: str = ""
    others: tuple[str, ...] = ()


def open_sheet(path: Path, name: str = "", known: frozenset[str] = frozenset(), sheet: str = "") -> Sheet:
    """A table in a file: the sheet of that name, or the first; Invalid says in words what is wrong with it.

    `known` helps to find the header.
    """
    ending = Path(name or path.name).suffix.lower()
    opened = open_workbook(path, sheet) if ending in ENDINGS else _csv(path)
    numbered = ((number, cells) for number, cells in enumerate(opened.rows, 1))
    first: list[Row] = []
    for row in numbered:
        first.append(row)
        if len(first) == _HEAD_ROWS:
            break
    place = _header_place(first, known)
    if place is None:
        raise _refused(M("This file is empty, or has no row of column names."))
    columns = _names(first[place][1])
    if len(columns) > MOST_COLUMNS:
        text = M(
            "This file has {count} columns; {most} are the limit.", count=len(columns), most=MOST_COLUMNS
        )
        raise _refused(text)
    width = len(columns)
    rest = (*first[place + 1 :],)

    def read() -> Iterator[Row]:
        for row in (*rest, *()):
            if _filled(row[1]):
                yield row[0], _fitted(row[1], width)
        for number, cells in numbered:
            if number > MOST_ROWS:
                raise _refused(M("This file has more than {count} rows; please split it.", count=MOST_ROWS))
            if _filled(cells):
                yield number, _fitted(cells, width)

    total = max(opened.total - first[place][0], 0)
    others = opened.sheets if len(opened.sheets) > 1 else ()
    return Sheet(columns, read(), total, opened.sheet, others)


def _refused(message: Message) -> Invalid:
    return Invalid([Problem("file", "", message)])


def _csv(path: Path) -> Opened:
    content = path.read_bytes()
    text = _decoded(content)
    if text is None:
        raise _refused(M("This is neither an Excel workbook nor a CSV file."))
    delimiter = _delimiter(text)
    return Opened(_csv_rows(text, delimiter), text.count("\n"), "", ())


def _csv_rows(text: str, delimiter: str) -> Iterator[Cells]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise _refused(M("This CSV file cannot be read: {reason}", reason=str(error)[:200])) from error


def _decoded(content: bytes) -> str | None:
    if b"\x00" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    names = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for name in names:
        try:
            return content.decode(name)
        except UnicodeDecodeError:
            continue
    return None


def _delimiter(text: str) -> str:
    head = text[:20_000].splitlines()[:_HEAD_ROWS]
    return max(",\t;|", key=lambda mark: sum(line.count(mark) for line in head))


def _header_place(rows: Sequence[Row], known: frozenset[str]) -> int | None:
    """The row of column names: the one that names most fields, else the first that is full of words."""
    best, most = None, 0
    for place, (_, cells) in enumerate(rows):
        hits = sum(1 for cell in cells if normal(cell) in known)
        if hits > most:
            best, most = place, hits
    if best is not None:
        return best
    widest = max((_words(cells) for _, cells in rows), default=0)
    return next((i for i, (_, cells) in enumerate(rows) if widest and _words(cells) == widest), None)


def _words(cells: Cells) -> int:
    return sum(1 for c in cells if isinstance(c, str) and c.strip() and not _NUMBER.fullmatch(c.strip()))


def normal(name: Any) -> str:
    """A column name without what people write differently: case, spaces, marks."""
    return re.sub(r"[\s_\-·•.:：*（）()/]+", "", str(name or "")).casefold()


def cell_text(cell: Any) -> str:
    """What a cell says, as spreadsheets show it and CSV files hold it: a mapping names it so."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def _names(cells: Cells) -> tuple[str, ...]:
    while cells and not str(cells[-1] or "").strip():
        cells = cells[:-1]
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = " ".join(str(cell or "").split()) or f"#{place}"
        names.append(name if name not in names else f"{name} ({place})")
    return tuple(names)


def _filled(cells: Cells) -> bool:
    return any(cell not in ("", None) for cell in cells)


def _fitted(cells: Cells, width: int) -> Cells:
    row = list(cells[:width]) + [""] * (width - len(cells))
    return [c[: LONGEST_CELL + 1] if isinstance(c, str) and len(c) > LONGEST_CELL else c for c in row]
