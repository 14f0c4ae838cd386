"""Balances, turnover and what valuations remember, made again from the entries."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from formloop.ledgers.engine import pending_column
from formloop.ledgers.spec import ZERO, LedgerSpec


def sums_of(
    conn: Connection, ledger: LedgerSpec
) -> tuple[dict[str, dict[str, Any]], dict[tuple[str, str], dict[str, Any]]]:
    """What balances and turnover should be: the sums of all entries, by key, and by key and month."""
    entry = ledger.tables.entry
    dims = {d.key: d.column for d in ledger.dimensions.values()}
    totals: dict[str, dict[str, Any]] = {}
    months: dict[tuple[str, str], dict[str, Any]] = {}
    for row in conn.execute(select(entry).execution_options(yield_per=5_000)).mappings():
        values = {key: row[column] for key, column in dims.items()}
        for number, names in enumerate(ledger.sets):
            key = ledger.key_of(values, names)
            total = totals.setdefault(key, {"per": number, "dims": {n: values[n] for n in names}})
            month = None if row["pending"] else months.setdefault((key, row["date"].isoformat()[:7]), {})
            for name in ledger.amounts:
                amount = row[f"m_{name}"]
                column = f"m_{name}" if month is not None else pending_column(row["way"], name, amount)
                total[column] = total.get(column, ZERO) + amount
                if month is not None:
                    month[column] = month.get(column, ZERO) + amount
    return totals, months


def rebuild(conn: Connection, ledger: LedgerSpec) -> None:
    """Write balances and turnover anew; what valuations remember, what is lifted and what was counted is kept."""
    balance, turnover = ledger.tables.balance, ledger.tables.turnover
    kept = {row["key"]: row for row in conn.execute(select(balance)).mappings()}
    totals, months = sums_of(conn, ledger)
    for key, row in kept.items():
        if key not in totals and row["last"] is not None and (looked_at := _set_of(ledger, key, row)):
            totals[key] = looked_at  # something rests on it, though there was nothing
    conn.execute(delete(balance))
    conn.execute(delete(turnover))
    rows = []
    for key, total in totals.items():
        old = kept.get(key)
        every = {d.column: total["dims"].get(d.key, d.empty) for d in ledger.dimensions.values()}
        sums = {c.name: total.get(c.name, ZERO) for c in balance.c if c.name[:2] in ("m_", "r_", "e_")}
        remembered = {
            n: old[n] if old else ("" if n == "lifted" else None) for n in ("lifted", "state", "last")
        }
        rows.append({"key": key, "per": total["per"], **every, **sums, **remembered})
    if rows:
        conn.execute(insert(balance), rows)
    moved = [
        {
            "key": key,
            "month": month,
            **{c.name: sums.get(c.name, ZERO) for c in turnover.c if c.name[:2] == "m_"},
        }
        for (key, month), sums in months.items()
    ]
    if moved:
        conn.execute(insert(turnover), moved)


def _set_of(ledger: LedgerSpec, key: str, row: Mapping[Any, Any]) -> dict[str, Any] | None:
    """Which of the ledger's sets a balance is of, with its dimensions; None where it keeps no such set any more."""
    values = {d.key: row[d.column] for d in ledger.dimensions.values()}
    for number, names in enumerate(ledger.sets):
        if ledger.key_of(values, names) == key:
            return {"per": number, "dims": {name: values[name] for name in names}}
    return None
