"""What publishing would do to the rows that exist, counted before anything is changed."""

from sqlalchemy import Column, Connection, func, select
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from formloop.core.definitions import ImpactRow
from formloop.core.text import M
from formloop.forms.convert import BATCH, convert_value, field_of
from formloop.forms.schema_change import Step
from formloop.forms.spec import Field, FormSpec
from formloop.forms.tables import field_column

MOST_EXAMINED = 100_000


def rows_of(conn: Connection, spec: FormSpec, steps: list[Step]) -> list[ImpactRow]:
    """One row for everything that a business user should know before publishing."""
    found: list[ImpactRow] = []
    for step in steps:
        if step.verb in ("convert", "swap") and step.field:
            found += _conversion(conn, step, step.field)
        elif step.verb == "park":
            count = _filled(conn, step.table.name, step.source)
            if count:
                text = M("“{field}” goes out of sight; {count} values are kept and come back with it.",
                         field=step.source, count=count)  # fmt: skip
                found.append(ImpactRow(message=text, severity="warning", at=step.source, count=count))
    if conn.dialect.has_table(conn, spec.table.name):
        found += _rules(conn, spec)
    return found


def _conversion(conn: Connection, step: Step, field: Field) -> list[ImpactRow]:
    note = conn.execute(
        select(field_column).where(
            field_column.c.table == step.table.name, field_column.c.column == field.key
        )
    ).one()
    old = field_of(note.schema, field.key)
    before = sql_table(step.table.name, sql_column("id"), Column(field.key, old.type.column(old)))
    kept = lost = 0
    samples: list[str] = []
    last = -1
    while kept + lost < MOST_EXAMINED:
        query = select(before.c.id, before.c[field.key]).where(
            before.c.id > last, before.c[field.key].is_not(None)
        )
        rows = conn.execute(query.order_by(before.c.id).limit(BATCH)).all()
        if not rows:
            break
        for _, value in rows:
            survived = convert_value(value, old, field)[1]
            kept, lost = kept + survived, lost + (not survived)
            if not survived and len(samples) < 5:
                samples.append(str(value)[:40])
        last = rows[-1][0]
    found = [
        ImpactRow(
            message=M("“{field}”: {count} values are converted.", field=field.key, count=kept),
            at=field.path,
            count=kept,
        )
    ]
    if lost:
        text = M("“{field}”: {count} values cannot be converted and become empty, for example: {samples}",
                 field=field.key, count=lost, samples=", ".join(samples))  # fmt: skip
        found.append(ImpactRow(message=text, severity="warning", at=field.path, count=lost))
    return found


def _filled(conn: Connection, table: str, column: str) -> int:
    what = sql_table(table, sql_column(column))
    return int(
        conn.execute(select(func.count()).select_from(what).where(what.c[column].is_not(None))).scalar_one()
    )


def _rules(conn: Connection, spec: FormSpec) -> list[ImpactRow]:
    found = []
    there = {
        row.column
        for row in conn.execute(select(field_column.c.column).where(field_column.c.table == spec.table.name))
    }
    live = spec.table.c.deleted_at.is_(None)
    for each in (f for f in spec.stored if f.key in there):
        column = spec.table.c[each.key]
        if each.unique:
            twice = select(column).where(live, column.is_not(None)).group_by(column).having(func.count() > 1)
            count = conn.execute(select(func.count()).select_from(twice.subquery())).scalar_one()
            if count:
                text = M("“{field}” is to be unique, but {count} values occur more than once.",
                         field=each.key, count=count)  # fmt: skip
                found.append(ImpactRow(message=text, severity="error", at=each.path, count=count))
        if each.required:
            count = conn.execute(select(func.count()).where(live, column.is_(None))).scalar_one()
            if count:
                text = M("“{field}” is required; {count} records have none and ask for it at their next change.",
                         field=each.key, count=count)  # fmt: skip
                found.append(ImpactRow(message=text, severity="warning", at=each.path, count=count))
    return found
