"""Reading single records: what a person may see of one, its history, and what it came from and led to."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select

from formloop.access.actor import Actor
from formloop.core.errors import NotFound
from formloop.db import reading
from formloop.forms import permits, rows
from formloop.forms.engine import Given
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.listing import titles_of
from formloop.forms.names import context_of
from formloop.forms.spec import Field, FormSpec, Values
from formloop.forms.tables import record_link


@dataclass(frozen=True, slots=True)
class Look:
    """A whole record with the paths somebody may see of it; whoever shows it leaves out the rest."""

    spec: FormSpec
    record: Values
    env: Values
    visible: frozenset[str]


def look(actor: Actor, form: str, record: int, action: str = "view", deleted: bool = False) -> Look:
    """A record for calculating with, and what the grants for `action` show of this very row."""
    spec = get_form(form)
    permit = permits.find_permit(actor, action, spec)
    if permit is None:
        raise NotFound
    context = context_of(actor)
    with reading() as conn:
        found = rows.load(conn, spec, [record], permit.where(context)).get(record)
        if found is None or (found["deleted_at"] is not None) != deleted:
            raise NotFound
        env = Links(actor, spec, [found], also=permit.reads).environment(spec, found)
        return Look(spec, found, env, permit.visible(env, context))


def visible_in(actor: Actor, spec: FormSpec, record: Values, action: str = "view") -> frozenset[str]:
    """What the grants for `action` show of a row that is in memory; nothing when they do not give it."""
    permit = permits.find_permit(actor, action, spec)
    if permit is None:
        return frozenset()
    context = context_of(actor)
    env = Links(actor, spec, [record], reads=permit.reads).environment(spec, record)
    return permit.visible(env, context) if permit.giving(env, context) else frozenset()


def get_record(actor: Actor, form: str, record: int, action: str = "view", deleted: bool = False) -> Values:
    """A record with its lines, holding only what the actor may see. NotFound hides what they may not."""
    seen = look(actor, form, record, action, deleted)
    return project(seen.spec, seen.record, seen.visible)


def project(spec: FormSpec, record: Values, visible: frozenset[str]) -> Values:
    """`record` without what may not be seen; the system's own columns stay."""
    kept = {
        k: v
        for k, v in record.items()
        if k not in spec.fields or (k in visible and not spec.fields[k].children)
    }
    for subform in spec.subforms:
        columns = {c.key for c in subform.children if c.path in visible}
        if columns:
            kept[subform.key] = [
                {k: v for k, v in line.items() if k in columns or k in ("id", "position")}
                for line in record.get(subform.key) or ()
            ]
    return kept


@dataclass(frozen=True, slots=True)
class Relative:
    """A record in the document chain: "from" is what this one came from, "to" is what it led to."""

    way: str
    form: str
    record: int
    title: str
    form_title: str
    state: str
    via: str


def list_chain(actor: Actor, form: str, record: int, locale: str = "en", limit: int = 200) -> list[Relative]:
    """What a record came from and what it led to, as far as the actor may see those records."""
    with reading() as conn:
        query = select(record_link).where(
            or_(
                (record_link.c.from_form == form) & (record_link.c.from_record == record),
                (record_link.c.to_form == form) & (record_link.c.to_record == record),
            )
        )
        found: dict[tuple[str, str, int], str] = {}
        for row in conn.execute(query.order_by(record_link.c.at).limit(limit)):
            if (row.from_form, row.from_record) == (form, record):
                found["to", row.to_form, row.to_record] = row.via
            else:
                found["from", row.from_form, row.from_record] = row.via
        relatives: list[Relative] = []
        for way, other in sorted({(way, other) for way, other, _ in found}):
            ids = {i for w, f, i in found if (w, f) == (way, other)}
            relatives += _seen(actor, way, other, ids, found, locale)
    return relatives


def _seen(
    actor: Actor, way: str, form: str, ids: set[int], via: dict[tuple[str, str, int], str], locale: str
) -> list[Relative]:
    spec = get_form(form)
    permit = permits.find_permit(actor, "view", spec)
    if permit is None:
        return []
    context, named = context_of(actor), spec.table.c.get(spec.title_field)
    title = spec.table.c.id if named is None else permit.seen(named, spec.title_field, context)
    query = select(spec.table.c.id, title.label("title"), spec.table.c.state).where(
        spec.table.c.id.in_(ids), spec.table.c.deleted_at.is_(None)
    )
    where = permit.where(context)
    if where is not None:
        query = query.where(where)
    with reading() as conn:
        rows_seen = conn.execute(query.order_by(spec.table.c.id)).all()
    return [
        Relative(
            way,
            form,
            row.id,
            str(row.title) if row.title not in (None, "") else f"#{row.id}",
            spec.title(locale),
            row.state,
            via[way, form, row.id],
        )
        for row in rows_seen
    ]


def list_titles(actor: Actor, spec: FormSpec, condition: ColumnElement[bool], limit: int) -> dict[int, str]:
    """What the newest records that fulfil `condition` are called, by id: those the actor may see, if their names."""
    permit = permits.find_permit(actor, "view", spec)
    if permit is None:
        return {}
    query, where = select(spec.table.c.id).where(condition), permit.where(context_of(actor))
    query = query if where is None else query.where(where)
    with reading() as conn:
        ids = set(conn.execute(query.order_by(spec.table.c.id.desc()).limit(limit)).scalars())
        named = titles_of(conn, spec, ids, actor)
    return {each: named.get(each, f"#{each}") for each in sorted(ids)}


def copy_of(spec: FormSpec, record: Values) -> Given:
    """The values of a new record like this one: what may occur only once, and what the program gives, left out."""

    def kept(fields: Iterable[Field], values: Values) -> Values:
        return {
            f.key: values[f.key]
            for f in fields
            if values.get(f.key) is not None and not (f.unique or f.computed or f.readonly or f.children)
        }

    values = kept(spec.fields.values(), record)
    line_keys = {}
    for subform in spec.subforms:
        values[subform.key] = [kept(subform.children, line) for line in record.get(subform.key) or ()]
        line_keys[subform.key] = [frozenset(line) for line in values[subform.key]]
    return Given(values, frozenset(values), line_keys)
