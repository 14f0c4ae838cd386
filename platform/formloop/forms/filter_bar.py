"""Which filters of a list stand in its inputs: the bar above it shows what its boxes say by themselves, the panel one
of each field. All others go along hidden, so that using an input neither drops nor turns them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from formloop.forms.filters import Filter
from formloop.forms.list_query import address_pairs
from formloop.forms.listing import Query
from formloop.forms.spec import Field

Picks = Callable[[Field, Sequence[Filter]], list[Filter]]  # of a field's filters those that its input shows


def natural_of(field: Field) -> str:
    """The operator of a box that asks for values alone."""
    return "between" if "between" in field.type.operators else field.type.operators[0]


def in_box(field: Field, mine: Sequence[Filter]) -> list[Filter]:
    """What the box of the bar says: a switch yes or no, a range its ends, any other its natural operator."""
    first = {each.operator: each for each in reversed(mine)}
    if field.type.name == "switch":
        return [each for each in mine if each.operator in ("yes", "no")][:1]
    natural = natural_of(field)
    if natural in first:
        return [first[natural]]
    return [first[end] for end in ("at_least", "at_most") if end in first] if natural == "between" else []


def in_panel(_field: Field, mine: Sequence[Filter]) -> list[Filter]:
    """What the panel says, which has an operator and its values: one filter, but for several values of `any_of`."""
    several = [each for each in mine if isinstance(each.value, list) and len(each.value) > 1]
    return [each for each in mine if each not in several][:1]


def split(query: Query, drawn: Mapping[str, Field], picks: Picks) -> tuple[Query, list[tuple[str, str]]]:
    """The query with the filters that the inputs of the fields `drawn` show; all others as hidden inputs."""
    shown: list[Filter] = []
    for key, field in drawn.items():
        shown += picks(field, [each for each in query.filters if each.field == key])
    rest = tuple(each for each in query.filters if not any(each is other for other in shown))
    kept = tuple(
        replace(each, value=each.value[0]) if isinstance(each.value, list) else each for each in shown
    )
    return replace(query, filters=kept), address_pairs(Query(filters=rest))
