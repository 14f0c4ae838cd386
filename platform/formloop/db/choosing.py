"""Rows chosen by some keys: a statement with a place for each is prepared once for every usual number of them.

A list of any length, which the library spells out anew each time, costs as much again as a small query.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, bindparam

_USUAL = (1, 2, 4, 8)


def places_for(values: Collection[Any]) -> int:
    """How many places a statement needs for these values; 0 stands for a list of any length."""
    return next((number for number in _USUAL if 0 < len(values) <= number), 0)


def among(column: ColumnElement[Any], name: str, places: int) -> ColumnElement[bool]:
    """That `column` is one of the values that are handed over under `name`."""
    if not places:
        return column.in_(bindparam(name, expanding=True))
    each = [bindparam(f"{name}{place}", type_=column.type) for place in range(places)]
    return column == each[0] if places == 1 else column.in_(each)


def handed(name: str, values: Collection[Any]) -> dict[str, Any]:
    """The values for the places that `among` made for them; the last one fills those that are left over."""
    listed = list(values)
    places = places_for(listed)
    if not places:
        return {name: listed}
    return {f"{name}{place}": listed[min(place, len(listed) - 1)] for place in range(places)}
