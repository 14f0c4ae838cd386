"""In which order formulas that read each other are calculated."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from formloop.core.errors import Invalid, Problem
from formloop.core.expression.expression import Expression
from formloop.core.expression.types import Path
from formloop.core.text import M


def order_formulas(formulas: Mapping[str, Expression]) -> list[str]:
    """The dotted names of formulas, each after those it reads; a circle is Invalid and names its path.

    A formula on a field of lines is named `lines.amount`; one that reads all lines (`lines`) comes after it.
    """
    ways = {name: tuple(name.split(".")) for name in formulas}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, formula in formulas.items():
        sorter.add(name, *_needed(name, ways, _absolute(ways[name], formula)))
    try:
        return list(sorter.static_order())
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        says = M(
            "These formulas need each other: {circle}. Change one so that it does not need the next.",
            circle=" → ".join(circle),
        )
        raise Invalid([Problem("circle", name, says) for name in dict.fromkeys(circle)], says) from None


def _absolute(own: Path, formula: Expression) -> set[Path]:
    """What a formula reads, as seen from the whole record: in a line, `price` is `lines.price`."""
    return {way for read in formula.reads for way in (read, (*own[:-1], *read))}


def _needed(name: str, ways: Mapping[str, Path], reads: set[Path]) -> list[str]:
    def touches(way: Path) -> bool:
        return any(read[: len(way)] == way or way[: len(read)] == read for read in reads)

    return [other for other, way in ways.items() if touches(way) and (other != name or way in reads)]
