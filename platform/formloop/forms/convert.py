"""Values of a column that changed its type: read as the new type would read them from a person."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, bindparam, select, update
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from formloop.forms.fields import find_type, types
from formloop.forms.spec import Field, FormSpec, Unreadable

BATCH = 2_000


def field_of(schema: Mapping[str, Any], key: str) -> Field:
    """A field of which only the schema is needed."""
    kind = find_type(schema) or types.get("text")
    scale = int(schema.get("x-scale", getattr(kind, "scale", 0)))
    choices = tuple(schema.get("enum") or schema.get("items", {}).get("enum") or ())
    return Field(key, key, kind, schema, scale=scale, choices=choices)


def convert_value(value: Any, old: Field, new: Field) -> tuple[Any, bool]:
    """`value` as the new field would keep it, and whether it survived."""
    if value is None:
        return None, True
    if old.type.multiple and not new.type.multiple:
        value = ", ".join(map(str, value))
    elif old.type.numeric and not new.type.numeric:
        value = old.type.input_text(old, value)  # 99.000000 is 99 to people
    try:
        read = new.type.read(new, value)
    except Unreadable:
        return None, False
    if read is not None and new.type.check(new, read):
        if not new.type.numeric:
            return None, False
        read = round(read, new.scale)  # fewer digits than before: the old column keeps the exact value
        if new.type.check(new, read):
            return None, False
    return read, True


def convert(
    conn: Connection, table: Table, source: str, old: Field, new: Field, since: datetime | None = None
) -> None:
    """Fill `new`'s column from the parked column `source`; only rows changed after `since` if that is given."""
    before = sql_table(table.name, sql_column("id"), Column(source, old.type.column(old)))
    change = (
        update(table).where(table.c.id == bindparam("row")).values({table.c[new.key]: bindparam("value")})
    )
    for rows in _batches(conn, table, before, source, since):
        conn.execute(change, [{"row": id, "value": convert_value(value, old, new)[0]} for id, value in rows])


def _batches(
    conn: Connection, table: Table, before: Any, source: str, since: datetime | None
) -> Iterator[list[tuple[int, Any]]]:
    last = -1
    while True:
        query = (
            select(before.c.id, before.c[source]).where(before.c.id > last).order_by(before.c.id).limit(BATCH)
        )
        if since is not None and "updated_at" in table.c:
            query = query.where(before.c.id.in_(select(table.c.id).where(table.c.updated_at > since)))
        elif since is None:
            query = query.where(before.c[source].is_not(None))
        rows = [(row[0], row[1]) for row in conn.execute(query)]
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def fill_new(conn: Connection, table: Table, field: Field, spec: FormSpec) -> None:
    """A new field with a fixed default gives it to the rows that exist; formulas are computed as rows are saved."""
    if field.default is None or table is not spec.table:
        return
    value = field.type.read(field, field.default)
    conn.execute(update(table).values({table.c[field.key]: value}))
