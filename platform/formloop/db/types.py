"""Column types that mean the same on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Numeric, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine

from formloop.core.json_text import dumps, loads

DIGITS = 18  # a scaled integer of 18 digits always fits into 64 bits


@compiles(BigInteger, "sqlite")
def _sqlite_integer(_type: BigInteger, _compiler: Any, **_options: Any) -> str:
    """SQLite's INTEGER has 64 bits, and only a key that is called so is the row's own place, without an index beside."""
    return "INTEGER"


class Exact(TypeDecorator[Decimal]):
    """A decimal with `scale` digits after the point and 18 digits in all.

    NUMERIC on PostgreSQL; on SQLite a whole number of the smallest unit, so that comparing, sorting,
    indexing and SUM are exact there too (SQLite's own NUMERIC is a float).
    """

    impl = BigInteger
    cache_ok = True

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(DIGITS, self.scale))

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """How a value is handed over; made once for many rows, so it is written for speed."""
        return partial(_whole, self.scale) if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Decimal | None]:
        """How a value is read."""
        return partial(_exact, -self.scale) if dialect.name == "sqlite" else _decimal

    def process_literal_param(self, value: Any, dialect: Dialect) -> Any:
        return value if value is None or dialect.name != "sqlite" else _whole(self.scale, value)


def _whole(scale: int, value: Any) -> int | None:
    if value is None:
        return None
    scaled = Decimal(value).scaleb(scale)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{value} has more than {scale} decimals")
    return whole


def _exact(exponent: int, value: Any) -> Decimal | None:
    return None if value is None else Decimal(value).scaleb(exponent)


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


class JsonText(TypeDecorator[Any]):
    """Plain values as JSON text, decimals exact."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str | None]:
        """How values are handed over."""
        return lambda value: None if value is None else dumps(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """How values are read."""
        return lambda text: None if text is None else loads(text)


class UtcTime(TypeDecorator[datetime]):
    """A moment: aware and in UTC in Python, TIMESTAMPTZ on PostgreSQL, sortable text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """How a moment is handed over; every record has some, so it is written for speed."""
        return _as_text if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """How a moment is read."""
        return _from_text if dialect.name == "sqlite" else _in_utc

    def process_literal_param(self, value: Any, dialect: Dialect) -> Any:
        moment = _in_utc(value)
        return moment.replace(tzinfo=None) if moment and dialect.name == "sqlite" else moment


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a moment must carry its time zone")
    return moment.astimezone(UTC)


def _as_text(moment: datetime | None) -> str | None:
    moment = _in_utc(moment)
    return None if moment is None else moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
