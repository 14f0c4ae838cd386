"""Tables as people have them, Excel workbooks and CSV files, as headed rows of plain cells."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from formloop.core.errors import Invalid, Problem
from formloop.core.text import M, Message

MOST_COLUMNS = 500
MOST_ROWS = 1_000_000
LONGEST_CELL = 200_000
_UNPACKED = 600 * 1024 * 1024
_HEAD_ROWS = 10
_NUMBER = re.compile(r"[-+¥$€]?[\d.,/: -]+%?")
csv.field_size_limit(16 * 1024 * 1024)

Cells = list[Any]
Row = tuple[int, Cells]  # its number as the spreadsheet shows it, its cells


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its column names and its rows, read as they are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    total: int


def open_sheet(path: Path, name: str = "", known: frozenset[str] = frozenset()) -> Sheet:
    """The first table in a file; Invalid says in words what is wrong with it. `known` helps to find the header."""
    ending = Path(name or path.name).suffix.lower()
    raw = _workbook(path) if ending in (".xlsx", ".xls", ".xlsm", ".ods", ".xlsb") else _csv(path)
    rows, total = raw
    numbered = ((number, cells) for number, cells in enumerate(rows, 1))
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

    return Sheet(columns, read(), max(total - first[place][0], 0))


def _refused(message: Message) -> Invalid:
    return Invalid([Problem("file", "", message)])


def _workbook(path: Path) -> tuple[Iterator[Cells], int]:
    _check_size(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheet = book.get_sheet_by_index(0)
    except PasswordError:
        raise _refused(M("This workbook is protected by a password. Save a copy without one.")) from None
    except (CalamineError, IndexError, OSError, ValueError) as error:
        if "password" in str(error).lower() or "encrypt" in str(error).lower() or _is_encrypted(path):
            text = M("This workbook is protected by a password. Save a copy without one.")
            raise _refused(text) from error
        raise _refused(M("This is not an Excel workbook, or it is damaged.")) from error
    return ([_plain(cell) for cell in row] for row in sheet.iter_rows()), int(sheet.total_height)


def _check_size(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        if sum(each.file_size for each in archive.infolist()) > _UNPACKED:
            raise _refused(M("This workbook is too large when unpacked."))


def _is_encrypted(path: Path) -> bool:
    with path.open("rb") as file:
        return "EncryptedPackage".encode("utf-16-le") in file.read(1024 * 1024)


def _plain(cell: Any) -> Any:
    """A cell as JSON can keep it: spreadsheets give whole numbers as floats and days as midnights."""
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 1e15 else Decimal(repr(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, timedelta) else cell


def _csv(path: Path) -> tuple[Iterator[Cells], int]:
    content = path.read_bytes()
    text = _decoded(content)
    if text is None:
        raise _refused(M("This is neither an Excel workbook nor a CSV file."))
    delimiter = _delimiter(text)
    return _csv_rows(text, delimiter), text.count("\n")


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
