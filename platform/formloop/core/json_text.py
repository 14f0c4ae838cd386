"""Plain values to JSON text and back: decimals stay exact, dates are ISO text."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring as _quoted
from typing import Any


def plain(value: Any) -> Any:
    """`value` made of dictionaries, lists, text, numbers, booleans and None only; decimals lose no digit."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value.normalize()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value


def dumps(value: Any) -> str:
    """JSON text of `value`, in one line; decimals are written as numbers with all their digits."""
    return _encode(value)


def loads(text: str) -> Any:
    """The values in a JSON text; numbers with a point become decimals."""
    return json.loads(text, parse_float=Decimal)


def _encode(value: Any) -> str:
    # the encoder of the standard library offers no way to write a decimal as an exact number
    writer = _WRITERS.get(type(value))
    if writer is not None:
        return writer(value)
    for kind, write in _WRITERS.items():  # a kind of text, number, … of somebody else's
        if isinstance(value, kind):
            return write(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _object(value: dict[Any, Any]) -> str:
    return "{" + ",".join([f"{_quoted(str(key))}:{_encode(each)}" for key, each in value.items()]) + "}"


def _array(value: Iterable[Any]) -> str:
    return "[" + ",".join([_encode(each) for each in value]) + "]"


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    str: _quoted,
    bool: lambda value: "true" if value else "false",
    int: int.__repr__,
    Decimal: lambda value: format(value.normalize(), "f") if value.is_finite() else "null",
    datetime: lambda value: f'"{value.isoformat()}"',
    date: lambda value: f'"{value.isoformat()}"',
    dict: _object,
    list: _array,
    tuple: _array,
    set: _array,
    frozenset: _array,
    type(None): lambda value: "null",
}
