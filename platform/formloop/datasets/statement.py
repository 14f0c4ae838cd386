"""A dataset as SQL: parts, joins, union, groups, measures, all in one statement, with one person's rights in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    Numeric,
    Select,
    String,
    Subquery,
    Text,
    and_,
    cast,
    collate,
    func,
    literal,
    null,
    select,
    true,
    type_coerce,
    union_all,
)

from formloop.core.errors import Forbidden
from formloop.core.expression import (
    DATETIME,
    NUMBER,
    Calculated,
    Context,
    Expression,
    Path,
    RecordType,
    SqlNames,
    to_column,
    to_sql,
)
from formloop.datasets.sight import TableRows, parameter
from formloop.datasets.spec import PARAMETERS, DatasetSpec, Element, Part, Rows, View
from formloop.db import Exact, UtcTime
from formloop.forms import keyset
from formloop.forms.spec import Field

RECORD = "_record"
Query = Select[Any] | CompoundSelect[Any]


def complete(dataset: DatasetSpec, given: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The values of all parameters: those given, for the others their defaults."""
    return complete_fields(dataset.parameters, given, context)


def complete_fields(
    fields: Mapping[str, Field], given: Mapping[str, Any], context: Context
) -> dict[str, Any]:
    """The values of fields that no record holds: those given, for the others their defaults."""
    found = {}
    for key, field in fields.items():
        if key in given:
            found[key] = given[key]
        elif field.default_expression is not None:
            found[key] = field.default_expression.evaluate({}, context)
        else:
            found[key] = None if field.default is None else field.type.read(field, field.default)
    return found


def require(view: View, dataset: DatasetSpec) -> None:
    """Forbidden, with the first reason, when the person may see nothing of any source."""
    refused: list[Forbidden] = []
    for part in dataset.parts:
        try:
            part.origin.require(view)
        except Forbidden as error:
            refused.append(error)
        else:
            return
    raise refused[0] if refused else Forbidden()  # one without parts no longer fits its forms


def derived(view: View, dataset: DatasetSpec) -> Subquery:
    """The rows of a dataset as a table: its columns, and `_k…` columns that tell rows apart."""
    found: Query = _rows(view, dataset)
    if dataset.group is not None:
        found = _grouped(view, dataset, found.subquery())
    if dataset.having is not None:
        table = found.subquery()
        names = TableRows(view, table, dataset.types)
        found = select(*table.c).where(to_sql(dataset.having, names, view.context, view.dialect))
    if dataset.running:
        found = _running(view, dataset, found.subquery())
    return found.subquery()


def order(view: View, dataset: DatasetSpec, table: FromClause, sort: Sequence[str]) -> list[Element]:
    """The order of the rows of `table` by these keys, empty values lowest."""
    filled = {"_k0"} if dataset.identified else set()
    return [keyset.direction(comparable(view, table, key.lstrip("-")), key, key in filled) for key in sort]


def comparable(view: View, table: FromClause, key: str) -> Element:
    """A column of a table of rows, to compare and to sort by."""
    found: Element = table.c[key]
    if isinstance(found.type, Calculated) and view.dialect == "sqlite":
        return type_coerce(collate(found, "fl_number"), Calculated())
    return found


def row_keys(table: FromClause) -> list[str]:
    """The columns that tell the rows of a table apart."""
    return [column.key for column in table.c if column.key.startswith("_k")]


def _running(view: View, dataset: DatasetSpec, table: Subquery) -> Select[Any]:
    """The rows with the totals of what stands up to each of them, in the order of the dataset."""
    ordered = order(view, dataset, table, [*dataset.sort, *row_keys(table)])
    totals = []
    for key, each in dataset.running.items():
        value: Element = table.c[each.of]
        calculated = isinstance(value.type, Calculated)
        if calculated and view.dialect == "sqlite":
            total: Any = func.fl_total(value)
        else:
            total = func.sum(type_coerce(value, Numeric()) if calculated else value)
        within = [table.c[name] for name in each.within]
        frame = total.over(partition_by=within or None, order_by=ordered, rows=(None, 0))
        totals.append(type_coerce(frame, value.type).label(key))
    return select(*table.c, *totals)


def _rows(view: View, dataset: DatasetSpec) -> Query:
    """The rows before they are grouped."""
    opened = [_opened(view, part) for part in dataset.parts]
    columns = [_columns(view, part, names) for part, names in zip(dataset.parts, opened, strict=True)]
    if len(opened) == 1:
        return opened[0].select([each.label(key) for key, each in columns[0].items()])
    for key in columns[0]:
        _align(key, view, dataset.parts, opened, columns)
    keys = _keys_of_parts([names.keys for names in opened])
    selects = []
    for number, (names, listed) in enumerate(zip(opened, columns, strict=True)):
        labelled = [listed[key].label(key) for key in columns[0]]
        selects.append(names.select(labelled, [literal(number, Integer), *keys[number]]))
    return union_all(*selects)


def _keys_of_parts(parts: Sequence[Sequence[Element]]) -> list[list[Element]]:
    """What tells the rows of each part apart, as many for each; in text where it is one for another part (balances)."""
    width = max(len(keys) for keys in parts)
    filled = [[*keys, *[cast(null(), Integer())] * (width - len(keys))] for keys in parts]
    for place in range(width):
        if any(isinstance(keys[place].type, String) for keys in filled):
            for keys in filled:
                keys[place] = cast(keys[place], Text())
    return filled


class _Names:
    """What the expressions of one part can name: its source bare, joined ones by name, parameters."""

    def __init__(self, view: View, main: Rows) -> None:
        self.view, self.main = view, main
        self.joined: dict[str, Rows] = {}
        self.source: FromClause = main.source
        self.where: list[ColumnElement[bool]] = list(main.where)

    @property
    def keys(self) -> list[Element]:
        """What tells the rows apart."""
        return [*self.main.keys, *(key for rows in self.joined.values() for key in rows.keys)]

    def column(self, path: Path) -> Element:
        """The column at `path`."""
        if path[0] == PARAMETERS:
            return parameter(self.view, path[1])
        if path[0] in self.joined:
            return self.joined[path[0]].column(path[1:])
        return self.main.column(path)

    def aggregate(self, path: Path, build: Any) -> Element:
        """A value over the lines of the source."""
        return self.main.aggregate(path, build)

    def select(self, columns: Sequence[Element], keys: Sequence[Element] | None = None) -> Select[Any]:
        """These columns of the rows, with what tells them apart: their own keys, or those of a union."""
        named = [key.label(f"_k{place}") for place, key in enumerate(self.keys if keys is None else keys)]
        if keys is None and self.main.record is not None:
            named.append(self.main.record.label(RECORD))
        return select(*columns, *named).select_from(self.source).where(*self.where)


def _opened(view: View, part: Part) -> _Names:
    names = _Names(view, part.origin.rows(view))
    for join in part.joins:
        rows = join.origin.rows(view)
        names.joined[join.name] = rows
        fits = [_equal(view, names, left, right) for left, right in join.on]
        on = and_(true(), *fits, *rows.where)
        names.source = names.source.join(rows.source, on, isouter=not join.required)
    if part.where is not None:
        names.where.append(to_sql(part.where, names, view.context, view.dialect))
    return names


def _equal(view: View, names: SqlNames, left: Expression, right: Expression) -> ColumnElement[bool]:
    """Whether both are the same and not empty, in the plainest form, so that an index can serve."""
    one, two = column(view, names, left), column(view, names, right)
    if _scale(one) != _scale(two) and _is_number(left):
        one, two = column(view, names, left, True), column(view, names, right, True)
    return one == two


def column(view: View, names: SqlNames, expression: Expression, calculated: bool = False) -> Element:
    """An expression as a column; a calculated moment comes back as moments of the database do."""
    found = to_column(expression, names, view.context, view.dialect, calculated)
    moment = expression.type == DATETIME and not isinstance(found.type, UtcTime)
    return type_coerce(found, UtcTime()) if moment else found


def _columns(view: View, part: Part, names: SqlNames) -> dict[str, Element]:
    return {key: column(view, names, each) for key, each in part.columns.items()}


def _is_number(expression: Expression) -> bool:
    return expression.type == NUMBER or isinstance(expression.type, RecordType)


def _scale(element: Element) -> int | None:
    """How many decimals the whole numbers of a column stand for; None where numbers are calculated."""
    if isinstance(element.type, Exact):
        return element.type.scale
    return 0 if isinstance(element.type, Integer) else None


def _align(
    key: str,
    view: View,
    parts: Sequence[Part],
    names: Sequence[SqlNames],
    columns: Sequence[dict[str, Element]],
) -> None:
    """Give one column of a union the same form in every part."""
    first = parts[0].columns[key]
    scales = {_scale(listed[key]) for listed in columns if key in listed}
    for part, own, listed in zip(parts, names, columns, strict=True):
        if key not in listed:
            listed[key] = cast(null(), Calculated() if len(scales) > 1 else columns[0][key].type)
        elif len(scales) > 1 and _is_number(first):
            listed[key] = column(view, own, part.columns[key], calculated=True)


def _grouped(view: View, dataset: DatasetSpec, table: Subquery) -> Select[Any]:
    names = TableRows(view, table, dataset.inner)
    group = dataset.group or ()
    columns = [table.c[key] for key in group]
    measures = [column(view, names, each).label(key) for key, each in dataset.measures.items()]
    keys = [table.c[key].label(f"_k{place}") for place, key in enumerate(group)]
    return select(*columns, *measures, *keys).select_from(table).group_by(*columns)
