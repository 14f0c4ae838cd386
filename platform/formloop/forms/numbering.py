"""The numbers of a form and their gaps: which were given out and stand in no record, and what took them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import select

from formloop.access.actor import Actor
from formloop.core.definitions import Doc
from formloop.core.text import M, Message
from formloop.db import connection, reading
from formloop.forms import permits, serials
from formloop.forms.serials import Series
from formloop.forms.spec import Field, FormSpec
from formloop.forms.tables import change

MOST_GAPS = 200
BINNED = M("In the recycle bin")
PURGED = M("Deleted for ever")
UNSAVED = M("No record was saved with it: left out by an import, or a save that failed")


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers beside each other that stand in no record, and what took them."""

    first: str
    last: str
    count: int
    why: Message


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one field in one period: the last one, how many are missing, and the newest gaps."""

    field: Field
    pattern: str
    last: str
    missing: int
    gaps: list[Gap]
    more: bool


def pattern_of(field: Field) -> str:
    """How a field is numbered."""
    return str(field.schema.get("x-serial", "{0001}"))


def counting(spec: FormSpec, field: Field) -> serials.Counting:
    """What its counters go by."""
    return serials.Counting(spec.key, field.key, str(field.schema.get("x-restart", "")))


def follow(old: Doc, new: FormSpec) -> None:
    """Where a count starts anew otherwise or is written with other digits, let it go on behind the numbers there are."""
    for field in new.stored:
        before = old["properties"].get(field.key, {})
        both = field.type.name == before.get("x-type") == "serial"
        anew = both and _restart(before) != _restart(field.schema)
        if anew or (both and _only_digits_differ(before, field.schema)):
            serials.recount(counting(new, field), _there(new, field), anew)


def _only_digits_differ(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether one pattern is the other with more, fewer or other digits where it counts."""
    one, other = (str(each.get("x-serial", "")) for each in (before, now))
    return one != other and serials.uncounted(one) == serials.uncounted(other)


def _restart(schema: Mapping[str, Any]) -> str:
    return str(schema.get("x-restart") or serials.finest(str(schema.get("x-serial", ""))))


def _there(spec: FormSpec, field: Field) -> Iterator[tuple[str, str]]:
    """Every number there is, also in the recycle bin, with the pattern it was given by."""
    pattern = pattern_of(field)
    named = [key for key in serials.fields_in(pattern) if key in spec.fields]
    columns = [spec.table.c[key] for key in (field.key, *named)]
    for number, *values in connection().execute(select(*columns).where(columns[0].is_not(None))):
        yield serials.filled(pattern, dict(zip(named, values, strict=True))), number


def list_numbers(actor: Actor, spec: FormSpec) -> list[Numbers]:
    """The numbers of every serial field that the actor may see, the newest period first."""
    permit = permits.require_permit(actor, "view", spec)
    fields = [f for f in spec.stored if f.type.name == "serial" and f.key in permit.everywhere]
    return [
        _numbers(spec, field, series)
        for field in fields
        for series in serials.list_series(spec.key, field.key)
    ]


def has_numbers(spec: FormSpec) -> bool:
    """Whether records of this form are numbered at all."""
    return any(f.type.name == "serial" for f in spec.stored)


def _numbers(spec: FormSpec, field: Field, series: Series) -> Numbers:
    live, binned, purged = _taken(spec, field, series)
    gaps: list[Gap] = []
    missing = 0
    for first, last in _holes(live, series.start, series.last):
        missing += last - first + 1
        gaps += _explained(series, first, last, binned, purged)
    newest = gaps[::-1]
    return Numbers(
        field, series.pattern, series.number(series.last), missing, newest[:MOST_GAPS], len(gaps) > MOST_GAPS
    )


def _taken(spec: FormSpec, field: Field, series: Series) -> tuple[set[int], set[int], set[int]]:
    """The counts in records, in records of the recycle bin, and in records that were purged."""
    column, deleted = spec.table.c[field.key], spec.table.c.deleted_at
    some = select(column).where(column.startswith(series.beginning, autoescape=True))
    gone = select(change.c.old).where(change.c.form == spec.key, change.c.action == "purged")
    with reading() as conn:
        live = series.counts(conn.execute(some.where(deleted.is_(None))).scalars())
        binned = series.counts(conn.execute(some.where(deleted.is_not(None))).scalars())
        purged = series.counts((old or {}).get(field.key) for old in conn.execute(gone).scalars())
    return live, binned, purged


def _holes(live: Iterable[int], start: int, last: int) -> Iterator[tuple[int, int]]:
    """The runs of counts from `start` to `last` that are not live."""
    inside = sorted(count for count in live if start <= count <= last)
    for earlier, later in pairwise([start - 1, *inside, last + 1]):
        if later - earlier > 1:
            yield earlier + 1, later - 1


def _explained(series: Series, first: int, last: int, binned: set[int], purged: set[int]) -> Iterator[Gap]:
    """One hole in parts, each with what took its numbers; long holes are not walked number by number."""
    known = sorted(count for count in binned | purged if first <= count <= last)
    place = first
    for (why, _), run in groupby(enumerate(known), lambda at: (at[1] in binned, at[1] - at[0])):
        counts = [count for _, count in run]
        if counts[0] > place:
            yield _gap(series, place, counts[0] - 1, UNSAVED)
        yield _gap(series, counts[0], counts[-1], BINNED if why else PURGED)
        place = counts[-1] + 1
    if place <= last:
        yield _gap(series, place, last, UNSAVED)


def _gap(series: Series, first: int, last: int, why: Message) -> Gap:
    return Gap(series.number(first), series.number(last), last - first + 1, why)
