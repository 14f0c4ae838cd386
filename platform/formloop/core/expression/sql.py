"""Builds the SQL form of an expression, for filters, sorting and columns."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    String,
    collate,
    column,
    func,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from formloop.core.errors import Invalid, Problem
from formloop.core.expression.context import Context
from formloop.core.expression.expression import Expression
from formloop.core.expression.nodes import Name, Node
from formloop.core.expression.sql_forms import Compiler
from formloop.core.expression.sql_parts import NOT_A_NUMBER, Calculated, SqlNames
from formloop.core.expression.types import BOOL, DATE, DATETIME, NUMBER, TEXT, Path, RecordType, Type, element

Element = ColumnElement[Any]
_TYPES: dict[Type, Any] = {TEXT: String, BOOL: Boolean, DATE: Date, DATETIME: DateTime}

__all__ = ["Calculated", "SqlNames", "check_sql", "result_type", "to_column", "to_sql"]


def to_sql(expression: Expression, names: SqlNames, context: Context, dialect: Dialect | str) -> Element:
    """The expression as SQL. Conditions keep bare columns bare; numbers come back as Decimal.

    A part that has no SQL form raises Invalid with its position. A number that cannot be calculated (a
    division by zero) comes back as None and makes comparisons empty. On SQLite calculated numbers sort as
    numbers, by their collation; a bare column keeps its own type.
    """
    name = dialect if isinstance(dialect, str) else dialect.name
    compiler = Compiler(expression.source, names, context, name)
    part = compiler.part(expression.tree)
    if isinstance(expression.tree, Name):
        return names.column(expression.tree.path)
    if part.kind == NUMBER or isinstance(part.kind, RecordType):
        value = compiler.number(part)
        return type_coerce(collate(value, "fl_number") if compiler.sqlite else value, Calculated())
    return part.element


def to_column(
    expression: Expression,
    names: SqlNames,
    context: Context,
    dialect: Dialect | str,
    calculated: bool = False,
) -> Element:
    """The expression as a column of a derived table; what cannot be calculated, and an empty text, is nothing.

    A bare column stays what it is, unless numbers are wanted `calculated`: the one form all numbers can have.
    """
    name = dialect if isinstance(dialect, str) else dialect.name
    if isinstance(expression.tree, Name) and not calculated:
        bare = names.column(expression.tree.path)
        if not isinstance(bare, BindParameter):
            return bare
    compiler = Compiler(expression.source, names, context, name)
    part = compiler.part(expression.tree)
    if part.kind == NUMBER or isinstance(part.kind, RecordType):
        value = compiler.number(part)
        if part.may_fail:
            value = func.nullif(value, "NaN" if compiler.sqlite else NOT_A_NUMBER)
        return type_coerce(collate(value, "fl_number") if compiler.sqlite else value, Calculated())
    if part.kind == TEXT:
        return func.nullif(part.element, "", type_=String())
    return part.element


def check_sql(expression: Expression) -> list[Problem]:
    """Why an expression has no SQL form, on one database or the other; nothing when it has."""
    names = _AnyNames(expression)
    context = Context(datetime.now(UTC))
    for dialect in ("sqlite", "postgresql"):
        try:
            Compiler(expression.source, names, context, dialect).part(expression.tree)
        except Invalid as error:
            return list(error.problems)
    return []


class _AnyNames:
    """Columns of the types that an expression reads, of no table."""

    def __init__(self, expression: Expression) -> None:
        self.types: dict[Path, Type] = {}
        todo: list[Node] = [expression.tree]
        while todo:
            node = todo.pop()
            todo.extend(node.parts)
            if isinstance(node, Name):
                self.types[node.path] = element(node.type)

    def column(self, path: Path) -> Element:
        """Some column of the right type."""
        return column("any", _TYPES.get(self.types[path], BigInteger)())

    def aggregate(self, path: Path, build: Callable[[SqlNames], Element]) -> Element:
        """Over nothing."""
        return build(self)


def result_type(expression: Expression) -> TypeEngine[Any]:
    """The type a calculated column comes back as, for those who wrap it (a label, a subquery, an outer sum)."""
    if expression.type == NUMBER or isinstance(expression.type, RecordType):
        return Calculated()
    found: TypeEngine[Any] = _TYPES.get(expression.type, String)()
    return found
