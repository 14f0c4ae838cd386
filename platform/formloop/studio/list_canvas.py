"""The list of a form as its readers will see it: the draft's columns, order and filters over records that are there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from formloop.access import gate, signing
from formloop.core import clock
from formloop.core.errors import Invalid
from formloop.core.text import LOCALES, M, localized
from formloop.definitions import library
from formloop.forms import screen, states
from formloop.forms.beginnings import beginning
from formloop.forms.fields import find_type
from formloop.forms.fields.cascade import branches
from formloop.forms.filter_words import say_filter
from formloop.forms.filters import Filter, operators
from formloop.forms.kind import BUTTONS, read_list
from formloop.forms.list_query import read_query
from formloop.forms.listing import Query, list_records
from formloop.forms.row_html import badge
from formloop.forms.spec import Field, FormSpec, ListSpec, State, Values
from formloop.forms.system_fields import SYSTEM_TITLES, system_field
from formloop.studio.pickers import Around, Option, options_of, states_of
from formloop.studio.shapes import listing, mapping, texts

FIRST = 5  # records shown
INVENTED = 2  # rows where there is no record to show
READER = M("whoever looks at it")


@dataclass(frozen=True, slots=True)
class Column:
    """A heading; `sorted` is up or down where the list is sorted by it first."""

    key: str
    label: str
    number: bool
    sorted: str


class Listed:
    """What the draft says of its list; a draft may be wrong in every way."""

    def __init__(self, around: Around) -> None:
        doc, self.around, self.locale = around.doc, around, around.locale
        self.fields = dict(_fields(doc))
        self.list: ListSpec = read_list({"x-list": _sound(mapping(doc.get("x-list")))}, self.fields)
        self.states = {
            key: State(key, {**mapping(mapping(doc.get("x-states")).get(key)), "title": title})
            for key, title in states_of(doc, self.locale)
        }
        self.options: dict[str, dict[str, list[Option]]] = {
            each: {"state": states_of(doc, each), **options_of(doc, each)} for each in LOCALES
        }

    def title(self, key: str) -> str:
        """What a column is called."""
        if key in self.fields:
            return self.fields[key].title(self.locale)
        return SYSTEM_TITLES[key].render(self.locale) if key in SYSTEM_TITLES else key

    def keys(self) -> list[str]:
        """The columns in their order; the state, where it tells something and is none of them, behind them."""
        said = [*self.list.columns]
        return [*said, "state"] if "state" not in said and self._telling() else said

    def _telling(self) -> bool:
        if "x-states" in self.around.doc:
            return len(self.states) > 1
        key = str(self.around.doc.get("x-key"))
        return library.find_document("form", key) is not None and states.are_moved(key)

    def column(self, key: str) -> Column:
        """The heading of a column."""
        field, first = self.fields.get(key), self.list.sort[0] if self.list.sort else ""
        way = {key: "up", f"-{key}": "down"}.get(first, "")
        return Column(key, self.title(key), field is not None and field.type.numeric, way)

    def choices(self, key: str, locale: str) -> list[Option]:
        """What a field, or the state, may be."""
        field = self.fields.get(key)
        if field is not None and field.type.name == "cascade":
            tree = [texts(each) for each in listing(field.schema.get("x-tree"))]
            return [(each, each) for each in branches(replace(field, schema={"x-tree": tree}))]
        return self.options[locale].get(key, [])

    def asked(self, begins: Mapping[str, str], fields: Mapping[str, Field]) -> tuple[Filter, ...]:
        """Default filters, over these fields."""
        return read_query(self, beginning(begins, fields, self.choices, signing.current().person_id)).filters

    def in_words(self, filter: Filter) -> str:
        """A default filter as its chip says it."""
        field = self.fields.get(filter.field) or system_field(filter.field)
        if field is not None and field.type.source(field) == "@person":
            return f"{self.title(filter.field)} {operators[filter.operator].title.render(self.locale)} {READER.render(self.locale)}"
        words = dict(self.choices(filter.field, self.locale))
        return say_filter(self.title(filter.field), filter, words, self.locale)

    def sort(self, spec: FormSpec) -> tuple[str, ...]:
        """The draft's sort, as far as what is published can be sorted by it."""
        known = (*spec.fields, *SYSTEM_TITLES)
        return tuple(key for key in self.list.sort if key.removeprefix("-") in known) or ("-id",)


def draw(around: Around) -> Mapping[str, Any]:
    """What the canvas shows while the list is designed."""
    listed = Listed(around)
    keys = listed.keys()
    rows = _records(listed, keys)
    titles = around.kind.schema["properties"]["x-list"]["properties"]["buttons"]["items"]["x-titles"]
    return {
        "title": localized(around.doc, "title", around.locale),
        "buttons": [
            (each, localized(titles[each], "title", around.locale))
            for each in BUTTONS
            if each in listed.list.buttons
        ],
        "offered": [listed.title(key) for key in listed.list.filters],
        "begins": [listed.in_words(each) for each in listed.asked(listed.list.begins, listed.fields)],
        "columns": [listed.column(key) for key in keys],
        "rows": rows or [[_invented(listed, key, n) for key in keys] for n in range(INVENTED)],
        "invented": not rows,
    }


def _fields(doc: Mapping[str, Any]) -> Iterator[tuple[str, Field]]:
    for key, said in mapping(doc.get("properties")).items():
        kind = find_type(mapping(said))
        if kind is not None:
            yield key, Field(key, key, kind, mapping(said))


def _sound(said: Mapping[str, Any]) -> dict[str, Any]:
    """The lists of texts of `x-list`, and the texts it begins with, without what is neither."""
    begins = {key: each for key, each in mapping(said.get("begins")).items() if isinstance(each, str)}
    parts = [part for part in ("columns", "sort", "filters", "buttons") if part in said]
    return {"begins": begins} | {part: list(dict.fromkeys(texts(said[part]))) for part in parts}


def _records(listed: Listed, keys: list[str]) -> list[list[str]]:
    """Records of the published form that the builder may see; what is not published yet is empty in them."""
    actor, spec = signing.current(), library.find_published("form", str(listed.around.doc.get("x-key")))
    if not isinstance(spec, FormSpec) or not gate.allows(actor, "view", spec.resource):
        return []
    known = tuple(key for key in keys if key in spec.fields)
    filters = listed.asked(listed.list.begins, spec.fields)
    try:
        rows = list_records(actor, spec, Query(filters, listed.sort(spec), limit=FIRST, columns=known)).rows
    except Invalid:  # sorted by what the builder may not see, or what cannot be sorted by
        rows = list_records(actor, spec, Query(filters, ("-id",), limit=FIRST, columns=known)).rows
    names = screen.names_for(actor, spec, rows)
    return [[_text(listed, spec, key, row, names) for key in keys] for row in rows]


def _text(listed: Listed, spec: FormSpec, key: str, row: Values, names: screen.Names) -> str:
    if key == "state" and key not in spec.fields:
        state = listed.states.get(row["state"])
        return badge(state.color, state.title(listed.locale)) if state else str(row["state"])
    field = spec.fields.get(key) or system_field(key)
    return screen.shown_text(field, row.get(key), listed.locale, names) if field else ""


def _invented(listed: Listed, key: str, number: int) -> str:
    """A value that says what stands here, by the type of its field."""
    options, field = listed.options[listed.locale].get(key), listed.fields.get(key) or system_field(key)
    if options:
        value, word = options[number % len(options)]
        own = key == "state" and key not in listed.fields
        return badge(listed.states[value].color, word) if own else word
    if field is None:
        return ""
    if field.type.numeric:
        return str((number + 1) * 10)
    if field.type.name == "switch":
        return (M("Yes"), M("No"))[number % 2].render(listed.locale)
    if field.schema.get("format") in ("date", "date-time"):
        return clock.now().date().isoformat()
    return f"{listed.title(key)} {number + 1}"
