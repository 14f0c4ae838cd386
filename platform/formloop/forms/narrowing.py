"""Which of several records that are called the same a row means: the one that its relation's condition leaves."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import and_, func, select

from formloop.access.actor import Actor
from formloop.db import reading
from formloop.forms import beside, permits
from formloop.forms.elsewhere import narrowed, own_fields, own_reads
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.spec import Field, FormSpec, Unreadable, Values

CALLED = ""  # beside what a row says: the value that several records have
Asked = tuple[str, Any]  # the field of the other form that several have the same value in, and that value


def hangs_on_row(spec: FormSpec, field: Field) -> bool:
    """Whether it depends on the row which records a field may point to."""
    return field.relation is not None and bool(own_reads(spec, field, "x-relation"))


def in_order(spec: FormSpec, fields: list[Field]) -> list[Field]:
    """The fields, each behind those that its condition reads."""
    placed: list[Field] = []
    left = list(fields)
    while left:
        waiting = {field.path for field in left}
        ready = [
            f for f in left if not waiting & (_reads(spec, f) - {f.path})
        ] or left  # a circle is no order
        placed += ready
        left = [f for f in left if f not in ready]
    return placed


def _reads(spec: FormSpec, field: Field) -> set[str]:
    own = own_fields(spec, field)
    keys = own_reads(spec, field, "x-relation") if field.relation else ()
    return {own[key].path for key in keys if key in own}


def one_each(
    actor: Actor, spec: FormSpec, field: Field, rows: Mapping[int, tuple[Values, Asked]]
) -> dict[int, int]:
    """The one record that each row may point to, by the row's place; nothing for a row with none or several."""
    types = beside.types_of(spec, field, "x-relation")
    assert field.relation is not None
    target = get_form(field.relation.form)
    permit = permits.find_permit(actor, "view", target)
    if types is None or permit is None:
        return {}
    own, found = own_fields(spec, field), dict[int, int]()
    for by, questions in _by_field(rows, {key: own[key] for key in types}).items():
        kinds = {**types, CALLED: target.table.c[by].type}
        conditions = [
            target.table.c.deleted_at.is_(None),
            target.table.c[by] == beside.this_of(kinds)(CALLED),
            permit.where(context_of(actor)),
            narrowed(actor, spec, field, "x-relation", beside.this_of(types)),
        ]
        wanted = and_(*(each for each in conditions if each is not None))
        for part in _parts(list(questions)):
            asking = beside.table_of([{**dict(said), CALLED: value} for said, value in part], kinds)
            query = select(beside.NUMBER, func.min(target.table.c.id))
            query = query.select_from(asking.join(target.table, wanted))
            query = query.group_by(beside.NUMBER).having(func.count() == 1)
            with reading() as conn:
                for number, record in conn.execute(query):
                    found |= dict.fromkeys(questions[part[number]], record)
    return found


def _by_field(
    rows: Mapping[int, tuple[Values, Asked]], own: Mapping[str, Field]
) -> dict[str, dict[tuple[Any, Any], list[int]]]:
    """What is asked, once for all rows that ask the same, by the field of the other form that is compared."""
    found: dict[str, dict[tuple[Any, Any], list[int]]] = {}
    for place, (row, (by, value)) in rows.items():
        said = tuple((key, _read(field, row.get(key))) for key, field in own.items())
        found.setdefault(by, {}).setdefault((said, value), []).append(place)
    return found


def _parts(questions: list[Any]) -> Iterator[list[Any]]:
    return (questions[i : i + beside.AT_ONCE] for i in range(0, len(questions), beside.AT_ONCE))


def _read(field: Field, raw: Any) -> Any:
    try:
        found = None if raw is None else field.type.read(field, raw)
    except Unreadable:
        return None
    return None if isinstance(found, list | dict) else found
