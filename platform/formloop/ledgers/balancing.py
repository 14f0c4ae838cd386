"""What must hold between the entries of one group before it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.ledgers.engine import Slot
from formloop.ledgers.spec import ZERO

if TYPE_CHECKING:
    from formloop.ledgers.book import Book


def check_balanced(book: Book, slots: Sequence[Slot]) -> Iterator[Problem]:
    """The rules by which the entries of one group come to nothing, or agree with those of another ledger."""
    for key in dict.fromkeys(slot.ledger.key for slot in slots):
        ledger = book.ledgers[key]
        mine = [slot for slot in slots if slot.ledger.key == key and not slot.pending]
        for rule in ledger.balanced:
            sums: dict[tuple[Any, ...], Decimal] = {}
            for slot in mine:
                mark = tuple(slot.dims[name] for name in rule.by)
                sums[mark] = sums.get(mark, ZERO) + ledger.weigh(rule.sum, slot.amounts)
            for left in sums.values():
                if left:
                    text = M(
                        "The entries in “{ledger}” do not balance: {amount} is left.",
                        ledger=ledger.title,
                        amount=left,
                    )
                    yield Problem(f"balanced:{rule.id}", "", text)
        for agreed in ledger.agrees:
            other = book.ledgers.get(agreed.ledger)
            total = sum((slot.amounts[agreed.measure] for slot in mine), ZERO)
            theirs = [s for s in slots if other is not None and s.ledger is other and not s.pending]
            chosen = [s for s in theirs if book.scope(s.ledger).ask(agreed.where, s.dims, True) is True]
            there = sum((s.ledger.weigh(agreed.sum, s.amounts) for s in chosen), ZERO)
            if total != there:
                text = M(
                    "“{ledger}” changes by {amount}, but “{other}” by {there}.",
                    ledger=ledger.title,
                    amount=total,
                    other=other.title if other else agreed.ledger,
                    there=there,
                )
                yield Problem(f"agrees:{agreed.id}", "", text)
