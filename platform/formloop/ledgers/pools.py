"""The movements of a pool as they are written: what a replay begins with."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from formloop.db import connection
from formloop.ledgers.engine import ADDED, OWN, RETURNED, REVALUED, REVERSED, Slot
from formloop.ledgers.spec import ZERO, LedgerSpec, Valuation
from formloop.ledgers.valuations import Layer, Stock
from formloop.ledgers.valuations.spec import rate_of

CHUNK = 500
Place = tuple[date, int]  # posting date and entry: the order in which movements count
Pool = tuple[str, str]  # ledger and the text that names a set of dimensions


@dataclass(slots=True, eq=False)
class Node:
    """One movement of a pool, written already or (with its slot) about to be."""

    place: Place
    pool: Pool
    method: str
    way: str
    quantity: Decimal
    entry: int
    posted: int
    given: Decimal | None
    source: int | None
    value: Decimal = ZERO
    variance: Decimal = ZERO
    layers: tuple[Layer, ...] = ()
    slot: Slot | None = None
    void: bool = False  # undone on its own day, but for what became known of it later


def valuation_of(ledger: LedgerSpec) -> Valuation:
    """The valuation of a ledger that has one."""
    if ledger.valuation is None:
        raise TypeError(ledger.key)
    return ledger.valuation


def load_nodes(
    ledger: LedgerSpec,
    pool: str,
    since: Place | None,
    gone: set[int],
    until: date = date.max,
    last: date = date.max,
) -> list[Node]:
    """The movements of a pool from a place on through a last day, with what was added to and changed of each until
    a day; undone ones left out, except where that is not all undone by then."""
    valuation, table = valuation_of(ledger), ledger.tables.entry
    columns = [table.c[n] for n in ("id", "posted", "date", "way", "method", "source", "reverses", "layers")]
    amounts = [table.c[f"m_{n}"].label(n) for n in (valuation.quantity, valuation.value)]
    query = (
        select(
            *columns,
            amounts[0].label("quantity"),
            amounts[1].label("value"),
            table.c.m_variance.label("variance"),
        )
        .where(table.c.pool == pool, table.c.pending.is_(False), table.c.date <= last)
        .order_by(table.c.id)
    )
    if since is not None:
        query = query.where(table.c.date >= since[0])
    nodes: dict[int, Node] = {}
    changes: list[Any] = []
    undone, name, pairs = set(gone), (ledger.key, pool), dict[int, int]()
    for row in connection().execute(query).all():
        entry, group, day, way, method, source, reverses, layers, quantity, value, variance = row
        if way in (ADDED, REVALUED):
            if day <= until:
                changes.append((source, value, variance, layers))
        elif way in OWN or way == REVERSED:
            nodes[entry] = Node(
                (day, entry), name, method, way, quantity, entry, group, value + variance, source, value, variance,
                _layers(layers) if layers else (),
            )  # fmt: skip
            if way == REVERSED and reverses in nodes and nodes[reverses].place[0] == day:
                undone |= {entry, reverses}  # as if nothing had been; later it is a movement of its own
                pairs[entry] = reverses
    for source, value, variance, layers in changes:
        node = nodes.get(source)
        if node is None:
            continue
        node.value, node.variance = node.value + value, node.variance + variance
        if node.given is not None:
            node.given += value + variance
        if layers is not None:
            node.layers = _layers(layers)
    found = [n for n in nodes.values() if n.entry not in undone and (since is None or n.place >= since)]
    for entry, reverses in pairs.items():
        node, of = nodes[entry], nodes[reverses]
        node.value, node.variance, node.void = node.value + of.value, node.variance + of.variance, True
        if node.value or node.variance:
            found.append(node)
    return sorted(found, key=lambda node: node.place)


def _layers(written: Any) -> tuple[Layer, ...]:
    return tuple(Layer(e, Decimal(q), Decimal(v)) for e, q, v in written or ())


def stock_before(ledger: LedgerSpec, pool: str, place: Place, until: date = date.max) -> Stock | None:
    """What was there before a place, as it was known on a day; None when that cannot be told from sums alone."""
    valuation, entry = valuation_of(ledger), ledger.tables.entry
    other = entry.alias()
    as_source = or_(
        entry.c.way.in_((ADDED, REVALUED)), and_(entry.c.way == REVERSED, entry.c.date == other.c.date)
    )
    day = case((as_source, other.c.date), else_=entry.c.date)
    number = case((as_source, other.c.id), else_=entry.c.id)
    quantity, value = entry.c[f"m_{valuation.quantity}"], entry.c[f"m_{valuation.value}"]
    query = (
        select(func.sum(quantity), func.sum(value))
        .select_from(entry.outerjoin(other, other.c.id == entry.c.source))
        .where(entry.c.pool == pool, entry.c.pending.is_(False))
        .where(or_(day < place[0], and_(day == place[0], number < place[1])))
        .where(or_(entry.c.way.not_in((ADDED, REVALUED)), entry.c.date <= until))
    )
    row = connection().execute(query).one()
    if row[0] is None:
        return Stock()
    return Stock(row[0], row[1], rate_of(row[1], row[0])) if row[0] > 0 else None


def linked_pools(
    ledgers: Sequence[LedgerSpec], ledger: LedgerSpec, pool: str, since: Place
) -> dict[int, set[Pool]]:
    """For the groups of a pool's movements the other pools they move in too."""
    own, found = ledger.tables.entry, dict[int, set[Pool]]()
    for each in (other for other in ledgers if other.valuation is not None):
        other = each.tables.entry.alias()
        query = (
            select(own.c.posted, other.c.pool)
            .distinct()
            .select_from(own.join(other, other.c.posted == own.c.posted))
            .where(own.c.pool == pool, own.c.date >= since[0], other.c.pool.is_not(None))
            .where(own.c.way.in_((*OWN, REVERSED)))  # a revaluation of thousands would meet itself
        )
        if each is ledger:
            query = query.where(other.c.pool != pool)
        for posted, name in connection().execute(query).all():
            found.setdefault(posted, set()).add((each.key, name))
    return found


def returning_pools(ledger: LedgerSpec, pool: str, since: Place) -> dict[int, set[Pool]]:
    """For the movements of a pool the other pools into which they were returned, or where they are undone later."""
    own, other = ledger.tables.entry, ledger.tables.entry.alias()
    query = (
        select(own.c.id, other.c.pool)
        .distinct()
        .select_from(own.join(other, other.c.source == own.c.id))
        .where(own.c.pool == pool, own.c.date >= since[0], other.c.pool != pool, other.c.way == RETURNED)
        .where(own.c.way.in_((*OWN, REVERSED)))
    )
    found: dict[int, set[Pool]] = {}
    for entry, name in connection().execute(query):
        found.setdefault(entry, set()).add((ledger.key, name))
    return found


def nets(
    ledger: LedgerSpec,
    ids: Iterable[int],
    ways: tuple[str, ...] = (ADDED, REVALUED),
    until: date = date.max,
) -> dict[int, tuple[Decimal, Decimal, Decimal]]:
    """Quantity, value and variance of entries with all that was added to and changed of them until a day."""
    valuation, table, found = (
        valuation_of(ledger),
        ledger.tables.entry,
        dict[int, tuple[Decimal, Decimal, Decimal]](),
    )
    quantity, value = table.c[f"m_{valuation.quantity}"], table.c[f"m_{valuation.value}"]
    for part in chunks(ids):
        query = select(table.c.id, table.c.source, table.c.way, quantity, value, table.c.m_variance).where(
            or_(
                table.c.id.in_(part),
                and_(table.c.source.in_(part), table.c.way.in_(ways), table.c.date <= until),
            )
        )
        wanted = set(part)
        for row in connection().execute(query):
            key = row.source if row.way in ways and row.source in wanted else row.id
            old = found.get(key, (ZERO, ZERO, ZERO))
            found[key] = (old[0] + row[3], old[1] + row[4], old[2] + row[5])
    return found


def list_returns(ledger: LedgerSpec, entry: int) -> list[tuple[Place, Decimal]]:
    """What was taken back of an entry so far and not undone: its place and quantity."""
    table = ledger.tables.entry
    rows = connection().execute(_returned(ledger, [entry], table.c[f"m_{valuation_of(ledger).quantity}"]))
    return [((row[1], row[2]), row[3]) for row in rows]


def list_returning(ledger: LedgerSpec, entries: Iterable[int]) -> Iterator[tuple[int, str, Place]]:
    """What was taken back of entries so far and not undone: of which entry, in which pool and place."""
    for part in chunks(entries) if ledger.valuation else ():
        for row in connection().execute(_returned(ledger, part, ledger.tables.entry.c.pool)):
            yield row[0], row[3], (row[1], row[2])


def _returned(ledger: LedgerSpec, entries: list[int], column: ColumnElement[Any]) -> Select[Any]:
    table = ledger.tables.entry
    other = table.alias()
    undone = select(other.c.id).where(other.c.reverses == table.c.id).exists()
    query = select(table.c.source, table.c.date, table.c.id, column).where(~undone)
    return query.where(table.c.source.in_(entries), table.c.way == RETURNED)


def list_additions(ledger: LedgerSpec, entry: int, until: date = date.max) -> dict[Place, Decimal]:
    """The value that was added to an entry until a day and not taken off again, by the place of what adds it."""
    table = ledger.tables.entry
    value = table.c[f"m_{valuation_of(ledger).value}"]
    query = select(table.c.date, table.c.id, table.c.reverses, value)
    query = query.where(table.c.source == entry, table.c.way == ADDED, table.c.date <= until)
    rows = connection().execute(query.order_by(table.c.id)).all()
    undone = {row[2] for row in rows}
    return {(row[0], row[1]): row[3] for row in rows if row[2] is None and row[1] not in undone}


def next_known(ledger: LedgerSpec, pools: Iterable[str], sources: Iterable[int], after: date) -> date | None:
    """The first day after a day on which more became known of earlier movements of these pools, or of these entries."""
    own, table = ledger.tables.entry.alias(), ledger.tables.entry
    known = select(func.min(table.c.date)).join(own, own.c.id == table.c.source)
    known = known.where(table.c.way.in_((ADDED, REVALUED)), table.c.date > after, table.c.date > own.c.date)
    found: list[date] = []
    for column, asked in ((table.c.pool, sorted(pools)), (table.c.source, sorted(sources))):
        for start in range(0, len(asked), CHUNK):
            day = connection().execute(known.where(column.in_(asked[start : start + CHUNK]))).scalar()
            found += [day] if day else []
    return min(found, default=None)


def first_changed(ledger: LedgerSpec, pools: Iterable[str], known: date, until: date) -> date | None:
    """The first day of movements of these pools of which more became known between two days."""
    own, table = ledger.tables.entry.alias(), ledger.tables.entry
    first = select(func.min(own.c.date)).join(own, own.c.id == table.c.source)
    first = first.where(table.c.way.in_((ADDED, REVALUED)), table.c.date >= known, table.c.date <= until)
    asked, found = sorted(pools), list[date]()
    for start in range(0, len(asked), CHUNK):
        day = connection().execute(first.where(table.c.pool.in_(asked[start : start + CHUNK]))).scalar()
        found += [day] if day else []
    return min(found, default=None)


def chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """Ids in parts that fit into one statement."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
