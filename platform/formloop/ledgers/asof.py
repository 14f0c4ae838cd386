"""Balances as of a date, from the turnover of whole months and the entries of the last one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select

from formloop.db import reading
from formloop.ledgers.spec import ZERO, LedgerSpec

MOST_ASKED = 200  # balances in one statement


def balance_at(
    ledger: LedgerSpec, dims: Mapping[str, Any], day: date, per: tuple[str, ...] | None = None
) -> dict[str, Decimal]:
    """The balance of one set of dimensions at the end of a day, as `balances_at` says it."""
    return balances_at(ledger, [dims], day, per)[0]


def balances_at(
    ledger: LedgerSpec, asked: Sequence[Mapping[str, Any]], day: date, per: tuple[str, ...] | None = None
) -> list[dict[str, Decimal]]:
    """The balances of sets of dimensions at the end of a day, in their order, however many in the same few statements.

    The value is that of its pool; `per` names another set than the finest.
    """
    found = _sums(ledger, asked, per or ledger.sets[0], day)
    if ledger.valuation is not None and per is None:
        value = ledger.valuation.value
        pools = _sums(ledger, asked, ledger.valuation.per, day)
        found = [{**own, value: pool[value]} for own, pool in zip(found, pools, strict=True)]
    return found


def _sums(
    ledger: LedgerSpec, asked: Sequence[Mapping[str, Any]], per: tuple[str, ...], day: date
) -> list[dict[str, Decimal]]:
    keys = [ledger.key_of(dims, per) for dims in asked]
    sums: dict[str, dict[str, Decimal]] = {}
    wanted = list(dict(zip(keys, asked, strict=True)).items())
    for start in range(0, len(wanted), MOST_ASKED):
        part = dict(wanted[start : start + MOST_ASKED])
        for key, row in [*_whole_months(ledger, list(part), day), *_last_month(ledger, part, per, day)]:
            known = sums.setdefault(key, dict.fromkeys(ledger.amounts, ZERO))
            for name in ledger.amounts:
                known[name] += row[f"m_{name}"]
    return [dict(sums.get(key) or dict.fromkeys(ledger.amounts, ZERO)) for key in keys]


def _whole_months(ledger: LedgerSpec, keys: list[str], day: date) -> Iterator[tuple[str, RowMapping]]:
    table = ledger.tables.turnover
    columns = (func.sum(table.c[f"m_{name}"]).label(f"m_{name}") for name in ledger.amounts)
    query = select(table.c.key, *columns).where(table.c.key.in_(keys), table.c.month < day.isoformat()[:7])
    with reading() as conn:
        for row in conn.execute(query.group_by(table.c.key)).mappings():
            yield row["key"], row


def _last_month(
    ledger: LedgerSpec, asked: Mapping[str, Mapping[str, Any]], per: tuple[str, ...], day: date
) -> Iterator[tuple[str, RowMapping]]:
    table = ledger.tables.entry
    own = [table.c[ledger.dimensions[name].column] for name in per]
    these: ColumnElement[bool]
    if per == ledger.sets[0]:
        these = table.c.key.in_(asked)
    else:
        these = or_(
            *(and_(*(c == dims[n] for c, n in zip(own, per, strict=True))) for dims in asked.values())
        )
    columns = (func.sum(table.c[f"m_{name}"]).label(f"m_{name}") for name in ledger.amounts)
    query = select(*own, *columns).where(
        these, table.c.pending.is_(False), table.c.date >= day.replace(day=1), table.c.date <= day
    )
    with reading() as conn:
        for row in conn.execute(query.group_by(*own)).mappings():
            yield ledger.key_of({name: row[c.name] for c, name in zip(own, per, strict=True)}, per), row
