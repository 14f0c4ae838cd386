"""The columns of a form as one person may see them: what they may not see in a row is empty there.

So a hidden cell tells nothing, wherever it is asked about: in a condition, a join, a group or a sum.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ColumnElement, FromClause, false, literal, select

from formloop.core.errors import Invalid
from formloop.core.expression import Path, SqlNames, Type
from formloop.datasets.spec import LINE, PARAMETERS, Element, View
from formloop.forms.kind import get_form
from formloop.forms.spec import Field, FormSpec, no_such_field


class Sight:
    """One form over `record`, an alias of its table, with the person's rights on it."""

    def __init__(self, view: View, spec: FormSpec, record: FromClause) -> None:
        self.view, self.spec, self.record = view, spec, record
        self.permits = view.permits(spec)

    @property
    def where(self) -> list[ColumnElement[bool]]:
        """The rows the person may see."""
        if self.permits is None:
            return [false()]
        found = [permit.where(self.view.context, self.record) for permit in self.permits]
        return [condition for condition in found if condition is not None]

    def has_lines(self, subform: str) -> list[ColumnElement[bool]]:
        """The rows whose lines the person may see something of."""
        found = [permit.lines(subform, self.view.context, self.record) for permit in self.permits or ()]
        return [condition for condition in found if condition is not None]

    def column(self, table: FromClause, path: Path, subform: str = "") -> Element:
        """What stands at `path` in the record, or with `subform` in a line that `table` holds."""
        fields = self.spec.fields if not subform else {c.key: c for c in self.spec.fields[subform].children}
        head = path[0]
        if head not in table.c:
            raise Invalid([no_such_field(".".join(path))])
        seen: Element = table.c[head]
        for permit in self.permits or ():
            name = f"{subform}.{head}" if subform else head
            seen = permit.seen(seen, name, self.view.context, self.record)
        if len(path) == 1:
            return seen
        return through(self.view, _target(fields, head, path), seen, path[1:], (self.record, table))


def _target(fields: Mapping[str, Field], head: str, path: Path) -> str:
    relation = fields[head].relation if head in fields else None
    if relation is None:
        raise Invalid([no_such_field(".".join(path))])
    return relation.form


def through(view: View, form: str, record_id: Element, path: Path, outer: Sequence[FromClause]) -> Element:
    """What stands at `path` in the record of `form` with this id; nothing where it may not be seen."""
    spec = get_form(form)
    other = spec.table.alias()
    sight = Sight(view, spec, other)
    found = select(sight.column(other, path)).where(other.c.id == record_id, *sight.where)
    return found.correlate(*outer).scalar_subquery()


class FormRows:
    """The records of a form, or the lines of one of its subforms beside their record."""

    def __init__(self, view: View, spec: FormSpec, each: str | None) -> None:
        record = spec.table.alias()
        self.each, self.view = each, view
        self.sight = Sight(view, spec, record)
        self.where = [record.c.deleted_at.is_(None), *self.sight.where]
        self.source: FromClause = record
        self.record: Element = record.c.id
        self.keys: list[Element] = [record.c.id]
        self.line: FromClause = record
        if each:
            self.line = spec.line_tables[each].alias()
            self.source = record.join(self.line, self.line.c.record == record.c.id)
            self.keys = [self.line.c.id]
            self.where += self.sight.has_lines(each)

    def column(self, path: Path) -> Element:
        """The column at `path`; `line` is the line that the row stands for."""
        if path[0] == LINE and self.each:
            return self.sight.column(self.line, path[1:], self.each)
        return self.sight.column(self.sight.record, path)

    def aggregate(self, path: Path, build: Callable[[SqlNames], Element]) -> Element:
        """A value over all lines of the record."""
        lines = self.sight.spec.line_tables[path[0]].alias()
        value = build(_InLine(self, path[0], lines))
        record = self.sight.record
        there = [lines.c.record == record.c.id, *self.sight.has_lines(path[0])]
        return select(value).where(*there).correlate(record, self.line).scalar_subquery()


class _InLine:
    """The names as seen from a line that is counted or summed up."""

    def __init__(self, rows: FormRows, subform: str, lines: FromClause) -> None:
        self.rows, self.subform, self.lines = rows, subform, lines

    def column(self, path: Path) -> Element:
        """A column of the line, or of its record."""
        if path[0] == self.subform:
            return self.rows.sight.column(self.lines, path[1:], self.subform)
        return self.rows.column(path)

    def aggregate(self, path: Path, build: Callable[[SqlNames], Element]) -> Element:
        """A value over all lines of the record."""
        return self.rows.aggregate(path, build)


class TableRows:
    """Rows that are there already: of a dataset that another one reads, or before they are grouped."""

    def __init__(self, view: View, table: FromClause, types: Mapping[str, Type]) -> None:
        self.view, self.types = view, types
        self.source = table
        self.where: list[ColumnElement[bool]] = []
        self.keys: list[Element] = [c for c in table.c if c.key.startswith("_k")]
        self.record: Element | None = None

    def column(self, path: Path) -> Element:
        """A column, or what it points to."""
        if path[0] == PARAMETERS:
            return parameter(self.view, path[1])
        found: Element = self.source.c[path[0]]
        kind = self.types[path[0]]
        if len(path) == 1:
            return found
        form = getattr(kind, "of", kind).name
        return through(self.view, form, found, path[1:], (self.source,))

    def aggregate(self, path: Path, build: Callable[[SqlNames], Element]) -> Element:
        """A value over the rows of a group."""
        return build(self)


def parameter(view: View, key: str) -> Element:
    """The value of a parameter, bound."""
    return literal(view.parameters[key])
