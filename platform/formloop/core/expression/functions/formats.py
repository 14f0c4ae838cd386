"""The formats of TEXT: numbers such as `#,##0.00`, dates such as `yyyy-mm-dd hh:mm`."""

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import case, func, literal

from formloop.core.expression.functions.spec import Element
from formloop.core.expression.values import Fault, as_text
from formloop.core.text import M

MAX_PATTERN, MAX_DECIMALS = 40, 16
_NUMBER = re.compile(r"([^#0,.%]*)(#,##0|#?0+)(?:\.(0+))?(%?)([^#0,.%]*)")
_DATE = re.compile(r"yyyy|yy|mm|m|dd|d|hh|h|ss|s|[^ymdhs]+")
_SPOKEN = {
    "yyyy": ("{0.year:04d}", "YYYY"),
    "mm": ("{0.month:02d}", "MM"),
    "m": ("{0.month}", "FMMM"),
    "dd": ("{0.day:02d}", "DD"),
    "d": ("{0.day}", "FMDD"),
    "hh": ("{0.hour:02d}", "HH24"),
    "h": ("{0.hour}", "FMHH24"),
    "ss": ("{0.second:02d}", "SS"),
    "s": ("{0.second}", "FMSS"),
    "minutes": ("{0.minute:02d}", "MI"),
}


def formatted(value: Any, pattern: str) -> str:
    """The value in the format; texts and empties as they are."""
    if len(pattern) > MAX_PATTERN:
        raise _unknown(pattern)
    if isinstance(value, Decimal):
        return _number(value, pattern)
    if isinstance(value, date):
        return _date(value, pattern)
    return as_text(value)


def _number(value: Decimal, pattern: str) -> str:
    found = _NUMBER.fullmatch(pattern)
    if not found or len(found[3] or "") > MAX_DECIMALS:
        raise _unknown(pattern)
    before, whole, decimals, percent, after = found.groups()
    places = len(decimals or "")
    value = (value * 100 if percent else value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    value = value if value else abs(value)
    digits = format(abs(value), ",f" if "," in whole else "f")
    ahead, point, behind = digits.partition(".")
    ahead = ahead.zfill(whole.count("0")) if "," not in whole else ahead
    return ("-" if value < 0 else "") + before + ahead + point + behind + percent + after


def _tokens(pattern: str) -> list[str]:
    """The pieces of a date format; `mm` behind hours means minutes."""
    pieces = _DATE.findall(pattern.lower())
    if "".join(pieces) != pattern.lower():
        raise _unknown(pattern)
    result: list[str] = []
    for piece in pieces:
        clock = [p for p in result if p in _SPOKEN or p == "yy"]
        result.append("minutes" if piece == "mm" and clock and clock[-1] in ("hh", "h") else piece)
    return result


def _date(value: date, pattern: str) -> str:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
    shown = ""
    for piece in _tokens(pattern):
        if piece == "yy":
            shown += f"{moment.year % 100:02d}"
        else:
            shown += _SPOKEN[piece][0].format(moment) if piece in _SPOKEN else piece
    return shown


def formatted_sql(sql: Any, node: Any, pattern: Any) -> Element:
    """The same in SQL, for a format that is written down and dates; numbers only where SQLite calls Python."""
    built: Element = sql.formatted(node, pattern)
    return built


def date_pattern(pattern: str) -> Element:
    """The PostgreSQL form of a date format."""
    shown = ""
    for piece in _tokens(pattern):
        known = "YY" if piece == "yy" else _SPOKEN[piece][1] if piece in _SPOKEN else None
        shown += known or '"' + piece.replace("\\", "").replace('"', "") + '"'
    return literal(shown)


def number_pattern(value: Element, pattern: str) -> Element:
    """The PostgreSQL form of a number in a format."""
    found = _NUMBER.fullmatch(pattern)
    if not found or len(found[3] or "") > MAX_DECIMALS:
        raise _unknown(pattern)
    before, whole, decimals, percent, after = found.groups()
    places = len(decimals or "")
    rounded = func.round(value * 100 if percent else value, places)
    ahead = (
        "FM999,999,999,999,999,999,990"
        if "," in whole
        else "FM" + "9" * (20 - whole.count("0")) + "0" * whole.count("0")
    )
    digits = func.to_char(func.abs(rounded), ahead + ("." + "0" * places if places else ""))
    sign: Element = case((rounded < 0, "-"), else_="")
    return sign.concat(literal(before)).concat(digits).concat(literal(percent + after))


def _unknown(pattern: str) -> Fault:
    return Fault(
        M("“{pattern}” is not a format. Use for example 0.00, #,##0.00 or yyyy-mm-dd.", pattern=pattern[:40])
    )
