"""What was read of forms in the open transaction, and whether it still stands."""

from collections import Counter
from collections.abc import Collection
from functools import lru_cache

from sqlalchemy import ColumnElement, Table

from formloop.db import in_transaction, is_sqlite, kept
from formloop.forms.spec import Values

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


def recall(form: str, table: Table, seen: ColumnElement[bool] | None) -> Recalled:
    """The rows of a form that were read in this transaction and not written since, by id; to be added to.

    `seen` is the condition under which they were marked as seen.
    """
    if not in_transaction():
        return {}
    rows = _memory().setdefault(form, {}).setdefault((table, seen), {})
    if len(rows) > MOST_RECALLED:
        rows.clear()
    return rows


@lru_cache(maxsize=1_000)
def columns_asked(table: Table) -> set[str]:
    """The columns that anything has read of records of this table so far: read together, they are read once."""
    return {"id", "deleted_at"}


def _written() -> Counter[str]:
    return kept("forms.written", Counter[str])


def _memory() -> _Memory:
    return kept("forms.recalled", dict)
