"""Making the tables of a form what its definition says. Tables only grow: a column that is no longer
wanted is parked with its values, under the same name or as `<key>__v<version>`, and comes back when an
earlier version does.

Everything happens inside the transaction that publishes, so a process that dies leaves exactly the old
tables or exactly the new ones. What takes long with many rows may have been done ahead (`forms/ahead.py`):
then the columns to come are there, parked, and right in all rows but those that are noted as behind.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, func, insert, literal, quoted_name, select, update
from sqlalchemy import table as sql_table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateColumn, CreateTable

from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.db import columns_changed
from formloop.forms import behind, convert, indexes, numbering
from formloop.forms.convert import Copy
from formloop.forms.indexes import Names
from formloop.forms.spec import Field, FormSpec
from formloop.forms.tables import field_column

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # when a column was parked that has not been filled yet


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one table: create, add, park, revive, convert or swap.

    To convert is to make the column `source`, and to swap: it takes the place of the field's own column, which is
    parked as `parked_as`. To park, `source` is the column.
    """

    verb: str
    table: Table
    field: Field | None = None
    parked_as: str = ""
    source: str = ""


def apply(conn: Connection, old: Doc | None, new: Doc) -> None:
    """Bring the tables to what `new` says, inside the open transaction."""
    spec = spec_of(new)
    steps = plan(conn, spec)
    for step in steps:
        if step.verb == "convert":
            make_beside(conn, step)
    names = _settle(conn, spec, steps)
    for step in steps:
        _run(conn, step, spec)
    indexes.take_over(conn, spec, names)
    problems = unique_problems(conn, spec)
    if problems:
        raise Invalid(problems)
    indexes.bring_up(conn, spec)
    if old is not None:
        numbering.follow(old, spec)


def unique_problems(conn: Connection, spec: FormSpec, names: Names | None = None) -> list[Problem]:
    """The fields that are to be unique while some value occurs more than once, told before an index fails.

    Where an index guards it already there is nothing to ask. `names`: what columns are called before a swap.
    """
    names = names or {}
    missing = {
        i.column for i in indexes.missing(conn, spec, names) if i.unique and i.table == spec.table.name
    }
    found = []
    for each in (f for f in spec.stored if f.unique):
        name = names.get(spec.table.name, {}).get(each.key, each.key)
        if name not in missing:
            continue
        deleted = Column("deleted_at", spec.table.c.deleted_at.type)
        here = sql_table(spec.table.name, deleted, Column(name, each.type.column(each)))
        live, column = here.c.deleted_at.is_(None), here.c[name]
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
        indexes.add_foreign_keys(conn, spec_of(new))


def spec_of(doc: Doc) -> FormSpec:
    """What would run of a document."""
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
    if _fits(row, field):
        return (
            [Step("revive", table, field)]
            if row.parked_at is not None or row.schema != dict(field.schema)
            else []
        )
    aside = _free(f"{field.key}__v{row.version}", known)
    parked = [r.column for r in known.values() if r.field == field.key and r.parked_at and _fits(r, field)]
    if parked and "__v" in parked[-1]:
        return [Step("swap", table, field, parked_as=aside, source=parked[-1])]
    coming = _free(f"{field.key}__v{row.version + 1}", {*known, aside})
    return [Step("convert", table, field, parked_as=aside, source=coming)]


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "x"
    return name


def _run(conn: Connection, step: Step, spec: FormSpec) -> None:
    name, field = step.table.name, step.field
    if step.verb == "create":
        _create(conn, step.table, spec)
        for each in _fields_of(step.table, spec):
            _note(conn, name, each)
    elif step.verb == "add" and field:
        add(conn, step.table, field, spec)
        _note(conn, name, field)
        _drop_default(conn, name, field.key)
    elif step.verb == "revive" and field:
        if _note_of(conn, name, field.key).parked_at is not None:
            _drop_default(conn, name, field.key)
        _change_note(conn, name, field.key, parked_at=None, schema=dict(field.schema))
    elif step.verb == "park":
        _change_note(conn, name, step.source, parked_at=clock.now())
    elif step.verb in ("convert", "swap") and field:
        indexes.drop_on(conn, name, field.key)
        _rename(conn, name, field.key, step.parked_as, parked_at=clock.now())
        _rename(conn, name, step.source, field.key, parked_at=None, schema=dict(field.schema), in_step=None)


def make_beside(conn: Connection, step: Step) -> None:
    """Make the column that a `convert` step wants to come, empty and parked."""
    if step.field is None:
        return
    name = step.table.name
    version = _note_of(conn, name, step.field.key).version + 1
    _add(conn, step.table, step.field, step.source)
    _note(conn, name, step.field, version, column=step.source, parked_at=NEVER)


def add_early(conn: Connection, step: Step, spec: FormSpec) -> None:
    """Make the column of an `add` step, parked until its publication, so that indexes can be made on it."""
    if step.field is not None:
        add(conn, step.table, step.field, spec)
        _note(conn, step.table.name, step.field, parked_at=NEVER, in_step=False)


def drop_early(conn: Connection, spec: FormSpec) -> None:
    """Drop the columns that were made early: no published version ever knew them."""
    early = field_column.c.parked_at == NEVER, field_column.c.column == field_column.c.field
    for table, fields in _tables(spec):
        for each in fields:
            here = field_column.c.table == table.name, field_column.c.column == each.key
            if conn.execute(delete(field_column).where(*here, *early)).rowcount:
                conn.exec_driver_sql(f'ALTER TABLE "{table.name}" DROP COLUMN "{each.key}"')


def set_in_step(conn: Connection, table: str, wanted: Sequence[Copy], in_step: bool) -> None:
    """Note of columns to come whether all rows have been brought over."""
    for copy in wanted:
        _change_note(conn, table, copy.target, in_step=in_step)


def copies(conn: Connection, steps: Sequence[Step]) -> dict[Table, list[Copy]]:
    """What is to be brought over for the `convert` and `swap` steps, whose columns are all there, by table."""
    found: dict[Table, list[Copy]] = {}
    for step in steps:
        if step.verb in ("convert", "swap") and step.field:
            name, key = step.table.name, step.field.key
            standing, coming = _note_of(conn, name, key), _note_of(conn, name, step.source)
            since = None if coming.parked_at == NEVER else coming.parked_at
            old = replace(convert.field_of(standing.schema, key), path=step.field.path)
            through = _stood_since(conn, name, step.field, since) if since else ()
            found.setdefault(step.table, []).append(Copy(step.source, step.field, key, old, since, through))
    return found


def _stood_since(conn: Connection, table: str, field: Field, since: datetime) -> tuple[Field, ...]:
    """As what a field stood after `since`, oldest first, up to what stands now."""
    query = select(field_column.c.schema).where(
        field_column.c.table == table, field_column.c.field == field.key
    )
    query = query.where(field_column.c.parked_at > since).order_by(field_column.c.parked_at)
    return tuple(
        replace(convert.field_of(schema, field.key), path=field.path)
        for schema in conn.execute(query).scalars()
    )


def _settle(conn: Connection, spec: FormSpec, steps: Sequence[Step]) -> Names:
    """Bring over what is still to be, while nobody else can write; the present names of columns that come."""
    names: dict[str, dict[str, str]] = {}
    for table, wanted in copies(conn, steps).items():
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql(f'LOCK TABLE "{table.name}" IN ACCESS EXCLUSIVE MODE')
        names[table.name] = {copy.source: copy.target for copy in wanted}
        columns_changed()
        if all(_note_of(conn, table.name, copy.target).in_step for copy in wanted):
            _bring_over_last(conn, table, wanted)
            continue
        last: int | None = -1
        while last is not None:
            last, _ = convert.bring_over(conn, spec, table, wanted, last)
    if _was_ahead(conn, spec):
        forget_behind(conn, spec)
    return names


def _bring_over_last(conn: Connection, table: Table, wanted: Sequence[Copy]) -> None:
    try:
        convert.bring_over_rows(conn, table, wanted, behind.take(conn, table.name))
    except IntegrityError as error:
        raise twice() from error


def twice() -> Invalid:
    """Refuses a publication since people saved a value again that is to be unique."""
    text = M("A value that is to occur only once was saved a second time meanwhile.")
    return Invalid([Problem("unique", "", text)])


def forget_behind(conn: Connection, spec: FormSpec) -> None:
    """End what was done ahead for this form: nothing is noted any more, and no column counts as in step."""
    for table, _ in _tables(spec):
        if _exists(conn, table.name):
            behind.forget(conn, table.name)
            here = field_column.c.table == table.name
            conn.execute(update(field_column).where(here).values(in_step=None))


def _was_ahead(conn: Connection, spec: FormSpec) -> bool:
    """Whether something has been done ahead for this form."""
    tables = [table.name for table, _ in _tables(spec)]
    here = field_column.c.table.in_(tables), field_column.c.in_step.is_not(None)
    return conn.execute(select(field_column.c.column).where(*here).limit(1)).first() is not None


def _create(conn: Connection, table: Table, spec: FormSpec) -> None:
    ddl = str(CreateTable(table).compile(conn)).rstrip().rstrip(")")
    if conn.dialect.name == "sqlite":
        for key, target in _targets(table, spec):
            ddl += f', FOREIGN KEY ("{key}") REFERENCES "{target}" (id)'
    conn.exec_driver_sql(ddl + ")")


def add(conn: Connection, table: Table, field: Field, spec: FormSpec) -> None:
    """Make the column of a new field, with its default in all rows. On PostgreSQL that needs no time."""
    default = convert.default_of(table, field, spec)
    _add(conn, table, field, field.key, default)
    if default is not None and conn.dialect.name == "sqlite":
        conn.execute(update(table).values({table.c[field.key]: default}))


def _add(conn: Connection, table: Table, field: Field, name: str, default: Any = None) -> None:
    kind = field.type.column(field)
    fixed = None if default is None or conn.dialect.name == "sqlite" else literal(default, kind)
    column = CreateColumn(Column(quoted_name(name, True), kind, server_default=fixed)).compile(conn)
    ddl = f'ALTER TABLE "{table.name}" ADD COLUMN {column}'
    if conn.dialect.name == "sqlite" and field.relation:
        ddl += f' REFERENCES "{field.relation.form}" (id)'
    conn.exec_driver_sql(ddl)


def _drop_default(conn: Connection, table: str, column: str) -> None:
    """Whoever saves gives every column its value, also none."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" DROP DEFAULT')


def _rename(conn: Connection, table: str, old: str, new: str, **values: Any) -> None:
    conn.exec_driver_sql(f'ALTER TABLE "{table}" RENAME COLUMN "{old}" TO "{new}"')
    _change_note(conn, table, old, column=new, **values)


def _note(
    conn: Connection, table: str, field: Field, version: int = 1, column: str = "", **values: Any
) -> None:
    own = {"table": table, "column": column or field.key, "field": field.key, "version": version}
    said = {"signature": signature(field), "schema": dict(field.schema)}
    conn.execute(insert(field_column).values(**own, **said, **values))


def _note_of(conn: Connection, table: str, column: str) -> Any:
    return conn.execute(
        select(field_column).where(field_column.c.table == table, field_column.c.column == column)
    ).one()


def _change_note(conn: Connection, table: str, of: str, **values: Any) -> None:
    here = (field_column.c.table == table) & (field_column.c.column == of)
    conn.execute(update(field_column).where(here).values(**values))


def _fits(row: Any, field: Field) -> bool:
    """Whether a column can be the field's: of its kind, and pointing to the same form."""
    same = row.signature == signature(field)
    return same and convert.target_of(row.schema) == convert.target_of(field.schema)


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

    spec = spec_of(new)
    return rows_of(conn, spec, plan(conn, spec))
