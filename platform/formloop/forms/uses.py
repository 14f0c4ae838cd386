"""Where a record is used: which others point to it, so that nobody takes it away unaware.

What goes with a record, since a bridge made it of that one alone and takes it back, is no use by others; what others use
of it is.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, and_, or_, select

from formloop.access.actor import Actor
from formloop.core.errors import Conflict
from formloop.core.text import M, Message
from formloop.db import reading
from formloop.db.counting import count_up_to
from formloop.definitions import library
from formloop.forms.reads import list_titles
from formloop.forms.spec import FormSpec

MOST_NAMES = 5
COUNTED = 1_000  # more are "1,000+"
CHUNK = 500  # records asked for at once


@dataclass(frozen=True, slots=True)
class Use:
    """The records of one form that point to a record: how many, and what some are called that may be seen."""

    form: FormSpec
    count: int
    names: dict[int, str]

    @property
    def shown_count(self) -> str:
        """The count as people read it."""
        return f"{COUNTED:,}+" if self.count > COUNTED else str(self.count)


class InUse(Conflict):
    """Other records point to what should be deleted; `uses` says which."""

    code = "in_use"

    def __init__(self, uses: list[Use]) -> None:
        super().__init__(M("This is used by others: {uses}.", uses=_Listed(uses)))
        self.uses = uses


class _Listed(Message):
    """“3 × Sales order, 1 × Invoice” in the reader's language."""

    __slots__ = ("uses",)

    def __init__(self, uses: list[Use]) -> None:
        super().__init__("")
        object.__setattr__(self, "uses", uses)

    def render(self, locale: str = "en") -> str:
        uses: list[Use] = object.__getattribute__(self, "uses")
        return ("，" if locale == "zh-CN" else ", ").join(
            f"{each.shown_count} × {each.form.title(locale)}" for each in uses
        )


Following = Callable[[FormSpec, Collection[int]], Mapping[str, set[int]]]
_following: list[Following] = []


def note_following(ask: Following) -> Following:
    """Let `ask(spec, records)` name what goes with these records when they are deleted: ids by their form."""
    if ask not in _following:
        _following.append(ask)
    return ask


def list_uses(actor: Actor, spec: FormSpec, record: int, in_bin_too: bool = False) -> list[Use]:
    """Every form whose records point to this one; all are counted, named are only those that the actor may see."""
    going = {} if in_bin_too else _going(spec, {record})
    found = []
    for other in _forms():
        found_by = pointing(other, spec.key, record)
        if found_by is not None:
            if not in_bin_too:
                found_by = and_(found_by, other.table.c.deleted_at.is_(None))
            if other.key in going:
                found_by = and_(found_by, other.table.c.id.not_in(going[other.key]))
            use = _use(actor, other, found_by)
            if use.count:
                found.append(use)
    return found


def _forms() -> Iterator[FormSpec]:
    for entry in library.list_entries("form"):
        yield library.published("form", entry.key)


def find_used(spec: FormSpec, records: Collection[int]) -> int | None:
    """One of these records that others point to which do not go with them; None where there is none."""
    leaving = _and_these(_going(spec, records), spec, records)
    return min(_used(spec.key, records, leaving), default=None)


def _going(spec: FormSpec, records: Collection[int]) -> dict[str, set[int]]:
    """What goes with these records and is used by nothing that stays, by its form."""
    found: dict[str, set[int]] = {}
    for ask in _following:
        for form, ids in ask(spec, records).items():
            found.setdefault(form, set()).update(ids)
    while any(found.values()):  # what stays may use another one
        leaving = _and_these(found, spec, records)
        stays = {form: _used(form, ids, leaving) for form, ids in found.items() if ids}
        if not any(stays.values()):
            break
        found = {form: ids - stays.get(form, set()) for form, ids in found.items()}
    return found


def _and_these(
    going: Mapping[str, set[int]], spec: FormSpec, records: Collection[int]
) -> dict[str, set[int]]:
    return {**going, spec.key: going.get(spec.key, set()) | {*records}}


def _used(form: str, ids: Collection[int], leaving: Mapping[str, set[int]]) -> set[int]:
    """Those of the records of `form` that others point to which are not `leaving` themselves."""
    found: set[int] = set()
    ordered = sorted(ids)
    for other in _forms():
        going = leaving.get(other.key)
        for column, record in _pointing_columns(other, form):
            for start in range(0, len(ordered), CHUNK):
                query: Select[Any] = select(column).where(column.in_(ordered[start : start + CHUNK]))
                query = query.where(record == other.table.c.id, other.table.c.deleted_at.is_(None))
                query = query.add_columns(record) if going else query  # else many users are one row
                with reading() as conn:
                    rows = conn.execute(query.distinct()).all()
                found.update(row[0] for row in rows if not going or row[1] not in going)
    return found


def _pointing_columns(other: FormSpec, key: str) -> Iterator[tuple[Column[int], Column[int]]]:
    """The columns of a form in which it points to the form `key`, each with that of its record."""
    for top in other.fields.values():
        if top.relation is not None and top.relation.form == key:
            yield other.table.c[top.key], other.table.c.id
        for column in top.children:
            if column.relation is not None and column.relation.form == key:
                lines = other.line_tables[top.key]
                yield lines.c[column.key], lines.c.record


def pointing(other: FormSpec, key: str, record: int) -> ColumnElement[bool] | None:
    """The records of `other`, this one itself left out, that point to `record` in a field or in a line."""
    ways: list[ColumnElement[bool]] = [
        column == record
        if holder.table is other.table
        else other.table.c.id.in_(select(holder).where(column == record))
        for column, holder in _pointing_columns(other, key)
    ]
    if not ways:
        return None
    return and_(or_(*ways), other.table.c.id != record) if other.key == key else or_(*ways)


def _use(actor: Actor, other: FormSpec, condition: ColumnElement[bool]) -> Use:
    with reading() as conn:
        count = conn.execute(count_up_to(other.table, condition, most=COUNTED + 1)).scalar_one()
    return Use(other, count, list_titles(actor, other, condition, MOST_NAMES) if count else {})
