"""How expressions reach the columns of a form in SQL, and what they may know besides."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, select

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Invalid
from formloop.core.expression import Context, Path, SqlNames
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

    def aggregate(self, path: Path, build: Callable[[SqlNames], ColumnElement[Any]]) -> ColumnElement[Any]:
        """`build` over all lines of the subform at `path`; it is given the names as a line sees them."""
        return self.over(path[0], lambda column: build(_LineNames(self, path[0], column)))

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


class _LineNames:
    """The names as seen from a line: `lines.price` is its own column, everything else the record's."""

    def __init__(
        self, record: FormNames, subform: str, column: Callable[[tuple[str, ...]], ColumnElement[Any]]
    ) -> None:
        self.record, self.subform, self._column = record, subform, column

    def column(self, path: Path) -> ColumnElement[Any]:
        """The column at `path`."""
        return self._column(path[1:]) if path[0] == self.subform else self.record.column(path)

    def aggregate(self, path: Path, build: Callable[[SqlNames], ColumnElement[Any]]) -> ColumnElement[Any]:
        """A value over all lines of the record."""
        return self.record.aggregate(path, build)


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
