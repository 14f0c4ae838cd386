"""Serial numbers: `SO{yyyy}{MM}-{0001}`, or with a field in them, `{=region}-{0001}`.

The counter is the last thing a save touches, so it is locked briefly.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from formloop.core.text import M, Message
from formloop.db import connection, reading
from formloop.forms.tables import serial_counter

_PLACE = re.compile(r"\{([^{}]*)\}")
FIELD = "="  # stands before the key of a field in a place
MOST_LETTERS = 40  # of a field in a number
_DATED = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d"}
_counter = [serial_counter.c[name] == bindparam(f"of_{name}") for name in ("form", "field", "period")]
_VALUE = select(serial_counter.c.value).where(*_counter)
_RAISE = (
    update(serial_counter)
    .where(*_counter)
    .values(value=serial_counter.c.value + bindparam("count"))
    .returning(serial_counter.c.value)
)


def check_pattern(pattern: str, fields: Mapping[str, Any]) -> Message | None:
    """What is wrong with a pattern: one place counts, the others are parts of the day or texts of the form's fields."""
    places = _PLACE.findall(pattern)
    for key in (place[1:] for place in places if place.startswith(FIELD)):
        schema = fields.get(key)
        if not isinstance(schema, Mapping) or schema.get("type") != "string" or schema.get("x-serial"):
            return M("A number can only contain a field of text that the form has; “{key}” is none.", key=key)
    counting = [p for p in places if p.isdigit()]
    known = all(p.isdigit() or p in _DATED or p.startswith(FIELD) for p in places)
    if len(counting) != 1 or not known:
        return M("A numbering has one place that counts, such as SO{yyyy}-{0001}.")
    return None


def filled(pattern: str, values: Mapping[str, Any]) -> str:
    """The pattern with what a record has in its fields; each such text has a count of its own."""

    def text(place: re.Match[str]) -> str:
        if not place[1].startswith(FIELD):
            return place[0]
        value = values.get(place[1][1:])
        return re.sub(r"[{}\s]", "", "" if value is None else str(value))[:MOST_LETTERS]

    return _PLACE.sub(text, pattern)


def sample(pattern: str, values: Mapping[str, Any], day: date) -> str:
    """The first number of a pattern on a day."""
    return _PLACE.sub(
        lambda m: m[1] if m[1].isdigit() else day.strftime(_DATED.get(m[1], "")), filled(pattern, values)
    )


def take(form: str, field: str, pattern: str, count: int, day: date) -> list[str]:
    """The next `count` numbers of a field, inside the open transaction."""
    dated = _PLACE.sub(lambda m: day.strftime(_DATED[m[1]]) if m[1] in _DATED else m[0], pattern)
    place = next((p for p in _PLACE.findall(dated) if p.isdigit()), "0001")
    last = _raise(form, field, dated, count, int(place) - 1 if int(place) > 0 else 0)
    return [
        dated.replace("{" + place + "}", str(number).rjust(len(place), "0"))
        for number in range(last - count + 1, last + 1)
    ]


def observe(form: str, field: str, pattern: str, values: Iterable[str]) -> None:
    """Let the counters know numbers that records brought along, so that they are not given out again."""
    looks, count = _looks_of(pattern), next((p for p in _PLACE.findall(pattern) if p.isdigit()), "0001")
    highest: dict[str, int] = {}
    for found in (match for value in values if (match := looks.fullmatch(value))):
        period = found["before"] + "{" + count + "}" + found["after"]
        highest[period] = max(highest.get(period, 0), int(found["count"]))
    start = max(int(count) - 1, 0)
    for period, number in highest.items():
        known = connection().execute(_VALUE, _key(form, field, period)).scalar()
        missing = number - (start if known is None else int(known))
        if missing > 0:
            _raise(form, field, period, missing, start)


def _looks_of(pattern: str) -> re.Pattern[str]:
    """What the numbers of a pattern look like, with the groups `before`, `count` and `after`."""

    def dated(text: str) -> str:
        parts = _PLACE.split(text)
        return "".join(f"[0-9]{{{len(p)}}}" if n % 2 else re.escape(p) for n, p in enumerate(parts))

    count = next((m for m in _PLACE.finditer(pattern) if m[1].isdigit()), None)
    before, after = (pattern[: count.start()], pattern[count.end() :]) if count else (pattern, "")
    return re.compile(f"(?P<before>{dated(before)})(?P<count>[0-9]{{1,15}})(?P<after>{dated(after)})")


def _key(form: str, field: str, period: str) -> dict[str, str]:
    return {"of_form": form, "of_field": field, "of_period": period}


def _raise(form: str, field: str, period: str, count: int, start: int) -> int:
    conn = connection()
    raised = {**_key(form, field, period), "count": count}
    value = conn.execute(_RAISE, raised).scalar()
    if value is not None:
        return int(value)
    try:
        with conn.begin_nested():
            conn.execute(
                insert(serial_counter).values(form=form, field=field, period=period, value=start + count)
            )
        return start + count
    except IntegrityError:  # another transaction began this period first
        return int(conn.execute(_RAISE, raised).scalar_one())


@dataclass(frozen=True, slots=True)
class Series:
    """The numbers that one counter gives: what stands before and after the count, its first and its last."""

    pattern: str
    before: str
    after: str
    width: int
    start: int
    last: int

    def number(self, count: int) -> str:
        """The number of a count."""
        return f"{self.before}{str(count).rjust(self.width, '0')}{self.after}"

    def counts(self, numbers: Iterable[str | None]) -> set[int]:
        """The counts of those numbers that are of this series."""
        looks = re.compile(f"{re.escape(self.before)}([0-9]{{1,15}}){re.escape(self.after)}")
        return {int(found[1]) for number in numbers if number and (found := looks.fullmatch(number))}


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
