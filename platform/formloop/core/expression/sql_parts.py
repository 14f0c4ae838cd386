"""What the SQL side is made of: names, parts, small forms of functions, the type of calculated numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Date, DateTime, Dialect, Integer, Numeric, String, cast, func, literal
from sqlalchemy.types import TypeDecorator, TypeEngine

from formloop.core.expression.types import Path, Type
from formloop.core.expression.values import plain

Element = ColumnElement[Any]
NOT_A_NUMBER: Element = cast(literal("NaN", String), Numeric)


class SqlNames(Protocol):
    """How names become columns."""

    def column(self, path: Path) -> Element:
        """The column of a path to one value, through relations if need be; a relation itself is its id."""

    def aggregate(self, path: Path, build: Callable[[SqlNames], Element]) -> Element:
        """A scalar subquery over the lines at `path`; `build` gets the names as seen from a line (the same
        full paths, plus those that lead into the lines) and returns the aggregate to select."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of SQL. `scale`: an integer of 10**-scale units; `constant`: its value is known."""

    element: Element
    kind: Type
    scale: int | None = None
    may_be_empty: bool = True
    may_fail: bool = False
    constant: bool = False
    value: Any = None


class Calculated(TypeDecorator[Decimal]):
    """A calculated number: canonical text on SQLite, NUMERIC on PostgreSQL; one that failed is None."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, NUMERIC elsewhere."""
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Canonical text for SQLite."""
        return format(value, "f") if isinstance(value, Decimal) and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """The number without needless zeros."""
        if value is None:
            return None
        found = Decimal(value)
        if found.is_nan():
            return None
        return plain(found)


def whole(value: Element, least: int, most: int) -> Element:
    """A number cut to an integer between two bounds, so that no cast can overflow."""
    sound = func.nullif(value, NOT_A_NUMBER)
    bounded = func.least(func.greatest(func.trunc(sound), least), most)
    return cast(sound * 0 + bounded, Integer)  # least() ignores an empty value, the product keeps it


def within_years(day: Element) -> Element:
    """A calculated date of the years 1 to 9999; others become empty, before a further step can overflow.

    Written with the date once only: greatest() turns an empty date into the lowest, nullif() turns it back.
    """
    lowest, highest = literal(date.min, Date), literal(date.max, Date)
    inside = func.least(func.greatest(cast(day, Date), lowest), highest)
    return func.nullif(func.nullif(inside, lowest), highest, type_=Date)


def moment_within_years(moment: Element) -> Element:
    """The same for a moment."""
    kind = DateTime(timezone=True)
    lowest = literal(datetime(1, 1, 2, tzinfo=UTC), kind)
    highest = literal(datetime(9999, 12, 30, tzinfo=UTC), kind)
    inside = func.least(func.greatest(moment, lowest), highest)
    return func.nullif(func.nullif(inside, lowest), highest, type_=kind)
