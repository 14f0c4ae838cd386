"""Writing groups of entries: everything of one call is valued, judged and written together, or nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import Context
from formloop.core.text import M
from formloop.ledgers import (
    adjusting,
    balancing,
    before,
    expiring,
    knowing,
    matching,
    origins,
    periods,
    resting,
    resting_kept,
    reversing,
    writing,
)
from formloop.ledgers.balances import Balances
from formloop.ledgers.engine import (
    ADDED,
    CARRIED,
    FREE,
    GIVEN,
    OWN,
    PLAIN,
    RETURNED,
    REVALUED,
    Sheet,
    Slot,
)
from formloop.ledgers.groups import Group
from formloop.ledgers.names import is_empty
from formloop.ledgers.pools import Node, Place, Pool, list_returning
from formloop.ledgers.replay import Addition, Replay
from formloop.ledgers.scopes import Scope
from formloop.ledgers.spec import ZERO, LedgerSpec
from formloop.ledgers.valuations import METHODS, Stock


@dataclass(slots=True, eq=False)
class Book:
    """One call: the groups, the ledgers they move in, and what is known of these."""

    actor: Actor
    context: Context
    ledgers: Mapping[str, LedgerSpec]
    groups: list[Group]
    undone: list[Any] = field(default_factory=list)  # heads of the groups that are undone
    undoes: Mapping[int, Sheet] = field(default_factory=dict)  # what they have entered
    gone: set[int] = field(default_factory=set)
    since: dict[tuple[str, str], Place] = field(default_factory=dict)  # pools to be valued again
    balances: dict[str, Balances] = field(default_factory=dict)
    scopes: dict[str, Scope] = field(default_factory=dict)
    waiting: dict[matching.Waiting, list[Any]] = field(
        default_factory=dict
    )  # open items that are settled, held
    homes: dict[int, Group] = field(default_factory=dict)  # the group of each new entry
    matches: list[matching.Match] = field(default_factory=list)
    resting: list[tuple[Group, Slot, Mapping[str, Decimal]]] = field(default_factory=list)
    doubted: set[int] = field(
        default_factory=set
    )  # groups whose balance must stay as it was, and has changed
    unseen: resting_kept.Moves = field(default_factory=dict)  # what those that rest later have not seen yet
    cause: Group | None = None  # of what is valued again, where that is not in here
    stirred: set[int] = field(default_factory=set)  # entries that changed in the books before this one
    back: dict[int, Place] = field(
        default_factory=dict
    )  # of what more or less is taken back now, from where on
    known: date = date.min  # since when: what is valued again because of this is no earlier
    until: date = date.max  # what became known of values later is left to the books that follow

    def post(self) -> list[Book]:
        """Write everything as it was known on its day, then what became known of it on each later one; returns the books."""
        books, following = [self], self._post()
        while following is not None:
            books.append(following)
            following = following._post()
        return books

    def _post(self) -> Book | None:
        """Value, judge and write everything; returns the book of what became known next.

        Rows are held in this order: calendars, groups that are gone back to, balances, open items. What is judged or
        calculated from is read only when it is held.
        """
        self._check_dates()
        self._prepare()
        self._lock()
        reversing.reverse(self)
        matching.hold(self)
        before.fill(self)
        self._take_in(resting.corrections(self))
        self._drop_nothing()
        replay = self._value()
        self._complete()
        self.groups += adjusting.groups_of(self, replay)
        self._move()
        expiring.free(self)
        matching.settle(self)
        problems = [p for each in self.balances.values() for p in each.check()]
        if problems:
            raise Invalid(problems)
        self._require_balanced()
        self._remember(replay)
        self.write()
        more, unseen = resting.corrections_valued(self, replay.changes)
        if more:
            Book(self.actor, self.context, self.ledgers, more, doubted=self.doubted, unseen=unseen).post()
        return self._next(replay)

    def _next(self, replay: Replay) -> Book | None:
        if self.until == date.max:
            return None
        cause, known = self.groups[0] if self.groups else self.cause, self.until + timedelta(days=1)
        since = dict.fromkeys(replay.stocks, (known, 0))
        stirred = replay.stirred | {*replay.changes, *replay.added}
        return Book(
            self.actor, self.context, self.ledgers, [],
            since=since, doubted=self.doubted, cause=cause, known=known, stirred=stirred,
        )  # fmt: skip

    def _take_in(self, more: list[Group]) -> None:
        """Groups that come in when the others are prepared and held already."""
        if more:
            own, self.groups = self.groups, more
            self._check_dates()
            self._prepare()
            self._lock()
            self.groups = own + more

    def slots(self) -> Iterator[tuple[Group, Slot]]:
        """Every entry with its group."""
        for group in self.groups:
            for slot in group.sheet.slots:
                yield group, slot

    def day_of(self, group: Group, slot: Slot) -> date:
        """The posting date of an entry."""
        return slot.day or group.sheet.day

    def scope(self, ledger: LedgerSpec) -> Scope:
        """What the expressions of a ledger see of the entries of this call."""
        if ledger.key not in self.scopes:
            dims = [slot.dims for _, slot in self.slots() if slot.ledger is ledger]
            self.scopes[ledger.key] = Scope(ledger, dims, self.context)
        return self.scopes[ledger.key]

    def _check_dates(self) -> None:
        held = periods.hold({each.calendar for each in self.ledgers.values() if each.calendar})
        for group, slot in self.slots():
            closed = held.get(slot.ledger.calendar)
            day = self.day_of(group, slot)
            if closed is not None and day <= closed:
                text = M(
                    "{day} is closed in “{ledger}”; everything through {closed} is.",
                    day=day.isoformat(),
                    ledger=slot.ledger.title,
                    closed=closed.isoformat(),
                )
                raise Invalid([Problem("closed", "", text)])

    def _prepare(self) -> None:
        """How each entry comes by its value, and that it says what the ledger needs to know."""
        origins.resolve(self)
        problems = []
        for group, slot in self.slots():
            scope = self.scope(slot.ledger)
            for key in scope.missing(slot.dims):
                text = is_empty(group.sheet.posting, slot, key)
                problems.append(group.sheet.problem("no_dimension", slot.rule, slot.place, key, text))
            if not problems and slot.way == PLAIN and not slot.pending:
                self._choose_way(group, slot, scope)
        if problems:
            raise Invalid(problems)

    def _choose_way(self, group: Group, slot: Slot, scope: Scope) -> None:
        valuation, pool = slot.ledger.valuation, scope.pool(slot.dims)
        if valuation is None or pool is None:
            return
        method = scope.ask(valuation.method, slot.dims)
        if method not in METHODS:
            text = M(
                "“{method}” is no valuation. There are: {names}",
                method=method or "",
                names=", ".join(METHODS),
            )
            raise Invalid([group.sheet.problem("method", slot.rule, slot.place, valuation.value, text)])
        slot.method, slot.pool = method, pool
        slot.rate = scope.ask(valuation.standard, slot.dims)
        if slot.rule.carries is not None:
            slot.way = CARRIED
        elif slot.rule.returns is not None:
            slot.way = RETURNED
        elif slot.rule.adds_to is not None:
            slot.way = ADDED
        else:
            slot.way = GIVEN if valuation.value in slot.rule.measures else FREE
        slot.given = slot.amounts[valuation.value]
        slot.amounts[valuation.value] = ZERO

    def _lock(self) -> None:
        for key in sorted(self.ledgers):
            dims = [slot.dims for _, slot in self.slots() if slot.ledger.key == key]
            self.hold(self.ledgers[key], [*dims, *reversing.list_dims(self.ledgers[key], self.undone)])

    def hold(self, ledger: LedgerSpec, dims: Iterable[Mapping[str, Any]]) -> Balances:
        """The balances of a ledger with those of these dimensions locked."""
        balances = self.balances.setdefault(ledger.key, Balances(ledger))
        balances.lock(dims)
        return balances

    def _drop_nothing(self) -> None:
        for group in self.groups:
            kept = [s for s in group.sheet.slots if s.given or not s.is_nothing or s.rule.dependent]
            group.sheet.slots[:] = kept
            group.id = group.id or clock.new_id()
            for slot, entry in zip(kept, clock.new_ids(len(kept)), strict=True):
                slot.entry = slot.entry or entry
                self.homes[slot.entry] = group

    def _value(self) -> Replay:
        """Value it as it was known until the next day on which more became known of what it changes."""
        days = [self.day_of(group, slot) for group, slot in self.slots() if slot.method]
        self.known = min(days, default=self.known)
        self._connect_carried()
        self._find_since()
        day = knowing.next_day(self, self.since)
        while True:
            self.until = day - timedelta(days=1) if day else date.max
            if not self.groups:
                self.since = knowing.where_changed(self)
            replay = self._replay(max([self.until, *days]))
            day = knowing.next_day(self, replay.loaded)  # which may be more by now
            if day is None or day > self.until:
                break
        knowing.take_added(self, replay)
        return replay

    def _find_since(self) -> None:
        """Where new movements stand before written ones, these are valued again."""
        for node in self._nodes():
            balance = self._pool_row(node.slot)
            if balance.last is not None and balance.last > node.place:
                self._value_again(node.pool, node.place)
            if node.way == RETURNED:
                self.take_back(node.source or 0, node.place)
        for key, ledger in self.ledgers.items() if self.back else ():
            for source, pool, place in list_returning(ledger, self.back):
                if place > self.back[source]:
                    self._value_again((key, pool), place)

    def _value_again(self, pool: Pool, place: Place) -> None:
        self.since[pool] = min(self.since.get(pool, place), place)

    def take_back(self, source: int, place: Place) -> None:
        """More or less is taken back of an entry from a place on: what is taken back of it there takes another part."""
        self.stirred.add(source)
        self.back[source] = min(self.back.get(source, place), place)

    def _replay(self, last: date) -> Replay:
        recalculate = adjusting.Earlier(self, self.until).recalculate
        replay = Replay(
            self.ledgers, recalculate, self._fill, self._hold_pool,
            self.until, last, {*self.stirred}, self.gone,
        )  # fmt: skip
        for group, slot in self.slots():
            if slot.way == ADDED and slot.method and self.day_of(group, slot) <= self.until:
                group.sheet.fill(slot)
                place = (self.day_of(group, slot), slot.entry)
                more = Addition(place, slot.given or ZERO, slot.reverses)
                replay.added.setdefault(slot.source or 0, []).append(more)
        appended = self._nodes()
        for node in appended:
            if node.pool not in self.since and node.pool not in replay.stocks:
                row, valuation = self._pool_row(node.slot), self.ledgers[node.pool[0]].valuation
                quantity, value = (row.values[f"m_{n}"] for n in (valuation.quantity, valuation.value)) if valuation else (ZERO, ZERO)  # fmt: skip
                replay.begin(node.pool, Stock.load(quantity, value, row.state))
        for node in appended:
            replay.add(node)
        for pool, place in self.since.items():
            replay.load(pool, place)
        replay.run()
        return replay

    def _hold_pool(self, pool: tuple[str, str]) -> None:
        self.hold(self.ledgers[pool[0]], ()).lock_key(pool[1])

    def _pool_row(self, slot: Slot | None) -> Any:
        if slot is None:
            raise TypeError
        return self.hold(slot.ledger, [slot.dims]).rows[slot.pool or ""]

    def _connect_carried(self) -> None:
        for group in self.groups:
            for slot in group.sheet.slots:
                if slot.way == CARRIED and slot.source is None:
                    slot.source = next(
                        each.entry
                        for each in group.sheet.slots
                        if each.rule.id == slot.rule.carries and each.place == slot.place and each is not slot
                    )

    def _nodes(self) -> list[Node]:
        """The new movements."""
        moved = [each for each in self.slots() if each[1].method and each[1].way != ADDED]
        return [node for each in moved if (node := self._node(*each)) is not None]

    def _node(self, group: Group, slot: Slot) -> Node | None:
        valuation, day = slot.ledger.valuation, self.day_of(group, slot)
        if valuation is None or slot.reverses in self.gone:
            return None
        return Node(
            (day, slot.entry), (slot.ledger.key, slot.pool or ""), slot.method or "", slot.way,
            slot.amounts[valuation.quantity], slot.entry, group.id, slot.given, slot.source, slot=slot,
        )  # fmt: skip

    def _fill(self, node: Node) -> None:
        """Complete a new movement whose value follows from entries of its own group."""
        if node.slot is not None and node.slot.rule.dependent:
            self.homes[node.entry].sheet.fill(node.slot)
            node.given = node.slot.given

    def _complete(self) -> None:
        """Calculate what follows from values, now that they are known."""
        for group in self.groups:
            if group.purpose == "reverse":
                reversing.follow_values(self, group)
            if group.purpose != "post":
                continue
            shared: set[int] = set()
            for slot in group.sheet.slots:
                if not slot.method:
                    group.sheet.fill(slot)
                    if slot.rule.index not in shared:
                        shared.add(slot.rule.index)
                        group.sheet.fill_shares(slot.rule, dependent=True)

    def _move(self) -> None:
        for group, slot in self.slots():
            balances = self.hold(slot.ledger, ())
            placed = slot.way in (*OWN, ADDED, REVALUED)
            balances.move(slot, slot.entry, self.day_of(group, slot), placed)
        for key, balances in self.balances.items():
            scope = self.scope(self.ledgers[key])
            for _, slot in self.slots():
                if slot.ledger.key == key and slot.way in OWN:
                    balances.lift(scope, slot.dims)

    def _remember(self, replay: Replay) -> None:
        """What the valuations keep for next time."""
        for (ledger, pool), stock in replay.stocks.items():
            if self.until < date.max and (ledger, pool) in replay.loaded:
                continue  # the last of the books that follow remembers
            row = self.balances[ledger].rows.get(pool)
            if row is not None:
                row.state = stock.dump()

    def _require_balanced(self) -> None:
        for group in self.groups:
            found = list(balancing.check_balanced(self, group.sheet.slots))
            if found:
                raise Invalid(found)

    def write(self) -> None:
        """Write everything: groups, entries, open items and matches, balances; then the groups are complete."""
        writing.write(self)
