"""The entries of a ledger as few rows: what stood at the balance before some day, then months, then single entries."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Subquery,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from formloop.db import is_sqlite, reading
from formloop.ledgers.spec import LedgerSpec

START = date.min  # the day of what stood before all the others


def summed_entries(
    ledger: LedgerSpec, per: int, edges: Sequence[date], single: date | None = None
) -> Subquery:
    """Rows with the columns of entries that add up, for the dimensions of the set `per`, to what the entries do that
    are not pending: for every span of days that begins with one of `edges`, and in it for every set of dimensions.
    From the month of `single` on they are the entries themselves.

    What lies before the first edge is taken from the balances as they are now, less what was added since; near the
    beginning of the ledger from the months instead. Where there was an entry there is a row, so also what comes to
    nothing is there.
    """
    first = _month(min(edges)) if edges else None
    cut = {_month(each) for each in edges if each.day > 1}
    if first is None:
        return union_all(_start(ledger, per, None)).subquery()
    if _is_early(ledger, min(edges)):
        parts = [_later(ledger, per, "", cut, single)]
    else:
        parts = [_start(ledger, per, first), _taken_back(ledger, per, first)]
        parts.append(_later(ledger, per, first, cut, single))
    return union_all(*parts, *_entries(ledger, cut, single)).subquery()


def _is_early(ledger: LedgerSpec, day: date) -> bool:
    """Whether a day is nearer to the first entry than to the last."""
    entry = ledger.tables.entry
    with reading() as conn:
        oldest, newest = (conn.execute(select(of(entry.c.date))).scalar() for of in (func.min, func.max))
    return oldest is not None and newest is not None and day - oldest < newest - day


def _start(ledger: LedgerSpec, per: int, first: str | None) -> Select[Any]:
    """The balances as they are now, where something was entered before the month `first`."""
    balance = ledger.tables.balance.alias()
    query = select(*_columns(ledger, per, balance, balance, literal(START, Date())))
    return query.where(balance.c.per == per, _was_there(ledger, balance, first))


def _taken_back(ledger: LedgerSpec, per: int, first: str) -> Select[Any]:
    """What was added to those balances since, with the opposite sign."""
    balance, turnover = ledger.tables.balance.alias(), ledger.tables.turnover.alias()
    columns = _columns(ledger, per, balance, turnover, literal(START, Date()), negative=True)
    query = select(*columns).select_from(balance.join(turnover, turnover.c.key == balance.c.key))
    return query.where(balance.c.per == per, turnover.c.month >= first, _was_there(ledger, balance, first))


def _later(ledger: LedgerSpec, per: int, first: str, cut: set[str], single: date | None) -> Select[Any]:
    """The turnover of whole months that no edge cuts."""
    balance, turnover = ledger.tables.balance.alias(), ledger.tables.turnover.alias()
    first_day: ColumnElement[Any] = turnover.c.month + "-01"
    day = type_coerce(first_day, Date()) if is_sqlite() else cast(first_day, Date())
    query = select(*_columns(ledger, per, balance, turnover, day))
    query = query.select_from(balance.join(turnover, turnover.c.key == balance.c.key))
    query = query.where(balance.c.per == per, turnover.c.month >= first)
    if cut:
        query = query.where(turnover.c.month.not_in(sorted(cut)))
    return query if single is None else query.where(turnover.c.month < _month(single))


def _entries(ledger: LedgerSpec, cut: set[str], single: date | None) -> Iterator[Select[Any]]:
    """The entries of the months that are cut, and those from the month of `single` on."""
    entry = ledger.tables.entry
    since = None if single is None else single.replace(day=1)
    spans = [
        and_(entry.c.date >= day, entry.c.date <= _last(day))
        for day in (date.fromisoformat(f"{month}-01") for month in sorted(cut))
        if since is None or day < since
    ]
    if since is not None:
        spans.append(entry.c.date >= since)
    if spans:
        yield select(*entry.c).where(entry.c.pending.is_(False), or_(*spans))


def _was_there(ledger: LedgerSpec, balance: Any, first: str | None) -> ColumnElement[bool]:
    turnover = ledger.tables.turnover.alias()
    query = select(turnover.c.key).where(turnover.c.key == balance.c.key)
    return (query if first is None else query.where(turnover.c.month < first)).correlate(balance).exists()


def _columns(
    ledger: LedgerSpec, per: int, dims: Any, amounts: Any, day: ColumnElement[Any], negative: bool = False
) -> list[ColumnElement[Any]]:
    """The columns of an entry, those that no sum has empty."""
    kept = {ledger.dimensions[name].column for name in ledger.sets[per]}
    found: list[ColumnElement[Any]] = []
    for column in ledger.tables.entry.c:
        value: ColumnElement[Any] = cast(null(), column.type)
        if column.name in kept:
            value = dims.c[column.name]
        elif column.name[:2] == "m_":
            own = amounts.c[column.name]
            value = type_coerce(-own, own.type) if negative else own
        elif column.name == "date":
            value = day
        elif column.name == "pending":
            value = literal(False, column.type)
        found.append(value.label(column.name))
    return found


def _month(day: date) -> str:
    return day.isoformat()[:7]


def _last(first: date) -> date:
    return (first + timedelta(31)).replace(day=1) - timedelta(1)
