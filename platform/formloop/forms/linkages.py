"""What fields with `x-linkage` take from other forms, looked up for all rows of a save together."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ScalarSelect, Select, literal, select, union_all

from formloop.access.actor import SYSTEM, Actor
from formloop.core.expression.functions import FUNCTIONS
from formloop.db import Prepared, is_sqlite, reading
from formloop.forms import beside, permits
from formloop.forms.elsewhere import (
    This,
    blind_in,
    condition_of,
    constants,
    in_sql,
    narrowed,
    own_fields,
    own_reads,
)
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.permits import Permit
from formloop.forms.spec import Field, FormSpec


class Linkages:
    """The looked-up values of one save: one statement however many rows ask, each distinct question once."""

    def __init__(self, actor: Actor, spec: FormSpec) -> None:
        self.actor, self.spec = actor, spec
        self.fields = _looked_up(spec)
        self._found: dict[tuple[Any, ...], Any] = {}

    def prepare(self, rows: Iterable[Mapping[str, Any]], again: bool = False) -> None:
        """Look up what these rows will ask: new ones, or with `again` all, whose field is empty."""
        rows = list(rows) if self.fields else []
        for field in self.fields:
            asking = ((row, line) for row in rows for line in _lines(row, field))
            self._ask(
                field,
                [
                    {**row, **line}
                    for row, line in asking
                    if line.get(field.key) is None and (again or "id" not in line)
                ],
            )

    def find(self, field: Field, scope: Mapping[str, Any]) -> Any:
        """The value for one row; None when no record fits."""
        key = self._key(field, scope)
        if key not in self._found:
            self._ask(field, [scope])
        return self._found.get(key)

    def _key(self, field: Field, scope: Mapping[str, Any]) -> tuple[Any, ...]:
        return (field.path, *(_plain(scope.get(k)) for k in own_reads(self.spec, field, "x-linkage")))

    def _ask(self, field: Field, scopes: Sequence[Mapping[str, Any]]) -> None:
        wanted = {key: s for s in scopes if (key := self._key(field, s)) not in self._found}
        keys = list(wanted)
        for start in range(0, len(keys), beside.AT_ONCE):
            part = keys[start : start + beside.AT_ONCE]
            self._found |= dict.fromkeys(part)
            prepared = self._prepared(field) if len(part) == 1 else None
            if prepared is not None:
                scope = wanted[part[0]]
                given = {key: scope.get(key) for key in own_reads(self.spec, field, "x-linkage")}
                with reading() as conn:
                    self._found[part[0]] = prepared.rows(conn, given).scalar()
                continue
            statement = self._statement(field, [wanted[k] for k in part])
            if statement is None:
                continue
            with reading() as conn:
                for number, value in conn.execute(statement):
                    self._found[part[number]] = value

    def _prepared(self, field: Field) -> Prepared | None:
        """What one row asks, where it is the same for everybody who sees all of the other form."""
        target = get_form(field.schema["x-linkage"]["form"])
        permit = permits.find_permit(self.actor, "view", target)
        if (
            permit is None
            or None not in permit.conditions
            or permit.cell(field.schema["x-linkage"]["value"], context_of(self.actor)) is not None
            or blind_in(self.actor, self.spec, field, "x-linkage")
        ):
            return None
        return _asked_by_one(self.spec, field, target, is_sqlite())

    def _statement(self, field: Field, scopes: Sequence[Mapping[str, Any]]) -> Any:
        """What each row asks, by its place: the rows are a table beside which the condition stands once."""
        target = get_form(field.schema["x-linkage"]["form"])
        permit = permits.find_permit(self.actor, "view", target)
        if permit is None or field.schema["x-linkage"]["value"] not in target.table.c:
            return None
        types = beside.types_of(self.spec, field, "x-linkage")
        if types is not None:
            newest = self._newest(field, target, permit, beside.this_of(types))
            return select(beside.NUMBER, newest).select_from(beside.table_of(scopes, types))
        own = own_fields(self.spec, field)
        each = [self._newest(field, target, permit, constants(own, scope)) for scope in scopes]
        return union_all(*(select(literal(number), found) for number, found in enumerate(each)))

    def _newest(self, field: Field, target: FormSpec, permit: Permit, this: This) -> ScalarSelect[Any]:
        context, value = context_of(self.actor), field.schema["x-linkage"]["value"]
        wanted = narrowed(self.actor, self.spec, field, "x-linkage", this)
        seen = permit.seen(target.table.c[value], value, context)
        return _newest(target, seen, permit.where(context), wanted).scalar_subquery()


def _newest(target: FormSpec, value: Any, *conditions: Any) -> Select[Any]:
    there = [target.table.c.deleted_at.is_(None), *(each for each in conditions if each is not None)]
    newest = select(value).select_from(target.table).where(*there)
    return newest.order_by(target.table.c.id.desc()).limit(1)


@lru_cache(maxsize=1_000)
def _asked_by_one(spec: FormSpec, field: Field, target: FormSpec, _sqlite: bool) -> Prepared | None:
    """The statement for one row; None where it asks who asks, or when, or for what is kept in no column."""
    condition, types = condition_of(spec, field, "x-linkage"), beside.types_of(spec, field, "x-linkage")
    value = field.schema["x-linkage"]["value"]
    calls = condition.calls if condition else ()
    if types is None or value not in target.table.c or any(FUNCTIONS[each].contextual for each in calls):
        return None
    wanted = in_sql(SYSTEM, condition, target, beside.this_of(types)) if condition else None
    newest = _newest(target, target.table.c[value], wanted).scalar_subquery()
    return Prepared(select(newest).select_from(beside.place_of(types)))


@lru_cache(maxsize=1_000)
def _looked_up(spec: FormSpec) -> tuple[Field, ...]:
    every = [f for top in spec.fields.values() for f in (top, *top.children)]
    return tuple(f for f in every if "x-linkage" in f.schema)


def _lines(row: Mapping[str, Any], field: Field) -> Sequence[Mapping[str, Any]]:
    return (row.get(field.subform) or ()) if field.subform else (row,)


def _plain(value: Any) -> Any:
    if isinstance(value, list | dict):
        return repr(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
