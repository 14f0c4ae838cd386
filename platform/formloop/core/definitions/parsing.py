"""From JSON text to exact values, refusing what no honest definition contains.

Refused: more than 1 MB or 20,000 values, nesting deeper than 32, a name twice in one object, NaN, numbers that do not fit
a 34-digit decimal, half characters. Every refusal names line and column.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from formloop.core.definitions.positions import Positions, find_token, measure
from formloop.core.errors import Problem
from formloop.core.text import M, Message, Titled

MOST_BYTES = 1_000_000
MOST_DEPTH = 32
MOST_VALUES = 20_000
MOST_DIGITS = 34
MOST_EXPONENT = 30

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_BAD_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_SYNTAX = {
    "Expecting property name enclosed in double quotes": M(
        "A name in double quotes is expected here. Is there a comma too many before it?"
    ),
    "Illegal trailing comma before end of object": M("There is a comma too many before the end."),
    "Illegal trailing comma before end of array": M("There is a comma too many before the end."),
    "Expecting ':' delimiter": M("A colon is expected here, between the name and its value."),
    "Expecting ',' delimiter": M("A comma is expected here, or the bracket that ends this part."),
    "Expecting value": M(
        "A value is expected here: a text in double quotes, a number, true, false, null or an opening bracket."
    ),
    "Unterminated string starting at": M("This text has no closing double quote."),
    "Invalid control character at": M("A text may not run over the end of a line; write \\n for a new line."),
    "Invalid \\escape": M('After a backslash in a text only one of " \\ / b f n r t u may stand.'),
    "Invalid \\uXXXX escape": M("After \\u four hexadecimal digits are expected."),
    "Extra data": M("The document ends before this; there is something after its last bracket."),
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What came out of a text. `doc` is None when there are problems."""

    text: str
    doc: Any
    problems: list[Problem]

    def locate(self, problems: Sequence[Problem]) -> list[Problem]:
        """The problems with line and column of their paths."""
        positions = Positions(self.text)
        found = []
        for problem in problems:
            line, column = positions.line_column(positions.offset_of(problem.at))
            found.append(replace(problem, line=line, column=column))
        return found


class _Refused(Exception):
    def __init__(self, code: str, message: Message, offset: int | None = None) -> None:
        super().__init__(code)
        self.code, self.message, self.offset = code, message, offset


class _NameTwice(Exception):
    def __init__(self, name: str, closed: int) -> None:
        super().__init__(name)
        self.name, self.closed = name, closed


def parse(text: str | bytes, most_values: int = MOST_VALUES) -> Parsed:
    """The values in a JSON text: whole numbers as int, others as Decimal; or the first problem."""
    shown = text if isinstance(text, str) else text.decode("utf-8-sig", "replace")
    try:
        return Parsed(shown, _load(text, most_values), [])
    except _Refused as refused:
        problem = Problem(refused.code, "", refused.message)
        if refused.offset is not None:
            line, column = Positions(shown).line_column(refused.offset)
            problem = replace(problem, line=line, column=column)
    except _NameTwice as twice:
        problem = _name_twice(shown, twice)
    return Parsed(shown, None, [problem])


def check_depth(doc: Any) -> list[Problem]:
    """Where a document is nested too deeply to be written down, with the title of what stands around that place."""
    ahead: list[tuple[Any, tuple[str, ...], Any]] = [(doc, (), None)]
    while ahead:
        value, path, named = ahead.pop()
        if not isinstance(value, dict | list):
            continue
        if isinstance(value, dict):
            named = Titled(value, str(value.get("id", ""))) if "title" in value or "id" in value else named
        if len(path) >= MOST_DEPTH:
            text = M(
                "“{name}” stands too deep inside others: {most} levels are possible.",
                name=named,
                most=MOST_DEPTH,
            )
            return [Problem("too_deep", ".".join(path), text)]
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        ahead += [(each, (*path, str(key)), named or str(key)) for key, each in inner]
    return []


def _too_deep_at(text: str) -> int:
    """Where the first bracket stands that opens one level too many."""
    depth = 0

    def opens_too_deep(bracket: str) -> bool:
        nonlocal depth
        depth += 1 if bracket in ("[", "{") else -1
        return depth > MOST_DEPTH

    return find_token(text, r"[\[\]{}]", opens_too_deep)


def _load(text: str | bytes, most_values: int) -> Any:
    readable = _decoded(text)
    depth, values = measure(readable)
    if depth > MOST_DEPTH:
        raise _Refused(
            "too_deep",
            M("This is nested more than {most} levels deep.", most=MOST_DEPTH),
            _too_deep_at(readable),
        )
    if values > most_values:
        raise _Refused("too_large", M("At most {most} values may be given at once.", most=most_values))
    closed = 0

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal closed
        made = dict(pairs)
        if len(made) < len(pairs):
            count = Counter(name for name, _ in pairs)
            raise _NameTwice(next(name for name, often in count.items() if often > 1), closed)
        closed += 1
        return made

    def number_of(written: str) -> Decimal | int:
        if not is_exact(written):
            offset = find_token(readable, _NUMBER, lambda token: not is_exact(token))
            raise _Refused("number", M("This number has more than {most} digits.", most=MOST_DIGITS), offset)
        number = Decimal(written)
        # a positive exponent is not kept, so that every number has one way to be written
        return int(number) if _exponent(number) >= 0 else number

    def whole_of(written: str) -> Decimal | int:
        return int(written) if len(written) <= MOST_EXPONENT else number_of(written)

    def no_constant(written: str) -> Any:
        offset = find_token(readable, "NaN|-?Infinity", lambda token: token == written)
        raise _Refused("number", M("“{written}” is not a number.", written=written), offset)

    try:
        doc = json.loads(
            readable,
            object_pairs_hook=object_of,
            parse_int=whole_of,
            parse_float=number_of,
            parse_constant=no_constant,
        )
    except json.JSONDecodeError as error:
        told = _SYNTAX.get(error.msg, M("This is not well-formed JSON."))
        raise _Refused("syntax", told, min(error.pos, len(readable))) from None
    if (odd := _BAD_ESCAPE.search(readable)) and _has_half_characters(doc):
        raise _Refused("characters", M("This text contains a character that does not exist."), odd.start())
    return doc


def _decoded(text: str | bytes) -> str:
    too_large = _Refused("too_large", M("A definition may have at most {most} bytes.", most=MOST_BYTES))
    if len(text) > MOST_BYTES:
        raise too_large
    try:
        raw = text if isinstance(text, bytes) else text.encode("utf-8")
        if len(raw) > MOST_BYTES:
            raise too_large
        return raw.decode("utf-8-sig")
    except UnicodeError:
        raise _Refused("characters", M("The file is not a UTF-8 text.")) from None


def is_exact(written: str) -> bool:
    """Whether a number as written keeps every digit in a decimal of 34 digits."""
    if len(written) > MOST_DIGITS + 8:
        return False
    number = Decimal(written)
    return (
        len(number.as_tuple().digits) <= MOST_DIGITS
        and abs(number.adjusted()) <= MOST_EXPONENT
        and abs(_exponent(number)) <= MOST_EXPONENT
    )


def _exponent(number: Decimal) -> int:
    return int(number.as_tuple().exponent)


def _has_half_characters(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, dict):
        return any(_has_half_characters(name) or _has_half_characters(each) for name, each in value.items())
    return isinstance(value, list) and any(map(_has_half_characters, value))


def _name_twice(text: str, twice: _NameTwice) -> Problem:
    """The second of two equal names; its object is the one whose bracket closes after `closed` others."""
    count = -1

    def is_ours(_token: str) -> bool:
        nonlocal count
        count += 1
        return count == twice.closed

    positions = Positions(text)
    path, place = positions.around(find_token(text, r"\}", is_ours))
    equal = [m for m in positions.members(place) if m.name == twice.name]
    line, column = positions.line_column(equal[1].at)
    at = f"{path}.{twice.name}" if path else twice.name
    return Problem("name_twice", at, M("“{name}” stands here a second time.", name=twice.name), line, column)
