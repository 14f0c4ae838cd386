"""Where rows lead: what they give, as the columns of the dataset they lead to want it.

Two datasets may lead to each other, so neither is looked at while the other is prepared: a check asks, and the page.
"""

from functools import lru_cache

from formloop.core.errors import Problem
from formloop.core.expression import Expression, RecordType, Type
from formloop.core.expression import check as check_expression
from formloop.core.text import M
from formloop.datasets.spec import DatasetSpec, Leads
from formloop.forms.spec import Field


@lru_cache(maxsize=256)  # of prepared versions: a page asks again and again
def towards(leads: Leads, target: DatasetSpec) -> tuple[dict[str, Expression], list[Problem]]:
    """What rows give for the columns of the target, and what stands in the way of finding its rows by that."""
    found, problems = {}, list[Problem]()
    for key, each in leads.of.items():
        at, field = f"leads.of.{key}", target.fields.get(key)
        if field is None:
            problems.append(Problem("no_column", at, M("There is no column “{column}”.", column=key)))
        elif "is" not in field.type.operators:
            problems.append(
                Problem(
                    "no_filter",
                    at,
                    M("The column “{column}” cannot be filtered by one value. Name another one.", column=key),
                )
            )
        else:
            parsed, wrong = _wanted(each, leads, target.types[key])
            problems += [Problem(p.code, at, p.message, p.line, p.column) for p in wrong]
            if parsed is not None:
                found[key] = parsed
    return found, problems


def _wanted(each: Expression, leads: Leads, wanted: Type) -> tuple[Expression | None, list[Problem]]:
    """What a row gives as a column wants it; a record is one of the same form."""
    records = isinstance(each.type, RecordType) and isinstance(wanted, RecordType)
    if records and each.type != wanted:
        titles = {"found": each.type.title, "wanted": wanted.title}
        return None, [Problem("result_type", "", M("This gives {found}, but {wanted} is wanted.", **titles))]
    return check_expression(each.source, leads.names, wanted)


def is_shared(own: Field, theirs: Field) -> bool:
    """Whether the value of one parameter can be passed on as that of another: of one type, from one place."""
    kinds = [(each.type.expression_type(each), each.type.source(each)) for each in (own, theirs)]
    return kinds[0] == kinds[1]
