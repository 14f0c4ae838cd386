"""Bills of material as a graph: which lines count on a day, low-level codes, circles. Pure."""

from bisect import bisect_right
from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cached_property
from typing import Any

from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.planning.spec import Column, Port, Row

EXACT = Context(prec=34)
ONE = Decimal(1)
Key = Hashable
SCRAP: Mapping[str, Any] = {
    "type": "string",
    "x-type": "dropdown",
    "enum": ["multiply", "divide"],
    "default": "multiply",
    "title": "Scrap rule",
    "x-title": {"zh-CN": "损耗算法"},
    "x-titles": {
        "multiply": {"title": "× (1 + scrap)", "x-title": {"zh-CN": "×（1 + 损耗率）"}},
        "divide": {"title": "÷ (1 − scrap)", "x-title": {"zh-CN": "÷（1 − 损耗率）"}},
    },
}
ON_DATE: Mapping[str, Any] = {
    "type": "string",
    "format": "date",
    "x-default": "TODAY()",
    "title": "Bills as of",
    "x-title": {"zh-CN": "清单生效日"},
}
ITEM, PARENT = Column(M("Item"), "key"), Column(M("Parent item"), "key")
QUANTITY = Column(M("Quantity"), "number")
SOURCE = Column(M("Source"), "key")
NEED = {"need_date": Column(M("Needed on"), "date"), "source": SOURCE}
BILLS = Port(
    M("Lines of bills"),
    {
        "item": Column(M("Item"), "key", required=True),  # what is made
        "component": Column(M("Component"), "key", required=True),
        "quantity": Column(M("Quantity"), "number", required=True),
        "per": Column(
            M("Per quantity of the item"), "number", default=ONE
        ),  # so much of the item the line is for
        "scrap": Column(M("Scrap rate"), "number", default=Decimal(0)),
        "fixed": Column(M("Fixed quantity"), "bool", default=False),  # the same for any quantity
        "phantom": Column(M("Phantom"), "bool", default=False),  # the component is never made itself
        "output": Column(M("By-product"), "bool", default=False),  # the line comes out, as a by-product
        "valid_from": Column(M("Valid from"), "date"),
        "valid_to": Column(M("Valid to"), "date"),
        "item_name": Column(M("Name of the item"), "text"),  # for messages
        "component_name": Column(M("Name of the component"), "text"),
    },
)


class Line:
    """One line of a bill with its quantity for one of the item."""

    __slots__ = ("component", "fixed", "output", "phantom", "quantity")

    def __init__(self, row: Row, rule: str) -> None:
        self.component: Key = row["component"]
        self.fixed, self.phantom, self.output = bool(row["fixed"]), bool(row["phantom"]), bool(row["output"])
        share = ONE if self.fixed else row["per"]
        with_scrap = EXACT.multiply if rule == "multiply" else EXACT.divide
        factor = ONE + row["scrap"] if rule == "multiply" else ONE - row["scrap"]
        self.quantity: Decimal = EXACT.divide(with_scrap(row["quantity"], factor), share)

    def needs(self, made: Decimal) -> Decimal:
        """How much of it is needed for so much of the item."""
        return self.quantity if self.fixed else EXACT.multiply(made, self.quantity)


class Bills:
    """All bills; `on` gives those of a day."""

    def __init__(self, rows: Sequence[Row], rule: str) -> None:
        self.rows, self.rule = rows, rule
        self.names: dict[Key, str] = {}
        for row in rows:
            for key in ("item", "component"):
                self.names.setdefault(row[key], row[f"{key}_name"] or str(row[key]))
        self._days = sorted({day for row in rows for day in _borders(row)})
        self._known: dict[int, Graph] = {}

    def check(self) -> Iterator[Problem]:
        """Lines that cannot be calculated with."""
        for number, row in enumerate(self.rows, 1):
            if row["per"] <= 0:
                text = M("Row {row} of “{port}”: it must be for more than nothing.", row=number, port="bills")
                yield Problem("per", "ports.bills", text)
            if row["scrap"] < 0 or (self.rule == "divide" and row["scrap"] >= 1):
                text = M("Row {row} of “{port}”: the scrap is not possible.", row=number, port="bills")
                yield Problem("scrap", "ports.bills", text)

    def on(self, day: date | None) -> "Graph":
        """The bills that count on a day; without a day all lines that are not limited to others."""
        place = -1 if day is None else bisect_right(self._days, day)
        if place not in self._known:
            counting = [row for row in self.rows if _counts(row, day)]
            self._known[place] = Graph(counting, self.rule, self.names)
        return self._known[place]


def _borders(row: Row) -> Iterator[date]:
    if row["valid_from"]:
        yield row["valid_from"]
    if row["valid_to"]:
        yield date.fromordinal(row["valid_to"].toordinal() + 1)


def _counts(row: Row, day: date | None) -> bool:
    if day is None:
        return row["valid_from"] is None and row["valid_to"] is None
    after = row["valid_from"] is None or row["valid_from"] <= day
    return after and (row["valid_to"] is None or day <= row["valid_to"])


class Graph:
    """The bills of one day."""

    def __init__(self, rows: Sequence[Row], rule: str, names: Mapping[Key, str]) -> None:
        self.lines: dict[Key, list[Line]] = {}
        self.names = names
        for row in rows:
            self.lines.setdefault(row["item"], []).append(Line(row, rule))

    @cached_property
    def levels(self) -> dict[Key, int]:
        """Low-level codes, lowest first: the longest way from the top. Empty when there is a circle."""
        waiting = {key: 0 for lines in self.lines.values() for key in (line.component for line in lines)}
        for lines in self.lines.values():
            for line in lines:
                waiting[line.component] += 1
        ready = [key for key in self.lines if key not in waiting]
        found = dict.fromkeys(ready, 0)
        while ready:
            key = ready.pop()
            for line in self.lines.get(key, ()):
                found[line.component] = max(found.get(line.component, 0), found[key] + 1)
                waiting[line.component] -= 1
                if not waiting[line.component]:
                    ready.append(line.component)
        done = not any(waiting.values())
        return dict(sorted(found.items(), key=lambda each: each[1])) if done else {}

    def circle(self) -> list[Key]:
        """The way from an item back to itself, if there is one."""
        if self.levels or not self.lines:
            return []
        done: set[Key] = set()
        for start in self.lines:
            if start in done:
                continue
            way: list[Key] = [start]
            inside = {start: iter(self.lines.get(start, ()))}
            while way:
                line = next(inside[way[-1]], None)
                if line is None:
                    done.add(way.pop())
                elif line.component in way:
                    return [*way[way.index(line.component) :], line.component]
                elif line.component not in done:
                    way.append(line.component)
                    inside[line.component] = iter(self.lines.get(line.component, ()))
        return []

    def check(self) -> list[Problem]:
        """A circle, with its path."""
        circle = self.circle()
        if not circle:
            return []
        path = " → ".join(self.names.get(key, str(key)) for key in circle)
        text = M("These bills need each other in a circle: {circle}", circle=path)
        return [Problem("circle", "ports.bills", text)]


def rounded(value: Decimal, digits: int = 6) -> Decimal:
    """A quantity with so many digits after the point."""
    return value.quantize(ONE.scaleb(-digits), ROUND_HALF_UP, EXACT)
