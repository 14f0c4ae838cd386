"""What becomes known of a value only later: an invoice, a landed cost, or what changed because of these.

No day before it became known changes. A book values what it enters, and what that changes, as it was known until the
next such day; one book for each of these days follows and enters the difference there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from formloop.ledgers.engine import ADDED, Slot
from formloop.ledgers.groups import Group
from formloop.ledgers.pools import Place, Pool, first_changed, next_known, valuation_of
from formloop.ledgers.replay import Replay
from formloop.ledgers.spec import ZERO

if TYPE_CHECKING:
    from formloop.ledgers.book import Book


def next_day(book: Book, valued: Iterable[Pool]) -> date | None:
    """The first later day on which more became known of the pools that are valued again, or of what is taken back."""
    found = [
        book.day_of(group, slot)
        for group, slot in book.slots()
        if slot.way == ADDED and slot.method and book.day_of(group, slot) > book.known
    ]
    for key in sorted(book.ledgers):
        pools = {pool for ledger, pool in valued if ledger == key}
        sources = {
            slot.source
            for _, slot in book.slots()
            if slot.source and slot.method and slot.ledger.key == key and slot.source not in book.homes
        }
        if pools or sources:
            day = next_known(book.ledgers[key], pools, sources, book.known)
            found += [day] if day else []
    return min(found, default=None)


def where_changed(book: Book) -> dict[Pool, Place]:
    """From where the pools of a book that follows are valued again: the first movement of which more became known in
    its days, or their beginning. What lies before stands as the books before it have left it."""
    found = [book.known]
    for key in sorted(book.ledgers):
        pools = {pool for ledger, pool in book.since if ledger == key}
        day = first_changed(book.ledgers[key], pools, book.known, book.until)
        found += [day] if day else []
    return {pool: min(place, (min(found), 0)) for pool, place in book.since.items()}


def take_added(book: Book, replay: Replay) -> None:
    """What was added to an earlier entry stands in the entries that add it, not in a revaluation of it."""
    added = []
    for group, slot in book.slots():
        if slot.way == ADDED and slot.method and book.day_of(group, slot) <= book.until:
            added.append(slot)
        elif slot.way == ADDED and slot.method:
            _take_all(group, slot)
    given: dict[int, Decimal] = {}
    for slot in added:
        given[slot.source or 0] = given.get(slot.source or 0, ZERO) + (slot.given or ZERO)
    for slot in added:
        change, valuation = replay.changes.get(slot.source or 0), slot.ledger.valuation
        if change is None or valuation is None:
            slot.amounts["variance"] = slot.given or ZERO
            continue
        value = min(change.value, slot.given or ZERO, key=abs) if change.value else ZERO
        if change.value == given[slot.source or 0]:  # all was taken, be it added and taken off at once
            value = slot.given or ZERO
        given[slot.source or 0] -= slot.given or ZERO
        slot.amounts[valuation.value] = value
        slot.amounts["variance"] = (slot.given or ZERO) - value
        change.value -= value
        change.variance -= slot.amounts["variance"]


def _take_all(group: Group, slot: Slot) -> None:
    """What is not known yet on the day until which this book values is judged by the book of its own day."""
    if slot.reverses is None:
        group.sheet.fill(slot)
        slot.amounts[valuation_of(slot.ledger).value] = slot.given or ZERO
    else:
        slot.amounts |= slot.undone
