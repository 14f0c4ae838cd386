"""Values of a column that changed its type: read as the new type would read them from a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, TableClause, bindparam, or_, select, update
from sqlalchemy import table as sql_table

from formloop.forms.fields import find_type, types
from formloop.forms.spec import Field, FormSpec, Unreadable

BATCH = 500  # rows in one transaction: whoever changes one of them waits for it
AT_ONCE = 500  # ids in one IN list


def field_of(schema: Mapping[str, Any], key: str) -> Field:
    """A field of which only the schema is needed."""
    kind = find_type(schema) or types.get("text")
    scale = int(schema.get("x-scale", getattr(kind, "scale", 0)))
    choices = tuple(schema.get("enum") or schema.get("items", {}).get("enum") or ())
    return Field(key, key, kind, schema, scale=scale, choices=choices)


def target_of(schema: Mapping[str, Any]) -> str | None:
    """The form that a relation points to."""
    target: str | None = schema.get("x-relation", {}).get("form")
    return target


def convert_value(value: Any, old: Field, new: Field) -> tuple[Any, bool]:
    """`value` as the new field would keep it, and whether it survived."""
    if value is None:
        return None, True
    if target_of(new.schema) not in (None, target_of(old.schema)):
        return None, False  # no record of another form, and no text, is one of these records
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


@dataclass(frozen=True, slots=True)
class Copy:
    """A column that is to take another one's place, both as the table has them now.

    `since`: in rows that nobody changed after it the coming column is right already; None: in no row. `through`: as
    what its values stood between then and now, which is the way they came to what stands there.
    """

    target: str
    new: Field
    source: str
    old: Field
    since: datetime | None = None
    through: tuple[Field, ...] = ()

    def value(self, stands: Any, kept: Any, changed: datetime | None) -> tuple[Any, bool]:
        """What the coming column is to hold, and whether what stands there survived.

        What it held before stays where it comes to what stands there now: nobody has changed that since. Nor has
        anybody emptied it in a row that was `changed` before.
        """
        before = self.since is not None and changed is not None and changed <= self.since
        if kept is not None and ((before and stands is None) or self._comes_to(kept) == stands):
            return kept, True
        return convert_value(stands, self.old, self.new)

    def _comes_to(self, kept: Any) -> Any:
        earlier = self.new
        for later in (*self.through, self.old):
            kept, earlier = convert_value(kept, earlier, later)[0], later
        return kept

    def columns(self) -> tuple[Column[Any], Column[Any]]:
        """The column that stands and the one to come."""
        return (
            Column(self.source, self.old.type.column(self.old)),
            Column(self.target, self.new.type.column(self.new)),
        )


@dataclass(slots=True)
class Loss:
    """How many values did not survive, with the first of them."""

    count: int = 0
    samples: list[str] = field(default_factory=list)

    def add(self, value: Any) -> None:
        """Note one more."""
        self.count += 1
        if len(self.samples) < 5:
            self.samples.append(str(value)[:40])


Losses = dict[str, Loss]  # by the path of the field
Change = dict[str, Any]  # the id of a row, and the values of its coming columns


def bring_over(
    conn: Connection,
    spec: FormSpec,
    table: Table,
    copies: Sequence[Copy],
    after: int = -1,
    losses: Losses | None = None,
) -> tuple[int | None, int]:
    """Fill the coming columns in the next rows behind the id `after`: the last id, None at the end; how many."""
    here = _columns(table, copies)
    query = select(here).where(here.c.id > after, _outdated(spec, table, here, copies))
    rows = conn.execute(query.order_by(here.c.id).limit(BATCH)).all()
    _write(conn, here, copies, _changes(copies, rows, losses=losses))
    return (int(rows[-1].id) if len(rows) == BATCH else None), len(rows)


def bring_over_rows(conn: Connection, table: Table, copies: Sequence[Copy], ids: Sequence[int]) -> None:
    """Fill the coming columns in these rows.

    Where values are unique they are emptied first: one that went from one of these rows to another would meet itself.
    """
    here = _columns(table, copies)
    changes: list[Change] = []
    for start in range(0, len(ids), AT_ONCE):
        asked = here.c.id.in_(ids[start : start + AT_ONCE])
        rows = conn.execute(select(here).where(asked).order_by(here.c.id)).all()
        changes += _changes(copies, rows, noted=True)
    if is_unique(copies):
        empty = {f"to_{copy.target}": None for copy in copies}
        _write(conn, here, copies, [{"row": change["row"], **empty} for change in changes])
    _write(conn, here, copies, changes)


def is_unique(copies: Sequence[Copy]) -> bool:
    """Whether some value may occur only once."""
    return any(copy.new.unique or copy.new.type.name == "serial" for copy in copies)


def _columns(table: Table, copies: Sequence[Copy]) -> TableClause:
    """The table with the columns that are asked for; those that come are not in its definition."""
    system = [Column(key, table.c[key].type) for key in ("id", "record", "updated_at") if key in table.c]
    return sql_table(table.name, *system, *(column for copy in copies for column in copy.columns()))


def _outdated(spec: FormSpec, table: Table, here: TableClause, copies: Sequence[Copy]) -> ColumnElement[bool]:
    """Rows in which some coming column may not be right yet. A minute more, since machines' clocks differ and a
    save that was under way as the column was parked has an earlier time."""
    moments = [copy.since for copy in copies if copy.since is not None]
    if len(moments) < len(copies):
        return or_(*(here.c[name].is_not(None) for copy in copies for name in (copy.source, copy.target)))
    since = min(moments) - timedelta(minutes=1)
    if table is spec.table:
        return here.c.updated_at > since
    return here.c.record.in_(select(spec.table.c.id).where(spec.table.c.updated_at > since))


def _changes(
    copies: Sequence[Copy], rows: Sequence[Any], *, noted: bool = False, losses: Losses | None = None
) -> list[Change]:
    """What is to be written into rows whose coming columns are not right."""
    changes: list[Change] = []
    for row in rows:
        had = row._mapping
        changed = None if noted else had.get("updated_at")
        new = {}
        for copy in copies:
            new[copy.target], survived = copy.value(had[copy.source], had[copy.target], changed)
            if not survived and losses is not None:
                losses.setdefault(copy.new.path, Loss()).add(had[copy.source])
        if any(new[copy.target] != had[copy.target] for copy in copies):
            changes.append({"row": row.id, **{f"to_{key}": value for key, value in new.items()}})
    return changes


def _write(conn: Connection, here: TableClause, copies: Sequence[Copy], changes: Sequence[Change]) -> None:
    if changes:
        values: dict[Any, Any] = {here.c[copy.target]: bindparam(f"to_{copy.target}") for copy in copies}
        conn.execute(update(here).where(here.c.id == bindparam("row")).values(values), changes)


def default_of(table: Table, new: Field, spec: FormSpec) -> Any:
    """What a new field has in the rows that exist: its fixed default. Formulas are computed as rows are saved."""
    if new.default is None or table is not spec.table:
        return None
    return new.type.read(new, new.default)
