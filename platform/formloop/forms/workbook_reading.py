"""Workbooks, read by a limited process beside this one: a bomb ends that process and nothing else."""

import json
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from formloop.core.errors import Invalid, Problem
from formloop.core.text import M, Message

ENDINGS = (".xlsx", ".xls", ".xlsm", ".ods", ".xlsb")
UNPACKED = 600 * 1024 * 1024
LONGEST_LINE = 16 * 1024 * 1024  # of what the child says: a part, each character of it in six
OPENING = 120.0  # seconds until the first row must be there
_CHILD = Path(__file__).with_name("workbook_child.py")
_LIMIT = M("Reading this workbook takes too much memory or time. Split it, or save it as CSV.")
_REFUSED = {
    "password": M("This workbook is protected by a password. Save a copy without one."),
    "damaged": M("This is not an Excel workbook, or it is damaged."),
    "limit": _LIMIT,
    "long": M(
        "This workbook holds far more text than a file of its size should. Split it, or save it as CSV."
    ),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """One sheet of a workbook, its rows read as they are asked for, and the names of all sheets."""

    rows: Iterator[list[Any]]
    total: int
    sheet: str
    sheets: tuple[str, ...]


def open_workbook(path: Path, sheet: str = "") -> Opened:
    """The sheet of this name, or the first; Invalid says in words why a workbook cannot be read."""
    _check_size(path)
    command = [sys.executable, "-I", str(_CHILD), str(path), sheet]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="ascii")
    assert child.stdout is not None
    guard = threading.Timer(OPENING, child.kill)
    guard.start()
    try:
        said = _next(child.stdout)
    finally:
        guard.cancel()
    if "refused" in said:
        _end(child)
        if said["refused"] == "sheet":
            raise _refused(M("The workbook has no sheet “{name}”.", name=sheet))
        word = "password" if said["refused"] == "damaged" and _is_encrypted(path) else said["refused"]
        raise _refused(_REFUSED[word])
    rows = _rows(child, child.stdout)
    return Opened(rows, int(said["total"]), said["sheet"], tuple(said["sheets"]))


def _rows(child: "subprocess.Popen[str]", lines: IO[str]) -> Iterator[list[Any]]:
    try:
        while (part := _next(lines)) is not True:
            if isinstance(part, dict):
                raise _refused(_REFUSED[part["refused"]])
            for row in part:
                yield [_exact(cell) for cell in row]
    finally:
        _end(child)


def _next(lines: IO[str]) -> Any:
    """The next thing the child says; that it refused when it has ended, or says too much at once."""
    line = lines.readline(LONGEST_LINE)
    return json.loads(line) if line.endswith("\n") else {"refused": "limit"}


def _end(child: "subprocess.Popen[str]") -> None:
    child.kill()
    child.communicate()


def _exact(cell: Any) -> Any:
    """Spreadsheets give whole numbers as floats, and we keep none."""
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 1e15 else Decimal(repr(cell))
    return cell


def _refused(message: Message) -> Invalid:
    return Invalid([Problem("file", "", message)])


def _check_size(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
        raise _refused(_REFUSED["damaged"]) from error
    if unpacked > UNPACKED:
        raise _refused(M("This workbook is too large when unpacked."))


def _is_encrypted(path: Path) -> bool:
    with path.open("rb") as file:
        return "EncryptedPackage".encode("utf-16-le") in file.read(1024 * 1024)
