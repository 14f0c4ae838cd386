"""What a person may do with the records of one form: which rows, and in each row which fields.

The same permit filters lists, pickers, exports, search and the API. A cell is visible only if one single
grant gives that row and that field; a hidden cell counts as empty wherever it could be asked about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, case, false, literal, null, or_

from formloop.access import gate, role_kind
from formloop.access.actor import Actor
from formloop.access.gate import Grant
from formloop.core.errors import Problem
from formloop.core.expression import (
    BOOL,
    FUNCTIONS,
    Context,
    EvaluationError,
    Expression,
    check,
    check_sql,
    parse,
    to_sql,
)
from formloop.db import engine
from formloop.forms import kind
from formloop.forms.names import FormNames
from formloop.forms.reading import titles_of, with_titles
from formloop.forms.spec import Field, FormSpec

ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
OF_THE_MOMENT = frozenset(
    name for name, each in FUNCTIONS.items() if each.contextual and each.group != "people"
)


@dataclass(frozen=True, eq=False)
class Permit:
    """The grants of one person for one action on one form, with their row conditions parsed."""

    spec: FormSpec
    grants: tuple[Grant, ...]
    conditions: tuple[Expression | None, ...]

    @cached_property
    def reads(self) -> frozenset[tuple[str, ...]]:
        """What the row conditions read, for those who judge a row that is in memory."""
        return frozenset().union(*(c.reads for c in self.conditions if c is not None))

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Every path of the form that a grant could give."""
        return tuple(p for f in self.spec.fields.values() for p in (f.path, *(c.path for c in f.children)))

    @cached_property
    def reach(self) -> tuple[frozenset[str], ...]:
        """The paths that each grant gives."""
        return tuple(frozenset(p for p in self.paths if g.covers(p)) for g in self.grants)

    @cached_property
    def everywhere(self) -> frozenset[str]:
        """The paths visible in every row that is visible at all."""
        return frozenset.intersection(*self.reach) if self.reach else frozenset()

    @cached_property
    def anywhere(self) -> frozenset[str]:
        """The paths visible in at least some rows."""
        return frozenset.union(*self.reach) if self.reach else frozenset()

    @cached_property
    def uniform(self) -> bool:
        """Whether every visible row shows the same fields."""
        return self.everywhere == self.anywhere

    def where(self, context: Context, source: FromClause | None = None) -> ColumnElement[bool] | None:
        """The rows that some grant gives; None when it is all of them."""
        return self.either(range(len(self.grants)), context, source)

    def cell(
        self, path: str, context: Context, source: FromClause | None = None
    ) -> ColumnElement[bool] | None:
        """The rows in which `path` is visible; None when that is every visible row."""
        if path in self.everywhere or path not in self.paths:
            return None
        giving = [i for i, paths in enumerate(self.reach) if path in paths]
        return self.either(giving, context, source) if giving else false()

    def lines(
        self, subform: str, context: Context, source: FromClause | None = None
    ) -> ColumnElement[bool] | None:
        """The rows in which lines of `subform` are visible, be it one column of them; None when in all."""
        own = {subform, *(p for p in self.paths if p.startswith(f"{subform}."))}
        giving = [i for i, paths in enumerate(self.reach) if paths & own]
        if len(giving) == len(self.grants):
            return None
        return self.either(giving, context, source) if giving else false()

    def seen(
        self, column: ColumnElement[Any], path: str, context: Context, source: FromClause | None = None
    ) -> ColumnElement[Any]:
        """`column` where it may be seen, empty elsewhere: for filters, sorting, totals and search."""
        condition = self.cell(path, context, source)
        return column if condition is None else case((condition, column), else_=null())

    def giving(self, env: Mapping[str, Any], context: Context) -> list[int]:
        """Which grants give the row whose values are in `env`."""
        return [i for i, each in enumerate(self.conditions) if each is None or _holds(each, env, context)]

    def visible(self, env: Mapping[str, Any], context: Context) -> frozenset[str]:
        """The paths that are visible in this row."""
        if self.uniform:
            return self.everywhere
        given = [self.reach[i] for i in self.giving(env, context)]
        return frozenset.union(*given) if given else frozenset()

    @cached_property
    def steady(self) -> bool:
        """Whether the row conditions say the same tomorrow: they ask about records and the person alone."""
        return not any(c.calls & OF_THE_MOMENT for c in self.conditions if c is not None)

    def behind(self) -> tuple[FormSpec, ...]:
        """The forms that the row conditions read through relations, as they are published now."""
        found = []
        for path in sorted(self.reads):
            fields: Mapping[str, Field] = self.spec.fields
            for key in path[:-1]:
                field = fields.get(key)
                if field is not None and field.relation is not None:
                    found.append(kind.get_form(field.relation.form))
                    fields = found[-1].fields
                else:
                    fields = {each.key: each for each in field.children} if field else {}
        return tuple(found)

    def marks(self, context: Context) -> list[ColumnElement[bool]]:
        """For a select: whether each grant gives the row, as `_grant_0`, `_grant_1` and so on."""
        given = [self.either((place,), context) for place in range(len(self.grants))]
        return [
            (literal(True) if rows is None else rows).label(f"_grant_{place}")
            for place, rows in enumerate(given)
        ]

    def either(
        self, grants: Sequence[int], context: Context, source: FromClause | None = None
    ) -> ColumnElement[bool] | None:
        """The rows that one of these grants, by their place, gives; None when it is all of them."""
        if any(self.conditions[place] is None for place in grants):
            return None
        dialect = engine().dialect.name
        if source is None and self.steady:
            return _prepared(self, tuple(grants), replace(context, now=ANY_MOMENT), dialect, self.behind())
        return self.write(grants, context, source, dialect)

    def write(
        self, grants: Sequence[int], context: Context, source: FromClause | None, dialect: str
    ) -> ColumnElement[bool]:
        """The conditions of these grants as SQL."""
        said = [each for place in grants if (each := self.conditions[place]) is not None]
        found = [to_sql(each, FormNames(self.spec, source), context, dialect) for each in said]
        return and_(or_(*found)) if found else false()


@lru_cache(maxsize=5_000)
def _prepared(
    permit: Permit, grants: tuple[int, ...], context: Context, dialect: str, _behind: tuple[FormSpec, ...]
) -> ColumnElement[bool]:
    """Row conditions of one person that no moment changes: written as SQL once, so that statements stay the same."""
    return permit.write(grants, context, None, dialect)


def _holds(condition: Expression, env: Mapping[str, Any], context: Context) -> bool:
    try:
        return condition.evaluate(env, context) is True
    except EvaluationError:
        return False


Hidden = tuple[frozenset[int], frozenset[str]]  # in these records these paths
narrowings: list[Callable[[Actor, FormSpec], Sequence[Hidden]]] = []  # rooms above add theirs
LOOKS = ("view", "export")
MOST_NARROWED = 100  # records; beyond, what is hidden in some of them is hidden in all


def find_permit(actor: Actor, action: str, spec: FormSpec) -> Permit | None:
    """What `actor` may do with `action` on this form; None when nothing."""
    grants = gate.list_grants(actor, action, spec.resource) if spec.is_there else ()
    return _permit(spec, _narrowed(actor, action, spec, grants)) if grants else None


def require_permit(actor: Actor, action: str, spec: FormSpec) -> Permit:
    """What `actor` may do with `action` on this form, or Forbidden with the reason."""
    return _permit(spec, _narrowed(actor, action, spec, gate.require(actor, action, spec.resource)))


def _narrowed(actor: Actor, action: str, spec: FormSpec, grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
    """The grants, each parted where something is hidden from this very person for the time being."""
    for hidden in (each for narrow in narrowings if action in LOOKS for each in narrow(actor, spec)):
        grants = tuple(part for grant in grants for part in _parted(grant, *hidden))
    return grants


def hidden_of(actor: Actor, spec: FormSpec, record: int | None) -> frozenset[str]:
    """The paths that are hidden in one record from this very person for the time being."""
    every = (each for narrow in narrowings for each in narrow(actor, spec)) if record is not None else ()
    return frozenset().union(*(paths for records, paths in every if record in records))


def _parted(grant: Grant, records: frozenset[int], paths: frozenset[str]) -> list[Grant]:
    """A grant without the paths in some records, and as it is in all others."""
    less = replace(grant, except_fields=grant.except_fields | paths)
    if len(records) > MOST_NARROWED:
        return [less]
    those = f"OR({', '.join(f'id = {each}' for each in sorted(records))})"
    given = f"({grant.condition}) AND " if grant.condition else ""
    return [replace(grant, condition=f"{given}NOT({those})"), replace(less, condition=f"{given}{those}")]


@lru_cache(maxsize=2_000)
def _permit(spec: FormSpec, grants: tuple[Grant, ...]) -> Permit:
    parsed = tuple(condition(spec, g.condition) if g.condition else None for g in grants)
    return Permit(spec, grants, parsed)


@lru_cache(maxsize=2_000)
def condition(spec: FormSpec, source: str) -> Expression:
    """A condition over the records of a form, parsed once."""
    return parse(source, spec.names, BOOL)


def check_condition(source: str, spec: FormSpec) -> list[Problem]:
    """What is wrong with a condition over the records of a form; it is asked of rows in memory and in SQL."""
    found, problems = check(source, spec.names, BOOL)
    problems = problems if found is None else check_sql(found)
    titles = titles_of(dict(spec.document))
    return [replace(each, message=with_titles(each.message, titles)) for each in problems]


role_kind.conditions.add("form", check_condition)
