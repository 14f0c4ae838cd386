"""Which entries rest on the balance before them, and what that was: kept beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, insert, select, update

from formloop.core.expression import Expression
from formloop.db import connection
from formloop.ledgers.engine import Slot
from formloop.ledgers.groups import Group
from formloop.ledgers.pools import Place
from formloop.ledgers.spec import ZERO, Amounts, EntryRule, LedgerSpec
from formloop.ledgers.tables import posted, resting

if TYPE_CHECKING:
    from formloop.ledgers.book import Book

FIRST, LAST = 0, 2**63  # before and after all others of its day


class Moved(NamedTuple):
    """An amount by which a balance moves."""

    place: Place  # where it counts
    group: int
    key: str  # the finest balance that it is part of
    amounts: Amounts
    valued_again: bool = False  # the sum of what changes of movements of one day
    after: Place = (date.min, FIRST)  # what rests on the balance up to here has seen it already


Moves = dict[tuple[str, str], list[Moved]]  # by ledger and key


@dataclass(slots=True, eq=False)
class Rest:
    """One entry, as it rests on a balance: of an earlier group, or of a new one, which has its slot here."""

    ledger: str
    key: str
    place: Place  # day and group
    rule: int
    line: int
    head: Any  # what is known of its group
    before: Mapping[str, Decimal]
    now: dict[str, Decimal] = field(default_factory=dict)  # what is before it with all that has changed
    new: tuple[Group, Slot] | None = None
    stays: bool = False  # what is before it must stay as it was
    own: str = ""  # the finest balance, where the key is that of the pool whose value it asks
    value: str = ""

    def note_own(self, slot: Slot) -> None:
        """Where it asks for the value of a pool: of whatever else lies in that, it sees the value only."""
        valuation = slot.ledger.valuation
        if valuation is not None and slot.rule.per is None and asks_value(slot.ledger, slot.rule):
            self.own, self.value = slot.ledger.key_of(slot.dims), valuation.value

    def sees(self, moved: Moved) -> bool:
        """Whether it is before this; what stays as it was rests on what came later on its day, too."""
        until = (self.place[0], LAST) if self.stays else self.place
        return moved.place < until and self.place[1] not in (moved.group, moved.place[1])

    def add(self, moved: Moved) -> None:
        """Count it in."""
        for name in self.now:
            if self.own in ("", moved.key) or name == self.value:
                self.now[name] += moved.amounts.get(name, ZERO)


def measures_read(rule: EntryRule) -> frozenset[str]:
    """Which measures of the balance before it a rule rests on; what is open is a matter of its own."""
    asking = [each for each in rule.measures.values() if isinstance(each, Expression)]
    if rule.stays and rule.check is not None:
        asking.append(rule.check)
    read = {path[1] for written in asking for path in written.reads if path[0] == "before" and len(path) > 1}
    return frozenset() if "open" in read else frozenset(read)


def key_of(ledger: LedgerSpec, rule: EntryRule, dims: Mapping[str, Any]) -> str:
    """The balance that is looked at."""
    return ledger.key_of(dims, set_of(ledger, rule))


def set_of(ledger: LedgerSpec, rule: EntryRule) -> tuple[str, ...]:
    """The dimensions of the balance that is looked at: of the pool where its value is asked, which is kept for that."""
    if rule.per is None and ledger.valuation is not None and asks_value(ledger, rule):
        return ledger.valuation.per
    return rule.per or ledger.sets[0]


def asks_value(ledger: LedgerSpec, rule: EntryRule) -> bool:
    """Whether it rests on a value, which is known only when everything is valued."""
    return ledger.valuation is not None and ledger.valuation.value in measures_read(rule)


def write(book: Book) -> None:
    """Keep what the new entries rest on."""
    kept = []
    for group, slot, before in book.resting:
        read, day = measures_read(slot.rule), book.day_of(group, slot)
        key = key_of(slot.ledger, slot.rule, slot.dims)
        row = book.balances[slot.ledger.key].rows[key]
        place = (day, LAST if slot.rule.stays else group.id)
        row.last = max(row.last or place, place)  # also where it found what was there, and enters nothing
        kept.append(
            {
                "posted": group.id,
                "rule": slot.rule.index,
                "line": slot.line,
                "ledger": slot.ledger.key,
                "key": key,
                "date": day,
                "before": _texts({name: before[name] for name in read}),
            }
        )
    if kept:
        connection().execute(insert(resting), kept)


def list_resting(*conditions: ColumnElement[bool]) -> list[Rest]:
    """The entries of groups that are not undone which rest on a balance."""
    other = posted.alias()
    undone = select(other.c.id).where(other.c.reverses == posted.c.id).exists()
    columns = (posted.c.posting, posted.c.version, posted.c.form, posted.c.record)
    query = (
        select(resting, *columns).join(posted, posted.c.id == resting.c.posted).where(~undone, *conditions)
    )
    return [
        Rest(
            row.ledger, row.key, (row.date, row.posted), row.rule, row.line, row,
            {name: Decimal(text) for name, text in row.before.items()},
        )
        for row in connection().execute(query)
    ]  # fmt: skip


def keep_changed(rests: list[Rest]) -> None:
    if rests:
        own = [resting.c[name] == bindparam(f"of_{name}") for name in ("posted", "rule", "line")]
        connection().execute(
            update(resting).where(*own).values(before=bindparam("now")),
            [
                {
                    "of_posted": each.place[1],
                    "of_rule": each.rule,
                    "of_line": each.line,
                    "now": _texts(each.now),
                }
                for each in rests
            ],
        )


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: str(amount) for name, amount in sorted(amounts.items())}
