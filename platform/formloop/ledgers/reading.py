"""Reading ledgers for people: balances as of today or a date, entries, open items, each as far as they may see."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from formloop.db import reading
from formloop.ledgers.kind import get_ledger


def find_balance(ledger: str, dims: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The balance row of a full set of dimensions; None when nothing was ever entered there."""
    spec = get_ledger(ledger)
    full = {key: dims.get(key) or dimension.empty for key, dimension in spec.dimensions.items()}
    table = spec.tables.balance
    with reading() as conn:
        row = conn.execute(select(table).where(table.c.key == spec.key_of(full))).mappings().one_or_none()
    return None if row is None else {str(key): value for key, value in row.items()}
