"""Open items: entries that wait for others, what settles them, and reservations that are used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, or_, select, update

from formloop.core import clock
from formloop.core.errors import Invalid
from formloop.core.text import M
from formloop.db import adding, connection
from formloop.ledgers.engine import OWN, RELEASED, REVALUED, Slot, plain_rule
from formloop.ledgers.groups import Group
from formloop.ledgers.pools import chunks
from formloop.ledgers.spec import ZERO, LedgerSpec

if TYPE_CHECKING:
    from formloop.ledgers.book import Book


Waiting = tuple[
    str, str, int | None
]  # ledger, within, and what is settled there: a record, a line or an entry


@dataclass(slots=True)
class Match:
    """`amount` of an open entry settled by another one, with the sign of the open one."""

    ledger: LedgerSpec
    group: Group
    day: date
    entry: int
    by_entry: int
    amount: Decimal


def weight_of(slot: Slot) -> Decimal:
    """What of an entry waits: what is reserved, or the weighted measures of its ledger's open items."""
    if slot.pending:
        return slot.amounts[next(iter(slot.ledger.measures))]
    return slot.ledger.weigh(slot.ledger.open.sum, slot.amounts) if slot.ledger.open else ZERO


def is_open(book: Book, slot: Slot) -> bool:
    """Whether an entry waits for others."""
    if slot.way not in (*OWN, REVALUED) or not weight_of(slot):
        return False
    said = slot.ledger.open
    return slot.pending or (
        said is not None and book.scope(slot.ledger).ask(said.when, slot.dims, True) is True
    )


def settle(book: Book) -> None:
    """Match new entries with the items they settle, and take what they use out of reservations."""
    for group in list(book.groups):
        for slot in list(group.sheet.slots):
            if slot.way in OWN and not slot.pending:
                if slot.rule.uses is not None and slot.uses:
                    _use(book, group, slot)
                if slot.rule.settles is not None and is_open(book, slot):
                    _settle(book, group, slot)


def _within(slot: Slot) -> str:
    said = slot.ledger.open
    names = said.within if said and not slot.pending else slot.ledger.sets[0]
    return ";".join(f"{name}={slot.dims[name]}" for name in names)


def hold(book: Book) -> None:
    """Read and hold what new entries settle by name, however many, in one statement a ledger."""
    asked: dict[str, dict[int, set[str]]] = {}
    for _, slot in book.slots():
        if slot.settles and slot.way in OWN and not slot.pending:
            asked.setdefault(slot.ledger.key, {}).setdefault(slot.settles, set()).add(_within(slot))
            book.waiting[_mark(slot)] = []
    for key, sources in asked.items():
        for row in _named(book.ledgers[key], sources):
            for source in {row.record, row.line, row.entry}:
                book.waiting.get((key, row.within, source), []).append(row)


def _named(ledger: LedgerSpec, sources: Mapping[int, set[str]]) -> list[Any]:
    """The open items of what is named, with where they wait: that has an index."""
    table, found = ledger.tables.open, list[Any]()
    for part in chunks(sources):
        mine = or_(table.c.record.in_(part), table.c.line.in_(part), table.c.entry.in_(part))
        there = table.c.within.in_({within for each in part for within in sources[each]})
        query = select(table).where(there, table.c.pending.is_(False), table.c.left != 0, mine)
        found += connection().execute(query.order_by(table.c.entry).with_for_update())
    return sorted(found, key=lambda row: (row.due or row.date, row.entry))


def _mark(slot: Slot) -> Waiting:
    return slot.ledger.key, _within(slot), slot.settles


def _waiting(book: Book, slot: Slot) -> list[Any]:
    """The open items that an entry settles: those of what it names, or else the oldest first, held."""
    if _mark(slot) not in book.waiting:
        table = slot.ledger.tables.open
        query = select(table).where(table.c.pending.is_(False), table.c.left != 0)
        query = query.where(table.c.within == _within(slot))
        order = func.coalesce(table.c.due, table.c.date)
        found = connection().execute(query.order_by(order, table.c.entry).with_for_update())
        book.waiting[_mark(slot)] = list(found)
    return book.waiting[_mark(slot)]


def _reserved(slot: Slot) -> list[Any]:
    """The reservations that an entry uses."""
    table, source = slot.ledger.tables.open, slot.uses
    dims = ";".join(f"{name}={slot.dims[name]}" for name in slot.ledger.sets[0])
    mine = or_(table.c.record == source, table.c.line == source, table.c.entry == source)
    query = select(table).where(table.c.pending, table.c.left != 0, table.c.within == dims, mine)
    order = func.coalesce(table.c.due, table.c.date)
    return list(connection().execute(query.order_by(order, table.c.entry).with_for_update()))


def left_of(book: Book, slot: Slot) -> Decimal:
    """What is open of what an entry settles, held until it is written."""
    left: Decimal = sum((row.left for row in _waiting(book, slot)), ZERO)
    return abs(left)


def _settle(book: Book, group: Group, slot: Slot) -> None:
    left = weight_of(slot)
    used = {m.entry: m.amount for m in book.matches if m.ledger is slot.ledger}
    found = [row for row in _waiting(book, slot) if (row.left > 0) != (left > 0)]
    for row in found:
        part = min(abs(row.left - used.get(row.entry, ZERO)), abs(left))
        if not part:
            continue
        amount = part if row.left > 0 else -part
        day = max(row.date, book.day_of(group, slot))  # before that one of the two is not there yet
        book.matches.append(Match(slot.ledger, group, day, row.entry, slot.entry, amount))
        left += amount
    if slot.settles and left == weight_of(slot):
        text = M("What this settles is not open any more.")
        raise Invalid([group.sheet.problem("not_open", slot.rule, slot.place, "settles", text)])


def _use(book: Book, group: Group, slot: Slot) -> None:
    """Give back of a reservation what is really taken; a reservation that is gone is no mistake."""
    measure = next(iter(slot.ledger.measures))
    wanted = slot.amounts[measure]
    used = {m.entry: m.amount for m in book.matches if m.ledger is slot.ledger}
    for row in _reserved(slot):
        open_ = row.left - used.get(row.entry, ZERO)
        if (open_ > 0) != (wanted > 0) or not wanted or not open_:
            continue
        part = min(abs(open_), abs(wanted)) * (1 if open_ > 0 else -1)
        release(book, group, slot, row.entry, part)
        wanted -= part


def release(book: Book, group: Group, like: Slot, entry: int, part: Decimal) -> None:
    """An entry that gives `part` of a pending one back."""
    measure = next(iter(like.ledger.measures))
    rule = replace(plain_rule(like.ledger.key), pending=True)
    made = Slot(
        rule, like.ledger, None, like.line, like.dims, dict.fromkeys(like.ledger.amounts, ZERO), RELEASED
    )
    made.amounts[measure], made.source, made.entry = -part, entry, clock.new_id()
    made.day = book.day_of(group, like)
    group.sheet.slots.append(made)
    book.hold(like.ledger, [made.dims]).move(made, made.entry, book.day_of(group, made), own=False)
    book.matches.append(Match(like.ledger, group, book.day_of(group, made), entry, made.entry, part))


def list_matches(ledger: LedgerSpec, entries: Iterable[int]) -> list[tuple[int, int, Decimal, date]]:
    """What settles these entries or is settled by them, with what was undone taken off, and the day it was last moved:
    entry, by which other one, amount, day."""
    table, rows = ledger.tables.match, dict[int, Any]()
    for part in chunks(entries):
        query = select(table).where(or_(table.c.entry.in_(part), table.c.by_entry.in_(part)))
        rows |= {row.id: row for row in connection().execute(query)}
    sums, days = dict[tuple[int, int], Decimal](), dict[tuple[int, int], date]()
    for row in rows.values():
        mark = (row.entry, row.by_entry)
        sums[mark] = sums.get(mark, ZERO) + row.amount
        days[mark] = max(days.get(mark, row.date), row.date)
    return [(*mark, amount, days[mark]) for mark, amount in sums.items() if amount]


def write(book: Book) -> None:
    """Write the new open items, the matches, and what is left of every item they touch."""
    conn = connection()
    for key, ledger in book.ledgers.items():
        table = ledger.tables.open
        rows = [
            {
                "entry": slot.entry,
                "within": _within(slot),
                "record": group.record,
                "line": slot.line,
                "pending": slot.pending,
                "date": book.day_of(group, slot),
                "due": slot.due,
                "expires": slot.expires,
                "total": weight_of(slot),
                "left": weight_of(slot),
            }
            for group, slot in book.slots()
            if slot.ledger.key == key and is_open(book, slot)
        ]
        if rows:
            adding(table, tuple(rows[0])).run(conn, rows)
        matches = [m for m in book.matches if m.ledger.key == key]
        if not matches:
            continue
        conn.execute(
            insert(ledger.tables.match),
            [
                {"id": number, "posted": m.group.id, "date": m.day, "entry": m.entry, "by_entry": m.by_entry,
                 "amount": m.amount}
                for m, number in zip(matches, clock.new_ids(len(matches)), strict=True)
            ],
        )  # fmt: skip
        moved: dict[int, Decimal] = {}
        for match in matches:
            moved[match.entry] = moved.get(match.entry, ZERO) - match.amount
            moved[match.by_entry] = moved.get(match.by_entry, ZERO) + match.amount
        change = bindparam("change", type_=table.c.left.type)
        conn.execute(
            update(table).where(table.c.entry == bindparam("of")).values(left=table.c.left + change),
            [{"of": entry, "change": amount} for entry, amount in sorted(moved.items())],
        )
