"""Writing a book: its groups and entries as rows, with all that is kept beside them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from formloop.core import clock
from formloop.db import Prepared, adding, among, connection, handed, places_for
from formloop.ledgers import matching, resting_kept
from formloop.ledgers.engine import Slot
from formloop.ledgers.groups import Group
from formloop.ledgers.tables import posted

if TYPE_CHECKING:
    from formloop.ledgers.book import Book


def write(book: Book) -> None:
    """Write everything: groups, entries, open items and matches, balances; then the groups are complete."""
    conn, now = connection(), clock.now()
    heads = [
        {
            "id": group.id,
            "source": group.source,
            "purpose": group.purpose,
            "posting": group.sheet.posting.key,
            "version": group.sheet.posting.version,
            "form": group.form,
            "record": group.record,
            "date": group.sheet.day,
            "reverses": group.reverses,
            "because": group.because,
            "inputs": group.inputs,
            "by": book.actor.person_id,
            "at": now,
            "sealed": False,
        }
        for group in book.groups
    ]
    if heads:
        adding(posted, tuple(heads[0])).run(conn, heads)
    for key, ledger in book.ledgers.items():
        mine = [each for each in book.slots() if each[1].ledger.key == key and not each[1].apart]
        if mine:
            entries = [_row(book, *each) for each in mine]
            adding(ledger.tables.entry, tuple(entries[0])).run(conn, entries)
    for group in book.groups:
        for revaluation in group.revaluations:
            revaluation.write(group.id)
    matching.write(book)
    resting_kept.write(book)
    for key in sorted(book.balances):
        book.balances[key].write()
    ids = [group.id for group in book.groups]
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        _sealing(places_for(part)).run(conn, handed("group", part))


def _row(book: Book, group: Group, slot: Slot) -> dict[str, Any]:
    ledger = slot.ledger
    layers = [[e.entry, str(e.quantity), str(e.value)] for e in slot.layers] or None
    return {
        "id": slot.entry,
        "posted": group.id,
        "rule": slot.rule.index,
        "line": slot.line,
        "date": book.day_of(group, slot),
        "pending": slot.pending,
        "way": slot.way,
        "key": ledger.key_of(slot.dims),
        "pool": slot.pool,
        "method": slot.method,
        "source": slot.source,
        "reverses": slot.reverses,
        "layers": layers,
        "due": slot.due,
        **{d.column: slot.dims[d.key] for d in ledger.dimensions.values()},
        **{f"m_{name}": slot.amounts[name] for name in ledger.amounts},
    }


@lru_cache(maxsize=8)
def _sealing(places: int) -> Prepared:
    """Groups are complete: from then on the database takes no entry for them."""
    return Prepared(update(posted).where(among(posted.c.id, "group", places)).values(sealed=True))
