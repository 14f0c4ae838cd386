"""`formloop doctor ledgers`: everything that is kept beside the entries, made again from them and compared."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from formloop.access.actor import SYSTEM
from formloop.core.text import M, Message, Titled
from formloop.db import connection, transactional
from formloop.forms.kind import get_form
from formloop.forms.listing import titles_of
from formloop.forms.names import context_of
from formloop.ledgers import rebuilding, resting_verified
from formloop.ledgers.adjusting import Earlier
from formloop.ledgers.book import Book
from formloop.ledgers.engine import ADDED, CARRIED, RETURNED, REVERSED
from formloop.ledgers.kind import list_ledgers
from formloop.ledgers.replay import Replay
from formloop.ledgers.spec import ZERO, LedgerSpec
from formloop.ledgers.tables import posted
from formloop.ledgers.valuations import Stock


@transactional
def verify() -> list[Message]:
    """What does not agree in the ledgers, in words; empty when everything does. Nothing is changed."""
    found: list[Message] = []
    for ledger in list_ledgers():
        for look in (_sums, _groups, _open_items, _origins, _rests, _left_over):
            found += list(look(ledger))
        found += verify_values(ledger, {})
    return found


@transactional
def verify_values(ledger: LedgerSpec, dims: Mapping[str, Any], until: date = date.max) -> list[Message]:
    """Limits and values of what has these dimensions: never below, and the same when valued again.

    With a day, the values are those that were known on it.
    """
    chosen = [ledger.tables.entry.c[ledger.dimensions[key].column] == value for key, value in dims.items()]
    return [*_limits(ledger, chosen), *_values(ledger, chosen, until)]


def _sums(ledger: LedgerSpec) -> Iterator[Message]:
    """Balances and turnover are the sums of the entries."""
    totals, months = rebuilding.sums_of(connection(), ledger)
    balance, turnover = ledger.tables.balance, ledger.tables.turnover
    seen = set()
    for row in connection().execute(select(balance)).mappings():
        wanted = totals.get(row["key"], {})
        seen.add(row["key"])
        for name in (c.name for c in balance.c if c.name[:2] in ("m_", "r_", "e_")):
            if row[name] != wanted.get(name, ZERO):
                yield _differs(ledger, row["key"], name, row[name], wanted.get(name, ZERO))
    for key in sorted(set(totals) - seen):
        yield M("{ledger}: the balance “{key}” is missing.", ledger=ledger.key, key=key)
    for row in connection().execute(select(turnover)).mappings():
        wanted = months.pop((row["key"], row["month"]), {})
        for name in (c.name for c in turnover.c if c.name[:2] == "m_"):
            if row[name] != wanted.get(name, ZERO):
                yield _differs(
                    ledger, f"{row['key']} {row['month']}", name, row[name], wanted.get(name, ZERO)
                )
    for key, month in (mark for mark, sums in months.items() if any(sums.values())):
        yield M("{ledger}: the balance “{key}” is missing.", ledger=ledger.key, key=f"{key} {month}")


def _differs(ledger: LedgerSpec, key: str, name: str, found: Decimal, wanted: Decimal) -> Message:
    return M(
        "{ledger}: “{key}” says {found} for {name}, its entries come to {wanted}.",
        ledger=ledger.key,
        key=key,
        name=name[2:],
        found=found,
        wanted=wanted,
    )


def _groups(ledger: LedgerSpec) -> Iterator[Message]:
    """Every group is complete and comes to nothing by each rule."""
    entry = ledger.tables.entry
    open_ = select(posted.c.id).where(posted.c.sealed.is_(False))
    for group in connection().execute(open_).scalars():
        yield M("{ledger}: the group {group} is not complete.", ledger=ledger.key, group=group)
    for rule in ledger.balanced:
        by = [entry.c.posted, *(entry.c[ledger.dimensions[name].column] for name in rule.by)]
        columns = [func.sum(entry.c[f"m_{name}"], type_=entry.c[f"m_{name}"].type) for name in rule.sum]
        query = select(entry.c.posted, *columns).where(entry.c.pending.is_(False)).group_by(*by)
        for group, *sums in connection().execute(query):
            left = sum((value * weight for value, weight in zip(sums, rule.sum.values(), strict=True)), ZERO)
            if left:
                yield M(
                    "{ledger}: the group {group} does not balance, {amount} is left.",
                    ledger=ledger.key,
                    group=group,
                    amount=left,
                )


def _open_items(ledger: LedgerSpec) -> Iterator[Message]:
    """What is left of an item is what it was about less what settled it."""
    item, match = ledger.tables.open, ledger.tables.match
    moved: dict[int, Decimal] = {}
    for row in connection().execute(select(match)):
        moved[row.entry] = moved.get(row.entry, ZERO) - row.amount
        moved[row.by_entry] = moved.get(row.by_entry, ZERO) + row.amount
    for row in connection().execute(select(item)):
        wanted = row.total + moved.get(row.entry, ZERO)
        if row.left != wanted:
            yield _differs(ledger, str(row.entry), "m_left", row.left, wanted)
        elif row.left * row.total < 0 or abs(row.left) > abs(row.total):
            yield M(
                "{ledger}: of the open item {entry} over {total} {settled} is settled.",
                ledger=ledger.key,
                entry=row.entry,
                total=row.total,
                settled=row.total - row.left,
            )


def _origins(ledger: LedgerSpec) -> Iterator[Message]:
    """What was undone has nothing that rests on it, and no more is taken back of an entry than there was."""
    if ledger.valuation is None:
        return
    table, quantity = ledger.tables.entry, f"m_{ledger.valuation.quantity}"
    resting, undoing, kind = table.alias(), table.alias(), table.c[quantity].type
    live = ~select(undoing.c.id).where(undoing.c.reverses == resting.c.id).exists()
    undone = select(undoing.c.id).where(undoing.c.reverses == table.c.id).exists()
    back = func.sum(resting.c[quantity], type_=kind).filter(resting.c.way == RETURNED)
    query = (
        select(table.c.id, table.c[quantity], back, undone)
        .join(resting, resting.c.source == table.c.id)
        .where(resting.c.way.in_((RETURNED, ADDED)), resting.c.reverses.is_(None), live)
        .group_by(table.c.id, table.c[quantity])
    )
    for entry, amount, returned, gone in connection().execute(query):
        if gone:
            yield M(
                "{ledger}: the entry {entry} is undone, but what takes it back or adds to its value is not.",
                ledger=ledger.key,
                entry=entry,
            )
        elif abs(returned or ZERO) > abs(amount):
            yield M(
                "{ledger}: of the entry {entry} over {amount} {returned} is taken back.",
                ledger=ledger.key,
                entry=entry,
                amount=amount,
                returned=-returned,
            )


def _left_over(ledger: LedgerSpec) -> Iterator[Message]:
    """Where nothing is left, nothing is worth anything."""
    if ledger.valuation is None:
        return
    table = ledger.tables.entry
    quantity, value = (table.c[f"m_{name}"] for name in (ledger.valuation.quantity, ledger.valuation.value))
    sums = [func.sum(column, type_=column.type) for column in (quantity, value)]
    query = select(table.c.pool, *sums).where(table.c.pool.is_not(None), table.c.pending.is_(False))
    for pool, left, worth in connection().execute(query.group_by(table.c.pool)):
        if worth and not left:
            yield M(
                "{ledger}: of “{key}” nothing is left, but it is worth {value}: take its last issue back and enter "
                "it again.",
                ledger=ledger.key,
                key=pool,
                value=worth,
            )


def _rests(ledger: LedgerSpec) -> Iterator[Message]:
    """What was calculated from the balance before it still fits that balance."""
    differing = list(resting_verified.list_differing(ledger))
    specs = {key: get_form(key) for key in {rest.head.form for rest in differing}}
    records = {key: {rest.head.record for rest in differing if rest.head.form == key} for key in specs}
    called = {key: titles_of(connection(), specs[key], ids, SYSTEM) for key, ids in records.items()}
    for rest in differing:
        form, record = specs[rest.head.form], rest.head.record
        name = next(name for name, amount in rest.now.items() if amount != rest.before[name])
        measure = ledger.measures[name]
        yield M(
            "{ledger}: “{document}” ({form}) of {day} was calculated from {found} ({measure}), "
            "before it there is {wanted}: cancel that document and enter it again.",
            ledger=ledger.title,
            document=called[form.key].get(record, f"#{record}"),
            form=Titled(form.document, form.key),
            day=rest.place[0].isoformat(),
            found=rest.before[name],
            wanted=rest.now[name],
            measure=Titled(measure.document, name),
        )


def _limits(ledger: LedgerSpec, chosen: list[Any]) -> Iterator[Message]:
    """No balance is below a limit that holds for it, at the end of any day."""
    entry = ledger.tables.entry
    for limit in ledger.never:
        names = [key for key in ledger.dimensions if key in limit.per]
        columns = [entry.c[ledger.dimensions[name].column] for name in names]
        measure = entry.c[f"m_{limit.measure}"]
        query = (
            select(*columns, entry.c.date, func.sum(measure, type_=measure.type))
            .where(entry.c.pending.is_(False), *chosen)
            .group_by(*columns, entry.c.date)
            .order_by(entry.c.date)
        )
        running: dict[str, Decimal] = {}
        lifted = _lifted(ledger, limit.id)
        for row in connection().execute(query):
            dims: dict[str, Any] = {key: d.empty for key, d in ledger.dimensions.items()}
            key = ledger.key_of(dims | dict(zip(names, row, strict=False)), tuple(names))
            running[key] = running.get(key, ZERO) + row[-1]
            if running[key] < limit.below and key not in lifted:
                yield _differs(ledger, f"{key} {row[-2]}", f"m_{limit.measure}", running[key], limit.below)


def _lifted(ledger: LedgerSpec, limit: str) -> set[str]:
    table = ledger.tables.balance
    rows = connection().execute(select(table.c.key, table.c.lifted))
    return {key for key, lifted in rows if f",{limit}," in lifted}


def _values(ledger: LedgerSpec, chosen: list[Any], until: date) -> Iterator[Message]:
    """Valuing everything again from the beginning changes nothing, with what was known on a day."""
    if ledger.valuation is None:
        return
    table = ledger.tables.entry
    pools = connection().execute(
        select(table.c.pool, func.min(table.c.date)).where(*chosen).group_by(table.c.pool)
    )
    book = Book(SYSTEM, context_of(SYSTEM), {each.key: each for each in list_ledgers()}, [])
    recalculate = Earlier(book, until).recalculate
    replay = Replay(book.ledgers, recalculate, lambda node: None, lambda pool: None, until, issues_stand=True)
    if until < date.max:  # what earlier versions entered followed other rules
        sources = select(table.c.source).where(*chosen, table.c.way.in_((CARRIED, RETURNED, REVERSED)))
        replay.stirred.update(connection().execute(sources).scalars())
    for pool, day in pools.all():
        if pool is not None:
            replay.load((ledger.key, pool), (day, 0))
    replay.run()
    for entry, change in replay.changes.items():
        if not (change.value or change.variance) and until < date.max:
            continue  # layers that differ by what became known later
        wanted = change.node.value + change.value
        yield _differs(ledger, str(entry), "m_value", change.node.value, wanted)
    balance = ledger.tables.balance
    for (key, pool), stock in replay.stocks.items() if not replay.changes and until == date.max else ():
        row = connection().execute(select(balance.c.state).where(balance.c.key == pool)).one_or_none()
        kept = Stock.load(ZERO, ZERO, row.state if row else None)
        if key == ledger.key and kept.layers != stock.layers:
            yield M(
                "{ledger}: the layers of “{key}” are not those of its entries.", ledger=ledger.key, key=pool
            )
