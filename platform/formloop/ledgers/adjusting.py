"""What a changed value changes elsewhere: the entries of earlier groups, calculated again by their own posting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
from formloop.ledgers import periods, posting_kind
from formloop.ledgers.engine import ADDED, OWN, REVALUED, Sheet, Slot, plain_rule
from formloop.ledgers.groups import Group
from formloop.ledgers.linear import Weights, find_linear
from formloop.ledgers.pools import Node, chunks, nets
from formloop.ledgers.replay import Change, Replay
from formloop.ledgers.spec import ZERO, LedgerSpec, PostingSpec
from formloop.ledgers.tables import posted

if TYPE_CHECKING:
    from formloop.ledgers.book import Book


@dataclass(slots=True, eq=False)
class Earlier:
    """Groups that were written before, as sheets that can be calculated again."""

    book: Book
    sheets: dict[int, Sheet] = field(default_factory=dict)

    def recalculate(self, node: Node, changes: Mapping[int, Change]) -> Decimal:
        """By how much the value that a posting gives an entry differs, with what has changed in its group so far."""
        self.load([node.posted])
        sheet = self.sheets[node.posted]
        slot = next(each for each in sheet.slots if each.entry == node.entry)
        if not slot.rule.dependent:
            return ZERO
        before = _given(sheet, slot)
        with _Changed(sheet, changes):
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
            found = nets(ledger, [slot.entry for slot in valued], (REVALUED,))
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

    def __init__(self, sheet: Sheet, changes: Mapping[int, Change]) -> None:
        self.sheet, self.changes = sheet, changes
        self.before: list[tuple[Slot, dict[str, Decimal]]] = []

    def __enter__(self) -> None:
        for slot in self.sheet.slots:
            change, valuation = self.changes.get(slot.entry), slot.ledger.valuation
            if change is not None and valuation is not None:
                self.before.append((slot, dict(slot.amounts)))
                slot.amounts[valuation.value] += change.value
                slot.amounts["variance"] += change.variance

    def __exit__(self, *_: object) -> None:
        for slot, amounts in self.before:
            slot.amounts.update(amounts)


def _given(sheet: Sheet, slot: Slot) -> Decimal:
    sheet.fill(slot)
    return slot.given or ZERO


def amounts_now(sheet: Sheet, changes: Mapping[int, Change] | None = None) -> list[dict[str, Decimal]]:
    """The amounts of each entry of an earlier group as its posting gives them with the values of today."""
    with _Changed(sheet, changes or {}):
        for slot in sheet.slots:
            if slot.rule.dependent and not slot.method:
                sheet.fill(slot)
                sheet.fill_shares(slot.rule, dependent=True)
        return [dict(slot.amounts) for slot in sheet.slots]


def groups_of(book: Book, replay: Replay) -> list[Group]:
    """The group that brings earlier entries to what they are worth now; none when nothing has changed."""
    changes = {
        entry: each for entry, each in replay.changes.items() if each.value or each.variance or each.layers
    }
    if not changes:
        return []
    earlier, heads = Earlier(book), _heads({each.node.posted for each in changes.values()})
    cause = book.groups[0] if book.groups else None
    day = cause.sheet.day if cause else clock.today()
    posting = cause.sheet.posting if cause else next(iter(heads.values()))
    sheet = Sheet(posting, {}, book.context, day)
    sums: dict[tuple[str, date, str], Slot] = {}
    others = _follow_sums(book, sheet, sums, changes, heads)
    earlier.load(others)
    for group in others:
        own = earlier.sheets[group]
        before, after = amounts_now(own), amounts_now(own, changes)
        for slot, old, new in zip(own.slots, before, after, strict=True):
            delta = {name: new[name] - old[name] for name in new}
            change = changes.get(slot.entry)
            if any(delta.values()) or change is not None:
                _collect(sheet, sums, slot, delta, change)
    for slot in sums.values():
        if any(slot.amounts.values()):
            sheet.slots.append(slot)
    number = clock.new_id()
    because = cause.id if cause else None
    for slot, entry in zip(sheet.slots, clock.new_ids(len(sheet.slots)), strict=True):
        slot.entry = entry
    form, record = (cause.form, cause.record) if cause else ("", 0)
    made = Group(sheet, f"revalue:{because or number}", "revalue", form, record, because=because, id=number)
    return [made] if sheet.slots else []


def _heads(groups: Iterable[int]) -> dict[int, PostingSpec]:
    """The postings, in their versions, by which groups were made."""
    found, known = dict[int, PostingSpec](), dict[tuple[str, int], PostingSpec]()
    for part in chunks(groups):
        query = select(posted.c.id, posted.c.posting, posted.c.version).where(posted.c.id.in_(part))
        for group, key, version in connection().execute(query):
            if (key, version) not in known:
                known[key, version] = find_version(key, version)
            found[group] = known[key, version]
    return found


def _follow_sums(
    book: Book,
    sheet: Sheet,
    sums: dict[tuple[str, date, str], Slot],
    changes: Mapping[int, Change],
    heads: Mapping[int, PostingSpec],
) -> list[int]:
    """Follow changes through groups whose amounts are only sums of others; returns the groups that are not so."""
    linear = {posting: find_linear(posting, book.ledgers) for posting in set(heads.values())}
    moved: dict[tuple[int, int], list[tuple[int, Change]]] = {}
    mine = [group for group, posting in heads.items() if linear[posting] is not None]
    rows = [(ledger, row) for ledger in book.ledgers.values() for row in _rows_of(ledger, mine)]
    for _, row in rows:
        if (change := changes.get(row["id"])) is not None:
            moved.setdefault((row["posted"], row["rule"]), []).append((row["line"], change))
    for ledger, row in rows:
        posting, change = heads[row["posted"]], changes.get(row["id"])
        weights = (linear[posting] or {}).get(row["rule"])
        delta = dict.fromkeys(ledger.amounts, ZERO)
        if change is not None and ledger.valuation is not None:
            delta[ledger.valuation.value], delta["variance"] = change.value, change.variance
        for key, parts in (weights or {}).items():
            delta[key] += _summed(parts, posting, row, moved)
        if change is not None or any(delta.values()):
            _collect(sheet, sums, _as_slot(ledger, row), delta, change)
    return [group for group, posting in heads.items() if linear[posting] is None]


def _rows_of(ledger: LedgerSpec, groups: list[int]) -> Iterator[Mapping[Any, Any]]:
    table = ledger.tables.entry
    names = ("id", "posted", "rule", "line", "date", "pool", "method")
    columns = [table.c[n] for n in (*names, *(d.column for d in ledger.dimensions.values()))]
    for part in chunks(groups):
        query = select(*columns).where(table.c.posted.in_(part), table.c.way.in_((*OWN, ADDED)))
        yield from connection().execute(query.order_by(table.c.id)).mappings()


def _as_slot(ledger: LedgerSpec, row: Mapping[Any, Any]) -> Slot:
    dims = {key: row[dimension.column] for key, dimension in ledger.dimensions.items()}
    slot = Slot(plain_rule(ledger.key), ledger, None, row["line"], dims, {})
    slot.pool, slot.method, slot.entry, slot.day = row["pool"], row["method"], row["id"], row["date"]
    return slot


def _summed(
    parts: Weights,
    posting: PostingSpec,
    row: Mapping[Any, Any],
    moved: Mapping[tuple[int, int], list[tuple[int, Change]]],
) -> Decimal:
    total, rules = ZERO, {each.index: each for each in posting.rules}
    rule = rules[row["rule"]]
    for (index, measure), weight in parts.items():
        for line, change in moved.get((row["posted"], index), ()):
            other = rules[index]
            if other.each is None or other.each != rule.each or line == row["line"]:
                total += weight * (change.variance if measure == "variance" else change.value)
    return total


def _collect(
    sheet: Sheet,
    sums: dict[tuple[str, date, str], Slot],
    slot: Slot,
    delta: dict[str, Decimal],
    change: Change | None,
) -> None:
    """A valued entry is changed by one of its own; what follows from it is summed up for each day."""
    ledger = slot.ledger
    day = periods.first_open(ledger.calendar, slot.day or sheet.day)
    if change is not None:
        made = Slot(plain_rule(ledger.key), ledger, None, slot.line, slot.dims, delta, REVALUED)
        made.pool, made.method, made.source, made.day = slot.pool, slot.method, slot.entry, day
        made.layers = change.layers
        sheet.slots.append(made)
        return
    mark = (ledger.key, day, ledger.key_of(slot.dims))
    if mark not in sums:
        sums[mark] = Slot(
            plain_rule(ledger.key), ledger, None, 0, slot.dims, dict.fromkeys(delta, ZERO), REVALUED
        )
        sums[mark].day = day
    for name, amount in delta.items():
        sums[mark].amounts[name] += amount
