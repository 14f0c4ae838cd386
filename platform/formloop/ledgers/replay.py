"""Valuing movements in the order of their dates: new ones, and what they change of those written already."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from formloop.ledgers.engine import CARRIED, FREE, GIVEN, RETURNED, REVERSED
from formloop.ledgers.pools import (
    Node,
    Place,
    Pool,
    linked_pools,
    list_additions,
    list_returns,
    load_nodes,
    nets,
    returning_pools,
    stock_before,
    valuation_of,
)
from formloop.ledgers.spec import ZERO, LedgerSpec
from formloop.ledgers.valuations import METHODS, Layer, Move, Outcome, Stock
from formloop.ledgers.valuations.spec import UNITS, rate_of

Known = tuple[Decimal, Decimal]  # value and variance
_NONE = Stock()


@dataclass(slots=True)
class Change:
    """What a replay changes of an entry: value, variance, and what it took over."""

    node: Node
    value: Decimal
    variance: Decimal
    layers: tuple[Layer, ...] = ()


class Addition(NamedTuple):
    """What a new entry gives an earlier one on top, or takes off again of what `reverses` gave it."""

    place: Place
    given: Decimal
    reverses: int | None


@dataclass(slots=True, eq=False)
class Replay:
    """One run over the movements of some pools.

    `recalculate` tells how the posting of an earlier group changes the value it gives an entry, now that others
    changed; `fill` completes the slot of a new one; `hold` keeps others away from a pool.
    """

    ledgers: Mapping[str, LedgerSpec]
    recalculate: Callable[[Node, Mapping[int, Change]], Decimal]
    fill: Callable[[Node], None]
    hold: Callable[[Pool], None]
    until: date = date.max  # what became known later is not known; what moved later is not changed
    last: date = date.max  # what moved after it is left out
    stirred: set[int] = field(
        default_factory=set
    )  # entries that changed before: what follows from them is not seen
    gone: set[int] = field(default_factory=set)
    added: dict[int, list[Addition]] = field(default_factory=dict)  # on top of an earlier entry
    issues_stand: bool = False  # issues at the cost of the end of their day keep what they are written with
    stocks: dict[Pool, Stock] = field(default_factory=dict)
    known: dict[int, Known] = field(default_factory=dict)  # of everything seen in this run
    changes: dict[int, Change] = field(default_factory=dict)
    changed_groups: set[int] = field(default_factory=set)
    new: dict[int, Node] = field(default_factory=dict)
    _taken: dict[int, tuple[Layer, ...]] = field(default_factory=dict)
    _layers: dict[int, tuple[Layer, ...]] = field(default_factory=dict)
    _links: dict[int, set[Pool]] = field(default_factory=dict)
    _returns: dict[int, set[Pool]] = field(default_factory=dict)
    _waiting: dict[Pool, list[Node]] = field(default_factory=dict)  # the last one is next
    _next: list[tuple[Place, Pool]] = field(default_factory=list)  # a heap of where each pool goes on
    _rates: dict[tuple[Pool, object], Decimal] = field(default_factory=dict)
    loaded: dict[Pool, Place] = field(default_factory=dict)  # from where on a pool is valued again
    _scales: dict[str, int] = field(init=False)  # the digits of values, by ledger

    def __post_init__(self) -> None:
        self._scales = {key: each.scale("variance") for key, each in self.ledgers.items() if each.valuation}

    def begin(self, pool: Pool, stock: Stock) -> None:
        """A pool to which new movements are only appended."""
        self.stocks[pool] = stock

    def load(self, pool: Pool, since: Place) -> None:
        """A pool whose movements from a place on must be valued again; none of them has been yet."""
        ledger = self.ledgers[pool[0]]
        self.hold(pool)
        self.loaded[pool] = since
        self._waiting[pool] = [node for node in self._waiting.get(pool, ()) if node.slot is not None]
        self._waiting[pool] += self._nodes(ledger, pool, since)
        for group, pools in linked_pools(list(self.ledgers.values()), ledger, pool[1], since).items():
            self._links.setdefault(group, set()).update(pools)
        self._returns.update(returning_pools(ledger, pool[1], since))

    def _nodes(self, ledger: LedgerSpec, pool: Pool, since: Place) -> list[Node]:
        """The movements from a place on, with what was there before: from sums, or where layers count, in steps."""
        found = stock_before(ledger, pool[1], since, self.until)
        nodes = load_nodes(ledger, pool[1], since, self.gone, self.until, self.last)
        self.stocks[pool] = found or Stock()
        to_come = (*nodes, *self._waiting.get(pool, ()))
        if (
            found is not None
            and not any(node.method == "fifo" for node in to_come)
            and (nodes or not found.quantity)
        ):
            return nodes
        self.stocks[pool], later = Stock(), []
        for node in load_nodes(ledger, pool[1], None, self.gone, self.until, self.last):
            if node.place < since:
                if not node.void:
                    stands = node.way != FREE or self._follows_day(node)
                    self._apply(node, node.given if stands else None)
            else:
                later.append(node)
        return later

    def add(self, node: Node) -> None:
        """A new movement."""
        self.new[node.entry] = node
        if node.source:
            self.stirred.add(node.source)  # later days know more of it
        self._waiting.setdefault(node.pool, []).append(node)

    def run(self) -> None:
        """Value everything in order."""
        for pool in self._waiting:
            self._begin_at(pool)
        heapq.heapify(self._next)
        while self._next:
            _, pool = heapq.heappop(self._next)
            waiting = self._waiting[pool]
            while waiting and not (self._next and self._next[0][0] < waiting[-1].place):
                self._value(waiting.pop())
            if waiting:
                heapq.heappush(self._next, (waiting[-1].place, pool))

    def _begin_at(self, pool: Pool) -> None:
        waiting = self._waiting[pool]
        waiting.sort(key=lambda node: node.place, reverse=True)
        if waiting:
            self._next.append((waiting[-1].place, pool))

    def _value(self, node: Node) -> None:
        if node.slot is not None:
            self.fill(node)
        nothing = Outcome(self.stocks.get(node.pool, _NONE), ZERO)
        self._note(node, nothing if node.void else self._apply(node, self._given(node)))

    def _apply(self, node: Node, given: Decimal | None) -> Outcome:
        layers = self._taken.get(node.source or 0, node.layers) if node.way == CARRIED else ()
        move = Move(
            node.entry,
            node.quantity,
            given,
            self._rate(node, given),
            node.source,
            layers,
            self._scales[node.pool[0]],
        )
        outcome = METHODS[node.method](self.stocks.get(node.pool, _NONE), move)
        self.stocks[node.pool] = outcome.stock
        self.known[node.entry] = (outcome.value, outcome.variance)
        if outcome.taken:
            self._taken[node.entry] = outcome.taken
        if layers:
            self._layers[node.entry] = layers
        return outcome

    def _rate(self, node: Node, given: Decimal | None) -> Decimal | None:
        """The standard of a new movement; a written one keeps that of its day, and so does what undoes it."""
        if node.slot is not None:
            undoes = node.way == REVERSED and node.quantity
            return rate_of(given, node.quantity) if undoes and given is not None else node.slot.rate
        return rate_of(node.value, node.quantity) if node.method == "standard" and node.quantity else None

    def _given(self, node: Node) -> Decimal | None:
        if node.way == FREE:
            return self._at_day_end(node)
        follows = node.source in self.changes or node.source in self.stirred
        if node.slot is None and node.way != GIVEN and not follows:
            return node.given
        if node.way == CARRIED:
            return -self._known_or_net(node, node.source or 0)[1]
        if node.way in (RETURNED, REVERSED):
            return self._returned(node)
        given = node.given or ZERO
        if node.slot is None and node.posted in self.changed_groups:
            given += self.recalculate(node, self.changes)
        return given + sum((each.given for each in self.added.get(node.entry, ())), ZERO)

    def _known_or_net(self, node: Node, entry: int) -> tuple[Decimal, Decimal]:
        """Quantity and value of an entry, the value as this run has it."""
        if entry in self.new:
            return self.new[entry].quantity, self.known[entry][0]
        quantity, value, _ = nets(self.ledgers[node.pool[0]], [entry], until=self.until)[entry]
        return quantity, self.known[entry][0] if entry in self.known else value

    def _returned(self, node: Node) -> Decimal:
        """The cost of what is taken back: in proportion, so that all parts together give all of it.

        What was added after a part had gone back belongs to the rest: an invoice for what was kept, say.
        """
        ledger, source = self.ledgers[node.pool[0]], node.source or 0
        quantity, value = self._known_or_net(node, source)
        if not quantity:
            return -value
        if node.way == REVERSED:
            return self._part(ledger, value, ZERO, node.quantity, quantity)
        earlier, given = self._earlier_returns(ledger, node), ZERO
        added = self._additions(ledger, source)
        for since, worth in (((date.min, 0), value - sum(added.values(), ZERO)), *added.items()):
            kept = quantity + sum((q for place, q in earlier if place < since), ZERO)
            if since < node.place and kept:
                before = sum((q for place, q in earlier if place > since), ZERO)
                given += self._part(ledger, worth, before, node.quantity, kept)
        return given

    def _part(
        self, ledger: LedgerSpec, worth: Decimal, before: Decimal, mine: Decimal, whole: Decimal
    ) -> Decimal:
        digit = UNITS[self._scales[ledger.key]]
        until = (worth * (before + mine) / whole).quantize(digit)
        return until - (worth * before / whole).quantize(digit)

    def _earlier_returns(self, ledger: LedgerSpec, node: Node) -> list[tuple[Place, Decimal]]:
        mine = [n for n in self.new.values() if n.way == RETURNED and n.source == node.source]
        undone = self.gone | {n.source for n in self.new.values() if n.way == REVERSED}
        found = [each for each in list_returns(ledger, node.source or 0) if each[0][1] not in undone]
        return [each for each in (*found, *((n.place, n.quantity) for n in mine)) if each[0] < node.place]

    def _additions(self, ledger: LedgerSpec, source: int) -> dict[Place, Decimal]:
        """What was added to an entry and not taken off again, by the place of what adds it."""
        found, change = list_additions(ledger, source, self.until), self.changes.get(source)
        left = change.value if change else ZERO
        for each in self.added.get(source, ()):
            if each.reverses is not None:
                undone = next((place for place in found if place[1] == each.reverses), each.place)
                left += found.pop(undone, ZERO)
        for each in self.added.get(source, ()):
            if each.reverses is None:
                found[each.place] = min(left, each.given, key=abs)
                left -= found[each.place]
        return found

    def _at_day_end(self, node: Node) -> Decimal | None:
        """The cost that the day ends with, where the definition wants that; None leaves it to the method."""
        if not self._follows_day(node):
            return None
        if self.issues_stand:
            return node.given
        mark = (node.pool, node.place[0])
        if mark not in self._rates:
            stock = self.stocks.get(node.pool, _NONE)
            of_day = [n for n in self._waiting[node.pool] if n.place[0] == node.place[0]]
            for each in (node, *(n for n in reversed(of_day) if not n.void)):
                given = None if each.way == FREE else each.given if each.way == GIVEN else each.value
                stock = METHODS[each.method](stock, Move(each.entry, each.quantity, given)).stock
            self._rates[mark] = stock.rate
        return (self._rates[mark] * node.quantity).quantize(UNITS[self._scales[node.pool[0]]])

    def _follows_day(self, node: Node) -> bool:
        """Whether it is an issue that takes the cost its day ends with."""
        valuation = valuation_of(self.ledgers[node.pool[0]])
        return valuation.day_end and node.quantity < 0 and node.method == "moving_average"

    def _note(self, node: Node, outcome: Outcome) -> None:
        if node.slot is not None:
            slot, valuation = node.slot, valuation_of(node.slot.ledger)
            slot.amounts[valuation.value], slot.amounts["variance"] = outcome.value, outcome.variance
            slot.layers = self._layers.get(node.entry, ()) if node.method == "fifo" else ()
            return
        value, variance = outcome.value - node.value, outcome.variance - node.variance
        layers = self._layers.get(node.entry, ()) if node.method == "fifo" else ()
        if node.place[0] > self.until:
            return
        if value or variance or layers != node.layers:
            self.changes[node.entry] = Change(node, value, variance, layers)
            self.changed_groups.add(node.posted)
        elif not outcome.taken:  # layers may have changed although their value has not
            return
        for pool in (*self._links.get(node.posted, ()), *self._returns.get(node.entry, ())):
            if pool not in self.loaded or node.place < self.loaded[pool]:
                self._load_late(pool, node.place)

    def _load_late(self, pool: Pool, since: Place) -> None:
        """Take in the written movements of a pool that has only new ones so far, or later ones."""
        self.load(pool, since)
        self._next = [each for each in self._next if each[1] != pool]
        self._begin_at(pool)
        heapq.heapify(self._next)
