"""Where on its day what is written counts for what rests on balances.

What undoes an entry or values it again counts where that stands, what corrects a group where that group does; what is
entered on the first open day, because its own is closed, before everything else of that day.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from formloop.db import connection
from formloop.ledgers.engine import REVALUED
from formloop.ledgers.pools import Place, chunks, valuation_of
from formloop.ledgers.replay import Change
from formloop.ledgers.resting_kept import FIRST, Moved
from formloop.ledgers.spec import LedgerSpec
from formloop.ledgers.tables import posted, resting


class Places:
    """The places of entries, taken in by their dates; `of` says of which groups corrections are asked for."""

    def __init__(self, *of: ColumnElement[bool]) -> None:
        self.found: dict[int, Place] = {}
        self._roots: dict[tuple[Any, ...], list[int]] = {}
        columns = (posted.c.posting, posted.c.form, posted.c.record, posted.c.id)
        query = select(*columns).distinct().join(resting, resting.c.posted == posted.c.id).where(*of)
        for *mark, group in connection().execute(query.order_by(posted.c.id)):
            self._roots.setdefault(tuple(mark), []).append(group)

    def take(self, row: Mapping[Any, Any]) -> Place:
        """The place of an entry, read with the head of its group."""
        number, day = row["id"], row["date"]
        of = row["reverses"] or (row["source"] if row["way"] == REVALUED else None)
        if of in self.found:
            number = self.found[of][1] if self.found[of][0] == day else FIRST
        elif row["because"] and row["purpose"] == "post":
            roots = self._roots.get((row["posting"], row["form"], row["record"]), [])
            at = bisect_left(roots, row["posted"])
            number = roots[at - 1] if at else number
        self.found[row["id"]] = day, number
        return day, number


def with_heads(ledger: LedgerSpec) -> Select[Any]:
    """The entries of a ledger with what `Places` asks of their groups."""
    table, head = ledger.tables.entry, posted.c
    of_group = (head.posting, head.form, head.record, head.because, head.purpose)
    return select(table, *of_group).join(posted, head.id == table.c.posted).where(table.c.pending.is_(False))


def one_by_one(
    ledger: LedgerSpec,
    sets: Iterable[tuple[str, ...]],
    wanted: Collection[tuple[str, date]],
    changes: Mapping[int, Change],
) -> Iterator[tuple[str, Moved]]:
    """What is valued again of some balances on some days, each movement where it stands."""
    days = {day for _, day in wanted}
    ids = [c.node.entry for c in changes.values() if c.node.pool[0] == ledger.key and c.node.place[0] in days]
    table, value, rows = ledger.tables.entry, valuation_of(ledger).value, list[Mapping[Any, Any]]()
    for part in chunks(ids):
        undone = select(table.c.reverses).where(table.c.id.in_(part), table.c.reverses.is_not(None))
        these = or_(table.c.id.in_(part), table.c.id.in_(undone.scalar_subquery()))
        rows += connection().execute(with_heads(ledger).where(these)).mappings()
    places = Places(posted.c.record.in_({row["record"] for row in rows}))
    for row in sorted(rows, key=lambda row: (row["date"], row["id"])):
        place = places.take(row)
        dims = {name: row[dimension.column] for name, dimension in ledger.dimensions.items()}
        for key in {ledger.key_of(dims, names) for names in sets} if row["id"] in changes else ():
            if (key, row["date"]) in wanted:
                amounts = {value: changes[row["id"]].value}
                yield key, Moved(place, row["posted"], ledger.key_of(dims), amounts)
