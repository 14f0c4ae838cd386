"""Balances as of a date, from the turnover of whole months and the entries of the last one."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, union_all

from formloop.db import reading
from formloop.ledgers.spec import ZERO, LedgerSpec


def balance_at(
    ledger: LedgerSpec, dims: Mapping[str, Any], day: date, per: tuple[str, ...] | None = None
) -> dict[str, Decimal]:
    """The balance of a set of dimensions at the end of a day, the value that of its pool; `per` names another set."""
    found = _sum(ledger, dims, per or ledger.sets[0], day)
    if ledger.valuation is not None and per is None:
        value = ledger.valuation.value
        found[value] = _sum(ledger, dims, ledger.valuation.per, day)[value]
    return found


def _sum(ledger: LedgerSpec, dims: Mapping[str, Any], per: tuple[str, ...], day: date) -> dict[str, Decimal]:
    turnover, entry = ledger.tables.turnover, ledger.tables.entry
    columns = [f"m_{name}" for name in ledger.amounts]
    key, month = ledger.key_of(dims, per), day.isoformat()[:7]
    whole = select(*(turnover.c[c] for c in columns)).where(turnover.c.key == key, turnover.c.month < month)
    same = entry.c.key == key if per == ledger.sets[0] else _same(ledger, dims, per)
    rest = select(*(entry.c[c] for c in columns)).where(
        same, entry.c.pending.is_(False), entry.c.date >= day.replace(day=1), entry.c.date <= day
    )
    both = union_all(whole, rest).subquery()
    with reading() as conn:
        row = conn.execute(select(*(func.sum(both.c[c]) for c in columns))).one()
    return {
        name: value if value is not None else ZERO for name, value in zip(ledger.amounts, row, strict=True)
    }


def _same(ledger: LedgerSpec, dims: Mapping[str, Any], per: tuple[str, ...]) -> ColumnElement[bool]:
    entry = ledger.tables.entry
    return and_(*(entry.c[ledger.dimensions[name].column] == dims[name] for name in per))
