"""Paging by key: where the page after a row begins, and the mark that says so in an address.

A page is found at any depth by the values of its last row, never by counting rows. Empty values are the lowest
on both databases. The last column of a sort must tell rows apart.
"""

import base64
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, and_, literal, or_

from formloop.core.errors import Invalid, Problem
from formloop.core.json_text import dumps, loads
from formloop.core.text import M
from formloop.db import is_sqlite

_NUMBERS = ("Exact", "Calculated")


def direction(column: ColumnElement[Any], key: str, filled: bool = False) -> ColumnElement[Any]:
    """The order of one column, falling where `key` has a `-` in front; SQLite puts empty values low by itself.

    Of a column that is always `filled` nothing is said about empty values, so that its own index serves.
    """
    if filled:
        return column.asc()
    if key.startswith("-"):
        return column.desc() if is_sqlite() else column.desc().nulls_last()
    return column.asc() if is_sqlite() else column.asc().nulls_first()


def after(
    columns: Sequence[ColumnElement[Any]], sort: Sequence[str], values: Sequence[Any]
) -> list[ColumnElement[bool] | None]:
    """The rows behind the one with `values`: it differs in the first column, or equals there and so on.

    In two parts where the first column falls: those with a value, then those without, since one condition
    for both could not begin at its place in the index.
    """
    ways = []
    for depth in range(len(sort)):
        same = [_equal(columns[i], values[i]) for i in range(depth)]
        beyond = _beyond(columns[depth], values[depth], sort[depth].startswith("-"), first=depth == 0)
        if beyond is not None:
            ways.append(and_(*same, beyond))
    behind, first, value = or_(*ways), columns[0], values[0]
    if value is None:
        return [and_(first.is_(None), behind) if sort[0].startswith("-") else behind]
    if sort[0].startswith("-"):
        return [and_(first <= value, behind), first.is_(None)]
    return [and_(first >= value, behind)]


def _equal(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value


def _beyond(column: ColumnElement[Any], value: Any, falling: bool, first: bool) -> ColumnElement[bool] | None:
    if falling:
        if value is None:
            return None
        return column < value if first else or_(column < value, column.is_(None))
    return column.is_not(None) if value is None else column > value


def write_mark(sort: Sequence[str], values: Sequence[Any]) -> str:
    """The mark of the page after the row with these values."""
    return base64.urlsafe_b64encode(dumps([list(sort), list(values)]).encode()).decode()


def read_mark(mark: str, sort: Sequence[str], columns: Sequence[ColumnElement[Any]]) -> list[Any]:
    """The values in a mark that was made for this sort; Invalid otherwise."""
    try:
        said, values = loads(base64.urlsafe_b64decode(mark.encode()).decode())
        if said != list(sort) or len(values) != len(sort):
            raise ValueError
        return [_typed(column, value) for column, value in zip(columns, values, strict=True)]
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Invalid(
            [Problem("cursor", "after", M("This page mark is not valid. Start again at the top."))]
        ) from error


def _typed(column: ColumnElement[Any], value: Any) -> Any:
    """A value of a mark as its column has them; ValueError for any other, which PostgreSQL would not compare."""
    kind = type(column.type).__name__
    if value is None:
        return None
    if isinstance(value, bool) != isinstance(column.type, Boolean):
        raise ValueError(value)
    if isinstance(value, bool):
        return literal(value)  # a bare True could not be compared by < and >
    if kind in _NUMBERS:
        number = Decimal(value)
        if not number.is_finite() or (kind == "Exact" and number.adjusted() > 18):
            raise ValueError(value)
        return number
    if kind == "Date":
        return date.fromisoformat(value)
    if kind == "UtcTime":
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment
    if isinstance(column.type, Integer):
        if not isinstance(value, int) or abs(value) >= 2**63:
            raise ValueError(value)
        return value
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    return value
