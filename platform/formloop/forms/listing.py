"""Lists: the records a person may see, filtered, searched, sorted, paged by key and summed up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Numeric,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from formloop.access.actor import Actor
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import Context
from formloop.core.text import M
from formloop.db import Exact, is_sqlite, reading
from formloop.db.counting import count_up_to
from formloop.forms import keyset, permits
from formloop.forms.filters import Filter, operators, read_filter
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.permits import Permit
from formloop.forms.spec import SYSTEM_COLUMNS, Field, FormSpec, Values, no_such_field
from formloop.forms.standing import read
from formloop.forms.system_fields import system_field

PAGE = 50
EXACT_TOTAL = 10_000
MOST_SORTS = 4


@dataclass(frozen=True, slots=True)
class Query:
    """What a list shows. `sort` is field keys, falling with a `-` in front; `after` is a page's `next`."""

    filters: tuple[Filter, ...] = ()
    sort: tuple[str, ...] = ()
    search: str = ""
    after: str = ""
    limit: int = PAGE
    deleted: bool = False
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `next` continues it, None at the end. `visible` are the paths seen in each row."""

    rows: list[Values]
    next: str | None
    visible: list[frozenset[str]]
    problems: list[Problem]


def list_records(
    actor: Actor, spec: FormSpec, query: Query, action: str = "view", also: ColumnElement[bool] | None = None
) -> Page:
    """A page of records without their lines, of those that fulfil `also` too; Forbidden without any grant."""
    permit = permits.require_permit(actor, action, spec)
    context = context_of(actor)
    condition, problems = _condition(actor, spec, permit, context, query)
    sort = _sort(spec, query.sort or default_sort(spec, permit))
    columns = [_sorted_column(spec, permit, context, key) for key in sort]
    statement = _select(spec, permit, context, query).where(condition)
    if also is not None:
        statement = statement.where(also)
    statement = statement.order_by(*[keyset.direction(c, key) for c, key in zip(columns, sort, strict=True)])
    parts: list[ColumnElement[bool] | None] = [None]
    if query.after:
        parts = keyset.after(columns, sort, keyset.read_mark(query.after, sort, columns))
    found: list[Values] = []
    with reading() as conn:
        for part in parts:
            wanted = (statement if part is None else statement.where(part)).limit(
                query.limit + 1 - len(found)
            )
            answer = conn.execute(wanted)
            keys = tuple(answer.keys())
            found += [dict(zip(keys, row, strict=True)) for row in answer]
            if len(found) > query.limit:
                break
    rows = found[: query.limit]
    visible = [_visible(permit, row) for row in rows]
    more = len(found) > query.limit and rows
    cursor = keyset.write_mark(sort, _values(rows[-1], sort, spec, visible[-1])) if more else None
    return Page(
        [_hide(spec, row, seen) for row, seen in zip(rows, visible, strict=True)], cursor, visible, problems
    )


def count_records(actor: Actor, spec: FormSpec, query: Query) -> int:
    """How many records a list has, exact up to 10,000; 10,001 means more."""
    permit = permits.require_permit(actor, "view", spec)
    condition, _ = _condition(actor, spec, permit, context_of(actor), query)
    with reading() as conn:
        return conn.execute(count_up_to(spec.table, condition, most=EXACT_TOTAL + 1)).scalar_one()


def count_each(actor: Actor, asked: Sequence[tuple[FormSpec, Query]]) -> list[int]:
    """The same for lists of several forms in one statement."""
    context, counts = context_of(actor), []
    for spec, query in asked:
        condition, _ = _condition(actor, spec, permits.require_permit(actor, "view", spec), context, query)
        counts.append(count_up_to(spec.table, condition, most=EXACT_TOTAL + 1).scalar_subquery())
    if not counts:
        return []
    with reading() as conn:
        return list(conn.execute(select(*counts)).one())


def sum_records(actor: Actor, spec: FormSpec, query: Query, keys: Sequence[str]) -> dict[str, Decimal]:
    """Totals of numeric columns over all records of a list, summed by the database, exactly."""
    permit, context = permits.require_permit(actor, "view", spec), context_of(actor)
    condition, _ = _condition(actor, spec, permit, context, query)
    numeric = {column.key for column in spec.table.c if isinstance(column.type, Exact)}
    wanted = [k for k in keys if k in permit.anywhere and k in numeric]
    if not wanted:
        return {}
    sums = [_sum(spec.table.c[k], permit.seen(spec.table.c[k], k, context)).label(k) for k in wanted]
    with reading() as conn:
        row = conn.execute(select(*sums).where(condition)).mappings().one()
    scales = {k: getattr(spec.table.c[k].type, "scale", 0) if is_sqlite() else 0 for k in wanted}
    return {k: Decimal(row[k] or 0).scaleb(-scales[k]) for k in wanted}


def _sum(column: Column[Any], seen: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sum(type_coerce(seen, BigInteger() if is_sqlite() else Numeric()))


def _select(spec: FormSpec, permit: Permit, context: Context, query: Query) -> Select[Any]:
    keys = {
        *SYSTEM_COLUMNS,
        *(query.columns or spec.list.columns),
        *(s.lstrip("-") for s in query.sort or default_sort(spec, permit)),
    }
    columns: list[ColumnElement[Any]] = [c for c in spec.table.c if c.key in keys]
    if not permit.uniform:  # tell with each row which grants give it
        columns += permit.marks(context)
    return select(*columns)


def _visible(permit: Permit, row: Values) -> frozenset[str]:
    if permit.uniform:
        return permit.everywhere
    given = [permit.reach[i] for i in range(len(permit.grants)) if row.pop(f"_grant_{i}")]
    return frozenset().union(*given)


def _hide(spec: FormSpec, row: Values, seen: frozenset[str]) -> Values:
    if spec.fields.keys() <= seen:
        return row
    return {k: v if k not in spec.fields or k in seen else None for k, v in row.items()}


def _condition(
    actor: Actor, spec: FormSpec, permit: Permit, context: Context, query: Query
) -> tuple[ColumnElement[bool], list[Problem]]:
    """Everything a row must fulfil, and what is wrong with the filters (those are then left out)."""
    deleted = spec.table.c.deleted_at
    parts: list[ColumnElement[bool]] = [deleted.is_not(None) if query.deleted else deleted.is_(None)]
    rows = permit.where(context)
    if rows is not None:
        parts.append(rows)
    problems: list[Problem] = []
    for wanted in query.filters:
        field = spec.fields.get(wanted.field) or system_field(wanted.field)
        if (
            field is None
            or not field.type.stored
            or (wanted.field in spec.fields and wanted.field not in permit.anywhere)
        ):
            problems.append(no_such_field(wanted.field))
            continue
        ready, wrong = read_filter(field, wanted)
        problems += wrong
        if ready is not None:
            column = permit.seen(spec.table.c[field.key], field.key, context)
            parts.append(operators[ready.operator].build(column, ready.value, ready.other, context))
    if query.search.strip():
        parts.append(_search(actor, spec, permit, context, query.search.strip()))
    return and_(*parts), problems


def _search(actor: Actor, spec: FormSpec, permit: Permit, context: Context, text: str) -> ColumnElement[bool]:
    looked = [f for f in spec.stored if f.key in permit.anywhere]
    return searching(actor, {f: permit.seen(spec.table.c[f.key], f.key, context) for f in looked}, text)


def searching(actor: Actor, columns: Mapping[Field, ColumnElement[Any]], text: str) -> ColumnElement[bool]:
    """That a row shows a text: in a column of its own, or as what a record is called that it points to."""
    context, build = context_of(actor), operators["contains"].build
    found = [build(column, text, None, context) for f, column in columns.items() if f.type.searchable]
    pointing = [(f.relation, column) for f, column in columns.items() if f.relation and not f.type.multiple]
    for relation, column in pointing:
        target = get_form(relation.form)
        title = target.fields.get(target.title_field)
        if title is not None and title.type.searchable:
            called = build(_title_column(actor, target), text, None, context)
            found.append(column.in_(select(target.table.c.id).where(called)))
    return or_(*found) if found else literal(False)


def default_sort(spec: FormSpec, permit: Permit) -> tuple[str, ...]:
    """The form's own sort without the fields this person never sees."""
    seen = permit.anywhere
    return tuple(
        key for key in spec.list.sort if key.lstrip("-") not in spec.fields or key.lstrip("-") in seen
    )


def _sort(spec: FormSpec, wanted: Sequence[str]) -> tuple[str, ...]:
    """The sort with the id at its end, so that every record has its own place."""
    kept = []
    for key in wanted[:MOST_SORTS]:
        name = key.lstrip("-")
        field = spec.fields.get(name) or system_field(name)
        if field is None or not field.type.stored or (not field.type.sortable and name not in SYSTEM_COLUMNS):
            raise Invalid([Problem("no_sort", name, M("“{key}” cannot be sorted by.", key=name))])
        kept.append(key)
    if kept and kept[-1].lstrip("-") == "id":
        return tuple(kept)
    return (*kept, "-id" if kept and kept[-1].startswith("-") else "id")


def _sorted_column(spec: FormSpec, permit: Permit, context: Context, key: str) -> ColumnElement[Any]:
    name = key.lstrip("-")
    if name in spec.fields and name not in permit.anywhere:
        raise Invalid([no_such_field(name)])
    column = spec.table.c[name]
    return permit.seen(column, name, context) if name in spec.fields else column


def _values(row: Values, sort: tuple[str, ...], spec: FormSpec, seen: frozenset[str]) -> list[Any]:
    """What a page mark says of its row: nothing that is not seen there."""
    return [
        row[name] if name not in spec.fields or name in seen else None
        for name in (key.lstrip("-") for key in sort)
    ]


def titles_of(conn: Connection, spec: FormSpec, ids: set[int], actor: Actor) -> dict[int, str]:
    """What records are called, by id: for people who may see that something points to them.

    Whoever may see records of the form, but not their title, is not told it here either.
    """
    if not ids or spec.title_field not in spec.table.c or not spec.is_there:
        return {}
    ids = {int(each) for each in ids}  # a dataset may have counted them
    title = _title_column(actor, spec)
    if title is spec.table.c[spec.title_field]:
        rows = read(spec, ids, {"id", spec.title_field})
        found = {i: rows[i][spec.title_field] for i in ids & rows.keys()}
    else:
        query = select(spec.table.c.id, title).where(spec.table.c.id.in_(ids))
        found = {row[0]: row[1] for row in conn.execute(query)}
    return {i: str(value) if value is not None else f"#{i}" for i, value in found.items()}


def _title_column(actor: Actor, spec: FormSpec) -> ColumnElement[Any]:
    """What records are called, as `titles_of` tells it."""
    column: ColumnElement[Any] = spec.table.c[spec.title_field]
    permit = permits.find_permit(actor, "view", spec)
    return column if permit is None else permit.seen(column, spec.title_field, context_of(actor))
