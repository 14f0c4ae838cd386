"""The one expression language: formulas, visibility, conditions, mappings, row conditions.

Parsed once to a typed tree, compiled to Python closures and to SQL, both giving the same digits. Closed
function table, exact decimals, limits by construction. Never runs anybody's text as code.
"""

from formloop.core.expression.context import Context
from formloop.core.expression.expression import Expression, Step, check, parse
from formloop.core.expression.functions import FUNCTIONS
from formloop.core.expression.sql import Calculated, SqlNames, check_sql, result_type, to_column, to_sql
from formloop.core.expression.sqlite import register_sqlite
from formloop.core.expression.types import (
    ANY,
    BOOL,
    DATE,
    DATETIME,
    NUMBER,
    TEXT,
    ListType,
    Path,
    RecordType,
    Type,
)
from formloop.core.expression.values import EvaluationError, Linked

__all__ = [
    "ANY",
    "BOOL",
    "DATE",
    "DATETIME",
    "FUNCTIONS",
    "NUMBER",
    "TEXT",
    "Calculated",
    "Context",
    "EvaluationError",
    "Expression",
    "Linked",
    "ListType",
    "Path",
    "RecordType",
    "SqlNames",
    "Step",
    "Type",
    "check",
    "check_sql",
    "parse",
    "register_sqlite",
    "result_type",
    "to_column",
    "to_sql",
]
