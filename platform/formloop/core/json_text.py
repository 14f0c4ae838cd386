"""Plain values to JSON text and back: decimals stay exact, dates are ISO text."""

import json
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
    if isinstance(value, str):
        return _quoted(value)
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value.is_finite() else "null"
    if isinstance(value, datetime | date):
        return f'"{value.isoformat()}"'
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(str(k))}:{_encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ",".join(_encode(each) for each in value) + "]"
    raise TypeError(f"{type(value).__name__} has no JSON form")
