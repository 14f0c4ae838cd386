"""Reads one sheet of a workbook in a process of its own, within limits: files from outside may be bombs.

Run as a program with a path and the name of a sheet. Writes JSON lines: first the sheets and the height, then
parts of rows of limited size, at last `true`; or `{"refused": …}`. It stands alone, so that it starts quickly and knows no secrets.
"""

import json
import sys
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

MEMORY = 1536 * 1024 * 1024
SECONDS = 120
AT_ONCE = 200  # rows in a part
PART = 1_000_000  # characters in a row, and about so many in a part; an empty cell counts for a few
CELL = 200_001  # characters; what is longer is cut so that it is still seen to be too long
FREE, RATIO = 64_000_000, 20  # characters in a workbook, and so many more for each of its bytes
EMPTY = 8


def main(path: str, wanted: str) -> None:
    """Write what stands in the workbook, or why it cannot be read."""
    _limit()
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, WorksheetNotFound

    try:
        book = CalamineWorkbook.from_path(path)
        sheet = book.get_sheet_by_name(wanted) if wanted else book.get_sheet_by_index(0)
    except WorksheetNotFound:
        _say({"refused": "sheet"})
    except PasswordError:
        _say({"refused": "password"})
    except MemoryError:
        _say({"refused": "limit"})
    except (CalamineError, IndexError, KeyError, OSError, ValueError) as error:
        locked = any(word in str(error).lower() for word in ("password", "encrypt"))
        _say({"refused": "password" if locked else "damaged"})
    else:
        _say({"sheets": book.sheet_names, "sheet": sheet.name, "total": sheet.total_height})
        _say_rows(sheet, FREE + RATIO * Path(path).stat().st_size)


def _say_rows(sheet: Any, most: int) -> None:
    """All rows in parts; one string may stand in a million cells, so what is said is counted."""
    part: list[list[Any]] = []
    said = 0
    for cells in sheet.iter_rows():
        row = [_plain(cell) for cell in cells]
        while row and row[-1] == "":
            row.pop()
        size = sum(len(cell) or EMPTY if isinstance(cell, str) else EMPTY for cell in row)
        most -= sum(len(cell) for cell in row if isinstance(cell, str))
        if size > PART or most < 0:
            _say({"refused": "long"})
            return
        if part and (said + size > PART or len(part) == AT_ONCE):
            _say(part)
            part, said = [], 0
        part.append(row)
        said += size
    _say(part)
    _say(True)


def _limit() -> None:
    with suppress(ImportError):  # Windows has no such limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what, ensure_ascii=True, separators=(",", ":")) + "\n")


def _plain(cell: Any) -> Any:
    """A cell as JSON can keep it; spreadsheets give days as midnights."""
    if isinstance(cell, str):
        return cell[:CELL]
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, timedelta) else cell


if __name__ == "__main__":
    main(*sys.argv[1:3])
