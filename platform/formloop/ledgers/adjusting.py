"""What a changed value changes elsewhere: the entries of earlier groups, calculated again by their own posting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from formloop.core import clock
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import connection
from formloop.definitions import library
from formloop.definitions.tables import definition
from formloop.forms.fields.datetime import site_zone
from formloop.ledgers import periods, posting_kind
from formloop.ledgers.engine import ADDED, OWN, REVALUED, REVERSED, Sheet, Slot, plain_rule
from formloop.ledgers.groups import Group
from formloop.ledgers.linear import find_linear
from formloop.ledgers.pools import Node, chunks, nets
from formloop.ledgers.replay import Change, Replay
from formloop.ledgers.revaluing import Revaluation, Version, follow, revaluations_of
from formloop.ledgers.spec import ZERO, Amounts, LedgerSpec, PostingSpec
from formloop.ledgers.tables import posted

if TYPE_CHECKING:
    from formloop.ledgers.book import Book


@dataclass(slots=True, eq=False)
class Earlier:
    """Groups that were written before, as sheets that can be calculated again."""

    book: Book
    until: date = date.max  # what became known of their values later is left out
    sheets: dict[int, Sheet] = field(default_factory=dict)

    def recalculate(self, node: Node, changes: Mapping[int, Change]) -> Decimal:
        """By how much the value that a posting gives an entry differs, with what has changed in its group so far."""
        self.load([node.posted])
        sheet = self.sheets[node.posted]
        slot = next(each for each in sheet.slots if each.entry == node.entry)
        if not slot.rule.dependent:
            return ZERO
        before = _given(sheet, slot)
        with _Changed(sheet, _added(sheet, changes)):
            return _given(sheet, slot) - before

    def load(self, groups: Iterable[int]) -> None:
        """Read groups that are not here yet."""
        missing = set(groups) - set(self.sheets)
        for part in chunks(missing):
            for head in connection().execute(select(posted).where(posted.c.id.in_(part))):
                posting = find_version(head.posting, head.version)
                said = _numbers(head.inputs or {})
                env = said.get("record") or {}
                sheet = Sheet(posting, env, self.book.context, head.date, settings=said.get("settings") or {})
                self.sheets[head.id] = sheet
        for ledger in self.book.ledgers.values():
            self._load_entries(ledger, missing)

    def _load_entries(self, ledger: LedgerSpec, groups: set[int]) -> None:
        table, valued = ledger.tables.entry, list[Slot]()
        for part in chunks(groups):
            query = (
                select(table)
                .where(table.c.posted.in_(part), table.c.way.in_((*OWN, ADDED)))
                .order_by(table.c.id)
            )
            for row in connection().execute(query).mappings():
                sheet = self.sheets[row["posted"]]
                slot = _slot(sheet, ledger, row)
                if slot.method:
                    valued.append(slot)
                sheet.slots.append(slot)
        if valued and ledger.valuation:
            found = nets(ledger, [slot.entry for slot in valued], (REVALUED,), self.until)
            for slot in valued:
                _, value, variance = found[slot.entry]
                slot.amounts[ledger.valuation.value], slot.amounts["variance"] = value, variance
        for group in groups:
            _in_order(self.sheets[group])


def _slot(sheet: Sheet, ledger: LedgerSpec, row: Mapping[Any, Any]) -> Slot:
    rule = next((each for each in sheet.posting.rules if each.index == row["rule"]), None)
    if rule is None:
        text = M(
            "Version {version} of “{posting}” no longer fits.",
            version=sheet.posting.version,
            posting=sheet.posting.title,
        )
        raise Invalid([Problem("posting_version", "", text)])
    lines = sheet.env.get(rule.each) if rule.each else None
    places = [place for place, line in enumerate(lines or ()) if line.get("id") == row["line"]]
    place = None if rule.each is None else (places or [row["line"]])[0]
    dims = {key: row[dimension.column] for key, dimension in ledger.dimensions.items()}
    slot = Slot(
        rule,
        ledger,
        place,
        row["line"],
        dims,
        {name: row[f"m_{name}"] for name in ledger.amounts},
        row["way"],
    )
    slot.entry, slot.pool, slot.method, slot.day = row["id"], row["pool"], row["method"], row["date"]
    slot.source, slot.due = row["source"], row["due"]
    return slot


def _in_order(sheet: Sheet) -> None:
    slots = sorted(sheet.slots, key=lambda each: (each.rule.index, each.entry))
    sheet.slots.clear()
    for slot in slots:
        sheet.add(slot)


def find_version(key: str, version: int) -> PostingSpec:
    """The posting by which a group was made, also when it has been taken out of use."""
    try:
        found = library.at_version("posting", key, version)
    except NotFound:
        found = _find_archived(key, version)
    if not isinstance(found, PostingSpec):
        raise Invalid([Problem("posting_version", "", M("There is no posting “{key}” any more.", key=key))])
    return found


def _find_archived(key: str, version: int) -> PostingSpec | None:
    query = select(definition.c.id).where(definition.c.kind == "posting", definition.c.key == key)
    found = connection().execute(query).scalar()
    return posting_kind.prepare(library.read_version(found, version), version) if found else None


def _numbers(value: Any) -> Any:
    """Numbers as expressions want them."""
    if isinstance(value, dict):
        return {key: each if key == "id" else _numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


class _Changed:
    """A sheet with the changes of its valued entries, taken back at the end."""

    def __init__(self, sheet: Sheet, added: Mapping[int, Amounts]) -> None:
        self.sheet, self.added = sheet, added
        self.before: list[tuple[Slot, dict[str, Decimal]]] = []

    def __enter__(self) -> None:
        for slot in self.sheet.slots:
            if slot.entry in self.added and slot.ledger.valuation is not None:
                self.before.append((slot, dict(slot.amounts)))
                for name, amount in self.added[slot.entry].items():
                    slot.amounts[name] += amount

    def __exit__(self, *_: object) -> None:
        for slot, amounts in self.before:
            slot.amounts.update(amounts)


def _given(sheet: Sheet, slot: Slot) -> Decimal:
    sheet.fill(slot)
    return slot.given or ZERO


def amounts_now(sheet: Sheet, changes: Mapping[int, Change] | None = None) -> list[dict[str, Decimal]]:
    """The amounts of each entry of an earlier group as its posting gives them with the values of today."""
    return amounts_with(sheet, _added(sheet, changes or {}))


def amounts_with(sheet: Sheet, added: Mapping[int, Amounts]) -> list[dict[str, Decimal]]:
    """The same with what is added to some of its entries."""
    with _Changed(sheet, added):
        for slot in sheet.slots:
            if slot.rule.dependent and not slot.method:
                sheet.fill(slot)
                sheet.fill_shares(slot.rule, dependent=True)
        return [dict(slot.amounts) for slot in sheet.slots]


def _added(sheet: Sheet, changes: Mapping[int, Change]) -> dict[int, Amounts]:
    return {
        slot.entry: {slot.ledger.valuation.value: change.value, "variance": change.variance}
        for slot in sheet.slots
        if slot.ledger.valuation is not None and (change := changes.get(slot.entry)) is not None
    }


def groups_of(book: Book, replay: Replay) -> list[Group]:
    """The group that brings earlier entries to what they are worth now; none when nothing has changed."""
    changes = {
        entry: each for entry, each in replay.changes.items() if each.value or each.variance or each.layers
    }
    if not changes:
        return []
    cause = book.groups[0] if book.groups else book.cause
    made = revaluations_of(book.ledgers, changes.values(), book.known)
    postings = {version: find_version(*version) for each in made for version in each.list_versions()}
    posting = cause.sheet.posting if cause else next(iter(postings.values()))
    sheet = Sheet(posting, {}, book.context, cause.sheet.day if cause else clock.today(site_zone()))
    for each in made:
        sheet.slots += each.sums()
    sheet.slots += _followers(book, made, postings, changes)
    for slot, entry in zip(sheet.slots, clock.new_ids(len(sheet.slots)), strict=True):
        slot.entry = slot.entry or entry
    number, because = clock.new_id(), cause.id if cause else None
    form, record = (cause.form, cause.record) if cause else ("", 0)
    group = Group(sheet, f"revalue:{number}", "revalue", form, record, because=because, id=number)
    group.revaluations = tuple(made)
    return [group]


def _followers(
    book: Book,
    made: Sequence[Revaluation],
    postings: Mapping[Version, PostingSpec],
    changes: Mapping[int, Change],
) -> list[Slot]:
    """What the changes make of entries that follow from others, added up for each balance and day."""
    linear, others, sums = {}, list[Version](), Sums()
    for version, posting in postings.items():
        weights = find_linear(posting, book.ledgers)
        if weights is None:
            others.append(version)
        else:
            linear[version] = (posting, weights)
    for each in made:
        for ledger in book.ledgers.values():
            for slot, delta in follow(each, ledger, linear):
                sums.add(slot, delta)
    if others:
        _add_calculated(book, made, others, changes, sums)
    return [slot for slot in sums.slots.values() if any(slot.amounts.values())]


def _add_calculated(
    book: Book,
    made: Sequence[Revaluation],
    versions: list[Version],
    changes: Mapping[int, Change],
    sums: Sums,
) -> None:
    """Add what postings give that must calculate again; what undoes a group follows that, the other way round."""
    earlier, heads = Earlier(book, book.until), {head for each in made for head in each.list_groups(versions)}
    undoing = {
        each.node.source or 0: _opposite(each) for each in changes.values() if each.node.way == REVERSED
    }
    earlier.load(head.reverses or head.id for head in heads)
    for head in heads:
        own = earlier.sheets[head.reverses or head.id]
        seen, sign = (undoing, -1) if head.reverses else (changes, 1)
        for slot, old, new in zip(own.slots, amounts_now(own), amounts_now(own, seen), strict=True):
            if slot.entry not in seen:
                day = head.date if head.reverses else slot.day or head.date
                sums.add(
                    _like(slot, max(day, book.known)), {name: sign * (new[name] - old[name]) for name in new}
                )


def _opposite(change: Change) -> Change:
    return Change(change.node, -change.value, -change.variance)


def _like(slot: Slot, day: date) -> Slot:
    ledger = slot.ledger
    made = Slot(
        plain_rule(ledger.key), ledger, None, 0, slot.dims, dict.fromkeys(ledger.amounts, ZERO), REVALUED
    )
    made.day = periods.first_open(ledger.calendar, day)
    return made


@dataclass(slots=True, eq=False)
class Sums:
    """Entries that add to balances, one for each balance and day."""

    slots: dict[tuple[str, date | None, str], Slot] = field(default_factory=dict)

    def add(self, slot: Slot, delta: Amounts) -> None:
        """Add to the entry of the balance and the day of `slot`."""
        amounts = self.slots.setdefault(
            (slot.ledger.key, slot.day, slot.ledger.key_of(slot.dims)), slot
        ).amounts
        for name, amount in delta.items():
            amounts[name] += amount
