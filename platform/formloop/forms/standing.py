"""What was read of forms in the open transaction, and whether it still stands."""

from collections import Counter
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from functools import lru_cache

from sqlalchemy import ColumnElement, Table, select

from formloop.db import (
    Prepared,
    among,
    handed,
    in_transaction,
    is_sqlite,
    kept,
    kept_standing,
    places_for,
    reading,
)
from formloop.forms import known
from formloop.forms.spec import FormSpec, Values

MOST_RECALLED = 5_000  # rows of a form; more are read when they are asked for

Recalled = dict[int, Values]
_Memory = dict[str, dict[tuple[Table, ColumnElement[bool] | None], Recalled]]


def times_written(form: str) -> int:
    """How often records of a form have been written in the open transaction; more than before means: look again."""
    return _written()[form]


def note_written(form: str, ids: Collection[int] | None = None) -> None:
    """What was read so far of these records of a form, or of all of them, may not stand any more."""
    _written()[form] += 1
    for (_, seen), rows in _memory().get(form, {}).items():
        if ids is None or seen is not None:  # who sees one record may hang on another one
            rows.clear()
        else:
            for each in ids:
                rows.pop(each, None)


def note_held(form: str) -> None:
    """Records of this form have been locked: others may have changed them since they were read."""
    if not is_sqlite():  # there nobody else writes while a transaction does
        note_written(form)


def note_taken_back() -> None:
    """Part of the transaction has been undone: what was read meanwhile of what it wrote does not stand."""
    for form in _written():
        note_written(form)


def read(
    spec: FormSpec,
    ids: set[int],
    keys: AbstractSet[str],
    seen: ColumnElement[bool] | None = None,
    held: bool = False,
) -> Recalled:
    """These records by id, with the columns `keys` at least; each is read once in a transaction.

    `seen` is a condition by which each is marked with `_seen`; `held` lets nobody else change them before it ends.
    """
    rows = _recalled(spec, seen)
    missing = ids if held else {i for i in ids if i not in rows or not keys <= rows[i].keys()}
    mine = known.find(spec, missing, lines=False) if missing and seen is None else {}
    missing = missing - mine.keys()
    if held and missing:
        note_held(spec.key)
    rows.update(mine)
    if missing:
        columns = _columns_asked(spec.table) if in_transaction() else set()
        columns |= keys
        query = _reading(spec.table, tuple(sorted(columns)), seen, places_for(missing), held)
        with reading() as conn:
            rows.update({row["id"]: row for row in query.dicts(conn, handed("id", missing))})
    return rows


def _recalled(spec: FormSpec, seen: ColumnElement[bool] | None) -> Recalled:
    """The rows of a form that were read in this transaction and not written since, by id; to be added to."""
    if not in_transaction():
        return {}
    rows = _memory().setdefault(spec.key, {}).setdefault((spec.table, seen), {})
    if len(rows) > MOST_RECALLED:
        rows.clear()
    return rows


@lru_cache(maxsize=1_000)
def _columns_asked(table: Table) -> set[str]:
    """The columns that anything has read of records of this table so far: read together, they are read once."""
    return {"id", "deleted_at"}


@lru_cache(maxsize=2_000)
def _reading(
    table: Table, keys: tuple[str, ...], seen: ColumnElement[bool] | None, places: int, held: bool
) -> Prepared:
    """The columns `keys` of the records with some ids, and whether they are `seen`; prepared once: every save asks it."""
    marks = [] if seen is None else [seen.label("_seen")]
    query = select(*(table.c[k] for k in keys), *marks).where(among(table.c.id, "id", places))
    return Prepared(query.order_by(table.c.id).with_for_update() if held else query)


def _written() -> Counter[str]:
    return kept("forms.written", Counter[str])


def _memory() -> _Memory:
    return kept_standing("forms.recalled", dict)
