"""What became of the value of entries later: what changed it, from what to what, as far as somebody may see."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, or_, select

from formloop.db import reading
from formloop.ledgers.engine import ADDED, REVALUED, REVERSED
from formloop.ledgers.permits import Permit
from formloop.ledgers.tables import posted

CHANGES = (ADDED, REVALUED)
Document = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an entry's value: by which document, on which day, and each measure before and after it."""

    entry: int
    day: date
    document: Document
    amounts: Mapping[str, tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Movement:
    """An entry whose value was changed: its document, and the changes in the order in which they were entered."""

    document: Document
    changes: Sequence[Change]

    def find(self, entry: int) -> Change | None:
        """The change that an entry made."""
        return next((each for each in self.changes if each.entry == entry), None)


def target_of(row: Mapping[Any, Any]) -> int:
    """The entry whose value an entry is about: that which it changes, else its own."""
    return int(row["source"] if row["way"] in CHANGES and row["source"] else row["id"])


def list_movements(permit: Permit, rows: Sequence[Mapping[Any, Any]]) -> dict[int, Movement]:
    """The entries behind these whose value was changed later, by their number."""
    targets = sorted({target_of(row) for row in rows})
    found = _read(permit, targets) if targets else []
    own = {row["id"]: row for row in found if row["id"] in set(targets)}
    changing: dict[int, list[Mapping[Any, Any]]] = {}
    for row in found:
        if row["id"] in own or row["source"] not in own:
            continue
        mine = changing.setdefault(row["source"], [])
        if row["way"] in CHANGES or any(each["id"] == row["reverses"] for each in mine):
            mine.append(row)
    return {key: _movement(permit, own[key], mine) for key, mine in changing.items() if mine}


def _read(permit: Permit, targets: Sequence[int]) -> Sequence[Mapping[Any, Any]]:
    spec, entry = permit.ledger, permit.ledger.tables.entry
    seen = [
        permit.seen(entry.c[each.column], each.key, entry).label(each.column)
        for each in spec.measures.values()
    ]
    columns = [entry.c[name] for name in ("id", "source", "reverses", "way", "date")]
    about = and_(entry.c.source.in_(targets), entry.c.way.in_((*CHANGES, REVERSED)))
    query = (
        select(*columns, *seen, posted.c.form, posted.c.record)
        .join(posted, posted.c.id == entry.c.posted)
        .where(or_(entry.c.id.in_(targets), about))
    )
    if (may := permit.where(entry)) is not None:
        query = query.where(may)
    with reading() as conn:
        return conn.execute(query.order_by(entry.c.id)).mappings().all()


def _movement(permit: Permit, own: Mapping[Any, Any], changing: Iterable[Mapping[Any, Any]]) -> Movement:
    shown = [each for each in permit.ledger.measures.values() if permit.covers(each.key)]
    now = {each.key: own[each.column] or Decimal(0) for each in shown}
    changes = []
    for row in changing:
        amounts = {}
        for each in shown:
            if row[each.column]:
                amounts[each.key] = (now[each.key], now[each.key] + row[each.column])
                now[each.key] += row[each.column]
        if amounts:
            changes.append(Change(row["id"], row["date"], (row["form"], row["record"]), amounts))
    return Movement((own["form"], own["record"]), changes)
