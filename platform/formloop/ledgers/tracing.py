"""What was made of something, and what of: through all documents that took one in and gave the other out."""

from typing import Any

from sqlalchemy import ColumnElement, select

from formloop.access.actor import Actor
from formloop.db import reading
from formloop.ledgers.engine import OWN
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.permits import require_permit
from formloop.ledgers.pools import valuation_of
from formloop.ledgers.spec import LedgerSpec


def is_traced(spec: LedgerSpec, dimension: str) -> bool:
    """Whether a dimension tells single things apart, such as lots; one that values are kept for has too many."""
    return spec.valuation is not None and dimension not in spec.valuation.per


def trace(actor: Actor, ledger: str, dimension: str, value: Any, down: bool) -> list[Any]:
    """The values of a dimension that came out of movements of this one (down), or went into it: all steps of the way.

    Only entries that the person may see are followed, and where they may see the dimension; what was undone leads nowhere.
    """
    spec = get_ledger(ledger)
    permit = require_permit(actor, spec)
    table, balance, column = spec.tables.entry, spec.tables.balance, spec.dimensions[dimension].column
    quantity, sign = f"m_{valuation_of(spec).quantity}", 1 if down else -1
    found, todo = dict[Any, None](), [value]
    while todo and permit.covers(dimension):
        here, there = table.alias(), table.alias()
        mine, other = permit.dimension(dimension, here), permit.dimension(dimension, there)
        keys = select(balance.c.key).where(balance.c.per == 0, balance.c[column].in_(todo))
        seen = [each for each in (permit.where(here), permit.where(there)) if each is not None]
        query = (
            select(other)
            .distinct()
            .select_from(here.join(there, there.c.posted == here.c.posted))
            .where(here.c.key.in_(keys), here.c.way.in_(OWN), there.c.way.in_(OWN), ~_undone(table, here))
            .where(here.c[quantity] * sign < 0, there.c[quantity] * sign > 0, *seen)
            .where(mine.in_(todo), other != spec.dimensions[dimension].empty)
            .order_by(other)
        )
        with reading() as conn:
            new = [each for each in conn.execute(query).scalars() if each not in found and each != value]
        found |= dict.fromkeys(new)
        todo = new
    return list(found)


def _undone(table: Any, here: Any) -> ColumnElement[bool]:
    other = table.alias()
    return select(other.c.id).where(other.c.reverses == here.c.id).exists()
