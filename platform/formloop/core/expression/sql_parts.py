"""Small SQL forms that several functions need."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, Numeric, cast, func, literal

Element = ColumnElement[Any]


def whole(value: Element, least: int, most: int) -> Element:
    """A number cut to an integer between two bounds, so that no cast can overflow."""
    bounded = func.least(func.greatest(func.trunc(value), least), most)
    return cast(value * 0 + bounded, Integer)  # least() ignores an empty value, the product keeps it


def decimal(value: Any) -> Element:
    """An exact number."""
    return cast(value, Numeric)


def text(value: str) -> Element:
    """A text."""
    return literal(value)
