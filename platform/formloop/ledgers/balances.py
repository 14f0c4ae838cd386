"""The balance rows that a posting touches: locked in the order of their keys, moved, judged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, Table, bindparam, func, select, update

from formloop.core import clock
from formloop.core.errors import Conflict, Problem
from formloop.core.text import M, Message
from formloop.db import Prepared, among, connection, engine, handed, places_for, upserting
from formloop.ledgers.engine import Slot, pending_column
from formloop.ledgers.names import called
from formloop.ledgers.pools import CHUNK, Place
from formloop.ledgers.scopes import Scope
from formloop.ledgers.spec import ZERO, Dims, LedgerSpec, Never

Key = tuple[int, str]  # which set of dimensions, and its text


@dataclass(slots=True, eq=False)
class Row:
    """One balance as it was when it was locked, and what is added to it."""

    per: int
    dims: dict[str, Any]
    values: dict[str, Decimal]
    lifted: str = ""
    state: Any = None
    last: Place | None = None
    last_before: Place | None = None  # the last movement when it was locked
    highest: int = 0  # of the entries that it counts; new ones pass it by, so that ids tell who came first
    delta: dict[str, Decimal] = field(default_factory=dict)
    days: dict[date, dict[str, Decimal]] = field(default_factory=dict)  # what is added on which day
    places: list[str] = field(default_factory=list)  # where the record asked for it

    def after(self, column: str) -> Decimal:
        """A column with what is added."""
        return self.values.get(column, ZERO) + self.delta.get(column, ZERO)


class Balances:
    """The balance rows of one ledger in one posting."""

    def __init__(self, ledger: LedgerSpec) -> None:
        self.ledger = ledger
        self.rows: dict[str, Row] = {}

    def key(self, dims: Dims, number: int) -> str:
        """The key of a set of dimensions."""
        return self.ledger.key_of(dims, self.ledger.sets[number])

    def lock(self, all_dims: Iterable[Dims]) -> None:
        """Read and hold every row that entries over these dimensions move; missing ones are made."""
        wanted: dict[str, tuple[int, dict[str, Any]]] = {}
        for dims in all_dims:
            for number, names in enumerate(self.ledger.sets):
                key = self.key(dims, number)
                if key not in self.rows and key not in wanted:
                    wanted[key] = (number, {name: dims[name] for name in names})
        if not wanted:
            return
        there = self._read(sorted(wanted))
        missing = sorted(set(wanted) - there)
        if missing:
            table = self.ledger.tables.balance
            rows = []
            for key in missing:
                number, dims = wanted[key]
                every = {d.column: dims.get(d.key, d.empty) for d in self.ledger.dimensions.values()}
                rows.append({"key": key, "per": number, **every})
            connection().execute(upserting(table).on_conflict_do_nothing(), rows)
            self._read(missing)

    def lock_key(self, key: str) -> None:
        """Read and hold one row by its key."""
        if key not in self.rows:
            self._read([key])

    def _read(self, keys: list[str]) -> set[str]:
        table, found = self.ledger.tables.balance, set()
        for start in range(0, len(keys), CHUNK):
            part = keys[start : start + CHUNK]
            for row in _held(table, places_for(part)).dicts(connection(), handed("key", part)):
                found.add(row["key"])
                dims = {d.key: row[d.column] for d in self.ledger.dimensions.values()}
                values = {name: row[name] for name in row if name[:2] in ("m_", "r_", "e_")}
                last, highest = read_place(row["last"])
                clock.pass_by(highest)
                self.rows[row["key"]] = Row(
                    row["per"], dims, values, row["lifted"], row["state"], last, last, highest
                )
        return found

    def move(self, slot: Slot, entry: int, day: date, own: bool) -> None:
        """Add one entry to every balance that it is part of; `own` when it is a movement with a place of its own."""
        keys = [self.key(slot.dims, number) for number in range(len(self.ledger.sets))]
        if not all(key in self.rows for key in keys):
            self.lock([slot.dims])
        for row in (self.rows[key] for key in keys):
            row.highest = max(row.highest, entry)
            if not slot.pending:
                row.days.setdefault(day, {})  # also what comes to nothing was there in its month
            for name, amount in slot.amounts.items():
                if amount:
                    self._add(row, slot, name, amount, day)
            if slot.pending:
                row.places.append(slot.at)
                continue
            if own and (row.last is None or (day, entry) > row.last):
                row.last = (day, entry)
            row.places.append(slot.at)

    def _add(self, row: Row, slot: Slot, name: str, amount: Decimal, day: date) -> None:
        if slot.pending:
            column = pending_column(slot.way, name, amount)
            if column in row.values:
                row.delta[column] = row.delta.get(column, ZERO) + amount
            return
        column = f"m_{name}"
        row.delta[column] = row.delta.get(column, ZERO) + amount
        of_day = row.days[day]
        of_day[column] = of_day.get(column, ZERO) + amount

    def lift(self, scope: Scope, dims: Dims) -> None:
        """Note which limits do not hold for these dimensions."""
        for limit in self.ledger.never:
            if limit.unless is None:
                continue
            row = self.rows[self.ledger.key_of(dims, _per(self.ledger, limit))]
            names = [name for name in row.lifted.split(",") if name and name != limit.id]
            if scope.ask(limit.unless, dims) is True:
                names.append(limit.id)
            row.lifted = f",{','.join(names)}," if names else ""

    def check(self) -> list[Problem]:
        """The limits that would be broken: now, and at every later date of what is entered for an earlier one."""
        problems = []
        for limit in self.ledger.never:
            number = self.ledger.sets.index(_per(self.ledger, limit))
            reserved, total = f"r_{limit.measure}", f"m_{limit.measure}"
            for key, row in self.rows.items():
                if row.per != number or f",{limit.id}," in row.lifted:
                    continue
                change = row.delta.get(total, ZERO) + row.delta.get(reserved, ZERO)
                left = row.after(total) + row.after(reserved)
                found = self._lowest_later(total, key, row)
                if found is not None and found[1] < limit.below:
                    problems.append(self._problem(limit, row, found[1], found[0]))
                    continue
                if change < 0 and left < limit.below:
                    problems.append(self._problem(limit, row, left, None))
        return problems

    def _lowest_later(self, column: str, key: str, row: Row) -> tuple[date, Decimal] | None:
        """The lowest balance at the end of any day from the first on which less is there than was, with its day."""
        first = min((day for day, added in row.days.items() if added.get(column, ZERO) < 0), default=None)
        if first is None or row.last is None or row.last[0] <= first:
            return None
        entry = self.ledger.tables.entry
        same = [
            entry.c[self.ledger.dimensions[name].column] == row.dims[name]
            for name in self.ledger.sets[row.per]
        ]
        if row.per == 0:
            same = [entry.c.key == key]
        query = (
            select(entry.c.date, func.sum(entry.c[column], type_=entry.c[column].type))
            .where(*same, entry.c.pending.is_(False), entry.c.date > first)
            .group_by(entry.c.date)
        )
        moved: dict[date, Decimal] = {row[0]: row[1] for row in connection().execute(query)}
        for day, added in row.days.items():
            moved[day] = moved.get(day, ZERO) + added.get(column, ZERO)
        running, lowest = row.after(column), list[tuple[Decimal, date]]()
        for day in sorted((day for day in moved if day > first), reverse=True):
            lowest.append((running, day))
            running -= moved[day]
        amount, day = min([*lowest, (running, first)])
        return day, amount

    def _problem(self, limit: Never, row: Row, left: Decimal, day: date | None) -> Problem:
        what = called(self.ledger, {name: row.dims[name] for name in self.ledger.sets[row.per]})
        if "says" in limit.document:
            said: Message = Said(limit.document)
            text = M("{said} ({what}: {amount})", said=said, what=what, amount=shown(left))
        elif day is None:
            text = M("Not enough of {what}: {amount} would be left.", what=what, amount=shown(left))
        else:
            text = M(
                "Not enough of {what}: on {day} {amount} would be left.",
                what=what,
                day=day.isoformat(),
                amount=shown(left),
            )
        at = next((p for p in row.places if p), "")
        return Problem(f"never:{limit.id}", at, text, tells=(self.ledger.resource,))

    def write(self) -> None:
        """Move the rows, in the order of their keys, and their turnover."""
        table, turnover = self.ledger.tables.balance, self.ledger.tables.turnover
        columns = tuple(sorted({name for row in self.rows.values() for name, by in row.delta.items() if by}))
        moved = [
            {
                "of": key,
                "lifted": row.lifted,
                "state": row.state,
                "last": None
                if row.last is None
                else f"{row.last[0].isoformat()} {row.last[1]} {row.highest}",
                **{f"by_{name}": row.delta.get(name, ZERO) for name in columns},
            }
            for key, row in sorted(self.rows.items())
        ]
        if not moved:
            return
        if _moving(table, columns).run(connection(), moved) not in (len(moved), -1):
            raise Conflict
        months = [
            {
                "key": key,
                "month": month,
                **{c.name: sums.get(c.name, ZERO) for c in turnover.c if c.name[:2] == "m_"},
            }
            for key, row in sorted(self.rows.items())
            for month, sums in _by_month(row.days).items()
        ]
        if months:
            _adding(turnover, engine()).run(connection(), months)


@lru_cache(maxsize=500)
def _held(table: Table, places: int) -> Prepared:
    """The rows with some keys, held in the order of their keys; prepared once, as are the next two."""
    these = select(table).where(among(table.c.key, "key", places))
    return Prepared(these.order_by(table.c.key).with_for_update())


@lru_cache(maxsize=500)
def _moving(table: Table, columns: tuple[str, ...]) -> Prepared:
    """The change of one row: what is added to some of its amounts, and what is remembered."""
    sums = [table.c[name] for name in columns]
    values: dict[Any, Any] = {c: c + bindparam(f"by_{c.name}", type_=c.type) for c in sums}
    values |= {table.c[n]: bindparam(n, type_=table.c[n].type) for n in ("lifted", "state", "last")}
    return Prepared(update(table).where(table.c.key == bindparam("of")).values(values))


@lru_cache(maxsize=500)
def _adding(turnover: Table, _of: Engine) -> Prepared:
    """The turnover of a month, made or added to."""
    new = upserting(turnover)
    added = {c.name: c + new.excluded[c.name] for c in turnover.c if c.name[:2] == "m_"}
    return Prepared(new.on_conflict_do_update(index_elements=["key", "month"], set_=added), turnover.c.keys())


class Said(Message):
    """What a limit says, with its translation."""

    __slots__ = ("document",)

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__(str(document["says"]))
        object.__setattr__(self, "document", document)

    def render(self, locale: str = "en") -> str:
        """The text in `locale`."""
        document: Mapping[str, Any] = object.__getattribute__(self, "document")
        return str(document.get("x-says", {}).get(locale) or self.msgid)


def _by_month(days: Mapping[date, Mapping[str, Decimal]]) -> dict[str, dict[str, Decimal]]:
    found: dict[str, dict[str, Decimal]] = {}
    for day, sums in days.items():
        month = found.setdefault(day.isoformat()[:7], {})
        for name, amount in sums.items():
            month[name] = month.get(name, ZERO) + amount
    return found


def _per(ledger: LedgerSpec, limit: Never) -> tuple[str, ...]:
    return tuple(key for key in ledger.dimensions if key in limit.per)


def read_place(text: str | None) -> tuple[Place | None, int]:
    """What a balance remembers: the place of its last movement, and the highest of its entries."""
    if not text:
        return None, 0
    day, entry, *highest = text.split(" ")  # older rows do not say the highest
    return (date.fromisoformat(day), int(entry)), int(highest[0] if highest else entry)


def shown(value: Decimal) -> str:
    """A number without needless zeros."""
    text = format(value, ",f")
    return text.rstrip("0").rstrip(".") if "." in text else text
