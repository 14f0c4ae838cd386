"""What proof `power` enters, and what it asks of each copy of the site whose log was cut."""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from formloop.access.actor import SYSTEM
from formloop.forms import service
from formloop.ledgers import proof_forms

Commit = tuple[int, int]  # the length of the log after it, and the record
Ask = Callable[[str], Iterable[Sequence[Any]]]  # rows of a query on a copy

_UNEQUAL = """
SELECT count(*) FROM (
  SELECT b.key FROM fl_balance_proof_stock b LEFT JOIN fl_entry_proof_stock e ON e.key = b.key AND b.per = 0
  WHERE b.per = 0 GROUP BY b.key, b.m_quantity, b.m_value
  HAVING b.m_quantity <> coalesce(sum(e.m_quantity), 0) OR b.m_value <> coalesce(sum(e.m_value), 0))
"""
_UNBALANCED = """
SELECT count(*) FROM (
  SELECT posted FROM fl_entry_proof_general GROUP BY posted HAVING sum(m_debit) <> sum(m_credit))
"""
_HALF = """
SELECT count(*) FROM proof_move m WHERE m.state = 'done'
AND NOT EXISTS (SELECT 1 FROM fl_posted p WHERE p.form = 'proof_move' AND p.record = m.id AND p.sealed)
"""


def enter_documents(
    documents: int, chance: random.Random, spot: int, length: Callable[[], int]
) -> list[Commit]:
    """Receive and issue a thing; returns each document with the length of the log after it."""
    commits: list[Commit] = []
    thing = service.create(SYSTEM, "proof_thing", {"name": "power", "method": "fifo"})["id"]
    for number in range(documents):
        kind = "issue" if number % 3 == 2 else "receive"
        day, price = f"2026-01-{1 + chance.randrange(28):02}", chance.randrange(1, 90)
        quantity = 1 if kind == "issue" else 5
        day = "2026-02-01" if kind == "issue" else day
        record = proof_forms.move(kind, thing, spot=spot, day=day, quantity=quantity, price=price)
        commits.append((length(), record))
    return commits


def list_done(ask: Ask) -> set[int]:
    """The documents that were entered, as a copy has it."""
    return {row[0] for row in ask("SELECT id FROM proof_move WHERE state = 'done'")}


def list_faults(ask: Ask, length: int, commits: list[Commit]) -> list[str]:
    """What is wrong in a copy whose log ends at `length`."""
    there = list_done(ask)
    found = [f"{record} is lost" for size, record in commits if size <= length and record not in there]
    for query, what in (
        (_UNEQUAL, "balances differ"),
        (_UNBALANCED, "vouchers"),
        (_HALF, "documents without entries"),
    ):
        (row,) = ask(query)
        if row[0]:
            found.append(f"{row[0]} {what}")
    return found
