"""Reading and writing the rows of a form: plain SQL, no rights and no rules."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    select,
    update,
)

from formloop.db import Prepared, adding, among, handed, places_for
from formloop.forms import known
from formloop.forms.spec import FormSpec, Values

CHUNK = 500  # ids in one IN list


def load(
    conn: Connection,
    spec: FormSpec,
    ids: Iterable[int],
    where: ColumnElement[bool] | None = None,
    lines: Collection[str] | None = None,
) -> dict[int, Values]:
    """The records with these ids that fulfil `where`, with their lines in order; at most one query a table.

    `lines` names the subforms that are wanted; all, if it does not.
    """
    ids = list(ids)
    mine = known.find(spec, ids) if where is None else {}
    found: dict[int, Values] = {}
    for chunk in _chunks([each for each in ids if each not in mine]):
        found.update({row["id"]: row for row in _asked(conn, spec.table, chunk, where)})
    add_lines(conn, spec, found, lines)
    return found | mine


def add_lines(
    conn: Connection, spec: FormSpec, found: Mapping[int, Values], lines: Collection[str] | None = None
) -> None:
    """Give these records, by id, their lines in order, of the subforms that are wanted; one query a subform."""
    for subform in (each for each in spec.subforms if lines is None or each.key in lines):
        table = spec.line_tables[subform.key]
        for record in found.values():
            record[subform.key] = []
        for chunk in _chunks(list(found)):
            for line in _lines_of(table, places_for(chunk)).dicts(conn, handed("id", chunk)):
                found[line.pop("record")][subform.key].append(line)


def _asked(conn: Connection, table: Table, ids: list[int], where: ColumnElement[bool] | None) -> list[Values]:
    if where is None:
        return _by_id(table, places_for(ids)).dicts(conn, handed("id", ids))
    return _by_id_where(table, places_for(ids), where).dicts(conn, handed("id", ids))


@lru_cache(maxsize=1_000)
def _by_id(table: Table, places: int) -> Prepared:
    return Prepared(select(table).where(among(table.c.id, "id", places)))


@lru_cache(
    maxsize=1_000
)  # conditions are told apart by which object they are, so a steady one is prepared once
def _by_id_where(table: Table, places: int, where: ColumnElement[bool]) -> Prepared:
    return Prepared(select(table).where(among(table.c.id, "id", places), where))


@lru_cache(maxsize=1_000)
def _lines_of(table: Table, places: int) -> Prepared:
    these = select(table).where(among(table.c.record, "id", places))
    return Prepared(these.order_by(table.c.record, table.c.position))


def _chunks(ids: list[int]) -> Iterable[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


@lru_cache(maxsize=1_000)
def columns_of(table: Table) -> tuple[str, ...]:
    """The names of the columns of a table."""
    return tuple(table.c.keys())


def add(conn: Connection, spec: FormSpec, records: Sequence[Values]) -> None:
    """Insert records with their lines: one statement a table."""
    columns = columns_of(spec.table)
    adding(spec.table, columns).run(conn, [{key: record.get(key) for key in columns} for record in records])
    for subform in spec.subforms:
        table = spec.line_tables[subform.key]
        keys = columns_of(table)
        lines = [
            {
                **{key: line.get(key) for key in keys},
                "record": record["id"],
                "position": position,
            }
            for record in records
            for position, line in enumerate(record.get(subform.key) or ())
        ]
        if lines:
            adding(table, keys).run(conn, lines)


def change(conn: Connection, spec: FormSpec, before: Values, after: Values) -> bool:
    """Write what differs, if the record still has the revision it had; False when somebody was faster."""
    values = {key: after.get(key) for key in columns_of(spec.table) if after.get(key) != before.get(key)}
    asked = {"of_id": before["id"], "of_revision": before["revision"]}
    given = {f"new_{key}": value for key, value in values.items()}
    if _changing(spec.table, tuple(values)).run(conn, {**asked, **given}) != 1:
        return False
    for subform in spec.subforms:
        if after.get(subform.key) is not before.get(subform.key):
            _change_lines(conn, spec, subform.key, before, after)
    return True


@lru_cache(maxsize=4_000)
def _changing(table: Table, keys: tuple[str, ...]) -> Prepared:
    """The change of these columns; prepared once, since the same ones change together again and again."""
    same = (table.c.id == bindparam("of_id"), table.c.revision == bindparam("of_revision"))
    return Prepared(update(table).where(*same).values({table.c[k]: bindparam(f"new_{k}") for k in keys}))


def _change_lines(conn: Connection, spec: FormSpec, subform: str, before: Values, after: Values) -> None:
    table = spec.line_tables[subform]
    old = {line["id"]: line for line in before.get(subform) or ()}
    lines = list(after.get(subform) or ())
    for position, line in enumerate(lines):
        line["position"] = position
    gone = set(old) - {line["id"] for line in lines}
    if gone:
        conn.execute(delete(table).where(table.c.id.in_(gone)))
    columns = [key for key in columns_of(table) if key not in ("id", "record")]
    changed = [
        {"row": line["id"], **{f"v_{key}": line.get(key) for key in columns}}
        for line in lines
        if line["id"] in old and any(line.get(key) != old[line["id"]].get(key) for key in columns)
    ]
    if changed:
        conn.execute(
            update(table)
            .where(table.c.id == bindparam("row"))
            .values({table.c[key]: bindparam(f"v_{key}") for key in columns}),
            changed,
        )
    new = [line for line in lines if line["id"] not in old]
    if new:
        keys = columns_of(table)
        adding(table, keys).run(
            conn, [{**{key: line.get(key) for key in keys}, "record": before["id"]} for line in new]
        )


def remove(conn: Connection, spec: FormSpec, record: int) -> None:
    """Delete a record and its lines for ever."""
    for lines in spec.line_tables.values():
        conn.execute(delete(lines).where(lines.c.record == record))
    conn.execute(delete(spec.table).where(spec.table.c.id == record))
    known.forget(spec, record)


@lru_cache(maxsize=1_000)
def _logged(spec: FormSpec) -> tuple[str, ...]:
    """What of a record the change log keeps, besides its lines."""
    return (*(field.key for field in spec.stored), "state", "owner", "department", "deleted_at")


def difference(spec: FormSpec, before: Values, after: Values) -> tuple[Values, Values]:
    """The old and the new values of what differs, lines by their ids: what the change log keeps."""
    old: Values = {}
    new: Values = {}
    for key in _logged(spec):
        if (earlier := before.get(key)) != (later := after.get(key)):
            old[key], new[key] = earlier, later
    for subform in spec.subforms:
        if after.get(subform.key) is before.get(subform.key):
            continue
        was = {line["id"]: line for line in before.get(subform.key) or ()}
        now = {line["id"]: line for line in after.get(subform.key) or ()}
        keys = [c.key for c in subform.children if c.type.stored]
        moved = [i for i in was if i in now] != [i for i in now if i in was]
        places = [{i: place for place, i in enumerate(side)} for side in (was, now)] if moved else []
        for line_id in [*was, *(i for i in now if i not in was)]:
            one, other = was.get(line_id), now.get(line_id)
            if one is None or other is None:
                old.setdefault(subform.key, {})[str(line_id)] = one and {k: one.get(k) for k in keys}
                new.setdefault(subform.key, {})[str(line_id)] = other and {k: other.get(k) for k in keys}
                continue
            differing = [k for k in keys if one.get(k) != other.get(k)]
            earlier, later = {k: one.get(k) for k in differing}, {k: other.get(k) for k in differing}
            if moved and places[0][line_id] != places[1][line_id]:
                earlier["position"], later["position"] = (each[line_id] for each in places)
            if later:
                old.setdefault(subform.key, {})[str(line_id)] = earlier
                new.setdefault(subform.key, {})[str(line_id)] = later
    return old, new


def laid(spec: FormSpec, record: Values, side: Mapping[str, Any]) -> Values:
    """What one side of a difference makes of the fields it names: values to give the record, whole lines too.

    Lines that are not on this side go, lines that are only there come back or come anew.
    """
    found = {
        key: value for key, value in side.items() if key in spec.fields and not spec.fields[key].children
    }
    for subform in spec.subforms:
        if subform.key in side:
            found[subform.key] = _lines_laid(record.get(subform.key) or [], side[subform.key])
    return found


def _lines_laid(lines: Sequence[Values], side: Mapping[str, Values | None]) -> list[Values]:
    there = {str(line["id"]) for line in lines}
    kept = [
        {**line, **(side.get(str(line["id"])) or {})}
        for line in lines
        if side.get(str(line["id"]), line) is not None
    ]
    kept.sort(key=lambda line: int(line["position"]))
    return kept + [dict(values) for key, values in side.items() if values is not None and key not in there]
