"""Reading ledgers for people: balances of today or as of a date, entries, open items, each as far as they may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
)

from formloop.access.actor import Actor
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.db import reading
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.permits import Permit, require_permit
from formloop.ledgers.snapshots import summed_entries
from formloop.ledgers.spec import ZERO, LedgerSpec
from formloop.ledgers.tables import posted


@dataclass(frozen=True, slots=True)
class Line:
    """The balance of one set of dimensions: amounts, what is reserved and what is expected of them."""

    key: str
    dims: Mapping[str, Any]
    amounts: Mapping[str, Decimal | None]
    reserved: Mapping[str, Decimal | None]
    expected: Mapping[str, Decimal | None]


@dataclass(frozen=True, slots=True)
class Page:
    """Some balances in the order of their keys; `next` is where the following ones begin."""

    rows: Sequence[Line]
    next: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """An open item: what it was about in all and what is left of it."""

    entry: int
    form: str
    record: int
    day: date
    due: date | None
    total: Decimal
    left: Decimal
    dims: Mapping[str, Any]


def find_balance(ledger: str, dims: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The balance row of a full set of dimensions; None when nothing was ever entered there."""
    spec = get_ledger(ledger)
    full = {key: dims.get(key) or dimension.empty for key, dimension in spec.dimensions.items()}
    table = spec.tables.balance
    with reading() as conn:
        row = conn.execute(select(table).where(table.c.key == spec.key_of(full))).mappings().one_or_none()
    return None if row is None else {str(key): value for key, value in row.items()}


def list_balances(
    actor: Actor,
    ledger: str,
    dims: Mapping[str, Any],
    day: date | None = None,
    per: Sequence[str] | None = None,
    after: str = "",
    limit: int = 50,
    empty: bool = False,
    since: date | None = None,
) -> Page:
    """Balances over the dimensions `per` where others have these values, as of a date or as they are now.

    With `since`: what came together from that day on.
    """
    spec = get_ledger(ledger)
    permit = require_permit(actor, spec)
    names = tuple(
        key
        for key in spec.dimensions
        if key in (spec.dimensions if per is None else per) and permit.covers(key)
    )
    now = day is None and since is None
    kinds = [(prefix, name) for prefix in (("m", "r", "e") if now else ("m",)) for name in spec.measures]
    table = spec.tables.balance if now else _entered(spec, since, day)
    source = _seen(permit, table, dims, names, kinds, now)
    groups = [source.c[spec.dimensions[key].column] for key in names]
    sums: list[Any] = [func.sum(c, type_=c.type) for c in source.c if c.name[:2] in ("m_", "r_", "e_")]
    query: Select[Any] = select(*groups, *sums).group_by(*groups).order_by(*groups)
    if after and (mark := _read_mark(after, names, spec)) is not None:
        query = query.where(_behind(groups, mark))
    if not empty:
        query = query.having(or_(*(each != 0 for each in sums)))
    with reading() as conn:
        rows = conn.execute(query.limit(limit + 1)).all()
    found = [_line(spec, names, kinds, row) for row in rows[:limit]]
    return Page(found, _mark(found[-1]) if len(rows) > limit else None)


def _entered(spec: LedgerSpec, since: date | None, day: date | None) -> Any:
    """What was entered from a day on and up to another."""
    edges = [*([since] if since else []), *([day + timedelta(1)] if day else [])]
    rows = summed_entries(spec, 0, edges)
    query = select(rows)
    if since is not None:
        query = query.where(rows.c.date >= since)
    return (query if day is None else query.where(rows.c.date <= day)).subquery()


def _seen(
    permit: Permit,
    table: Any,
    dims: Mapping[str, Any],
    names: Sequence[str],
    kinds: Sequence[tuple[str, str]],
    now: bool,
) -> Any:
    """The rows with these dimensions, in each what somebody may see of it."""
    groups = [permit.dimension(key, table).label(permit.ledger.dimensions[key].column) for key in names]
    amounts = []
    for prefix, name in kinds:
        own = table.c[f"{prefix}_{name}"]
        seen = permit.seen(own, name, table) if permit.covers(name) else cast(null(), own.type)
        amounts.append(type_coerce(seen, own.type).label(own.name))
    query = select(*groups, *amounts).where(*(permit.dimension(k, table) == v for k, v in dims.items()))
    if now:
        query = query.where(table.c.per == 0)
    if (may := permit.where(table)) is not None:
        query = query.where(may)
    return query.subquery()


def _line(spec: LedgerSpec, names: Sequence[str], kinds: Sequence[tuple[str, str]], row: Any) -> Line:
    dims = dict(zip(names, row, strict=False))
    parts: dict[str, dict[str, Decimal | None]] = {"m": {}, "r": {}, "e": {}}
    for (prefix, name), value in zip(kinds, row[len(names) :], strict=True):
        parts[prefix][name] = value
    full = {key: dims.get(key, d.empty) for key, d in spec.dimensions.items()}
    return Line(spec.key_of(full), dims, parts["m"], parts["r"], parts["e"])


def _mark(line: Line) -> str:
    return "~".join(str(value) for value in line.dims.values())


def _read_mark(text: str, names: Sequence[str], spec: LedgerSpec) -> list[Any] | None:
    parts = text.split("~")
    if len(parts) != len(names):
        return None
    try:
        return [int(p) if spec.dimensions[n].forms else p for p, n in zip(parts, names, strict=True)]
    except ValueError:
        raise Invalid(
            [Problem("cursor", "after", M("This page mark is not valid. Start again at the top."))]
        ) from None


def _behind(columns: Sequence[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    ways = []
    for depth in range(len(columns)):
        same = [columns[i] == values[i] for i in range(depth)]
        ways.append(and_(*same, columns[depth] > values[depth]))
    return or_(*ways)


def list_open(
    actor: Actor,
    ledger: str,
    dims: Mapping[str, Any],
    day: date | None,
    settled: bool = False,
    limit: int = 1_000,
) -> list[Item]:
    """Open items in the order in which they are due; as of a date, what was settled later is open."""
    spec = get_ledger(ledger)
    permit = require_permit(actor, spec)
    entry, item = spec.tables.entry, spec.tables.open
    left = left_of(spec, spec.tables.open, day)
    columns = [permit.seen(entry.c[d.column], d.key, entry).label(d.column) for d in spec.dimensions.values()]
    query = (
        select(item, left.label("now"), posted.c.form, posted.c.record.label("of_record"), *columns)
        .select_from(item.join(entry, entry.c.id == item.c.entry).join(posted, posted.c.id == entry.c.posted))
        .where(item.c.pending.is_(False), *(permit.dimension(k, entry) == v for k, v in dims.items()))
    )
    if (may := permit.where(entry)) is not None:
        query = query.where(may)
    for weighed in spec.open.sum if spec.open else ():
        if not all(grant.covers(weighed) for grant in permit.grants):
            return []
    if day is not None:
        query = query.where(item.c.date <= day)
    if not settled:
        query = query.where(is_open(spec, spec.tables.open, day))
    order = func.coalesce(item.c.due, item.c.date)
    with reading() as conn:
        rows = conn.execute(query.order_by(order, item.c.entry).limit(limit)).all()
    return [
        Item(row.entry, row.form, row.of_record, row.date, row.due, row.total, row.now,
             {d.key: getattr(row, d.column) for d in spec.dimensions.values()})
        for row in rows
    ]  # fmt: skip


def left_of(spec: LedgerSpec, item: FromClause, day: date | None) -> ColumnElement[Any]:
    """What is left of the open items in `item`, now or as of a date: what was settled later is open there."""
    match = spec.tables.match
    if day is None:
        return item.c.left
    kind = item.c.left.type

    def summed(column: Any) -> ColumnElement[Any]:
        query = select(func.coalesce(func.sum(match.c.amount, type_=kind), literal(ZERO, kind)))
        return query.where(column == item.c.entry, match.c.date <= day).correlate(item).scalar_subquery()

    return type_coerce(item.c.total - summed(match.c.entry) + summed(match.c.by_entry), kind)


def is_open(spec: LedgerSpec, item: FromClause, day: date | None) -> ColumnElement[bool]:
    """Whether something is left: what is settled, and was by then, needs no look at what settled it."""
    left, match = left_of(spec, item, day), spec.tables.match
    if day is None:
        return left != 0
    later = [item.c.entry.in_(select(c).where(match.c.date > day)) for c in (match.c.entry, match.c.by_entry)]
    return and_(or_(item.c.left != 0, *later), left != 0)


def ageing_by(
    actor: Actor, ledger: str, dims: Mapping[str, Any], day: date, borders: Sequence[int]
) -> dict[tuple[Any, ...], list[Decimal]]:
    """What is open as of a date by days overdue, for each set of dimensions: not due yet, then from each border on."""
    found: dict[tuple[Any, ...], list[Decimal]] = {}
    for item in list_open(actor, ledger, dims, day, limit=1_000_000):
        late = (day - (item.due or item.day)).days
        row = found.setdefault(tuple(item.dims.values()), [ZERO] * (len(borders) + 1))
        row[sum(late >= border for border in borders)] += item.left
    return found


def list_amounts(ledger: str, form: str, record: int, measure: str) -> list[Decimal]:
    """What a record entered of one measure, entry by entry, those with nothing left out."""
    spec = get_ledger(ledger)
    entry = spec.tables.entry
    column = entry.c[f"m_{measure}"]
    query = select(column).join(posted, posted.c.id == entry.c.posted).where(
        posted.c.form == form, posted.c.record == record, posted.c.purpose == "post", column != 0
    )  # fmt: skip
    with reading() as conn:
        return list(conn.execute(query.order_by(entry.c.id)).scalars())
