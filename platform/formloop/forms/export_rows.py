"""What leaves the house in an export: which columns, of which records, as cells; always within both rights."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from formloop.access.actor import Actor
from formloop.core.expression import Context
from formloop.db import reading
from formloop.forms import listing, permits, screen
from formloop.forms.fields.datetime import clock_zone
from formloop.forms.fields.number import trimmed
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.permits import Permit
from formloop.forms.reads import project
from formloop.forms.resolving import BETWEEN, unique_keys
from formloop.forms.spec import Field, FormSpec, Values
from formloop.forms.system_fields import SYSTEM_TITLES, system_field

PAGE = 500
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """The columns of an export: the records' own, and for each subform those of its lines.

    `key` tells records apart on the sheets of further subforms.
    """

    own: tuple[Field, ...]
    subforms: tuple[tuple[Field, tuple[Field, ...]], ...]
    key: Field

    @property
    def first(self) -> tuple[Field, ...]:
        """The columns of the first subform, which stand beside those of the record."""
        return self.subforms[0][1] if self.subforms else ()


def plan(actor: Actor, spec: FormSpec, query: listing.Query) -> Plan:
    """The columns that were chosen in the list, else all there are; only what may be seen and exported."""
    paths = permits.require_permit(actor, "view", spec).anywhere
    paths &= permits.require_permit(actor, "export", spec).anywhere
    stored = {f.key: f for f in spec.stored if f.path in paths}
    system = {key: f for key in SYSTEM_TITLES if (f := system_field(key)) is not None}
    wanted = query.columns or (*stored, *(s.key for s in spec.subforms), "state")
    own = tuple(f for key in wanted if (f := stored.get(key) or system.get(key)) is not None)
    lines = (
        (top, tuple(c for c in top.children if c.type.stored and c.path in paths)) for top in spec.subforms
    )
    told_by = next((k for k in (*unique_keys(spec), spec.title_field) if k in stored), "")
    return Plan(
        own,
        tuple((top, columns) for top, columns in lines if columns and top.key in wanted),
        stored.get(told_by) or system["id"],
    )


def label(spec: FormSpec, field: Field, locale: str) -> str:
    """What the column of a field is called."""
    if field.key in SYSTEM_TITLES and field.path not in spec.fields and not field.subform:
        return SYSTEM_TITLES[field.key].render(locale)
    title = field.title(locale)
    return f"{spec.fields[field.subform].title(locale)} · {title}" if field.subform else title


def own_rows(
    actor: Actor, spec: FormSpec, query: listing.Query, chosen: Plan, locale: str, tell: Tell
) -> Iterator[list[Any]]:
    """One row a record, or one for each line of the first subform with the record's own cells repeated."""
    subform = chosen.subforms[0][0].key if chosen.subforms else None
    done = 0
    for records, names in _pages(actor, spec, query, chosen, subform):
        for record in records:
            own = [_cell(spec, f, record.get(f.key), locale, names) for f in chosen.own]
            for line in (record.get(subform) if subform else None) or [{}]:
                yield own + [_cell(spec, f, line.get(f.key), locale, names) for f in chosen.first]
        done += len(records)
        tell(done)


def line_rows(
    actor: Actor,
    spec: FormSpec,
    query: listing.Query,
    chosen: Plan,
    subform: Field,
    columns: Sequence[Field],
    locale: str,
    alive: Callable[[], None],
) -> Iterator[list[Any]]:
    """The lines of a further subform, each behind what tells its record apart."""
    for records, names in _pages(actor, spec, query, chosen, subform.key):
        for record in records:
            key = _cell(spec, chosen.key, record.get(chosen.key.key), locale, names)
            for line in record.get(subform.key) or ():
                yield [key, *(_cell(spec, f, line.get(f.key), locale, names) for f in columns)]
        alive()


def _pages(
    actor: Actor, spec: FormSpec, query: listing.Query, chosen: Plan, subform: str | None
) -> Iterator[tuple[list[Values], screen.Names]]:
    """The records of the list that may be exported, page by page, each with what both rights give of it."""
    permit, context = permits.require_permit(actor, "export", spec), context_of(actor)
    keys = tuple(dict.fromkeys(f.key for f in (*chosen.own, chosen.key)))
    wanted = replace(query, after="", limit=PAGE, columns=keys)
    while True:
        page = listing.list_records(actor, spec, wanted, also=permit.where(context))
        records = [dict(row) for row in page.rows]
        if subform and records:
            _add_lines(spec, subform, records)
        given = _exported(permit, context, [record["id"] for record in records])
        found = [
            project(spec, record, seen & given.get(record["id"], frozenset()))
            for record, seen in zip(records, page.visible, strict=True)
        ]
        yield found, _told_apart(actor, spec, screen.names_for(actor, spec, found))
        if page.next is None:
            return
        wanted = replace(wanted, after=page.next)


def _exported(permit: Permit, context: Context, ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """The paths that may be exported of each record, judged by the database on the whole row."""
    if permit.uniform:
        return dict.fromkeys(ids, permit.everywhere)
    table = permit.spec.table
    with reading() as conn:
        rows = conn.execute(select(table.c.id, *permit.marks(context)).where(table.c.id.in_(ids))).all()
    return {
        row[0]: frozenset().union(
            *(reach for reach, gives in zip(permit.reach, row[1:], strict=True) if gives)
        )
        for row in rows
    }


def _told_apart(actor: Actor, spec: FormSpec, names: screen.Names) -> screen.Names:
    """Names of other records with what tells them apart in front, since two customers may have one name."""
    forms = {f.relation.form for top in spec.fields.values() for f in (top, *top.children) if f.relation}
    found = dict(names)
    for form in sorted(forms):
        target = get_form(form)
        permit = permits.find_permit(actor, "view", target)
        seen = permit.everywhere if permit else frozenset()
        key = next((k for k in unique_keys(target) if k != target.title_field and k in seen), None)
        ids = [record for source, record in names if source == form]
        if key is None or not ids:
            continue
        column = target.table.c[key]
        with reading() as conn:
            for record, code in conn.execute(
                select(target.table.c.id, column).where(target.table.c.id.in_(ids))
            ):
                if code is not None:
                    found[form, record] = f"{code}{BETWEEN}{names[form, record]}"
    return found


def _add_lines(spec: FormSpec, subform: str, records: list[Values]) -> None:
    table = spec.line_tables[subform]
    by_id: dict[int, list[Values]] = {record["id"]: [] for record in records}
    with reading() as conn:
        query = (
            select(table).where(table.c.record.in_(list(by_id))).order_by(table.c.record, table.c.position)
        )
        for row in conn.execute(query).mappings():
            by_id[row["record"]].append(dict(row))
    for record in records:
        record[subform] = by_id[record["id"]]


def _cell(spec: FormSpec, field: Field, value: Any, locale: str, names: screen.Names) -> Any:
    if field.path == "state":
        return spec.states[value].title(locale) if value in spec.states else value or ""
    return str(value) if field.path == "id" and value is not None else cell(field, value, locale, names)


def cell(field: Field, value: Any, locale: str, names: screen.Names) -> Any:
    """A value as a cell: numbers and dates as such, everything else as people read it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return field.type.show(field, value, locale)
    if isinstance(value, Decimal):
        return trimmed(value, 0)
    if field.type.numeric:
        return value
    if isinstance(value, datetime):
        return value.astimezone(clock_zone())
    return value if field.type.name == "datetime" else screen.shown_text(field, value, locale, names)
