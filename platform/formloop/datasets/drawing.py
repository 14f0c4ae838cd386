"""The rows of a dataset as its page shows them: subtotals above what they are of, documents, the way to "Why?"."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import url_for
from markupsafe import Markup

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.expression import EvaluationError, Expression
from formloop.core.text import M, localized
from formloop.datasets import document, service
from formloop.datasets.addresses import PREFIX
from formloop.datasets.kind import get_dataset
from formloop.datasets.leading import is_shared, towards
from formloop.datasets.service import RECORD, Reading
from formloop.datasets.spec import PARAMETERS, DatasetSpec
from formloop.forms import screen
from formloop.forms.listing import Query
from formloop.forms.row_html import RowTemplate
from formloop.forms.spec import Field, Values


def summed(fields: Sequence[Field]) -> list[str]:
    """The columns that have totals."""
    return [field.key for field in fields if field.schema.get("x-total")]


def last_columns(dataset: DatasetSpec) -> list[dict[str, Any]]:
    """The columns behind the last one, where rows lead to other rows, or to the entries they come from."""
    return [{"label": ""} for word in ("leads", "why") if word in dataset.document]


def rows(
    actor: Actor,
    reading: Reading,
    query: Query,
    fields: Sequence[Field],
    found: Sequence[Values],
    locale: str,
) -> list[Markup]:
    """The rows, each set of them that belongs together below its subtotals."""
    names = document.names_in(actor, [*reading.dataset.fields.values()], found, locale)
    of_form = reading.dataset.form
    address = url_for("forms.record_page", form=of_form, record=0).removesuffix("0") if of_form else None
    columns = [(field.key, field, field.title(locale)) for field in fields]
    documents = {field.key: document.address for field in fields if field.type is document.DOCUMENT}
    template = RowTemplate(columns, address, {}, None, None, locale, documents)
    heads = _Subtotals(reading, query, fields, names, locale) if _by_groups(reading, query, fields) else None
    leads, why = _Leads(actor, reading, locale), _Why(actor, reading, locale)
    drawn: list[Markup] = []
    for row in found:
        if heads is not None and (head := heads.above(row)):
            drawn.append(head)
        drawn.append(template.row({**row, "id": row.get(RECORD)}, names, leads.cell(row) + why.cell(row)))
    return drawn


def _by_groups(reading: Reading, query: Query, fields: Sequence[Field]) -> bool:
    """Whether rows stand together as the dataset says: not sorted otherwise, and the columns are there."""
    shown = {field.key for field in fields}
    return bool(reading.dataset.subtotals) and not query.sort and shown.issuperset(reading.dataset.subtotals)


class _Subtotals:
    """A row of subtotals wherever one of their columns changes; the page that goes on shows the first again."""

    def __init__(
        self, reading: Reading, query: Query, fields: Sequence[Field], names: screen.Names, locale: str
    ) -> None:
        self.keys, self.fields, self.names, self.locale = reading.dataset.subtotals, fields, names, locale
        self.sums = reading.subtotals(query, summed(fields))
        self.more = len(last_columns(reading.dataset))
        self.last: tuple[Any, ...] | None = None

    def above(self, row: Values) -> Markup:
        """The subtotals that stand above this row, if it begins something new."""
        here = tuple(row[key] for key in self.keys)
        if here == self.last:
            return Markup("")
        self.last = here
        cells = [self._cell(field, row, self.sums.get(here, {})) for field in self.fields]
        return Markup('<tr class="fl-subtotal">{}{}</tr>').format(
            Markup("").join(cells), Markup("<td></td>") * self.more
        )

    def _cell(self, field: Field, row: Values, sums: Mapping[str, Any]) -> Markup:
        if field.key in self.keys:
            text = screen.shown_text(field, row[field.key], self.locale, self.names)
            return Markup('<th scope="rowgroup">{}</th>').format(text or "–")
        if field.key not in sums:
            return Markup("<td></td>")
        text = field.type.show(field, sums[field.key], self.locale)
        return Markup('<td class="fl-right fl-num" data-label="{}"><strong>{}</strong></td>').format(
            field.title(self.locale), text
        )


class _Leads:
    """The cell of each row with the way to the rows of another dataset that belong to it, where those may be seen."""

    def __init__(self, actor: Actor, reading: Reading, locale: str) -> None:
        self.said, self.view = reading.dataset.leads, reading.view
        self.target = None
        if self.said is None or not service.may_read(actor, self.said.dataset):
            return
        target = get_dataset(self.said.dataset)
        self.of, problems = towards(self.said, target)
        if problems:  # it is not what it was when this was published
            return
        self.target = target
        self.text = localized(reading.dataset.document["leads"], "title", locale) or target.title(locale)
        given, own = reading.view.parameters, reading.dataset.parameters
        shared = {
            key: field
            for key, field in target.parameters.items()
            if given.get(key) is not None and is_shared(own[key], field)
        }
        self.args: dict[str, Any] = {
            f"{PREFIX}{key}": field.type.input_text(field, given[key]) for key, field in shared.items()
        }

    def cell(self, row: Values) -> Markup:
        """The cell of one row; empty for one that leads nowhere."""
        if self.said is None:
            return Markup("")
        if self.target is None:
            return Markup("<td></td>")
        found = {key: self._value(each, row) for key, each in self.of.items()}
        if any(value in (None, "") for value in found.values()):
            return Markup("<td></td>")
        fields = self.target.fields
        filters: dict[str, Any] = {
            f"f.{key}.is": fields[key].type.input_text(fields[key], found[key]) for key in found
        }
        to = url_for("datasets.rows_page", key=self.target.key, **self.args, **filters)
        return Markup('<td class="fl-right"><a class="btn btn-sm" href="{}">{}</a></td>').format(
            to, self.text
        )

    def _value(self, each: Expression, row: Values) -> Any:
        try:
            return each.evaluate({**row, PARAMETERS: self.view.parameters}, self.view.context)
        except EvaluationError:
            return None


class _Why:
    """The last cell of each row: the way to the entries that it comes from, where they may be seen."""

    def __init__(self, actor: Actor, reading: Reading, locale: str) -> None:
        self.said: Mapping[str, Any] = reading.dataset.document.get("why", {})
        self.allowed = bool(self.said) and gate.allows(actor, "view", f"ledger:{self.said['ledger']}")
        self.text = M("Why?").render(locale)
        given = reading.view.parameters
        days = {word: given.get(self.said[word]) for word in ("since", "until") if word in self.said}
        self.days = {word: day.isoformat() for word, day in days.items() if isinstance(day, date)}

    def cell(self, row: Values) -> Markup:
        """The cell of one row; empty for a row that stands for nothing in the ledger."""
        if not self.said:
            return Markup("")
        values = {name: row.get(column) for name, column in self.said["of"].items()}
        if not self.allowed or not any(values.values()):
            return Markup("<td></td>")
        args: dict[str, Any] = {f"d.{name}": value or "-" for name, value in values.items()} | self.days
        to = url_for("ledgers.entries", ledger=self.said["ledger"], **args)
        return Markup('<td class="fl-right"><a class="btn btn-sm" href="{}">{}</a></td>').format(
            to, self.text
        )
