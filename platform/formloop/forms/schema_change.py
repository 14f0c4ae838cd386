"""Making the tables of a form what its definition says. Tables only grow: a column that is no longer
wanted is parked with its values, under the same name or as `<key>__v<version>`, and comes back when an
earlier version does.

Everything happens inside the transaction that publishes, so a process that dies leaves exactly the old
tables or exactly the new ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, update
from sqlalchemy.schema import CreateTable

from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.forms import convert, indexes
from formloop.forms.spec import Field, FormSpec
from formloop.forms.tables import field_column


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one table: create, add, park, revive or convert."""

    verb: str
    table: Table
    field: Field | None = None
    parked_as: str = ""
    source: str = ""


def apply(conn: Connection, old: Doc | None, new: Doc) -> None:
    """Bring the tables to what `new` says, inside the open transaction."""
    spec = _spec(new)
    for step in plan(conn, spec):
        _run(conn, step, spec)
    problems = unique_problems(conn, spec)
    if problems:
        raise Invalid(problems)
    indexes.bring_up(conn, spec)


def unique_problems(conn: Connection, spec: FormSpec) -> list[Problem]:
    """The fields that are to be unique while some value occurs more than once, told before an index fails."""
    live = spec.table.c.deleted_at.is_(None)
    found = []
    for each in (f for f in spec.stored if f.unique):
        column = spec.table.c[each.key]
        twice = select(column).where(live, column.is_not(None)).group_by(column).having(func.count() > 1)
        values = [str(value)[:40] for value in conn.execute(twice.limit(5)).scalars()]
        if values:
            text = M("“{field}” is to be unique, but these values occur more than once: {values}",
                     field=each.key, values=", ".join(values))  # fmt: skip
            found.append(Problem("unique", f"properties.{each.key}.x-unique", text))
    return found


def connect(conn: Connection, old: Doc | None, new: Doc) -> None:
    """Foreign keys, once the tables they point to exist (SQLite declares them with the column)."""
    if conn.dialect.name == "postgresql":
        indexes.add_foreign_keys(conn, _spec(new))


def _spec(doc: Doc) -> FormSpec:
    from formloop.forms.kind import prepare  # the kind knows this module; a document is prepared only there

    return prepare(doc, 0)


def plan(conn: Connection, spec: FormSpec) -> list[Step]:
    """The steps from the tables as they are to the tables as `spec` wants them."""
    steps: list[Step] = []
    for table, fields in _tables(spec):
        known = {
            row.column: row
            for row in conn.execute(select(field_column).where(field_column.c.table == table.name))
        }
        if not _exists(conn, table.name):
            steps.append(Step("create", table))
            continue
        for each in fields:
            steps += _column_steps(table, each, known)
        wanted = {f.key for f in fields}
        live = [row for row in known.values() if row.parked_at is None and row.column not in wanted]
        steps += [Step("park", table, parked_as=row.column, source=row.column) for row in live]
    return steps


def _column_steps(table: Table, field: Field, known: dict[str, Any]) -> list[Step]:
    row = known.get(field.key)
    if row is None:
        return [Step("add", table, field)]
    if row.signature == signature(field):
        return (
            [Step("revive", table, field)]
            if row.parked_at is not None or row.schema != dict(field.schema)
            else []
        )
    aside = f"{field.key}__v{row.version}"
    while aside in known:
        aside += "x"
    parked = [
        r.column
        for r in known.values()
        if r.field == field.key and r.parked_at and r.signature == signature(field)
    ]
    if parked and "__v" in parked[-1]:
        return [Step("swap", table, field, parked_as=aside, source=parked[-1])]
    return [Step("convert", table, field, parked_as=aside)]


def _run(conn: Connection, step: Step, spec: FormSpec) -> None:
    name, field = step.table.name, step.field
    if step.verb == "create":
        _create(conn, step.table, spec)
        for each in _fields_of(step.table, spec):
            _note(conn, name, each)
    elif step.verb == "add" and field:
        _add(conn, step.table, field)
        _note(conn, name, field)
        convert.fill_new(conn, step.table, field, spec)
    elif step.verb == "revive" and field:
        _change_note(conn, name, field.key, parked_at=None, schema=dict(field.schema))
    elif step.verb == "park":
        _change_note(conn, name, step.source, parked_at=clock.now())
    elif step.verb == "convert" and field:
        before = _note_of(conn, name, field.key)
        _rename(conn, name, field.key, step.parked_as)
        _add(conn, step.table, field)
        _note(conn, name, field, before.version + 1)
        convert.convert(conn, step.table, step.parked_as, convert.field_of(before.schema, field.key), field)
    elif step.verb == "swap" and field:
        newer, older = _note_of(conn, name, field.key), _note_of(conn, name, step.source)
        _rename(conn, name, field.key, step.parked_as)
        _rename(conn, name, step.source, field.key)
        convert.convert(
            conn,
            step.table,
            step.parked_as,
            convert.field_of(newer.schema, field.key),
            field,
            since=older.parked_at,
        )


def _create(conn: Connection, table: Table, spec: FormSpec) -> None:
    ddl = str(CreateTable(table).compile(conn)).rstrip().rstrip(")")
    if conn.dialect.name == "sqlite":
        for key, target in _targets(table, spec):
            ddl += f', FOREIGN KEY ("{key}") REFERENCES "{target}" (id)'
    conn.exec_driver_sql(ddl + ")")


def _add(conn: Connection, table: Table, field: Field) -> None:
    kind = field.type.column(field).compile(conn.dialect)
    ddl = f'ALTER TABLE "{table.name}" ADD COLUMN "{field.key}" {kind}'
    if conn.dialect.name == "sqlite" and field.relation:
        ddl += f' REFERENCES "{field.relation.form}" (id)'
    conn.exec_driver_sql(ddl)


def _rename(conn: Connection, table: str, old: str, new: str) -> None:
    conn.exec_driver_sql(f'ALTER TABLE "{table}" RENAME COLUMN "{old}" TO "{new}"')
    conn.execute(
        update(field_column)
        .where(field_column.c.table == table, field_column.c.column == old)
        .values(column=new, parked_at=None if "__v" not in new else clock.now())
    )


def _note(conn: Connection, table: str, field: Field, version: int = 1) -> None:
    conn.execute(
        insert(field_column).values(
            table=table,
            column=field.key,
            field=field.key,
            signature=signature(field),
            schema=dict(field.schema),
            version=version,
        )
    )


def _note_of(conn: Connection, table: str, column: str) -> Any:
    return conn.execute(
        select(field_column).where(field_column.c.table == table, field_column.c.column == column)
    ).one()


def _change_note(conn: Connection, table: str, column: str, **values: Any) -> None:
    conn.execute(
        update(field_column)
        .where(field_column.c.table == table, field_column.c.column == column)
        .values(**values)
    )


def signature(field: Field) -> str:
    """What kind of column a field has; fields of the same signature can share their values."""
    kind = field.type.column(field)
    scale = getattr(kind, "scale", None)
    name = type(kind).__name__.lower()
    return f"{name}:{scale}" if name == "exact" else name


def _tables(spec: FormSpec) -> Iterator[tuple[Table, list[Field]]]:
    yield spec.table, list(spec.stored)
    for each in spec.subforms:
        yield spec.line_tables[each.key], [c for c in each.children if c.type.stored]


def _fields_of(table: Table, spec: FormSpec) -> list[Field]:
    return next(fields for each, fields in _tables(spec) if each is table)


def _targets(table: Table, spec: FormSpec) -> Iterator[tuple[str, str]]:
    if table is not spec.table:
        yield "record", spec.table.name
    for each in _fields_of(table, spec):
        if each.relation:
            yield each.key, each.relation.form


def _exists(conn: Connection, name: str) -> bool:
    return conn.dialect.has_table(conn, name)


def impact(conn: Connection, old: Doc | None, new: Doc) -> list[Any]:
    """What publishing `new` would do to the rows that exist: see `convert.impact`."""
    from formloop.forms.impact import rows_of

    return rows_of(conn, _spec(new), plan(conn, _spec(new)))
