"""What a demand needs of every item below it, level by level."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.planning.bills import (
    BILLS,
    EXACT,
    ITEM,
    NEED,
    ON_DATE,
    PARENT,
    QUANTITY,
    SCRAP,
    SOURCE,
    Bills,
    Graph,
    Key,
    rounded,
)
from formloop.planning.spec import Column, Operator, Port, Result, Row

MOST_LINES = 200_000  # of the structure, where one item may stand in very many places
LEVEL = Column(M("Level"), "number")
Group = tuple[Any, date | None]  # source and day


class Explode(Operator):
    """Explodes demand through bills of any depth. Items are added up over all ways, by low-level codes; phantoms
    are passed through; `requirements` has one row for each item, source and day, `structure` one for each place,
    `by_products` what comes out besides. A circle is refused with its path."""

    name = "bom.explode"
    title = M("Explode bills")
    icon = "sitemap"
    ports: ClassVar[Mapping[str, Port]] = {
        "demand": Port(
            M("Demand"),
            {
                "item": Column(M("Item"), "key", required=True),
                "quantity": Column(M("Quantity"), "number", required=True),
                **NEED,  # also the day whose bills count
            },
        ),
        "bills": BILLS,
    }
    outputs: ClassVar[Mapping[str, Port]] = {
        "requirements": Port(
            M("Requirements"),
            {
                "item": ITEM,
                "quantity": QUANTITY,
                "level": LEVEL,
                "bought": Column(M("Bought"), "bool"),  # there is no bill for it
                **NEED,
            },
        ),
        "by_products": Port(M("By-products"), {"item": ITEM, "quantity": QUANTITY, **NEED}),
        "structure": Port(
            M("Structure"),
            {
                "sequence": Column(M("Sequence"), "number"),
                "level": LEVEL,
                "parent": PARENT,
                "item": ITEM,
                "quantity": QUANTITY,
                "phantom": Column(M("Phantom"), "bool"),
                "source": SOURCE,
            },
        ),
    }
    parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {"scrap_rule": SCRAP, "on_date": ON_DATE}

    def calculate(
        self, rows: Mapping[str, Sequence[Row]], parameters: Mapping[str, Any], wanted: frozenset[str]
    ) -> Result:
        """Requirements, by-products and structure."""
        bills = Bills(rows["bills"], parameters["scrap_rule"])
        if problems := list(bills.check()):
            return Result({}, problems)
        groups = _grouped(rows["demand"])
        graphs = {group: bills.on(group[1] or parameters["on_date"]) for group in groups}
        if problems := [each for graph in dict.fromkeys(graphs.values()) for each in graph.check()]:
            return Result({}, problems)
        found: dict[str, list[Row]] = {"requirements": [], "by_products": [], "structure": []}
        for group, demand in groups.items():
            needed, given = _needs(graphs[group], demand)
            found["requirements"] += [
                _required(graphs[group], key, each, group) for key, each in needed.items()
            ]
            found["by_products"] += [
                {"item": key, "quantity": rounded(each), "need_date": group[1], "source": group[0]}
                for key, each in given.items()
            ]
            if "structure" in wanted:
                for place in _places(graphs[group], demand, group[0]):
                    if len(found["structure"]) >= MOST_LINES:
                        text = M("The structure has more than {count} lines.", count=MOST_LINES)
                        return Result({}, [Problem("too_many", "outputs.structure", text)])
                    found["structure"].append({"sequence": len(found["structure"]) + 1, **place})
        return Result(found)


def _grouped(demand: Sequence[Row]) -> dict[Group, dict[Key, Decimal]]:
    """Demand by source and day, added up by item."""
    found: dict[Group, dict[Key, Decimal]] = {}
    for row in demand:
        items = found.setdefault((row["source"], row["need_date"]), {})
        items[row["item"]] = items.get(row["item"], Decimal(0)) + row["quantity"]
    return found


def _needs(graph: Graph, demand: Mapping[Key, Decimal]) -> tuple[dict[Key, Decimal], dict[Key, Decimal]]:
    """What is needed, and what comes out besides, of every item; each bill is gone through once, from the top.

    `made` counts what passes through a bill, phantoms too; `out` the same for by-products.
    """
    made, out = dict(demand), dict[Key, Decimal]()
    needed, given = dict[Key, Decimal](), dict[Key, Decimal]()
    for key in graph.levels:
        for flow, quantity in ((made, made.get(key)), (out, out.get(key))):
            if not quantity:
                continue
            for line in graph.lines.get(key, ()):
                comes_out = line.output or flow is out
                each = line.needs(quantity)
                if line.phantom or not comes_out:
                    _add(out if comes_out else made, line.component, each)
                if not line.phantom:
                    _add(given if comes_out else needed, line.component, each)
    return needed, given


def _add(flow: dict[Key, Decimal], key: Key, quantity: Decimal) -> None:
    flow[key] = EXACT.add(flow.get(key, Decimal(0)), quantity)


def _required(graph: Graph, key: Key, quantity: Decimal, group: Group) -> Row:
    return {
        "item": key,
        "quantity": rounded(quantity),
        "level": Decimal(graph.levels[key]),
        "bought": key not in graph.lines,
        "need_date": group[1],
        "source": group[0],
    }


def _places(graph: Graph, demand: Mapping[Key, Decimal], source: Any) -> Iterator[Row]:
    """Every place of every item, each below its parent."""
    for top, wanted in demand.items():
        stack = [(top, iter(graph.lines.get(top, ())), wanted)]
        while stack:
            parent, lines, made = stack[-1]
            line = next(lines, None)
            if line is None:
                stack.pop()
                continue
            quantity = line.needs(made)
            yield {
                "level": Decimal(len(stack)),
                "parent": parent,
                "item": line.component,
                "quantity": rounded(quantity),
                "phantom": line.phantom,
                "source": source,
            }
            if not line.output or line.phantom:
                stack.append((line.component, iter(graph.lines.get(line.component, ())), quantity))
