"""The operators, one a file."""

from formloop.core.registry import Registry
from formloop.planning.operators.bom_explode import Explode
from formloop.planning.operators.bom_where_used import WhereUsed
from formloop.planning.spec import Operator

operators: Registry[Operator] = Registry("operator")
for each in (Explode(), WhereUsed()):
    operators.add(each.name, each)

__all__ = ["operators"]
