"""A first form from a table people already have: what its columns hold, and which of them are lines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil
from typing import Any

from formloop.core.definitions import Doc
from formloop.core.errors import Problem
from formloop.core.keys import suggest_key
from formloop.core.text import M
from formloop.forms.fields import find_type, types
from formloop.forms.fields.number import read_number
from formloop.forms.sheets import Cells
from formloop.forms.spec import Field, Unreadable
from formloop.forms.starting import STARTS, in_pairs

READ = 2_000  # rows that are looked at
LINES = "lines"
IN_LIST = 6
_MOST_CHOICES, _LEAST_ROWS = 12, 8
_LONG = 80
_FEW = 20  # one odd cell in so many, or in what is not much less, may be a mistake
_MOST_DIGITS = 10
_NAMES_ONE = re.compile(r"号|编码|代码|\b(?:no|id|code|key|number|order|document)\b\.?", re.IGNORECASE)
_MONEY = re.compile(r"金额|单价|价格|合计|总价|小计|费用|amount|price|total|cost|fee", re.IGNORECASE)
_PHONE = re.compile(r"电话|手机|phone|mobile|\btel\b", re.IGNORECASE)
KINDS = (
    "text",
    "long text",
    "number",
    "amount",
    "date",
    "time",
    "switch",
    "choice",
    "e-mail",
    "phone",
    "link",
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table as it will be a field: its label, one of `KINDS` or "" to leave it out."""

    place: int
    title: str
    kind: str
    line: bool = False
    choices: tuple[str, ...] = ()
    digits: int = 0  # after the point
    nearly: str = ""  # the kind it would be but for a few cells, of which `odd` is the first
    odd: str = ""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a table seems to be: its columns and, where several rows make one record, the place of the column that says
    which one."""

    columns: tuple[Column, ...]
    by: int | None = None


def guess(titles: Sequence[str], rows: Sequence[Cells]) -> Guess:
    """What the columns of a table hold, judged by their names and first rows."""
    columns = [_column(place, title, [row[place] for row in rows]) for place, title in enumerate(titles)]
    by = next((c.place for c in columns[:5] if _tells_records(c, columns, rows)), None)
    if by is None:
        return Guess(tuple(columns))
    steady = _steady(by, len(titles), rows)
    return Guess(tuple(replace(c, line=c.place not in steady) for c in columns), by)


def _column(place: int, title: str, cells: Sequence[Any]) -> Column:
    values = [cell for cell in cells if cell not in ("", None)]
    kind = next((name for name in _order(title) if values and _holds(name, title, values)), "text")
    choices = tuple(dict.fromkeys(str(v).strip() for v in values)) if kind == "choice" else ()
    nearly, odd = _nearly(title, values) if kind == "text" else ("", "")
    digits = _digits(values) if kind in ("number", "amount") else 0
    return Column(place, title, kind, choices=choices, digits=digits, nearly=nearly, odd=odd)


def _nearly(title: str, values: Sequence[Any]) -> tuple[str, str]:
    """The kind that takes all but a few cells, which may be mistakes, and the first of those; both empty if none does."""
    most = ceil(len(values) / _FEW) if len(values) > _FEW // 4 else 0
    for name in _order(title):
        if most and name not in ("choice", "long text"):
            odd = list(islice((value for value in values if not _holds(name, title, [value])), most + 1))
            if len(odd) <= most:
                return name, str(odd[0]).strip()[:40]
    return "", ""


def _order(title: str) -> tuple[str, ...]:
    number = ("amount",) if _MONEY.search(title) else ("number",)
    return ("phone", "date", "time", "switch", *number, "e-mail", "link", "choice", "long text")


def _holds(name: str, title: str, values: Sequence[Any]) -> bool:
    """Whether a kind of field takes all these cells, and none of them would lose what it says."""
    texts = [str(value).strip() for value in values]
    if name == "phone":
        return bool(_PHONE.search(title)) and _all_read(name, texts)
    if name == "choice":
        different = set(texts)
        few = len(different) <= _MOST_CHOICES and len(texts) >= max(_LEAST_ROWS, 3 * len(different))
        return (
            few
            and len(different) > 1
            and all(0 < len(t) <= 40 for t in different)
            and not _NAMES_ONE.search(title)
        )
    if name == "long text":
        return any(len(text) > _LONG or "\n" in text for text in texts)
    if name == "link":
        return all(text.startswith(("http://", "https://")) for text in texts) and _all_read(name, texts)
    if name in ("number", "amount"):
        return not any(_is_code(text) for text in texts) and _all_read(name, values)
    if name in ("date", "time", "switch") and all(read_number(text) is not None for text in texts):
        return False  # a bare number is a number, though a spreadsheet's days and switches are numbers too
    return _all_read(name, values)


def _is_code(text: str) -> bool:
    """Digits that are a name: they begin with a zero, or are longer than anybody counts."""
    return text.isdecimal() and (len(text) > 15 or (len(text) > 1 and text[0] == "0"))


def _all_read(name: str, values: Sequence[Any]) -> bool:
    schema = STARTS[name][1]
    kind = find_type(schema) or types.get("text")
    field = Field("x", "x", kind, schema, scale=_MOST_DIGITS)
    try:
        read = [kind.read(field, value) for value in values]
    except Unreadable:
        return False
    return all(value is not None and kind.check(field, value) is None for value in read)


def _digits(values: Sequence[Any]) -> int:
    """The most digits after the point."""
    return max(len(str(value).strip().rstrip("%").partition(".")[2].rstrip("0")) for value in values)


def _tells_records(column: Column, columns: Sequence[Column], rows: Sequence[Cells]) -> bool:
    """Whether rows that name the same thing in this column, or name nothing, make one record together."""
    if not rows or rows[0][column.place] in ("", None):
        return False
    starts = _starts(column.place, rows)
    if len(starts) == len(rows):
        return False
    named = [str(rows[start][column.place]) for start in starts]
    goes_on = any(row[column.place] in ("", None) for row in rows)
    steady = _steady(column.place, len(columns), rows)
    says_which = bool(_NAMES_ONE.search(column.title)) and len(steady) > 1
    return len(set(named)) == len(named) and (goes_on or says_which) and len(steady) < len(columns)


def _starts(by: int, rows: Sequence[Cells]) -> list[int]:
    """The rows at which another record begins."""
    found = [0]
    for number in range(1, len(rows)):
        cell = rows[number][by]
        if cell not in ("", None) and cell != rows[found[-1]][by]:
            found.append(number)
    return found


def _steady(by: int, width: int, rows: Sequence[Cells]) -> set[int]:
    """The columns that say the same, or nothing more, in all rows of a record."""
    starts = _starts(by, rows)
    ends = [*starts[1:], len(rows)]
    return {
        place
        for place in range(width)
        if all(
            rows[number][place] in ("", None, rows[start][place])
            for start, end in zip(starts, ends, strict=True)
            for number in range(start, end)
        )
    }


def form_of(doc: Doc, guess: Guess) -> tuple[Doc, list[Problem]]:
    """`doc` with a field for each column that is not left out; those of lines in a subform."""
    problems, own, inner, required = list[Problem](), dict[str, Any](), dict[str, Any](), list[str]()
    for column in guess.columns:
        if not column.kind:
            continue
        if not column.title.strip():
            problems.append(Problem("required", f"title.{column.place}", M("Give it a label.")))
            continue
        into = inner if column.line and guess.by is not None else own
        key = suggest_key(column.title, {*into, LINES})
        into[key] = _schema(column)
        if column.place == guess.by:
            into[key]["x-unique"] = True
            required.append(key)
    if not own:
        problems.append(Problem("required", "", M("Keep at least one column for the record itself.")))
    if inner:
        items = {"type": "object", "properties": inner}
        own[LINES] = {"type": "array", "title": "Lines", "x-title": {"zh-CN": "明细"}, "items": items}
    listed = [key for key, schema in own.items() if schema["type"] != "array"][:IN_LIST]
    made: Doc = {**doc, "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}
    made |= {
        "required": required,
        "properties": own,
        "x-layout": in_pairs(own),
        "x-list": {"columns": listed},
    }
    return made, problems


def _schema(column: Column) -> dict[str, Any]:
    schema = {**STARTS[column.kind][1], "title": column.title.strip()[:200]}
    if column.kind == "choice":
        schema["enum"] = list(column.choices) or ["A", "B"]
    kind = find_type(schema) or types.get("text")
    if kind.numeric and column.digits > int(getattr(kind, "scale", 0)):
        schema["x-scale"] = min(column.digits, _MOST_DIGITS)
    return schema
