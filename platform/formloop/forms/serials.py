"""Serial numbers: `SO{yyyy}{MM}-{0001}`, or with a field in them, `{=region}-{0001}`.

The counter is the last thing a save touches, so it is locked briefly.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from formloop.core.text import M, Message
from formloop.db import Prepared, connection, reading
from formloop.forms.tables import serial_counter

_PLACE = re.compile(r"\{([^{}]*)\}")
FIELD = "="  # stands before the key of a field in a place
MOST_LETTERS = 40  # of a field in a number
_DATED = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d"}
_MEANS = {"yyyy": "year", "yy": "year", "MM": "month", "dd": "day"}
RESTARTS = ("never", "year", "month", "day")
_RANK = {each: rank for rank, each in enumerate(RESTARTS)}
PARTS = {"year": M("year"), "month": M("month"), "day": M("day")}
_counter = [serial_counter.c[name] == bindparam(f"of_{name}") for name in ("form", "field", "period")]
_VALUE = select(serial_counter.c.value).where(*_counter)
_RAISE = Prepared(
    update(serial_counter)
    .where(*_counter)
    .values(value=serial_counter.c.value + bindparam("count"))
    .returning(serial_counter.c.value)
)


def check_pattern(pattern: str, fields: Mapping[str, Any], restart: str = "") -> Message | None:
    """What is wrong with a pattern: one place counts, the others are parts of the day or texts of the form's fields.

    A count starts anew with a part of the day that the number shows, or numbers would repeat.
    """
    places = _PLACE.findall(pattern)
    for key in fields_in(pattern):
        schema = fields.get(key)
        if not isinstance(schema, Mapping) or schema.get("type") != "string" or schema.get("x-serial"):
            return M("A number can only contain a field of text that the form has; “{key}” is none.", key=key)
    counting = [p for p in places if p.isdigit()]
    known = all(p.isdigit() or p in _DATED or p.startswith(FIELD) for p in places)
    if len(counting) != 1 or not known:
        return M("A numbering has one place that counts, such as SO{yyyy}-{0001}.")
    if restart in PARTS and restart not in _shown(pattern):
        return M(
            "Numbers would repeat: put the {part} into the number, or let the count go on.",
            part=PARTS[restart],
        )
    return None


def finest(pattern: str) -> str:
    """What the finest part of the day in a pattern stands for: how often its count starts anew unless it is said."""
    return max(_shown(pattern), key=_RANK.__getitem__, default="never")


def _shown(pattern: str) -> set[str]:
    return {_MEANS[place] for place in _PLACE.findall(pattern) if place in _MEANS}


def dated(pattern: str, day: date, restart: str = "day") -> str:
    """The pattern with the parts of a day, but those finer than what the count starts anew with."""
    most = _RANK[restart if restart in _RANK else "day"]

    def part(place: re.Match[str]) -> str:
        known = place[1] in _DATED and _RANK[_MEANS[place[1]]] <= most
        return day.strftime(_DATED[place[1]]) if known else place[0]

    return _PLACE.sub(part, pattern)


def uncounted(pattern: str) -> str:
    """The pattern whatever the digits of its count."""
    return _PLACE.sub(lambda place: "{0}" if place[1].isdigit() else place[0], pattern)


def fields_in(pattern: str) -> list[str]:
    """The fields whose texts stand in a number."""
    return [place[1:] for place in _PLACE.findall(pattern) if place.startswith(FIELD)]


def filled(pattern: str, values: Mapping[str, Any]) -> str:
    """The pattern with what a record has in its fields; each such text has a count of its own."""

    def text(place: re.Match[str]) -> str:
        if not place[1].startswith(FIELD):
            return place[0]
        value = values.get(place[1][1:])
        return re.sub(r"[{}\s]", "", "" if value is None else str(value))[:MOST_LETTERS]

    return _PLACE.sub(text, pattern)


def sample(pattern: str, values: Mapping[str, Any], day: date, later: int = 0) -> str:
    """The first number of a pattern on a day, or one so much `later`."""

    def part(place: re.Match[str]) -> str:
        if place[1].isdigit():
            return str(int(place[1]) + later).rjust(len(place[1]), "0")
        return day.strftime(_DATED.get(place[1], ""))

    return _PLACE.sub(part, filled(pattern, values))


@dataclass(frozen=True, slots=True)
class Counting:
    """A field that is numbered, of which form, and when its count starts anew."""

    form: str
    field: str
    restart: str = ""


def take(of: Counting, pattern: str, count: int, day: date) -> list[str]:
    """The next `count` numbers of a field, inside the open transaction."""
    period, shown = dated(pattern, day, of.restart), dated(pattern, day)
    place = next((p for p in _PLACE.findall(shown) if p.isdigit()), "0001")
    last = _raise(of, period, count, int(place) - 1 if int(place) > 0 else 0)
    return [
        shown.replace("{" + place + "}", str(number).rjust(len(place), "0"))
        for number in range(last - count + 1, last + 1)
    ]


def observe(of: Counting, pattern: str, values: Iterable[str]) -> None:
    """Let the counters know numbers that records brought along, so that they are not given out again."""
    looks, count = _looks_of(pattern), next((p for p in _PLACE.findall(pattern) if p.isdigit()), "0001")
    highest: dict[str, int] = {}
    for found in (match for value in values if (match := looks.fullmatch(value))):
        period = _period_of(pattern, found, of.restart)
        highest[period] = max(highest.get(period, 0), int(found["count"]))
    start = max(int(count) - 1, 0)
    for period, number in highest.items():
        known = connection().execute(_VALUE, _key(of.form, of.field, period)).scalar()
        missing = number - (start if known is None else int(known))
        if missing > 0:
            _raise(of, period, missing, start)


def recount(of: Counting, numbers: Iterable[tuple[str, str]], anew: bool) -> None:
    """Let the counters begin behind the numbers that are there, given with their patterns.

    `anew`: it starts anew otherwise than before, so the counters so far mean nothing. Else they stay: who has begun
    to save under the earlier pattern still counts on by them.
    """
    if anew:
        gone = (serial_counter.c.form == of.form, serial_counter.c.field == of.field)
        connection().execute(delete(serial_counter).where(*gone))
    by_pattern: dict[str, list[str]] = {}
    for pattern, number in numbers:
        by_pattern.setdefault(pattern, []).append(number)
    for pattern, each in by_pattern.items():
        observe(of, pattern, each)


def _period_of(pattern: str, found: re.Match[str], restart: str) -> str:
    """The counter that a number belongs to: parts of the day finer than its start anew stay places."""
    most = _RANK[restart if restart in _RANK else "day"]
    parts = iter(found.groupdict().items())

    def part(place: re.Match[str]) -> str:
        _, said = next(parts)
        keeps = place[1].isdigit() or (place[1] in _MEANS and _RANK[_MEANS[place[1]]] > most)
        return place[0] if keeps else said

    return _PLACE.sub(part, pattern)


def _looks_of(pattern: str) -> re.Pattern[str]:
    """What the numbers of a pattern look like: a group for each place, the one that counts is `count`."""
    looks, counts = "", False
    for number, piece in enumerate(_PLACE.split(pattern)):
        if number % 2 == 0:
            looks += re.escape(piece)
        elif piece.isdigit() and not counts:
            looks, counts = looks + "(?P<count>[0-9]{1,15})", True
        else:
            looks += f"(?P<at{number}>[0-9]{{{len(piece)}}})"
    return re.compile(looks if counts else looks + "(?P<count>[0-9]{1,15})")


def _key(form: str, field: str, period: str) -> dict[str, str]:
    return {"of_form": form, "of_field": field, "of_period": period}


def _raise(of: Counting, period: str, count: int, start: int) -> int:
    conn = connection()
    raised = {**_key(of.form, of.field, period), "count": count}
    value = _RAISE.rows(conn, raised).scalar()
    if value is not None:
        return int(value)
    begun = {"form": of.form, "field": of.field, "period": period, "value": start + count}
    try:
        with conn.begin_nested():
            conn.execute(insert(serial_counter).values(**begun))
        return start + count
    except IntegrityError:  # another transaction began this period first
        return int(_RAISE.rows(conn, raised).scalar_one())


@dataclass(frozen=True, slots=True)
class Series:
    """The numbers that one counter gives: what stands before and after the count, its first and its last.

    Parts of the day that change while it counts on stand as places in them.
    """

    pattern: str
    before: str
    after: str
    width: int
    start: int
    last: int

    def number(self, count: int) -> str:
        """The number of a count; of what changes meanwhile only that something stands there."""
        before, after = (_PLACE.sub("…", each) for each in (self.before, self.after))
        return f"{before}{str(count).rjust(self.width, '0')}{after}"

    @property
    def beginning(self) -> str:
        """What all of them begin with."""
        return _PLACE.split(self.before)[0]

    def counts(self, numbers: Iterable[str | None]) -> set[int]:
        """The counts of those numbers that are of this series."""
        looks = _looks_of(f"{self.before}{{0}}{self.after}")
        return {int(found["count"]) for number in numbers if number and (found := looks.fullmatch(number))}


def list_series(form: str, field: str) -> list[Series]:
    """The series of a field that gave out numbers, the newest first."""
    found = select(serial_counter.c.period, serial_counter.c.value).where(
        serial_counter.c.form == form, serial_counter.c.field == field
    )
    with reading() as conn:
        return [
            _series(row.period, row.value)
            for row in conn.execute(found.order_by(serial_counter.c.period.desc()))
        ]


def _series(period: str, last: int) -> Series:
    place = next((m for m in _PLACE.finditer(period) if m[1].isdigit()), None)
    if place is None:
        return Series(period, period, "", 0, 1, last)
    before, after = period[: place.start()], period[place.end() :]
    return Series(period, before, after, len(place[1]), max(int(place[1]), 1), last)
