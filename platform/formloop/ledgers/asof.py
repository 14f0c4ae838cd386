"""Balances as of a date, from the turnover of whole months and the entries of the last one."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select, union_all

from formloop.db import reading
from formloop.ledgers.spec import ZERO, LedgerSpec


def balance_at(ledger: LedgerSpec, dims: Mapping[str, Any], day: date) -> dict[str, Decimal]:
    """The balance of a set of dimensions at the end of a day, the value that of its pool."""
    found = _sum(ledger, ledger.key_of(dims), ledger.tables.entry.c.key == ledger.key_of(dims), day)
    if ledger.valuation is not None:
        per = ledger.valuation.per
        key, entry = ledger.key_of(dims, per), ledger.tables.entry
        same = [entry.c[ledger.dimensions[name].column] == dims[name] for name in per]
        condition: ColumnElement[bool] = same[0]
        for each in same[1:]:
            condition = condition & each
        value = ledger.valuation.value
        found[value] = _sum(ledger, key, condition, day)[value]
    return found


def _sum(ledger: LedgerSpec, key: str, of_key: ColumnElement[bool], day: date) -> dict[str, Decimal]:
    turnover, entry = ledger.tables.turnover, ledger.tables.entry
    columns = [f"m_{name}" for name in ledger.amounts]
    month = day.isoformat()[:7]
    whole = select(*(turnover.c[c] for c in columns)).where(turnover.c.key == key, turnover.c.month < month)
    rest = select(*(entry.c[c] for c in columns)).where(
        of_key, entry.c.pending.is_(False), entry.c.date >= day.replace(day=1), entry.c.date <= day
    )
    both = union_all(whole, rest).subquery()
    with reading() as conn:
        row = conn.execute(select(*(func.sum(both.c[c]) for c in columns))).one()
    return {
        name: value if value is not None else ZERO for name, value in zip(ledger.amounts, row, strict=True)
    }
