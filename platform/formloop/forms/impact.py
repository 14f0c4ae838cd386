"""What publishing would do to the rows that exist, counted before anything is changed."""

from sqlalchemy import Column, Connection, func, select
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from formloop.core.definitions import ImpactRow
from formloop.core.text import M, Message
from formloop.forms.convert import convert_value, field_of
from formloop.forms.schema_change import Step
from formloop.forms.spec import Field, FormSpec, Said
from formloop.forms.tables import field_column

MOST_EXAMINED = 100_000
AT_ONCE = 2_000
_LOST = M(
    "“{field}”: {count} {count:value cannot be converted and becomes|values cannot be converted and become} empty, for example: {samples}"
)
_LOST_THOUGH_REQUIRED = M(
    "“{field}” is required, and {count} values cannot be converted: these records become empty there and ask for a "
    "value at their next change. For example: {samples}"
)


def rows_of(conn: Connection, spec: FormSpec, steps: list[Step]) -> list[ImpactRow]:
    """One row for everything that a business user should know before publishing."""
    found: list[ImpactRow] = []
    for step in steps:
        if step.verb in ("convert", "swap") and step.field:
            found += _conversion(conn, step, step.field)
        elif step.verb == "add" and step.field and step.field.required and step.field.default is None:
            found += _lacking(conn, step, step.field)
        elif step.verb == "park":
            count = _filled(conn, step.table.name, step.source)
            if count:
                text = M("“{field}” goes out of sight; {count} {count:value is kept and comes|values are kept and come} back with it.",
                         field=_named(_before(conn, step.table.name, step.source)), count=count)  # fmt: skip
                found.append(ImpactRow(message=text, severity="warning", at=step.source, count=count))
    if conn.dialect.has_table(conn, spec.table.name):
        found += _rules(conn, spec)
    return found


def _conversion(conn: Connection, step: Step, field: Field) -> list[ImpactRow]:
    old = _before(conn, step.table.name, field.key)
    before = sql_table(step.table.name, sql_column("id"), Column(field.key, old.type.column(old)))
    found: list[ImpactRow] = []
    kept = lost = 0
    samples: list[str] = []
    last = -1
    while kept + lost < MOST_EXAMINED:
        query = select(before.c.id, before.c[field.key]).where(
            before.c.id > last, before.c[field.key].is_not(None)
        )
        rows = conn.execute(query.order_by(before.c.id).limit(AT_ONCE)).all()
        if not rows:
            break
        for _, value in rows:
            survived = convert_value(value, old, field)[1]
            kept, lost = kept + survived, lost + (not survived)
            if not survived and len(samples) < 5:
                samples.append(str(value)[:40])
        last = rows[-1][0]
    if kept + lost >= MOST_EXAMINED:
        text = M(
            "“{field}”: only the first {count} values were looked at.", field=_named(field), count=kept + lost
        )
        found.append(ImpactRow(message=text, at=field.path))
    found += [
        ImpactRow(
            message=M(
                "“{field}”: {count} {count:value is|values are} converted.", field=_named(field), count=kept
            ),
            at=field.path,
            count=kept,
        )
    ]
    if lost:
        says = _LOST_THOUGH_REQUIRED if field.required else _LOST
        text = Message(says.msgid, {"field": _named(field), "count": lost, "samples": ", ".join(samples)})
        found.append(ImpactRow(message=text, severity="warning", at=field.path, count=lost))
    return found


def _named(field: Field) -> Message:
    """What people call a field, and the key that formulas know it by."""
    return M("{title} ({key})", title=Said(field.schema), key=field.key)


def _before(conn: Connection, table: str, column: str) -> Field:
    """A field as the table that stands there has it."""
    here = (field_column.c.table == table) & (field_column.c.column == column)
    return field_of(conn.execute(select(field_column.c.schema).where(here)).scalar_one(), column)


def _lacking(conn: Connection, step: Step, field: Field) -> list[ImpactRow]:
    """A new required field: every record that exists is without it."""
    rows = select(func.count()).select_from(step.table)
    if "deleted_at" in step.table.c:
        rows = rows.where(step.table.c.deleted_at.is_(None))
    count = int(conn.execute(rows).scalar_one())
    return [_none_yet(field, count)] if count else []


def _none_yet(field: Field, count: int) -> ImpactRow:
    text = M("“{field}” is required; {count} {count:record has none and asks for it at its|records have none and ask for it at their} next change.",
             field=_named(field), count=count)  # fmt: skip
    return ImpactRow(message=text, severity="warning", at=field.path, count=count)


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
                         field=_named(each), count=count)  # fmt: skip
                found.append(ImpactRow(message=text, severity="error", at=each.path, count=count))
        if each.required:
            count = conn.execute(select(func.count()).where(live, column.is_(None))).scalar_one()
            if count:
                found.append(_none_yet(each, count))
    return found
