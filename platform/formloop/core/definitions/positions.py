"""Where in a JSON text a value stands. Looked up only when there is something to tell."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import NamedTuple

_SPACE = re.compile(r"[ \t\n\r]*")
# an unfinished string runs to the end, so that no text is scanned twice
STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1, ",": 0}
_value_at = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).raw_decode


class Member(NamedTuple):
    """A property or list member: its name, and where name, value and its end stand."""

    name: str
    at: int
    value: int
    end: int


class Positions:
    """Places in one well-formed JSON text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._members: dict[int, list[Member]] = {}

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        return self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset)

    def offset_of(self, path: str) -> int:
        """Where the value at a dotted path stands: at its name if it has one; else the nearest outer place."""
        rest, place = path, self._space(0)
        found = place
        while rest:
            inner = [m for m in self.members(place) if rest == m.name or rest.startswith(m.name + ".")]
            if not inner:
                break
            nearest = max(inner, key=lambda m: len(m.name))  # a name may itself contain dots
            found, place = nearest.at, nearest.value
            rest = rest[len(nearest.name) + 1 :]
        return found

    def around(self, offset: int) -> tuple[str, int]:
        """The dotted path of the innermost value around an offset, and where that value stands."""
        path, place = list[str](), self._space(0)
        while inner := next((m for m in self.members(place) if m.at <= offset < m.end), None):
            path.append(inner.name)
            place = inner.value
        return ".".join(path), place

    def members(self, start: int) -> list[Member]:
        """What the object or list at `start` contains; nothing if a plain value stands there."""
        if start not in self._members:
            self._members[start] = list(self._scan(start))
        return self._members[start]

    def _scan(self, start: int) -> Iterator[Member]:
        opening = self.text[start : start + 1]
        if opening not in ("{", "["):
            return
        place, count = self._space(start + 1), 0
        while self.text[place] not in "}]":
            at, name = place, str(count)
            if opening == "{":
                name, place = _value_at(self.text, place)
                place = self._space(self._space(place) + 1)
            _, end = _value_at(self.text, place)
            yield Member(name, at, place, end)
            count += 1
            place = self._space(end)
            if self.text[place] == ",":
                place = self._space(place + 1)

    def _space(self, place: int) -> int:
        found = _SPACE.match(self.text, place)
        return found.end() if found else place


def find_token(text: str, pattern: str, wanted: Callable[[str], bool]) -> int:
    """Where the first token outside of strings stands that matches and is wanted; 0 when there is none."""
    for found in re.finditer(f"{STRING}|(?P<token>{pattern})", text, re.DOTALL):
        if found["token"] is not None and wanted(found["token"]):
            return found.start()
    return 0


def measure(text: str) -> tuple[int, int]:
    """How deep brackets are nested outside of strings, and at most how many values there are."""
    skeleton = re.sub(r"[^\[\]{},]++", "", re.sub(STRING, "", text, flags=re.DOTALL))
    depth = max(accumulate(map(_STEP.__getitem__, skeleton)), default=0)
    return depth, 1 + sum(map(skeleton.count, "[{,"))
