"""What depends on a record, through bridges or by pointing to it, and how far it has gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from formloop.db import reading
from formloop.definitions import library
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.forms.tables import record_link
from formloop.forms.uses import pointing
from formloop.workflows.plain import Found

MOST_LOOKED_AT = 10_000  # records that a condition looks at; with more it says that the list is too long


@dataclass(frozen=True, slots=True)
class Dependent:
    """The records of one form that depend on a record: how many are in each state."""

    form: str
    states: Mapping[str, int]

    def as_json(self) -> list[Any]:
        """Plain values."""
        return [self.form, dict(self.states)]


def list_dependents(spec: FormSpec, record: int) -> list[Dependent]:
    """Every form whose records depend on this one, with their counts by state."""
    found = []
    with reading() as conn:
        query = select(record_link.c.to_form).where(*_from(spec, record)).distinct()
        linked = set(conn.execute(query).scalars())
        for entry in library.list_entries("form"):
            other = get_form(entry.key)
            ways = _ways(other, spec, record, other.key in linked)
            if not ways:
                continue
            count = select(other.table.c.state, func.count()).where(or_(*ways), _is_live(other))
            states = {str(row[0]): int(row[1]) for row in conn.execute(count.group_by(other.table.c.state))}
            if states:
                found.append(
                    Dependent(other.key, {key: states[key] for key in other.states if key in states})
                )
    return found


def find_dependents(spec: FormSpec, record: int, forms: tuple[str, ...]) -> dict[str, Found]:
    """The records of these forms that depend on this one, as expressions look at them."""
    found = {}
    with reading() as conn:
        for key in forms:
            other = get_form(key)
            query = select(other.table.c.id).where(or_(*_ways(other, spec, record, True)), _is_live(other))
            query = query.order_by(other.table.c.id).limit(MOST_LOOKED_AT + 1)
            ids = tuple(conn.execute(query).scalars())
            found[key] = Found(key, ids)
    return found


def _from(spec: FormSpec, record: int) -> tuple[ColumnElement[bool], ...]:
    return record_link.c.from_form == spec.key, record_link.c.from_record == record


def _ways(other: FormSpec, spec: FormSpec, record: int, linked: bool) -> list[ColumnElement[bool]]:
    """How records of a form can depend on a record: they point to it, or (`linked`) were made of it."""
    points = pointing(other, spec.key, record)
    ways = [points] if points is not None else []
    if linked:
        made = select(record_link.c.to_record).where(*_from(spec, record), record_link.c.to_form == other.key)
        ways.append(other.table.c.id.in_(made))
    return ways


def _is_live(other: FormSpec) -> ColumnElement[bool]:
    return other.table.c.deleted_at.is_(None)
