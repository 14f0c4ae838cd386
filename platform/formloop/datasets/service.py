"""Reading datasets: pages, totals, all rows for an engine, and what a draft would give."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Label, Select, Subquery, and_, func, literal, select

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.definitions import Doc, check_schema_of
from formloop.core.errors import Forbidden, Invalid, Problem
from formloop.core.expression import NUMBER, ListType, parse
from formloop.core.text import M
from formloop.datasets import heads, keeping_back, statement
from formloop.datasets.kind import DATASET, check, get_dataset, prepare
from formloop.datasets.reading import OVER
from formloop.datasets.sight import TableRows
from formloop.datasets.spec import DatasetSpec, Element, View
from formloop.db import engine, reading
from formloop.definitions import library
from formloop.forms import keyset
from formloop.forms.filters import Filter, operators, read_filter
from formloop.forms.listing import EXACT_TOTAL, Query, searching
from formloop.forms.names import context_of
from formloop.forms.spec import Unreadable, Values, no_such_field

RECORD = statement.RECORD  # in a row, the record it stands for
MOST_PREVIEWED = 100
Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows. `next` continues it, None at the end."""

    rows: list[Values]
    next: str | None
    problems: list[Problem]


class Reading:
    """One dataset as one person sees it, with values for its parameters; made for one answer."""

    def __init__(
        self,
        actor: Actor,
        dataset: DatasetSpec,
        given: Given | None = None,
        actions: Sequence[str] = ("view",),
    ) -> None:
        context = context_of(actor)
        self.dataset, self.problems = dataset, list[Problem]()
        values = statement.complete(dataset, self._read(given or {}), context)
        self.view = View(actor, tuple(actions), context, engine().dialect.name, values)
        statement.require(self.view, dataset)
        self.table: Subquery = statement.derived(self.view, dataset)
        self._hidden = keeping_back.closed(self.view, dataset)
        shown = {key: field for key, field in dataset.fields.items() if key not in self._hidden}
        self.fields = heads.with_parameters(shown, values)

    def _read(self, given: Given) -> dict[str, Any]:
        found = {}
        for key, raw in given.items():
            field = self.dataset.parameters.get(key)
            if field is None:
                text = M(
                    "The dataset “{dataset}” has no parameter “{key}”.", dataset=self.dataset.key, key=key
                )
                self.problems.append(Problem("no_parameter", f"p.{key}", text))
                continue
            try:
                found[key] = None if raw in (None, "") else field.type.read(field, raw)
            except Unreadable as error:
                self.problems.append(Problem("unreadable", f"p.{key}", error.message))
        return found

    def page(self, query: Query) -> Page:
        """The rows that `query` asks for."""
        condition, problems = self._condition(query)
        sort = self._sort(query.sort or self.dataset.sort)
        columns = [self.column(key.lstrip("-")) for key in sort]
        wanted = self._select(query).where(condition)
        wanted = wanted.order_by(*self._order(sort))
        parts: list[ColumnElement[bool] | None] = [None]
        if query.after:
            parts = keyset.after(columns, sort, keyset.read_mark(query.after, sort, columns))
        rows: list[Values] = []
        with reading() as conn:
            for part in parts:
                limited = (wanted if part is None else wanted.where(part)).limit(query.limit + 1 - len(rows))
                rows += [dict(row) for row in conn.execute(limited).mappings()]
                if len(rows) > query.limit:
                    break
        mark = None
        if len(rows) > query.limit and sort:
            mark = keyset.write_mark(sort, [rows[query.limit - 1][key.lstrip("-")] for key in sort])
        return Page([self._told(row) for row in rows[: query.limit]], mark, [*self.problems, *problems])

    def count(self, query: Query) -> int:
        """How many rows there are, exact up to 10,000; 10,001 means more."""
        condition, _ = self._condition(query)
        some = select(literal(1)).select_from(self.table).where(condition).limit(EXACT_TOTAL + 1).subquery()
        with reading() as conn:
            return int(conn.execute(select(func.count()).select_from(some)).scalar_one())

    def sums(self, query: Query, keys: Sequence[str]) -> dict[str, Decimal]:
        """The exact totals of numeric columns over all rows."""
        condition, _ = self._condition(query)
        sums = self._sums(keys)
        if not sums:
            return {}
        with reading() as conn:
            row = conn.execute(select(*sums).select_from(self.table).where(condition)).mappings().one()
        return {each.key: row[each.key] or Decimal(0) for each in sums}

    def subtotals(self, query: Query, keys: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Decimal]]:
        """The same for each set of values of the columns that the dataset makes subtotals of."""
        condition, _ = self._condition(query)
        sums, per = self._sums(keys), [self.table.c[key] for key in self.dataset.subtotals]
        with reading() as conn:
            asked = select(*per, *sums).select_from(self.table).where(condition).group_by(*per)
            rows = conn.execute(asked).all()
        named = [each.key for each in sums]
        return {
            tuple(row[: len(per)]): {
                key: value or Decimal(0) for key, value in zip(named, row[len(per) :], strict=True)
            }
            for row in rows
        }

    def _sums(self, keys: Sequence[str]) -> list[Label[Any]]:
        wanted = [key for key in keys if key in self.fields and self.dataset.types.get(key) == NUMBER]
        types = {key: ListType(NUMBER, OVER) for key in wanted}
        names = TableRows(self.view, self.table, types)
        return [statement.column(self.view, names, parse(f"SUM({k})", types)).label(k) for k in wanted]

    def all(self) -> Iterator[Values]:
        """Every row, in the order of the dataset; for engines, not for pages."""
        sort = self._sort(self.dataset.sort)
        with reading() as conn:
            for row in conn.execute(self._select(Query()).order_by(*self._order(sort))).mappings():
                yield self._told(dict(row))

    @property
    def is_blind(self) -> bool:
        """Whether the person sees nothing of what tells the groups apart, so that their figures would say nothing."""
        return bool(self.dataset.group) and self._hidden.issuperset(self.dataset.group or ())

    def _told(self, row: Values) -> Values:
        """A row as the person is given it: blank where a value would come from what they may not see."""
        return {
            key: None if key in self._hidden else value
            for key, value in row.items()
            if not key.startswith("_k")
        }

    def column(self, key: str) -> Element:
        """A column of the result, to compare and to sort by."""
        return statement.comparable(self.view, self.table, key)

    def _select(self, query: Query) -> Select[Any]:
        keys = [key for key in query.columns if key in self.dataset.fields] or list(self.dataset.fields)
        also = {key.lstrip("-") for key in self._sort(query.sort or self.dataset.sort)}
        if RECORD in self.table.c:
            also.add(RECORD)
        return select(*(self.table.c[key] for key in dict.fromkeys([*keys, *sorted(also)])))

    def _sort(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The sort with the keys of rows at its end, so that every row has its own place."""
        kept = []
        for key in wanted:
            field = self.dataset.fields.get(key.lstrip("-"))
            own = key in self.dataset.sort
            if field is None or not (own or field.type.sortable):
                text = M("“{key}” cannot be sorted by.", key=key.lstrip("-"))
                raise Invalid([Problem("no_sort", key.lstrip("-"), text)])
            kept.append(key)
        return (*kept, *statement.row_keys(self.table))

    def _order(self, sort: Sequence[str]) -> list[Element]:
        return statement.order(self.view, self.dataset, self.table, sort)

    def _condition(self, query: Query) -> tuple[ColumnElement[bool], list[Problem]]:
        parts: list[ColumnElement[bool]] = [literal(True)]
        problems: list[Problem] = []
        for wanted in query.filters:
            field = self.dataset.fields.get(wanted.field)
            if field is None:
                problems.append(no_such_field(wanted.field))
                continue
            ready, wrong = read_filter(field, wanted)
            problems += wrong
            if ready is not None:
                parts.append(self._compared(ready))
        if query.search.strip():
            parts.append(self._search(query.search.strip()))
        return and_(*parts), problems

    def _compared(self, wanted: Filter) -> ColumnElement[bool]:
        build = operators[wanted.operator].build
        return build(self.column(wanted.field), wanted.value, wanted.other, self.view.context)

    def _search(self, text: str) -> ColumnElement[bool]:
        fields = self.dataset.fields
        return searching(self.view.actor, {each: self.column(key) for key, each in fields.items()}, text)


def list_rows(actor: Actor, key: str, query: Query | None = None, given: Given | None = None) -> Page:
    """A page of a published dataset; Forbidden when the person may see nothing of its sources."""
    return Reading(actor, get_dataset(key), given).page(query or Query())


def read_all(actor: Actor, key: str, given: Given | None = None) -> list[Values]:
    """Every row of a published dataset; Invalid when a parameter cannot be read."""
    found = Reading(actor, get_dataset(key), given)
    if found.problems:
        raise Invalid(found.problems)
    return list(found.all())


def list_datasets(actor: Actor) -> list[library.Entry]:
    """The published datasets of which the person may see something."""
    return [entry for entry in library.list_entries("dataset") if may_read(actor, entry.key)]


def may_read(actor: Actor, key: str) -> bool:
    """Whether the person may see something of a dataset; no for one that does not exist."""
    found = library.find_published("dataset", key)
    if not isinstance(found, DatasetSpec):
        return False
    try:
        statement.require(View(actor, ("view",), context_of(actor), engine().dialect.name), found)
    except Forbidden:
        return False
    return True


def preview(actor: Actor, doc: Doc, limit: int = 20, given: Given | None = None) -> Page:
    """What a draft would give this person, or what is wrong with it; nothing is kept."""
    gate.require(actor, "design", "definition")
    problems = check_schema_of(doc, DATASET) or check(doc, library.VIEW)
    if any(problem.severity == "error" for problem in problems):
        return Page([], None, problems)
    query = Query(limit=min(limit, MOST_PREVIEWED))
    return Reading(actor, prepare(doc, 0), given).page(query)
