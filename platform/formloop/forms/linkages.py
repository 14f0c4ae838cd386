"""What fields with `x-linkage` take from other forms, looked up for all rows of a save together."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, ScalarSelect, cast, column, literal, select, union_all
from sqlalchemy.types import TypeEngine

from formloop.access.actor import Actor
from formloop.db import is_sqlite, reading
from formloop.forms import permits
from formloop.forms.elsewhere import This, constants, narrowed, own_fields, own_reads
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.permits import Permit
from formloop.forms.spec import Field, FormSpec

AT_ONCE = 200  # rows asked for in one statement


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
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            self._found |= dict.fromkeys(part)
            statement = self._statement(field, [wanted[k] for k in part])
            if statement is None:
                continue
            with reading() as conn:
                for number, value in conn.execute(statement):
                    self._found[part[number]] = value

    def _statement(self, field: Field, scopes: Sequence[Mapping[str, Any]]) -> Any:
        """What each row asks, by its place: the rows are a table beside which the condition stands once."""
        target = get_form(field.schema["x-linkage"]["form"])
        permit = permits.find_permit(self.actor, "view", target)
        if permit is None or field.schema["x-linkage"]["value"] not in target.table.c:
            return None
        types = _types(self.spec, field)
        if types is not None:
            rows = union_all(*(_row(number, scope, types) for number, scope in enumerate(scopes))).subquery()
            newest = self._newest(field, target, permit, lambda key: column(_name(key), types[key]))
            return select(column(_name(""), Integer), newest).select_from(rows)
        own = own_fields(self.spec, field)
        each = [self._newest(field, target, permit, constants(own, scope)) for scope in scopes]
        return union_all(*(select(literal(number), found) for number, found in enumerate(each)))

    def _newest(self, field: Field, target: FormSpec, permit: Permit, this: This) -> ScalarSelect[Any]:
        context, value = context_of(self.actor), field.schema["x-linkage"]["value"]
        wanted = narrowed(self.actor, self.spec, field, "x-linkage", this)
        conditions = [target.table.c.deleted_at.is_(None), permit.where(context), wanted]
        return (
            select(permit.seen(target.table.c[value], value, context))
            .select_from(target.table)
            .where(*(c for c in conditions if c is not None))
            .order_by(target.table.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )


@lru_cache(maxsize=1_000)
def _looked_up(spec: FormSpec) -> tuple[Field, ...]:
    every = [f for top in spec.fields.values() for f in (top, *top.children)]
    return tuple(f for f in every if "x-linkage" in f.schema)


@lru_cache(maxsize=1_000)
def _types(spec: FormSpec, field: Field) -> dict[str, TypeEngine[Any]] | None:
    """The types of what the condition reads of this record; None where one of them is kept in no column."""
    own, reads = own_fields(spec, field), own_reads(spec, field, "x-linkage")
    if not all(key in own and own[key].type.stored for key in reads):
        return None
    return {key: own[key].type.column(own[key]) for key in reads}


def _row(number: int, scope: Mapping[str, Any], types: Mapping[str, TypeEngine[Any]]) -> Any:
    """One row of what is asked; PostgreSQL is told the types, which nothing but the first row would tell it."""
    told = number == 0 and not is_sqlite()
    given = [literal(scope.get(key), kind) for key, kind in types.items()]
    shown = (cast(each, each.type) if told else each for each in given)
    named = (each.label(_name(key)) for key, each in zip(types, shown, strict=True))
    return select(literal(number).label(_name("")), *named)


def _name(key: str) -> str:
    """The column of a field of this record: keys begin with a letter, so no column of a form is called so."""
    return f"_this_{key}"


def _lines(row: Mapping[str, Any], field: Field) -> Sequence[Mapping[str, Any]]:
    return (row.get(field.subform) or ()) if field.subform else (row,)


def _plain(value: Any) -> Any:
    if isinstance(value, list | dict):
        return repr(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
