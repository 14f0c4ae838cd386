"""What a person may see of one ledger: which entries and balances, and in each which dimensions and measures."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, case, false, func, literal, null, or_, select

from formloop.access import gate, role_kind
from formloop.access.actor import Actor
from formloop.access.gate import Grant
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import (
    BOOL,
    Context,
    Expression,
    Path,
    SqlNames,
    Type,
    check,
    check_sql,
    parse,
    to_sql,
)
from formloop.db import engine
from formloop.forms.kind import get_form
from formloop.forms.names import FormNames, context_of
from formloop.forms.spec import no_such_field
from formloop.ledgers.kind import Reader, find_form
from formloop.ledgers.spec import LedgerSpec


class LedgerNames:
    """The dimensions of a ledger over one of its tables; what they point to becomes subqueries."""

    def __init__(self, ledger: LedgerSpec, source: FromClause) -> None:
        self.ledger, self.source = ledger, source

    def column(self, path: Path) -> ColumnElement[Any]:
        """The column at `path`."""
        dimension = self.ledger.dimensions.get(path[0])
        if dimension is None:
            raise Invalid([no_such_field(".".join(path))])
        column = self.source.c[dimension.column]
        if len(path) == 1:
            return column
        other = get_form(dimension.forms[0]).table.alias()
        value = FormNames(get_form(dimension.forms[0]), other).column(path[1:])
        return select(value).where(other.c.id == column).correlate(self.source).scalar_subquery()

    def aggregate(self, path: Path, build: Callable[[SqlNames], ColumnElement[Any]]) -> ColumnElement[Any]:
        """A ledger has no lines."""
        raise Invalid([no_such_field(".".join(path))])


@dataclass(frozen=True, eq=False)
class Permit:
    """The grants of one person for seeing one ledger, with their row conditions parsed."""

    ledger: LedgerSpec
    actor: Actor
    grants: tuple[Grant, ...]
    conditions: tuple[Expression | None, ...]

    @property
    def context(self) -> Context:
        """What the conditions may know."""
        return context_of(self.actor)

    @property
    def reads(self) -> frozenset[Path]:
        """What the conditions read of the dimensions."""
        return frozenset(path for each in self.conditions if each for path in each.reads)

    def where(self, source: FromClause) -> ColumnElement[bool] | None:
        """The rows that some grant gives; None when it is all of them."""
        return self._either(list(range(len(self.grants))), source)

    def covers(self, name: str) -> bool:
        """Whether a dimension or measure may be seen in some rows."""
        return any(grant.covers(name) for grant in self.grants)

    def seen(self, column: ColumnElement[Any], name: str, source: FromClause) -> ColumnElement[Any]:
        """`column` where one grant gives the row and the name, empty elsewhere."""
        giving = [index for index, grant in enumerate(self.grants) if grant.covers(name)]
        if len(giving) == len(self.grants):
            return column
        condition = self._either(giving, source)
        return column if condition is None else case((condition, column), else_=null())

    def dimension(self, name: str, source: FromClause) -> ColumnElement[Any]:
        """A dimension to group by and to compare with: as if nothing were said where it is hidden."""
        held = source.c[self.ledger.dimensions[name].column]
        seen = self.seen(held, name, source)
        if seen is held:
            return held
        return func.coalesce(seen, literal(self.ledger.dimensions[name].empty, held.type), type_=held.type)

    def _either(self, giving: list[int], source: FromClause) -> ColumnElement[bool] | None:
        found = []
        for index in giving:
            condition = self.conditions[index]
            if condition is None:
                return None
            names = LedgerNames(self.ledger, source)
            found.append(to_sql(condition, names, self.context, engine().dialect.name))
        return and_(or_(*found)) if found else false()


def find_permit(actor: Actor, ledger: LedgerSpec, action: str = "view") -> Permit | None:
    """What somebody may see, or export, of a ledger; None when nothing."""
    grants = gate.list_grants(actor, action, ledger.resource)
    return Permit(ledger, actor, grants, _conditions(ledger, grants)) if grants else None


def require_permit(actor: Actor, ledger: LedgerSpec) -> Permit:
    """What somebody may see of a ledger, or Forbidden with the reason."""
    grants = gate.require(actor, "view", ledger.resource)
    return Permit(ledger, actor, grants, _conditions(ledger, grants))


@lru_cache(maxsize=500)
def _conditions(ledger: LedgerSpec, grants: tuple[Grant, ...]) -> tuple[Expression | None, ...]:
    names = _names(ledger)
    return tuple(parse(g.condition, names, BOOL) if g.condition else None for g in grants)


def check_condition(source: str, ledger: LedgerSpec) -> list[Problem]:
    """What is wrong with a condition over the entries of a ledger."""
    found, problems = check(source, _names(ledger), BOOL)
    return problems if found is None else check_sql(found)


def _names(ledger: LedgerSpec) -> dict[str, Type]:
    return Reader(dict(ledger.document), find_form).names()


role_kind.conditions.add("ledger", check_condition)
