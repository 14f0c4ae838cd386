"""Whether a dataset over entries only adds them up: then balances can stand for its older entries.

It does where its groups and conditions tell entries apart by dimensions alone, and by being before or after some
days, and its measures are sums of amounts. What it asks besides (the document, the single day) may stand where a day
is the least: `IF(date >= parameters.since, document)`; from there on entries are read one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from formloop.core.expression import DATE, Expression, Path
from formloop.core.expression.nodes import Binary, Call, Name, Typed, Unary
from formloop.core.expression.types import element
from formloop.datasets.spec import PARAMETERS, Part, View

_AFTER = {"<=": 1, ">": 1, "<": 0, ">=": 0}  # how many days after the one it names a comparison turns
_MIRRORED = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}


@dataclass(frozen=True, slots=True)
class Edge:
    """A day at which a condition turns: what it is calculated by, and how many days later."""

    day: Expression
    after: int

    def found(self, view: View) -> date | None:
        """The first day on the other side."""
        day = self.day.evaluate({PARAMETERS: view.parameters}, view.context)
        if not isinstance(day, date) or day == date.max:
            return None
        return day + timedelta(self.after)


@dataclass(frozen=True, slots=True)
class Summing:
    """What such a dataset tells entries apart by: dimensions, and days; from some of them on entry by entry."""

    dimensions: frozenset[str]
    edges: tuple[Edge, ...]
    singles: tuple[Edge, ...]

    def days(self, view: View) -> tuple[list[date], date | None] | None:
        """Those days for one reading, and the first from which on entries are single; None where one is not known."""
        edges = [edge.found(view) for edge in (*self.edges, *self.singles)]
        known = [day for day in edges if day is not None]
        if len(known) < len(edges):
            return None
        return known, min(known[len(self.edges) :], default=None)


@dataclass
class _Reader:
    """Reads the expressions of one part; `columns` are those that measures are made of."""

    dimensions: frozenset[str]
    measures: frozenset[str]
    always: frozenset[str]  # names that say nothing about an entry: parameters, what is joined
    columns: Mapping[str, Expression]
    group: frozenset[str]
    told: set[str] = field(default_factory=set)
    edges: list[Edge] = field(default_factory=list)
    singles: list[Edge] = field(default_factory=list)

    def steady(self, node: Typed, of: Expression, inner: bool = False, since: Edge | None = None) -> bool:
        """Whether this is the same for all entries between two edges that have the same dimensions."""
        if isinstance(node, Name):
            if not inner or node.path[0] in self.always:
                return self._steady_name(node.path, since)
            column = self.columns.get(node.path[0])  # what a part of a union does not have is empty
            return column is None or self.steady(column.tree, column, since=since)
        if (edge := self._edge(node, of, inner)) is not None:
            self.edges.append(edge)
            return True
        if isinstance(node, Call) and node.name in ("IF", "AND"):
            lower = self._lower(node, of, inner)
            later = node.arguments[1:2] if node.name == "IF" else node.arguments
            return all(
                self.steady(part, of, inner, lower or since if part in later else since)
                for part in node.arguments
            )
        return all(self.steady(part, of, inner, since) for part in node.parts)

    def _steady_name(self, path: Path, since: Edge | None) -> bool:
        if path[0] in self.dimensions:
            self.told.add(path[0])
        elif path[0] not in self.always:
            if since is None:
                return False
            self.singles.append(since)
        return True

    def summed(self, node: Typed, of: Expression) -> bool:
        """Whether a measure is made of sums of amounts."""
        if isinstance(node, Name):
            return node.path[0] == PARAMETERS or node.path[0] in self.group
        if isinstance(node, Call) and node.name == "SUM":
            return all(self._amount(each, of, True) for each in node.arguments)
        if isinstance(node, Call) and node.name == "SUMIF":
            amount, condition = node.arguments
            return self._amount(amount, of, True) and self.steady(condition, of, True)
        return all(self.summed(part, of) for part in node.parts)

    def _amount(self, node: Typed, of: Expression, inner: bool) -> bool:
        """Whether the sum of this over entries is this over their sums."""
        if isinstance(node, Name):
            if inner:
                column = self.columns.get(node.path[0])
                return column is None or self._amount(column.tree, column, False)
            return len(node.path) == 1 and node.path[0] in self.measures
        if isinstance(node, Unary) and node.op in ("+", "-"):
            return self._amount(node.operand, of, inner)
        if isinstance(node, Binary) and node.op in ("+", "-"):
            return self._amount(node.left, of, inner) and self._amount(node.right, of, inner)
        if isinstance(node, Call) and node.name == "IF":
            condition, *values = node.arguments
            return self.steady(condition, of, inner) and all(self._amount(v, of, inner) for v in values)
        return False

    def _lower(self, node: Call, of: Expression, inner: bool) -> Edge | None:
        """The day from which on the rest of an IF or an AND matters."""
        for part in node.arguments[:1] if node.name == "IF" else node.arguments:
            found, own, deep = part, of, inner
            if inner and isinstance(part, Name) and part.path[0] in self.columns:
                own, deep = self.columns[part.path[0]], False
                found = own.tree
            if isinstance(found, Binary) and self._turned(found, deep) in (">=", ">"):
                return self._edge(found, own, deep)
        return None

    def _edge(self, node: Typed, of: Expression, inner: bool) -> Edge | None:
        """The day that a comparison asks about, where it is the same for every entry."""
        if not isinstance(node, Binary) or (op := self._turned(node, inner)) is None:
            return None
        other = node.right if self._is_day(node.left, inner) else node.left
        day = of.part(other)
        if element(other.type) != DATE or any(path[0] != PARAMETERS for path in day.reads):
            return None
        return Edge(day, _AFTER[op])

    def _turned(self, node: Binary, inner: bool) -> str | None:
        """The comparison as one of the entry's day with another."""
        if node.op not in _AFTER or self._is_day(node.left, inner) == self._is_day(node.right, inner):
            return None
        return node.op if self._is_day(node.left, inner) else _MIRRORED[node.op]

    def _is_day(self, node: Typed, inner: bool) -> bool:
        if not isinstance(node, Name):
            return False
        if inner and node.path[0] in self.columns:
            return self._is_day(self.columns[node.path[0]].tree, False)
        return node.path == ("date",) and "date" not in self.dimensions


def find_summing(
    part: Part,
    dimensions: Sequence[str],
    measures: Sequence[str],
    group: Sequence[str],
    folded: Sequence[Expression],
) -> Summing | None:
    """What a grouped part over entries tells them apart by; None when it does more than add them up."""
    always = frozenset({PARAMETERS, "pending", *(join.name for join in part.joins)})
    reader = _Reader(frozenset(dimensions), frozenset(measures), always, part.columns, frozenset(group))
    conditions = [] if part.where is None else [part.where]
    told_apart = [*conditions, *(part.columns[key] for key in group if key in part.columns)]
    told_apart += [right for join in part.joins for _, right in join.on]
    fits = (
        any(_is_settled(each.tree) for each in conditions)
        and all(reader.steady(each.tree, each) for each in told_apart)
        and all(reader.summed(each.tree, each) for each in folded)
    )
    if not fits:
        return None
    return Summing(frozenset(reader.told), tuple(reader.edges), tuple(reader.singles))


def _is_settled(node: Typed) -> bool:
    """Whether a condition leaves pending entries out."""
    if not isinstance(node, Call):
        return False
    if node.name == "NOT":
        (inner,) = node.arguments
        return isinstance(inner, Name) and inner.path == ("pending",)
    return node.name == "AND" and any(_is_settled(part) for part in node.arguments)
