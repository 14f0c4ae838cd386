"""What a publication does ahead with many records, while everybody goes on working.

Columns to come are made beside those that stand, and filled a part at a time; what people save meanwhile is noted
and brought over again; indexes are made concurrently. The publication itself (`schema_change.apply`) then has
only names to change. Each step may be done again, so a worker that is killed leaves nothing to repair.

On SQLite one writes at a time anyway: the parts are short, but indexes are made by the publication itself.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlalchemy import table as sql_table
from sqlalchemy.exc import IntegrityError

from formloop.core.definitions import Doc
from formloop.core.errors import Invalid
from formloop.core.text import M, Message
from formloop.db import connection, engine, hurry, is_sqlite, reading, transactional
from formloop.definitions import library
from formloop.forms import behind, convert, indexes, schema_change
from formloop.forms.convert import Copy, Losses
from formloop.forms.indexes import Index, Names
from formloop.forms.schema_change import Step, plan, spec_of
from formloop.forms.spec import FormSpec, Said

MANY = 10_000  # records: fewer are converted at once, by the publication
PARTS = 20  # in one step
SOME = 2_000  # rows that were changed meanwhile, brought over in one transaction
CLASHES = 3  # in a row, of values that are unique, until they are believed
FEW = 200  # rows that may be left for the publication
_CONVERTING = ("convert", "swap")

State = dict[str, Any]  # stage, done, total, lost; table and after say where the filling stands


def is_long(conn: Connection, new: Doc) -> bool:
    """Whether publishing `new` at once would convert, or make indexes of, many records."""
    spec = spec_of(new)
    steps = plan(conn, spec)
    tables = {step.table.name for step in steps if step.verb in _CONVERTING}
    if not is_sqlite():
        tables |= {index.table for index in indexes.missing(conn, spec, _names(steps))}
    return any(_has_many(conn, name) for name in sorted(tables))


def _has_many(conn: Connection, table: str) -> bool:
    if not conn.dialect.has_table(conn, table):
        return False
    some = select(1).select_from(sql_table(table)).limit(MANY + 1)
    return int(conn.execute(select(func.count()).select_from(some.subquery())).scalar_one()) > MANY


def _names(steps: list[Step]) -> Names:
    """By table, what the columns that are to come are called now."""
    found: dict[str, dict[str, str]] = {}
    for step in steps:
        if step.verb in _CONVERTING and step.field:
            found.setdefault(step.table.name, {})[step.field.key] = step.source
    return found


def go_on(new: Doc, state: State) -> bool:
    """Do one more step; True when the publication can come."""
    spec = spec_of(new)
    stage = state.setdefault("stage", "begin")
    if stage == "begin":
        _stop_cleaning(spec)
        state.update(_begin(spec), stage="fill", done=0, table=0, after=-1, lost={})
    elif stage == "fill":
        for _ in range(PARTS):
            if not _fill(spec, state):
                state["stage"] = "index"
                break
    else:
        return _index_or_settle(spec, state)
    return False


def _index_or_settle(spec: FormSpec, state: State) -> bool:
    try:
        ready = _bring_over_behind(spec)
        if state["stage"] == "index":
            ready = False
            if is_sqlite() or not _make_index(spec):
                state["stage"] = "settle"
    except IntegrityError as error:  # perhaps only since a value went to another row while they were read
        state["clashes"] = state.get("clashes", 0) + 1
        if state["clashes"] == CLASHES:
            raise schema_change.twice() from error
        return False
    state["clashes"] = 0
    return ready


@transactional
def _stop_cleaning(spec: FormSpec) -> None:
    conn = connection()
    for table in _names(plan(conn, spec)):
        behind.stop_cleaning(conn, table)


@transactional
def _begin(spec: FormSpec) -> State:
    """Make the columns that are to come, and note from now on what people change."""
    conn = connection()
    hurry()
    total, steps = 0, plan(conn, spec)
    for step in steps:
        if step.verb == "convert":
            schema_change.make_beside(conn, step)
        elif step.verb == "add" and not is_sqlite():
            schema_change.add_early(conn, step, spec)
    for table, wanted in schema_change.copies(conn, steps).items():
        behind.watch(conn, table.name, [copy.source for copy in wanted])
        schema_change.set_in_step(conn, table.name, wanted, False)
        total += int(conn.execute(select(func.count()).select_from(table)).scalar_one())
    return {"total": total}


def _fill(spec: FormSpec, state: State) -> bool:
    """Bring one part of a table over; False when all tables are done."""
    losses: Losses = {}
    part = _bring_part_over(spec, state["table"], state["after"], losses)
    if part is None:
        return False
    last, count = part
    state["done"] += count
    for path, loss in losses.items():
        known = state["lost"].setdefault(path, {"count": 0, "samples": []})
        known["count"] += loss.count
        known["samples"] = [*known["samples"], *loss.samples][:5]
    state["table"] += last is None
    state["after"] = -1 if last is None else last
    return True


@transactional
def _bring_part_over(
    spec: FormSpec, number: int, after: int, losses: Losses
) -> tuple[int | None, int] | None:
    conn = connection()
    losses.clear()
    tables = _copies(conn, spec)
    if number >= len(tables):
        return None
    table, wanted = tables[number]
    last, count = convert.bring_over(conn, spec, table, wanted, after, losses)
    if last is None:
        schema_change.set_in_step(conn, table.name, wanted, True)
    return last, count


def _copies(conn: Connection, spec: FormSpec) -> list[tuple[Table, list[Copy]]]:
    return list(schema_change.copies(conn, plan(conn, spec)).items())


def _make_index(spec: FormSpec) -> bool:
    """Make one of the indexes that are missing, while others write; False when none is."""
    with reading() as conn:
        names = _names(plan(conn, spec))
        missing = indexes.missing(conn, spec, names)
        problems = schema_change.unique_problems(conn, spec, names)
    if problems:
        raise Invalid(problems)
    if missing:
        _make(missing[0])
    return bool(missing)


def _make(index: Index) -> None:
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.detach()  # it waits as long as it must, so it is not for others afterwards
        conn.exec_driver_sql("SET lock_timeout = 0")
        conn.exec_driver_sql("SET statement_timeout = 0")
        indexes.make_ahead(conn, index)


@transactional
def _bring_over_behind(spec: FormSpec) -> bool:
    """Bring over what people have changed; True when so little is left that the publication can do it."""
    conn = connection()
    tables = _copies(conn, spec)
    for table, wanted in tables:
        most = None if convert.is_unique(wanted) else SOME
        convert.bring_over_rows(conn, table, wanted, behind.take(conn, table.name, most))
    return behind.count(conn, [table.name for table, _ in tables]) <= FEW


def list_losses(new: Doc, state: Mapping[str, Any]) -> list[Message]:
    """Which values could not be converted, in words."""
    spec = spec_of(new)
    found = []
    for path, loss in state.get("lost", {}).items():
        known = spec.find(path)
        samples = ", ".join(loss["samples"])
        text = M(
            "“{field}”: {count} values could not be converted and are empty there, for example: {samples}. They are "
            "kept, and come back when you go back to the version before.",
            field=Said(known.schema) if known else path,
            count=loss["count"],
            samples=samples,
        )
        found.append(text)
    return found


@transactional
def give_up(new: Doc) -> None:
    """Note nothing any more and drop what was made ahead, but for filled columns, which stay parked."""
    conn, spec = connection(), spec_of(new)
    hurry()
    schema_change.drop_early(conn, spec)
    schema_change.forget_behind(conn, spec)
    stands = library.find_published("form", spec.key)
    if isinstance(stands, FormSpec):
        indexes.drop_unwanted(conn, stands)
