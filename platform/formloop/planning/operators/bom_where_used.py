"""Where an item is used, directly and through others."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from formloop.core.text import M
from formloop.planning.bills import (
    BILLS,
    EXACT,
    ITEM,
    ON_DATE,
    PARENT,
    QUANTITY,
    SCRAP,
    Bills,
    Graph,
    Key,
    rounded,
)
from formloop.planning.spec import Column, Operator, Port, Result, Row


class WhereUsed(Operator):
    """Says for every item which others need it, however far above, and how much for one of each; `direct` are those
    whose own bill names it, `top` those that nothing else needs."""

    name = "bom.where_used"
    title = M("Where used")
    icon = "hierarchy-2"
    ports: ClassVar[Mapping[str, Port]] = {
        "items": Port(M("Items"), {"item": Column(M("Item"), "key", required=True)}),
        "bills": BILLS,
    }
    outputs: ClassVar[Mapping[str, Port]] = {
        "uses": Port(
            M("Uses"),
            {
                "item": ITEM,
                "parent": PARENT,
                "quantity": QUANTITY,
                "distance": Column(M("Levels between"), "number"),
                "direct": Column(M("Directly"), "bool"),
                "top": Column(M("Needed by nothing else"), "bool"),
            },
        )
    }
    parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {"scrap_rule": SCRAP, "on_date": ON_DATE}

    def calculate(
        self, rows: Mapping[str, Sequence[Row]], parameters: Mapping[str, Any], wanted: frozenset[str]
    ) -> Result:
        """The uses of all items."""
        bills = Bills(rows["bills"], parameters["scrap_rule"])
        if problems := list(bills.check()):
            return Result({}, problems)
        graph = bills.on(parameters["on_date"])
        if problems := graph.check():
            return Result({}, problems)
        items = dict.fromkeys(row["item"] for row in rows["items"])
        users = _users(graph)
        return Result({"uses": [use for item in items for use in _uses(graph, users, item)]})


def _users(graph: Graph) -> dict[Key, list[tuple[Key, Decimal]]]:
    found: dict[Key, list[tuple[Key, Decimal]]] = {}
    for parent, lines in graph.lines.items():
        for line in lines:
            if not line.output:
                found.setdefault(line.component, []).append((parent, line.quantity))
    return found


def _uses(graph: Graph, users: Mapping[Key, list[tuple[Key, Decimal]]], item: Key) -> Iterator[Row]:
    """The items above, nearest levels first; over all ways, since each is finished before those above it."""
    inside: dict[Key, Decimal] = {item: Decimal(1)}
    distance: dict[Key, int] = {item: 0}
    reached = _above(users, item)
    for key in sorted(reached, key=lambda each: -graph.levels.get(each, 0)):
        for parent, quantity in users.get(key, ()):
            inside[parent] = EXACT.add(inside.get(parent, Decimal(0)), EXACT.multiply(inside[key], quantity))
            distance[parent] = min(distance.get(parent, distance[key] + 1), distance[key] + 1)
    direct = {parent for parent, _ in users.get(item, ())}
    for parent in sorted(reached - {item}, key=lambda each: (distance[each], -graph.levels[each], str(each))):
        yield {
            "item": item,
            "parent": parent,
            "quantity": rounded(inside[parent]),
            "distance": Decimal(distance[parent]),
            "direct": parent in direct,
            "top": parent not in users,
        }


def _above(users: Mapping[Key, list[tuple[Key, Decimal]]], item: Key) -> set[Key]:
    found, waiting = {item}, [item]
    while waiting:
        for parent, _ in users.get(waiting.pop(), ()):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found
