"""Columns that name the document a row came from, of whatever form: its title, and the way to its page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from flask import url_for

from formloop.access.actor import Actor
from formloop.core.clock import find_id
from formloop.core.text import M
from formloop.forms import screen
from formloop.forms.spec import Field, FieldType, Values
from formloop.ledgers.explaining import list_sources

SOURCE = "@document"


class Document(FieldType):
    """A record of any form, held as `id:form`; without a name for whoever may not see it."""

    name = "document"
    title = M("Document")
    icon = "file-text"
    operators = ("is", "empty", "filled")
    sortable = False
    titles: ClassVar[Mapping[str, Any]] = {"title": "Document", "x-title": {"zh-CN": "单据"}}

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        """The name of the record, where it may be seen."""
        return (names or {}).get(value, "") if value else ""

    def source(self, field: Field) -> str | None:
        """Names of documents."""
        return SOURCE


DOCUMENT = Document()


def names_in(actor: Actor, fields: Iterable[Field], rows: Sequence[Values], locale: str) -> screen.Names:
    """What everything in these rows that points to records is called, documents of any form included."""
    listed = list(fields)
    names = screen.names_in(actor, [field for field in listed if field.type is not DOCUMENT], rows)
    keys = [field.key for field in listed if field.type is DOCUMENT]
    pairs = [(value, pair) for row in rows for key in keys if (pair := parse(value := row.get(key)))]
    known = list_sources(actor, {pair for _, pair in pairs}, locale)
    for value, pair in pairs:
        source = known.get(pair)
        names[SOURCE, value] = f"{source.form_title} {source.title}" if source else ""
    return names


def parse(value: Any) -> tuple[str, int] | None:
    """The form and the id that a value of such a column names."""
    number, _, form = str(value or "").partition(":")
    record = find_id(number)
    return (form, record) if form and record is not None else None


def address(value: Any) -> str | None:
    """Where the page of such a record is."""
    pair = parse(value)
    return url_for("forms.record_page", form=pair[0], record=pair[1]) if pair else None
