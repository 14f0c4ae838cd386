"""Values typed to try an expression on, where no record says what it gives."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from formloop.core.expression import (
    BOOL,
    DATE,
    DATETIME,
    NUMBER,
    Expression,
    ListType,
    Path,
    RecordType,
    Type,
)
from formloop.core.expression.nodes import Name, Typed
from formloop.core.expression.types import element

BESIDE = "\x1f"  # between several choices on their way from the page
MOST = 12  # inputs to try an expression with
LONGEST = 50  # lines of one of them


@dataclass(frozen=True, slots=True)
class Sample:
    """One value that is asked for: of several there are commas between, or what stands between choices.

    It is one of the `options`, or a record, person or department that is `searched` and `called` like this.
    """

    path: str
    title: str
    kind: str
    several: bool
    value: str
    options: Sequence[tuple[str, str]] = ()
    searched: bool = False
    called: str = ""


def asked(expression: Expression, titles: Mapping[str, str], given: Mapping[str, str]) -> list[Sample]:
    """What an expression reads, to be typed."""
    return [
        Sample(
            path, titles.get(path, path), element(kind).name, isinstance(kind, ListType), given.get(path, "")
        )
        for path, kind in _read(expression).items()
    ][:MOST]


def environment(expression: Expression, given: Mapping[str, str]) -> dict[str, Any]:
    """The names with the values that were typed; what cannot be read is empty."""
    env: dict[str, Any] = {}
    for path, kind in sorted(_read(expression).items(), key=lambda each: each[0].count(".")):
        said, steps = given.get(path, ""), tuple(path.split("."))
        if not isinstance(kind, ListType):
            _put(env, steps, _value(said, kind))
            continue
        parts = said.split(BESIDE) if BESIDE in said else said.replace("，", ",").split(",")
        values = [_value(each, kind.of) for each in parts[:LONGEST] if each.strip()]
        if len(steps) == 1:
            env[steps[0]] = values
            continue
        lines = env[steps[0]] = [each if isinstance(each, dict) else {} for each in env.get(steps[0], ())]
        lines += [{} for _ in range(len(values) - len(lines))]
        for line, value in zip(lines, values, strict=False):
            _put(line, steps[1:], value)
    return env


def _read(expression: Expression) -> dict[str, Type]:
    return {".".join(each.path): each.type for each in _names(expression.tree)}


def _names(part: Typed) -> Iterator[Name]:
    if isinstance(part, Name):
        yield part
    for each in part.parts:
        yield from _names(each)


def _put(env: dict[str, Any], steps: Path, value: Any) -> None:
    for step in steps[:-1]:
        if not isinstance(env.get(step), dict):
            env[step] = {}
        env = env[step]
    env[steps[-1]] = value


def _value(text: str, kind: Type) -> Any:
    text = text.strip()
    if not text:
        return None
    with suppress(ValueError, InvalidOperation):
        if kind == NUMBER or isinstance(kind, RecordType):
            number = Decimal(text)
            return number if number.is_finite() and abs(number.adjusted()) < 18 else None
        if kind == DATE:
            return date.fromisoformat(text)
        if kind == DATETIME:
            return datetime.fromisoformat(text)
        return text.lower() in ("1", "true", "yes", "是", "on") if kind == BOOL else text
    return None
