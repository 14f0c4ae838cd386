"""Texts: parts, search, case, joining, formats."""

import re
from decimal import Decimal
from typing import Any

from sqlalchemy import Numeric, case, cast, func

from formloop.core.expression.functions.formats import formatted, formatted_sql
from formloop.core.expression.functions.rmb import in_capitals
from formloop.core.expression.functions.spec import Element, Group
from formloop.core.expression.sql_parts import NOT_A_NUMBER, whole
from formloop.core.expression.values import MAX_LIST, MAX_TEXT, ONE, Fault, as_text, is_empty
from formloop.core.text import M

text = Group("text")
_NUMBER = re.compile(r"\s*[-+]?(\d{1,18}(\.\d{0,16})?|\.\d{1,16})\s*", re.ASCII)
_NUMBER_SQL = r"^\s*[-+]?(\d{1,18}(\.\d{0,16})?|\.\d{1,16})\s*$"


def _count(value: Element) -> Element:
    return whole(value, 0, MAX_TEXT)


def _at(value: Decimal, least: int = 0) -> int:
    return max(least, min(int(value), MAX_TEXT))


@text(
    "LEN(text: text) -> number",
    "How many characters.",
    "字符个数。",
    'LEN("螺栓 M8")',
    "5",
    sql=func.char_length,
)
def length(value: str) -> Decimal:
    return Decimal(len(value))


@text(
    "LEFT(text: text, count?: number) -> text",
    "The first characters.",
    "开头的若干字符。",
    'LEFT("SO-2026", 2)',
    "SO",
    sql=lambda value, count=None: func.left(value, 1 if count is None else _count(count)),
)
def left(value: str, count: Decimal = ONE) -> str:
    return value[: _at(count)]


@text(
    "RIGHT(text: text, count?: number) -> text",
    "The last characters.",
    "末尾的若干字符。",
    'RIGHT("SO-2026", 4)',
    "2026",
    sql=lambda value, count=None: func.right(value, 1 if count is None else _count(count)),
)
def right(value: str, count: Decimal = ONE) -> str:
    return value[max(0, len(value) - _at(count)) :]


@text(
    "MID(text: text, start: number, count: number) -> text",
    "So many characters from a position, counted from 1.",
    "从指定位置（从 1 起）取若干字符。",
    'MID("SO-2026", 4, 2)',
    "20",
    sql=lambda value, start, count: func.substr(value, whole(start, 1, MAX_TEXT), _count(count)),
)
def middle(value: str, start: Decimal, count: Decimal) -> str:
    begin = _at(start, 1) - 1
    return value[begin : begin + _at(count)]


@text(
    "TRIM(text: text) -> text",
    "Without spaces at both ends, and single spaces inside.",
    "去掉首尾空格，中间只留一个空格。",
    'TRIM("  a   b ")',
    "a b",
    sql=lambda value: func.regexp_replace(func.btrim(value, " "), " +", " ", "g"),
)
def trimmed(value: str) -> str:
    return " ".join(part for part in value.split(" ") if part)


@text("UPPER(text: text) -> text", "In capitals.", "转为大写。", 'UPPER("abc")', "ABC", sql=func.upper)
def upper(value: str) -> str:
    return value.upper()


@text("LOWER(text: text) -> text", "In small letters.", "转为小写。", 'LOWER("ABC")', "abc", sql=func.lower)
def lower(value: str) -> str:
    return value.lower()


@text(
    "CONCAT(value: shown, more...: shown) -> text",
    "All values in a row as one text. Also written with &.",
    "把各值连成一个文本，也可用 &。",
    '"A" & 1 & "B"',
    "A1B",
    lazy=True,
    form=lambda sql, *nodes: sql.joined(nodes),
)
def joined(run: Any, *parts: Any) -> str:
    return "".join(as_text(part(run)) for part in parts)


@text(
    "SUBSTITUTE(text: text, old: text, new: text) -> text",
    "Every occurrence of a piece replaced by another.",
    "把所有出现的旧文本替换为新文本。",
    'SUBSTITUTE("a-b-c", "-", "/")',
    "a/b/c",
    sql=func.replace,
)
def substitute(value: str, old: str, new: str) -> str:
    if not old:
        return value
    if len(value) + value.count(old) * (len(new) - len(old)) > MAX_TEXT:
        raise too_long()
    return value.replace(old, new)


@text(
    "REPLACE(text: text, start: number, count: number, new: text) -> text",
    "Another text put in place of so many characters from a position.",
    "从指定位置起，用新文本替换若干字符。",
    'REPLACE("SO-0001", 1, 2, "PO")',
    "PO-0001",
    sql=lambda value, start, count, new: (
        func.left(value, whole(start, 1, MAX_TEXT) - 1)
        .concat(new)
        .concat(func.substr(value, whole(start, 1, MAX_TEXT) + _count(count)))
    ),
)
def replaced(value: str, start: Decimal, count: Decimal, new: str) -> str:
    begin = _at(start, 1) - 1
    return value[:begin] + new + value[begin + _at(count) :]


@text(
    "FIND(part: text, text: text, start?: number) -> number",
    "At which position a piece occurs first, counted from 1; 0 if it does not.",
    "某段文本首次出现的位置（从 1 起）；未出现则为 0。",
    'FIND("-", "SO-2026")',
    "3",
    sql=lambda part, value, start=None: _find_sql(part, value, start),
)
def find(part: str, value: str, start: Decimal = ONE) -> Decimal:
    return Decimal(value.find(part, _at(start, 1) - 1) + 1)


def _find_sql(part: Element, value: Element, start: Element | None) -> Element:
    if start is None:
        return func.strpos(value, part)
    begin = whole(start, 1, MAX_TEXT)
    found = func.strpos(func.substr(value, begin), part)
    return case((begin > func.char_length(value) + 1, 0), (found == 0, 0), else_=found + begin - 1)


@text(
    "CONTAINS(text: text, part: text) -> bool",
    "Whether a piece occurs in a text; capitals count.",
    "文本是否包含某段文字（区分大小写）。",
    'CONTAINS("steel plate", "plate")',
    "TRUE",
    sql=lambda value, part: func.strpos(value, part) > 0,
)
def contains(value: str, part: str) -> bool:
    return part in value


@text(
    "STARTSWITH(text: text, part: text) -> bool",
    "Whether a text begins with a piece.",
    "文本是否以某段文字开头。",
    'STARTSWITH("SO-2026", "SO")',
    "TRUE",
    sql=lambda value, part: func.left(value, func.char_length(part)) == part,
)
def starts_with(value: str, part: str) -> bool:
    return value.startswith(part)


@text(
    "ENDSWITH(text: text, part: text) -> bool",
    "Whether a text ends with a piece.",
    "文本是否以某段文字结尾。",
    'ENDSWITH("plan.pdf", ".pdf")',
    "TRUE",
    sql=lambda value, part: func.right(value, func.char_length(part)) == part,
)
def ends_with(value: str, part: str) -> bool:
    return value.endswith(part)


@text(
    "EXACT(first: text, second: text) -> bool",
    "Whether two texts are the same, character by character.",
    "两个文本是否完全相同。",
    'EXACT("a", "A")',
    "FALSE",
    sql=lambda first, second: first == second,
)
def exact(first: str, second: str) -> bool:
    return first == second


@text(
    "PADLEFT(text: text, width: number, fill: text) -> text",
    "Filled up at the left to a width, for example with zeros.",
    "在左侧补足到指定宽度，例如补零。",
    'PADLEFT("42", 5, "0")',
    "00042",
)
def pad_left(value: str, width: Decimal, fill: str) -> str:
    missing = _at(width) - len(value)
    if missing <= 0 or not fill:
        return value
    return (fill * (missing // len(fill) + 1))[:missing] + value


@text(
    "TEXT(value: shown, format: text) -> text",
    'A number or date in a format: "0.00", "#,##0.00", "0%", "yyyy-mm-dd", "hh:mm".',
    "按格式显示数字或日期，如 0.00、#,##0.00、0%、yyyy-mm-dd、hh:mm。",
    'TEXT(1234.5, "#,##0.00")',
    "1,234.50",
    cost=5,
    fails=True,
    form=formatted_sql,
)
def as_formatted(value: Any, pattern: str) -> str:
    return formatted(value, pattern)


@text(
    "VALUE(text: text) -> number",
    "The number a text shows.",
    "把文本转为数字。",
    'VALUE("12.5")',
    "12.5",
    fails=True,
    sql=lambda value: case((value.regexp_match(_NUMBER_SQL), cast(value, Numeric)), else_=NOT_A_NUMBER),
)
def to_number(value: str) -> Decimal:
    if not _NUMBER.fullmatch(value):
        raise Fault(M("“{text}” is not a number.", text=value[:40]))
    return Decimal(value.strip())


@text(
    "ISNUMBER(text: text) -> bool",
    "Whether a text shows a number.",
    "文本是否为数字。",
    'ISNUMBER("12.5")',
    "TRUE",
    sql=lambda value: value.regexp_match(_NUMBER_SQL),
)
def is_number(value: str) -> bool:
    return _NUMBER.fullmatch(value) is not None


@text(
    "RMB(amount: number) -> text",
    "An amount of money in Chinese capitals.",
    "人民币大写金额。",
    "RMB(1024.5)",
    "壹仟零贰拾肆元伍角整",
    cost=10,
)
def rmb(amount: Decimal) -> str:
    return in_capitals(amount)


@text(
    "TEXTJOIN(separator: text, value: shown*, more...: shown*) -> text",
    "All values that are not empty, with a separator between them.",
    "用分隔符连接所有非空值。",
    'TEXTJOIN(", ", "a", "", "b")',
    "a, b",
)
def text_join(separator: str, *values: Any) -> str:
    parts = [as_text(v) for value in values for v in (value if isinstance(value, list) else [value])]
    filled = [part for part in parts if not is_empty(part)]
    if sum(map(len, filled)) + len(separator) * len(filled) > MAX_TEXT:
        raise too_long()
    return separator.join(filled)


@text(
    "SPLIT(text: text, separator: text) -> [text]",
    "The pieces of a text between separators, as a list.",
    "按分隔符把文本拆成列表。",
    'INDEX(SPLIT("a/b/c", "/"), 2)',
    "b",
)
def split(value: str, separator: str) -> list[str]:
    parts = value.split(separator, MAX_LIST) if separator else [value]
    if len(parts) > MAX_LIST:
        raise Fault(M("This list is too long: 10,000 values are possible."))
    return parts


def too_long() -> Fault:
    """The fault of a text beyond the limit."""
    return Fault(M("This text becomes too long: 65,536 characters are possible."))
