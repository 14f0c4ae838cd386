"""Undoing a group: the same entries with the opposite sign, what they settled is open again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from formloop.core import clock
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.db import Prepared, among, connection, handed, places_for
from formloop.ledgers import periods
from formloop.ledgers.adjusting import Earlier, amounts_now, amounts_with
from formloop.ledgers.engine import (
    ADDED,
    RELEASED,
    RENEWED,
    RETURNED,
    REVERSED,
    Sheet,
    Slot,
    plain_rule,
    rounded,
)
from formloop.ledgers.groups import Group
from formloop.ledgers.matching import Match, list_matches
from formloop.ledgers.names import called
from formloop.ledgers.pools import chunks
from formloop.ledgers.spec import ZERO, Amounts, LedgerSpec, PostingSpec
from formloop.ledgers.tables import posted

if TYPE_CHECKING:
    from formloop.ledgers.book import Book


def list_posted(posting: PostingSpec, records: Collection[int]) -> dict[int, list[Any]]:
    """The groups of records under a posting, in their order; each tells whether it is `undone`."""
    found: dict[int, list[Any]] = {}
    for part in chunks(records):
        asked = {"of_form": posting.form, "of_posting": posting.key, **handed("record", part)}
        for head in _posted_for(places_for(part)).rows(connection(), asked):
            found.setdefault(head.record, []).append(head)
    return found


@lru_cache(maxsize=8)
def _posted_for(places: int) -> Prepared:
    other = posted.alias()
    undone = select(other.c.id).where(other.c.reverses == posted.c.id).exists().label("undone")
    return Prepared(
        select(posted, undone)
        .where(posted.c.form == bindparam("of_form"), among(posted.c.record, "record", places))
        .where(posted.c.posting == bindparam("of_posting"), posted.c.purpose == "post")
        .order_by(posted.c.id)
    )


def list_dims(ledger: LedgerSpec, heads: list[Any]) -> list[dict[str, Any]]:
    """The dimensions of the entries of some groups."""
    table, found = ledger.tables.entry, list[dict[str, Any]]()
    columns = [dimension.column for dimension in ledger.dimensions.values()]
    for part in chunks(head.id for head in heads):
        query = select(*(table.c[name] for name in columns)).where(table.c.posted.in_(part)).distinct()
        found += [dict(zip(ledger.dimensions, row, strict=True)) for row in connection().execute(query)]
    return found


def reverse(book: Book) -> None:
    """Add to a book, before its other groups, those that undo what it undoes."""
    if not book.undone:
        return
    others, book.groups = book.groups, []
    book.undoes = _sheets(book)
    for head in book.undone:
        own = book.undoes[head.id]
        _require_free(book, own)
        sheet = Sheet(own.posting, {}, book.context, head.date)
        group = Group(sheet, f"reverse:{head.id}", "reverse", head.form, head.record, reverses=head.id)
        group.id = clock.new_id()
        for slot, amounts in zip(list(own.slots), amounts_now(own), strict=True):
            made = _mirrored(book, slot, amounts)
            sheet.slots.append(made)
        day = max((slot.day or head.date for slot in sheet.slots), default=head.date)
        sheet.day = day
        book.groups.append(group)
        _undo_matches(book, group, own)
    _require_same_pools(book)
    book.groups += others


def _require_same_pools(book: Book) -> None:
    """What is undone must not leave anything where it would not be looked for any more."""
    undone = [slot for _, slot in book.slots() if slot.ledger.valuation and not slot.pending]
    for ledger in {slot.ledger.key: slot.ledger for slot in undone}.values():
        mine, scope = [slot for slot in undone if slot.ledger is ledger], book.scope(ledger)
        scope.fetch(slot.dims for slot in mine)
        for slot in mine:
            if slot.pool != scope.pool(slot.dims) or scope.missing(slot.dims):
                text = M(
                    "“{what}” is kept in another way now than when this was entered, so it cannot be undone: "
                    "enter the opposite.",
                    what=called(ledger, slot.dims),
                )
                raise Invalid([Problem("other_pool", "", text)])


def _sheets(book: Book) -> dict[int, Sheet]:
    """What the groups have entered, with the values that were known on the day on which each is undone."""
    days: dict[date, list[int]] = {}
    for head in book.undone:
        calendars = {each.calendar for each in book.ledgers.values() if each.calendar}
        day = max((periods.first_open(name, head.date) for name in calendars), default=head.date)
        days.setdefault(day, []).append(head.id)
    found: dict[int, Sheet] = {}
    for day, groups in days.items():
        earlier = Earlier(book, day)
        earlier.load(groups)
        found |= earlier.sheets
    return found


def follow_values(book: Book, group: Group) -> None:
    """What is taken back on a later day may be worth something else by then: what followed from its value follows."""
    own = book.undoes[group.reverses or 0]
    made = {slot.reverses: slot for slot in group.sheet.slots}
    values: dict[int, Amounts] = {}
    for slot in own.slots:
        undone, valuation = made.get(slot.entry), slot.ledger.valuation
        if undone is not None and undone.late and undone.way == REVERSED and valuation and slot.method:
            names = (valuation.value, "variance")
            values[slot.entry] = {name: -undone.amounts[name] - slot.amounts[name] for name in names}
    if not any(any(each.values()) for each in values.values()):
        return
    for slot, amounts in zip(own.slots, amounts_with(own, values), strict=True):
        if not slot.method and not slot.pending:
            made[slot.entry].amounts = {name: -amount for name, amount in amounts.items()}


def _mirrored(book: Book, slot: Slot, amounts: Mapping[str, Decimal]) -> Slot:
    ledger, before = slot.ledger, slot.day or date.min
    day = periods.first_open(ledger.calendar, before)
    opposite = {name: -amount for name, amount in amounts.items()}
    made = Slot(plain_rule(ledger.key), ledger, None, slot.line, slot.dims, opposite, REVERSED)
    made.reverses, made.day, made.pool, made.method = slot.entry, day, slot.pool, slot.method
    made.entry, made.late = clock.new_id(), day != before
    if slot.pending:
        made.rule = slot.rule
    elif slot.way == ADDED:
        made.way, made.source = ADDED, slot.source
        _take_off(book, made)
    elif slot.method and ledger.valuation:
        made.source = slot.entry
        place = (before, slot.entry)
        if slot.way == RETURNED:
            book.take_back(slot.source or 0, place)
        if day == before:
            book.gone.add(slot.entry)
            pool = (ledger.key, slot.pool or "")
            book.since[pool] = min(book.since.get(pool, place), place)
    return made


def _take_off(book: Book, slot: Slot) -> None:
    """What was added to the value of an entry is taken off it again, where that entry stands."""
    table, valuation = slot.ledger.tables.entry, slot.ledger.valuation
    day = connection().execute(select(table.c.date).where(table.c.id == slot.source)).scalar_one()
    if valuation is not None:
        slot.undone = {name: slot.amounts[name] for name in (valuation.value, "variance")}
        slot.given = slot.amounts[valuation.value] + slot.amounts["variance"]
        slot.amounts[valuation.value] = slot.amounts["variance"] = ZERO
    place, pool = (day, slot.source or 0), (slot.ledger.key, slot.pool or "")
    book.since[pool] = min(book.since.get(pool, place), place)


def _require_free(book: Book, sheet: Sheet) -> None:
    """Whatever came later and rests on this must be undone first."""
    for slot in sheet.slots:
        if not slot.method:
            continue
        table = slot.ledger.tables.entry
        other = table.alias()
        undone = select(other.c.id).where(other.c.reverses == table.c.id).exists()
        query = select(table.c.id).where(
            table.c.source == slot.entry,
            table.c.way.in_((RETURNED, ADDED)),
            table.c.reverses.is_(None),
            ~undone,
        )
        if connection().execute(query.limit(1)).first() is not None:
            text = M("A later document takes this back or adds to its value: undo that first.")
            raise Invalid([Problem("rested_on", "", text)])


def _undo_matches(book: Book, group: Group, sheet: Sheet) -> None:
    """Settlements of and by these entries are undone; each entry and its opposite settle one another."""
    opposite = {slot.reverses: slot for slot in group.sheet.slots}
    for ledger in {slot.ledger.key: slot.ledger for slot in sheet.slots}.values():
        mine = [slot for slot in sheet.slots if slot.ledger is ledger]
        released = _released(ledger, group)
        reserved = {slot.entry for slot in mine if slot.pending}
        rows = _hold_open(ledger, [*(slot.entry for slot in mine), *released])
        entries = [slot.entry for slot in mine if not slot.pending] + list(released)
        for entry, by, amount, day in list_matches(ledger, entries):
            if entry not in reserved:
                made = opposite.get(entry) or opposite.get(by)
                since = max(day, (made and made.day) or group.sheet.day)
                book.matches.append(Match(ledger, group, since, entry, by, -amount))
            if by in released:
                _reserve_again(group, ledger, released[by])
        for slot in mine:
            if slot.entry in rows:
                _settle_opposite(book, group, rows[slot.entry], opposite[slot.entry])


def _settle_opposite(book: Book, group: Group, row: Any, made: Slot) -> None:
    """An open entry and its opposite settle one another; of a reservation only what is left is given back."""
    ledger, left = made.ledger, row.left if row.pending else row.total
    if row.pending:
        first = next(iter(ledger.measures))
        made.amounts = {
            name: -left if name == first else rounded(amount * left / row.total, ledger.scale(name))
            for name, amount in made.amounts.items()
        }
    if left:
        day = made.day or group.sheet.day
        book.matches.append(Match(ledger, group, day, row.entry, made.entry, left))


def _released(ledger: LedgerSpec, group: Group) -> dict[int, Any]:
    table = ledger.tables.entry
    query = select(table).where(table.c.posted == group.reverses, table.c.way == RELEASED)
    return {row["id"]: row for row in connection().execute(query).mappings()}


def _hold_open(ledger: LedgerSpec, entries: Iterable[int]) -> dict[int, Any]:
    """The open items of some entries by entry, held with those that they settle or are settled by."""
    table, wanted = ledger.tables.open, set(entries)
    for entry, by, *_ in list_matches(ledger, wanted):
        wanted |= {entry, by}
    found = dict[int, Any]()
    for part in chunks(wanted):
        query = select(table).where(table.c.entry.in_(part)).order_by(table.c.entry).with_for_update()
        found |= {row.entry: row for row in connection().execute(query)}
    return found


def _reserve_again(group: Group, ledger: LedgerSpec, row: Mapping[str, Any]) -> None:
    dims = {key: row[dimension.column] for key, dimension in ledger.dimensions.items()}
    amounts = {name: -row[f"m_{name}"] for name in ledger.amounts}
    rule = replace(plain_rule(ledger.key), pending=True)
    made = Slot(rule, ledger, None, row["line"], dims, amounts, RENEWED)
    made.entry, made.reverses, made.day = clock.new_id(), row["id"], group.sheet.day
    group.sheet.slots.append(made)
