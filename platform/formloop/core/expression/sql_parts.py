"""Small SQL forms that several functions need, and the type calculated numbers come back as."""

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Integer, Numeric, String, cast, func, literal
from sqlalchemy.types import TypeDecorator, TypeEngine

Element = ColumnElement[Any]


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
        return found.normalize() + 0 if found else Decimal(0)


def whole(value: Element, least: int, most: int) -> Element:
    """A number cut to an integer between two bounds, so that no cast can overflow."""
    sound = func.nullif(value, cast(literal("NaN"), Numeric))
    bounded = func.least(func.greatest(func.trunc(sound), least), most)
    return cast(sound * 0 + bounded, Integer)  # least() ignores an empty value, the product keeps it
