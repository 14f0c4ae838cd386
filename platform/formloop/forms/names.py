"""How expressions reach the columns of a form in SQL, and what they may know besides."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, select

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Invalid
from formloop.core.expression import Context
from formloop.forms import kind
from formloop.forms.spec import FormSpec, no_such_field


class FormNames:
    """The names of one form over `source`, its table or an alias of it. Relations become subqueries by key."""

    def __init__(self, spec: FormSpec, source: FromClause | None = None) -> None:
        self.spec = spec
        self.source = spec.table if source is None else source

    def column(self, path: tuple[str, ...]) -> ColumnElement[Any]:
        """The column at `path`, also through relations."""
        return self._through(self.spec.fields, self.source, path)

    def aggregate(
        self, path: tuple[str, ...], build: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    ) -> ColumnElement[Any]:
        """`build` over the column at `path` of all lines of a record."""
        return self.over(path[0], lambda column: build(column(path[1:])))

    def over(
        self,
        subform: str,
        build: Callable[[Callable[[tuple[str, ...]], ColumnElement[Any]]], ColumnElement[Any]],
    ) -> ColumnElement[Any]:
        """A value over all lines of `subform`; `build` is given the columns of a line by path."""
        lines = self.spec.line_tables[subform].alias()
        columns = {f.key: f for f in self.spec.fields[subform].children}
        value = build(lambda path: self._through(columns, lines, path))
        return (
            select(value).where(lines.c.record == self.source.c.id).correlate(self.source).scalar_subquery()
        )

    def _through(self, fields: Any, source: FromClause, path: tuple[str, ...]) -> ColumnElement[Any]:
        head = path[0]
        if len(path) == 1:
            if head not in source.c:
                raise Invalid([no_such_field(".".join(path))])
            return source.c[head]
        relation = fields[head].relation if head in fields else None
        if relation is None:
            raise Invalid([no_such_field(".".join(path))])
        target = kind.get_form(relation.form)
        other = target.table.alias()
        value = FormNames(target, other).column(path[1:])
        return select(value).where(other.c.id == source.c[head]).correlate(source).scalar_subquery()


def context_of(actor: Actor) -> Context:
    """What expressions may know when `actor` acts now."""
    return Context(
        now=clock.now(),
        person=actor.person_id,
        department=actor.department,
        departments=actor.departments,
        roles=actor.roles,
        zone=ZoneInfo(actor.zone),
    )
