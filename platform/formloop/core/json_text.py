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
    return (_WRITERS.get(value.__class__) or _writer(value))(value)


def loads(text: str) -> Any:
    """The values in a JSON text; numbers with a point become decimals."""
    return json.loads(text, parse_float=Decimal)


def _writer(value: Any) -> Callable[[Any], str]:
    """How a kind of text, number, … of somebody else's is written."""
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write
    raise TypeError(f"{type(value).__name__} has no JSON form")


# the encoder of the standard library offers no way to write a decimal as an exact number
def _object(value: dict[Any, Any]) -> str:
    find = _WRITERS.get
    parts = [
        f"{_quoted(str(key))}:{(find(each.__class__) or _writer(each))(each)}" for key, each in value.items()
    ]
    return "{" + ",".join(parts) + "}"


def _array(value: Iterable[Any]) -> str:
    find = _WRITERS.get
    return "[" + ",".join([(find(each.__class__) or _writer(each))(each) for each in value]) + "]"


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
