"""Changed values of written entries, and what follows from them: added up and written by the database.

It has the entries already, so replaying 100,000 of them makes no object of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from formloop.core import clock
from formloop.core.json_text import dumps
from formloop.db import connection, given
from formloop.ledgers import periods
from formloop.ledgers.engine import ADDED, OWN, REVALUED, REVERSED, Slot, plain_rule
from formloop.ledgers.linear import Linear
from formloop.ledgers.pools import valuation_of
from formloop.ledgers.replay import Change
from formloop.ledgers.spec import ZERO, Amounts, LedgerSpec, PostingSpec
from formloop.ledgers.tables import posted

Version = tuple[str, int]  # a posting and its version


@dataclass(slots=True, eq=False)
class Revaluation:
    """What changes of the entries of one ledger: `rows` names them, with their new entries and what is added."""

    ledger: LedgerSpec
    rows: FromClause
    count: int
    undoing: bool  # whether entries that undo others are among them
    known: date  # since when: no entry is earlier

    def list_versions(self) -> list[Version]:
        """The postings, in their versions, that made these entries."""
        head, query = posted.c, self._of_groups(posted.c.posting, posted.c.version)
        return [(row[0], row[1]) for row in connection().execute(query.order_by(head.posting, head.version))]

    def list_groups(self, versions: Iterable[Version]) -> list[Any]:
        """The groups of these entries that were made by some postings: id, date, and the group that each undoes."""
        chosen = tuple_(posted.c.posting, posted.c.version).in_(list(versions))
        query = self._of_groups(posted.c.id, posted.c.date, posted.c.reverses)
        return list(connection().execute(query.where(chosen)))

    def _of_groups(self, *columns: ColumnElement[Any]) -> Select[Any]:
        entry = self.ledger.tables.entry
        joined = self.rows.join(entry, entry.c.id == self.rows.c.entry)
        return select(*columns).distinct().select_from(joined.join(posted, posted.c.id == entry.c.posted))

    def sums(self) -> Iterator[Slot]:
        """What is added to each balance on each day; one by one where the ledger keeps open items."""
        ledger, entry, rows = self.ledger, self.ledger.tables.entry, self.rows.c
        alone = [rows.number, entry.c.line] if ledger.open else []
        by = [entry.c.date, *(entry.c[d.column] for d in ledger.dimensions.values()), *alone]
        query = (
            select(*by, *_sums(self.rows))
            .select_from(self.rows.join(entry, entry.c.id == rows.entry))
            .group_by(*by)
        )
        for row in connection().execute(query).mappings():
            slot = sum_slot(ledger, row, self.known)
            slot.amounts |= self.added(row)
            slot.apart, slot.late = True, slot.day != row["date"]
            if alone:
                slot.entry, slot.line = row["number"], row["line"]
            yield slot

    def added(self, row: Mapping[Any, Any]) -> Amounts:
        """What rows come to, by measure."""
        value = valuation_of(self.ledger).value
        return {value: row["value"], "variance": row["variance"]}

    def write(self, group: int) -> None:
        """Write one entry for each that changes, like it in everything but its amounts."""
        entry, rows = self.ledger.tables.entry, self.rows.c
        value = valuation_of(self.ledger).value
        like = ("line", "key", "pool", "method", *(d.column for d in self.ledger.dimensions.values()))
        columns: dict[str, Any] = {
            "id": rows.number,
            "posted": literal(group, BigInteger()),
            "rule": literal(plain_rule(self.ledger.key).index),
            "way": literal(REVALUED),
            "source": entry.c.id,
            "date": self._day(),
            "layers": rows.layers,
            f"m_{value}": rows.value,
            "m_variance": rows.variance,
            **{name: entry.c[name] for name in like},
        }
        query = select(*columns.values()).select_from(self.rows.join(entry, entry.c.id == rows.entry))
        connection().execute(insert(entry).from_select(list(columns), query))

    def _day(self) -> ColumnElement[Any]:
        """The day of an entry, or the first one after it that is open and on which this is known."""
        day, calendar = self.ledger.tables.entry.c.date, self.ledger.calendar
        closed = periods.hold({calendar})[calendar] if calendar else None
        first = self.known if closed is None else max(self.known, closed + timedelta(days=1))
        return case((day < first, literal(first, day.type)), else_=day)


def revaluations_of(
    ledgers: Mapping[str, LedgerSpec], changes: Iterable[Change], known: date
) -> list[Revaluation]:
    """The changes, by ledger, as the database reads them."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.node.pool[0], []).append(change)
    return [_handed(ledgers[key], mine, known) for key, mine in found.items()]


def _handed(ledger: LedgerSpec, changes: list[Change], known: date) -> Revaluation:
    entry, value = ledger.tables.entry, valuation_of(ledger).value
    kinds: dict[str, TypeEngine[Any]] = {
        "number": BigInteger(),
        "entry": BigInteger(),
        "value": entry.c[f"m_{value}"].type,
        "variance": entry.c.m_variance.type,
        "layers": Text(),
    }
    rows = [
        (
            number,
            each.node.entry,
            each.value,
            each.variance,
            dumps([[e.entry, str(e.quantity), str(e.value)] for e in each.layers]) if each.layers else None,
        )
        for each, number in zip(changes, clock.new_ids(len(changes)), strict=True)
    ]
    undoing = any(each.node.way == REVERSED for each in changes)
    return Revaluation(ledger, given(kinds, rows), len(rows), undoing, known)


def follow(
    of: Revaluation, ledger: LedgerSpec, linear: Mapping[Version, tuple[PostingSpec, Linear]]
) -> Iterator[tuple[Slot, Amounts]]:
    """What changes in a ledger since its entries are sums of these: the balances and days, and what is added."""
    yield from _follow(of, ledger, linear, undoing=False)
    if of.undoing:
        yield from _follow(of, ledger, linear, undoing=True)


def _follow(
    of: Revaluation,
    ledger: LedgerSpec,
    linear: Mapping[Version, tuple[PostingSpec, Linear]],
    undoing: bool,
) -> Iterator[tuple[Slot, Amounts]]:
    """What undoes an entry follows by the rule of that entry."""
    source, entry = of.ledger.tables.entry.alias(), ledger.tables.entry.alias()
    joined = (
        of.rows.join(source, source.c.id == of.rows.c.entry)
        .join(posted, posted.c.id == source.c.posted)
        .join(entry, entry.c.posted == source.c.posted)
    )
    by_rule, ruled = source, entry
    if undoing:
        by_rule, ruled = of.ledger.tables.entry.alias(), ledger.tables.entry.alias()
        joined = joined.join(by_rule, by_rule.c.id == source.c.reverses)
        joined = joined.join(ruled, ruled.c.id == entry.c.reverses)
    wanted = [
        and_(*_from(version, target, place, posting, by_rule, ruled))
        for version, (posting, weights) in linear.items()
        for target, place in _pairs(posting, weights, of.ledger, ledger)
    ]
    if not wanted:
        return
    marks = [posted.c.posting, posted.c.version, by_rule.c.rule.label("place"), ruled.c.rule.label("target")]
    by = [*marks, entry.c.date, *(entry.c[d.column] for d in ledger.dimensions.values())]
    query = (
        select(*by, *_sums(of.rows))
        .select_from(joined)
        .where(entry.c.way.in_((REVERSED,) if undoing else (*OWN, ADDED)), or_(*wanted))
        .group_by(*by)
    )
    for row in connection().execute(query).mappings():
        weights, added = linear[row["posting"], row["version"]][1][row["target"]], of.added(row)
        delta = {
            key: sum(
                (
                    weight * added.get(name, ZERO)
                    for (place, name), weight in parts.items()
                    if place == row["place"]
                ),
                ZERO,
            )
            for key, parts in weights.items()
        }
        yield sum_slot(ledger, row, of.known), delta


def _pairs(
    posting: PostingSpec, weights: Linear, of: LedgerSpec, ledger: LedgerSpec
) -> Iterator[tuple[int, int]]:
    """The rules that write into `ledger`, each with one that writes into `of` and whose amounts it adds."""
    home = {rule.index: rule.ledger for rule in posting.rules}
    for target, amounts in weights.items():
        places = {place for parts in amounts.values() for place, _ in parts}
        yield from (
            (target, place) for place in places if (home[target], home[place]) == (ledger.key, of.key)
        )


def _from(
    version: Version, target: int, place: int, posting: PostingSpec, source: FromClause, entry: FromClause
) -> Iterator[ColumnElement[bool]]:
    yield posted.c.posting == version[0]
    yield posted.c.version == version[1]
    yield source.c.rule == place
    yield entry.c.rule == target
    each = {rule.index: rule.each for rule in posting.rules}
    if each[place] is not None and each[place] == each[target]:
        yield entry.c.line == source.c.line


def _sums(rows: FromClause) -> list[ColumnElement[Decimal]]:
    return [func.sum(rows.c[name], type_=rows.c[name].type).label(name) for name in ("value", "variance")]


def sum_slot(ledger: LedgerSpec, row: Mapping[Any, Any], known: date) -> Slot:
    """An entry that adds to a balance what changes of earlier ones come to."""
    dims = {key: row[dimension.column] for key, dimension in ledger.dimensions.items()}
    slot = Slot(plain_rule(ledger.key), ledger, None, 0, dims, dict.fromkeys(ledger.amounts, ZERO), REVALUED)
    slot.day = periods.first_open(ledger.calendar, max(row["date"], known))
    return slot
