"""What of entries follows from the balances before them, or from what is open of what they settle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formloop.core.errors import Invalid, Problem
from formloop.ledgers import asof, engine, matching, resting_kept
from formloop.ledgers.engine import OWN, Slot
from formloop.ledgers.groups import Group
from formloop.ledgers.spec import ZERO

if TYPE_CHECKING:
    from formloop.ledgers.book import Book


def fill(book: Book) -> None:
    """Calculate it for all new entries; Invalid with every one that its rule's check refuses.

    Balances are asked together, by ledger, day and set.
    """
    alike: dict[Any, list[tuple[Group, Slot]]] = {}
    problems: list[Problem] = []
    for group, slot in book.slots():
        if slot.rule.index < 0 or slot.way not in OWN or group.because is not None:
            continue  # a correction is calculated already
        if engine.asks_before(slot.rule):
            mark = (slot.ledger.key, book.day_of(group, slot), slot.rule.per)
            alike.setdefault(mark, []).append((group, slot))
        elif slot.rule.check is not None:
            problems += engine.fill_before(group.sheet, slot, _open(book, slot))
    for (ledger, day, per), asking in alike.items():
        found = asof.balances_at(book.ledgers[ledger], [slot.dims for _, slot in asking], day, per)
        for (group, slot), balance in zip(asking, found, strict=True):
            problems += engine.fill_before(group.sheet, slot, {**_open(book, slot), **balance})
            if resting_kept.measures_read(slot.rule):
                book.resting.append((group, slot, balance))
            _take_value(slot)
    if problems:
        raise Invalid(problems)


def _open(book: Book, slot: Slot) -> dict[str, Any]:
    return {"open": matching.left_of(book, slot)} if slot.rule.settles is not None else {}


def _take_value(slot: Slot) -> None:
    """A value that follows from the balance is given to the valuation, as one from the document is."""
    valuation = slot.ledger.valuation
    if valuation and slot.method is not None and engine.reads_before(slot.rule.measures.get(valuation.value)):
        slot.given, slot.amounts[valuation.value] = slot.amounts[valuation.value], ZERO
