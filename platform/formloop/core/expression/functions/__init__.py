"""The closed table of functions: a new one is one declaration in the file of its group."""

from formloop.core.expression.functions.aggregate import aggregate
from formloop.core.expression.functions.dates import dates
from formloop.core.expression.functions.logic import logic
from formloop.core.expression.functions.lookup import lookup
from formloop.core.expression.functions.number import number
from formloop.core.expression.functions.people import people
from formloop.core.expression.functions.spec import Function, Group, Parameter
from formloop.core.expression.functions.text import text

GROUPS: tuple[Group, ...] = (logic, number, text, dates, aggregate, lookup, people)
FUNCTIONS: dict[str, Function] = {f.name: f for group in GROUPS for f in group.functions}

__all__ = ["FUNCTIONS", "GROUPS", "Function", "Group", "Parameter"]
