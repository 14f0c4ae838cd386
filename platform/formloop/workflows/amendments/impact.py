"""What depends on a record, through bridges or by pointing to it, and how far it has gone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from formloop.core.errors import Conflict
from formloop.core.text import M
from formloop.db import reading
from formloop.definitions import library
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.forms.tables import record_link
from formloop.forms.uses import pointing
from formloop.workflows.plain import Found

MOST_LOOKED_AT = 10_000  # records; nobody says how far a record is by looking at more
Made = Mapping[str, set[int]]


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
        made = _made_of(conn, spec, record)
        for entry in library.list_entries("form"):
            other = get_form(entry.key)
            condition = _depending(other, spec, record, made)
            if condition is None:
                continue
            count = select(other.table.c.state, func.count()).where(condition)
            states = {str(row[0]): int(row[1]) for row in conn.execute(count.group_by(other.table.c.state))}
            if states:
                found.append(
                    Dependent(other.key, {key: states[key] for key in other.states if key in states})
                )
    return found


def find_dependents(spec: FormSpec, record: int, forms: Iterable[str]) -> dict[str, Found]:
    """The records of these forms that depend on this one, as expressions look at them."""
    found = {}
    with reading() as conn:
        made = _made_of(conn, spec, record)
        for key in forms:
            other, ids = get_form(key), []
            condition = _depending(other, spec, record, made)
            if condition is not None:
                query = select(other.table.c.id).where(condition).order_by(other.table.c.id)
                ids = list(conn.execute(query.limit(MOST_LOOKED_AT + 1)).scalars())
            _require_few(len(ids))
            found[key] = Found(key, tuple(ids))
    return found


def _depending(other: FormSpec, spec: FormSpec, record: int, made: Made) -> ColumnElement[bool] | None:
    """The live records of a form that point to a record or were made of it; None when there can be none."""
    points = pointing(other, spec.key, record)
    ways = [points] if points is not None else []
    if other.key in made:
        ways.append(other.table.c.id.in_(sorted(made[other.key])))
    return or_(*ways) & other.table.c.deleted_at.is_(None) if ways else None


def _made_of(conn: Connection, spec: FormSpec, record: int) -> Made:
    """What was made of a record, and of that, and so on; records of its own form go their own way from there."""
    found: dict[str, set[int]] = {}
    ahead = {spec.key: {record}}
    while ahead:
        form, ids = ahead.popitem()
        query = select(record_link.c.to_form, record_link.c.to_record).where(
            record_link.c.from_form == form, record_link.c.from_record.in_(sorted(ids))
        )
        for other, made in conn.execute(query):
            if made in found.setdefault(other, set()) or (other, made) == (spec.key, record):
                continue
            found[other].add(made)
            if other != spec.key:
                ahead.setdefault(other, set()).add(made)
        _require_few(sum(map(len, found.values())))
    return {form: ids for form, ids in found.items() if ids}


def _require_few(count: int) -> None:
    if count > MOST_LOOKED_AT:
        text = M(
            "More than {count} records depend on this one; how far it is cannot be said.",
            count=MOST_LOOKED_AT,
        )
        raise Conflict(text)
