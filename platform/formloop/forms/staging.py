"""The rows of an import as they stand in the file, kept until the import is over: the batch and its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.forms.grouping import records_of
from formloop.forms.guessing import known_names
from formloop.forms.mapping import ColumnMap
from formloop.forms.sheets import Cells, Sheet, cell_text, open_sheet
from formloop.forms.spec import FormSpec
from formloop.forms.tables import import_batch, import_row

AT_ONCE = 2_000
MOST_TOLD = 20  # rows that stand there twice
UNDER_WAY = M("This import is under way. Wait until it has ended.")
STATES = ("new", "good", "bad", "created", "updated", "unchanged", "failed", "undone", "kept")


@dataclass(frozen=True, slots=True)
class Batch:
    """One import of one person."""

    id: int
    form: str
    person: int | None
    name: str
    file: Path
    lines_file: Path | None
    lines_name: str
    mapping: Mapping[str, Any]
    state: str
    columns: tuple[str, ...]
    line_columns: tuple[str, ...]
    job: int | None
    owner: int | None


@transactional
def add_batch(
    actor: Actor, form: str, name: str, file: Path, lines_file: Path | None = None, lines_name: str = ""
) -> int:
    """Begin an import; nothing has been read yet."""
    batch = clock.new_id()
    connection().execute(
        insert(import_batch).values(
            id=batch,
            form=form,
            person=actor.person_id,
            name=name,
            file=str(file),
            lines_file=str(lines_file) if lines_file else None,
            lines_name=lines_name or (lines_file.name if lines_file else None),
            mapping={},
            state="mapping",
            columns=[],
            line_columns=[],
            at=clock.now(),
        )
    )
    return batch


def get_batch(batch: int, actor: Actor | None = None, lock: bool = False) -> Batch:
    """An import, of `actor` if one is given; NotFound for everybody else. `lock` holds it for the open transaction."""
    query = select(import_batch).where(import_batch.c.id == batch)
    with reading() as conn:
        row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None or (actor is not None and row.person != actor.person_id):
        raise NotFound
    lines_file = Path(row.lines_file) if row.lines_file else None
    return Batch(
        row.id, row.form, row.person, row.name, Path(row.file), lines_file, row.lines_name or "", row.mapping, row.state,
        tuple(row.columns), tuple(row.line_columns), row.job, row.owner,
    )  # fmt: skip


def is_held(batch: Batch) -> bool:
    """Lock an import for the open transaction; whether its job and state are those of `batch`."""
    now = get_batch(batch.id, lock=True)
    return (now.job, now.state) == (batch.job, batch.state)


def require_held(batch: Batch) -> None:
    """The same, but Conflict where they are not."""
    if not is_held(batch):
        raise Conflict(UNDER_WAY)


@transactional
def set_batch(batch: int, **values: Any) -> None:
    """Change columns of an import."""
    connection().execute(update(import_batch).where(import_batch.c.id == batch).values(**values))


def list_batches(actor: Actor, form: str, limit: int = 10) -> list[Any]:
    """The latest imports of a person into a form."""
    with reading() as conn:
        query = select(import_batch).where(
            import_batch.c.form == form, import_batch.c.person == actor.person_id
        )
        return list(conn.execute(query.order_by(import_batch.c.id.desc()).limit(limit)))


def open_sheets(spec: FormSpec, batch: Batch) -> tuple[Sheet, Sheet | None]:
    """The tables of an import, from their beginning."""
    known = known_names(spec)
    lines = open_sheet(batch.lines_file, batch.lines_name, known) if batch.lines_file else None
    return open_sheet(batch.file, batch.name, known, str(batch.mapping.get("sheet", ""))), lines


class Twice:
    """Counts the rows of a file that are the same as one above to the last cell, and knows the first of them."""

    def __init__(self) -> None:
        self.count, self.rows = 0, list[int]()
        self._seen: set[int] = set()

    def look(self, number: int, cells: Cells) -> None:
        """Take the next row into account; one without any value says nothing."""
        texts = tuple(cell_text(each) for each in cells)
        mark = hash(texts)
        if any(texts) and mark in self._seen:
            self.count += 1
            self.rows += [number] if len(self.rows) < MOST_TOLD else []
        self._seen.add(mark)


def stage(spec: FormSpec, batch: Batch, mapping: ColumnMap) -> tuple[int, Twice]:
    """Read the files into rows, one for each record to be; returns how many, and which rows stand there twice.

    What was staged before is replaced. Rows that name the same record are told apart from these where that is checked.
    """
    sheet, lines_sheet = open_sheets(spec, batch)
    lines_columns = lines_sheet.columns if lines_sheet else ()
    require_columns(mapping, sheet.columns, lines_columns)
    _forget(batch, columns=list(sheet.columns), line_columns=list(lines_columns))
    count, part, twice = 0, list[dict[str, Any]](), Twice()
    for record in records_of(mapping, sheet, lines_sheet):
        part.append(record)
        for number, cells in record.get("lines", () if mapping.by else [record["own"]]):
            twice.look(number, cells)
        if len(part) == AT_ONCE:
            count += _keep(batch, part)
            part = []
    return count + (_keep(batch, part) if part else 0), twice


def require_columns(mapping: ColumnMap, columns: Sequence[str], line_columns: Sequence[str]) -> None:
    """Invalid when the mapping names columns that the files do not have."""
    wanted = [(name, columns) for name in (*mapping.columns, *mapping.skip)]
    if mapping.lines:
        wanted.append((mapping.lines.of, columns))
        wanted += [
            (n, line_columns) for n in (*mapping.lines.columns, *mapping.lines.skip, mapping.lines.parent)
        ]
    problems = [
        Problem(
            "no_column",
            name,
            M(
                "The file has no column “{column}”. It has: {columns}",
                column=name,
                columns=", ".join(there[:20]),
            ),
        )
        for name, there in wanted
        if name not in there
    ]
    if problems:
        raise Invalid(problems)


@transactional
def _forget(batch: Batch, **columns: Any) -> None:
    require_held(batch)
    set_batch(batch.id, **columns)
    connection().execute(delete(import_row).where(import_row.c.batch == batch.id))


@transactional
def _keep(batch: Batch, records: list[dict[str, Any]]) -> int:
    require_held(batch)
    connection().execute(
        insert(import_row),
        [{"batch": batch.id, "number": each["own"][0], "raw": each, "state": "new"} for each in records],
    )
    return len(records)


def counts(batch: int) -> dict[str, int]:
    """How many rows are in each state."""
    with reading() as conn:
        query = select(import_row.c.state, func.count()).where(import_row.c.batch == batch)
        return {row[0]: row[1] for row in conn.execute(query.group_by(import_row.c.state))}


def count_known(batch: int) -> tuple[int, int]:
    """How many of the rows that can be imported would change a record that is there, and how many say what it says.

    A checked row that changes nothing bears the revision in which its record stood.
    """
    good = (import_row.c.batch == batch, import_row.c.state == "good", import_row.c.record.is_not(None))
    with reading() as conn:
        known, same = conn.execute(select(func.count(), func.count(import_row.c.revision)).where(*good)).one()
    return known - same, same


def list_rows(batch: int, states: Sequence[str], after: int = -1, limit: int = 500) -> list[Any]:
    """Rows in one of `states` behind row `after`, in the order of the file."""
    with reading() as conn:
        query = select(import_row).where(
            import_row.c.batch == batch, import_row.c.state.in_(states), import_row.c.number > after
        )
        return list(conn.execute(query.order_by(import_row.c.number).limit(limit)))


def states_between(batch: int, first: int, last: int) -> dict[int, str]:
    """The states of the rows from one number to another."""
    with reading() as conn:
        query = select(import_row.c.number, import_row.c.state).where(
            import_row.c.batch == batch, import_row.c.number.between(first, last)
        )
        return {row.number: row.state for row in conn.execute(query)}


def first_rows(batch: int, keys: Sequence[str], before: int) -> dict[str, int]:
    """The first row with each of these keys among those above row `before`, where there is one."""
    found: dict[str, int] = {}
    with reading() as conn:
        for start in range(0, len(keys), 500):
            query = select(import_row.c.key, func.min(import_row.c.number)).where(
                import_row.c.batch == batch,
                import_row.c.key.in_(keys[start : start + 500]),
                import_row.c.number < before,
            )
            found |= {row[0]: row[1] for row in conn.execute(query.group_by(import_row.c.key))}
    return found


def mark(batch: int, rows: list[dict[str, Any]]) -> None:
    """Note what became of rows, inside the transaction that did it: number, state, problems, record, revision.

    Their keys are noted where these are said.
    """
    if not rows:
        return
    columns = ("state", "problems", "record", "revision", *(("key",) if "key" in rows[0] else ()))
    connection().execute(
        update(import_row)
        .where(import_row.c.batch == batch, import_row.c.number == bindparam("row"))
        .values({c: bindparam(f"v_{c}") for c in columns}),
        [{"row": r["number"], **{f"v_{c}": r.get(c) for c in columns}} for r in rows],
    )
