"""Values of a case as JSON keeps them, exact both ways: moments, dates, and records that are only pointed to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """Records of a form by id; what they say is read anew whenever it is asked for."""

    form: str
    ids: tuple[int, ...]
    many: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the case's own record."""

    subform: str
    id: int


def write(value: Any) -> Any:
    """`value` as plain JSON values."""
    if isinstance(value, Found):
        return {"~found": [value.form, list(value.ids), value.many]}
    if isinstance(value, Line):
        return {"~line": [value.subform, value.id]}
    if isinstance(value, datetime):
        return {"~moment": value.isoformat()}
    if isinstance(value, date):
        return {"~date": value.isoformat()}
    if isinstance(value, Mapping):
        return {_marked(str(key)): write(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [write(each) for each in value]
    return value


def read(value: Any) -> Any:
    """What `write` was given; lists stay lists."""
    if isinstance(value, list):
        return [read(each) for each in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"~found": [form, ids, many]}:
            return Found(form, tuple(ids), many)
        case {"~line": [subform, line]}:
            return Line(subform, line)
        case {"~moment": moment}:
            return datetime.fromisoformat(moment)
        case {"~date": day}:
            return date.fromisoformat(day)
    return {key.removeprefix("~"): read(each) for key, each in value.items()}


def _marked(key: str) -> str:
    """Keys of foreign answers that look like our own marks get one more, so that nobody can write them."""
    return f"~{key}" if key.startswith("~") else key
