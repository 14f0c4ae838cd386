"""Dates, moments and times of day."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from sqlalchemy import Date, Text
from sqlalchemy.types import TypeEngine

from formloop.core.expression import DATE, DATETIME, TEXT, Type
from formloop.core.text import M
from formloop.db import UtcTime
from formloop.forms.spec import OF_TEXT, Field, FieldType, Unreadable
from formloop.web import viewer

_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日")
_TIMES = ("%H:%M", "%H:%M:%S")
_MIDNIGHT = re.compile(r"[T ]0?0:00(?::00(?:\.0+)?)?$")
_SPREADSHEET_START = date(1899, 12, 30)
_LAST_DAY = 3_000_000  # the year 9999, as a spreadsheet counts days
_site = {"zone": "Asia/Shanghai"}


def use_zone(name: str) -> None:
    """Say in which zone the site lives: for imports and jobs, where nobody looks."""
    _site["zone"] = name


def site_zone() -> str:
    """The zone the site lives in."""
    return _site["zone"]


def clock_zone() -> ZoneInfo:
    """The zone of the clock that moments are typed and shown by: the viewer's, else the site's."""
    who = viewer.viewer()
    return ZoneInfo(who.zone if who.person_id is not None else _site["zone"])


class DateTime(FieldType):
    """`format` says which: date (a day), date-time (a moment, kept in UTC) or time."""

    name = "datetime"
    title = M("Date and time")
    icon = "calendar"
    unused = OF_TEXT
    sample: ClassVar[Mapping[str, Any]] = {"format": "date"}
    widget = "datetime"
    operators = (
        "is",
        "at_least",
        "at_most",
        "between",
        "today",
        "this_week",
        "this_month",
        "empty",
        "filled",
    )
    options: ClassVar[Mapping[str, Any]] = {"format": {"enum": ["date", "date-time", "time"]}}

    def column(self, field: Field) -> TypeEngine[Any]:
        kinds: dict[str, TypeEngine[Any]] = {"date": Date(), "date-time": UtcTime()}
        return kinds.get(self._format(field), Text())

    def expression_type(self, field: Field) -> Type:
        return {"date": DATE, "date-time": DATETIME}.get(self._format(field), TEXT)

    def read(self, field: Field, raw: Any) -> Any:
        if raw == "" or (isinstance(raw, str) and not raw.strip()):
            return None
        kind = self._format(field)
        try:
            if kind == "date":
                return _read_date(raw)
            if kind == "time":
                return _read_time(str(raw).strip())
            return _read_moment(raw)
        except (ValueError, OverflowError):
            pass
        example = {"date": "2026-11-30", "time": "08:30"}.get(kind, "2026-11-30 08:30")
        raise Unreadable(M("“{text}” is not a date. Example: {example}", text=str(raw)[:40], example=example))

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        if value is None:
            return ""
        if isinstance(value, datetime):
            return format_datetime(
                value.astimezone(clock_zone()), "yyyy-MM-dd HH:mm", locale=locale.replace("-", "_")
            )
        return format_date(value, "yyyy-MM-dd") if isinstance(value, date) else str(value)

    def input_text(self, field: Field, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, datetime):
            local = value.astimezone(clock_zone()).replace(tzinfo=None)
            return local.isoformat(timespec="auto" if local.second or local.microsecond else "minutes")
        return value.isoformat() if isinstance(value, date) else str(value)

    @staticmethod
    def _format(field: Field) -> str:
        return str(field.schema.get("format", "date"))


def _read_date(raw: Any) -> date:
    """A day; a time of day is refused rather than cut off, but for midnight, which spreadsheets write."""
    if isinstance(raw, datetime):
        if raw.tzinfo is not None or raw.time() != time():
            raise ValueError(raw)
        return raw.date()
    if isinstance(raw, date):
        return raw
    if isinstance(raw, int | float | Decimal) and not isinstance(raw, bool):
        if not 0 <= raw <= _LAST_DAY or raw % 1:
            raise ValueError(raw)
        return _SPREADSHEET_START + timedelta(days=int(raw))
    text = _MIDNIGHT.sub("", str(raw).strip())
    if len(text) == 10 and text[4] == "-" == text[7]:  # what nearly everybody and every program writes
        return date.fromisoformat(text)
    for pattern in _FORMATS:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise ValueError(text)


def _read_time(text: str) -> str:
    for pattern in _TIMES:
        try:
            read = datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
        if not read.second:  # nothing is cut off
            return read.strftime("%H:%M")
    raise ValueError(text)


def _read_moment(raw: Any) -> datetime:
    if isinstance(raw, datetime):
        moment = raw
    elif isinstance(raw, date):
        moment = datetime(raw.year, raw.month, raw.day, tzinfo=clock_zone())
    else:
        text = str(raw).strip().replace("/", "-")
        moment = datetime.fromisoformat(text if len(text) > 10 else f"{_read_date(text).isoformat()}T00:00")
    return (moment if moment.tzinfo else moment.replace(tzinfo=clock_zone())).astimezone(UTC)
