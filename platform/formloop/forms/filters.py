"""Conditions that people build by picking: a field, an operator, a value."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, func, not_, or_, type_coerce

from formloop.core.errors import Problem
from formloop.core.expression import Context
from formloop.core.text import M, Message
from formloop.db import UtcTime
from formloop.forms.spec import Field, Unreadable


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a list as it was picked: `order_date at_least 2026-01-01`. `between` has `other` too."""

    field: str
    operator: str
    value: Any = None
    other: Any = None


@dataclass(frozen=True, slots=True)
class Operator:
    """What an operator is called, how many values it needs, and what it makes of a column."""

    title: Message
    values: int
    build: Callable[[ColumnElement[Any], Any, Any, Context], ColumnElement[bool]]


def _like(value: Any) -> str:
    return str(value).lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _has(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    """Whether a list kept as JSON text has `value`: a text stands in quotes there, an id between commas."""
    text = type_coerce(column, Text())
    if isinstance(value, int):
        return or_(
            *(text.like(pattern) for pattern in (f"[{value}]", f"[{value},%", f"%,{value},%", f"%,{value}]"))
        )
    return func.lower(text).like(f'%"{_like(value)}"%', escape="\\")


def _days(start: Callable[[Context], Any], count: Callable[[Any], int]) -> Any:
    def build(column: ColumnElement[Any], _v: Any, _o: Any, context: Context) -> ColumnElement[bool]:
        first = start(context)
        following = first + timedelta(days=count(first))
        if isinstance(column.type, UtcTime):  # a moment belongs to a day by the viewer's clock
            first, following = (datetime.combine(d, time(), context.zone) for d in (first, following))
        return and_(column >= first, column < following)

    return build


def _month_days(first: date) -> int:
    following: date = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (following - first).days


operators: dict[str, Operator] = {
    "is": Operator(M("is"), 1, lambda c, v, o, x: c == v),
    "is_not": Operator(M("is not"), 1, lambda c, v, o, x: or_(c != v, c.is_(None))),
    "contains": Operator(
        M("contains"),
        1,
        lambda c, v, o, x: func.lower(type_coerce(c, Text())).like(f"%{_like(v)}%", escape="\\"),
    ),
    "starts": Operator(
        M("starts with"), 1, lambda c, v, o, x: func.lower(c).like(f"{_like(v)}%", escape="\\")
    ),
    "any_of": Operator(M("is one of"), 1, lambda c, v, o, x: c.in_(v if isinstance(v, list) else [v])),
    "at_least": Operator(M("at least"), 1, lambda c, v, o, x: c >= v),
    "at_most": Operator(M("at most"), 1, lambda c, v, o, x: c <= v),
    "between": Operator(M("between"), 2, lambda c, v, o, x: and_(c >= v, c <= o)),
    "has": Operator(M("has"), 1, lambda c, v, o, x: _has(c, v)),
    "yes": Operator(M("yes"), 0, lambda c, v, o, x: c.is_(True)),
    "no": Operator(M("no"), 0, lambda c, v, o, x: not_(func.coalesce(c, False))),
    "today": Operator(M("today"), 0, _days(lambda x: x.today, lambda d: 1)),
    "this_week": Operator(
        M("this week"), 0, _days(lambda x: x.today - timedelta(days=x.today.weekday()), lambda d: 7)
    ),
    "this_month": Operator(M("this month"), 0, _days(lambda x: x.today.replace(day=1), _month_days)),
    "empty": Operator(M("is empty"), 0, lambda c, v, o, x: c.is_(None)),
    "filled": Operator(M("is filled"), 0, lambda c, v, o, x: c.is_not(None)),
}


def read_filter(field: Field, wanted: Filter) -> tuple[Filter | None, list[Problem]]:
    """A filter with its values read by the field's type; None with the problem when that is impossible."""
    if wanted.operator not in operators or wanted.operator not in field.type.operators:
        text = M("“{field}” cannot be filtered by “{operator}”.", field=field.key, operator=wanted.operator)
        return None, [Problem("operator", field.path, text)]
    needed = operators[wanted.operator].values
    if needed == 0:
        return wanted, []
    if wanted.operator in ("contains", "starts"):
        return (wanted, []) if str(wanted.value or "").strip() else (None, [])
    values = []
    for raw in (wanted.value, wanted.other)[:needed]:
        try:
            values.append(_read(field, wanted.operator, raw))
        except Unreadable as error:
            return None, [Problem("unreadable", field.path, error.message)]
    if any(v is None for v in values):
        return None, []  # an empty input is no condition
    return Filter(wanted.field, wanted.operator, *values), []


def _read(field: Field, operator: str, raw: Any) -> Any:
    if raw is None:
        return None
    if operator == "any_of":
        parts = raw if isinstance(raw, list) else str(raw).split(",")
        return [v for part in parts if (v := field.type.read(field, part)) is not None] or None
    value = field.type.read_filter(field, raw)
    if isinstance(value, Decimal) and value.adjusted() > 17 - field.scale:
        raise Unreadable(M("“{text}” is larger than any number here.", text=str(raw)[:40]))
    return value
