"""What may be picked where a schema says `x-pick`: definitions, fields, states, people. One function a word."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from formloop.access import people
from formloop.core.definitions import Doc, Kind, Path
from formloop.core.registry import Registry
from formloop.core.text import M, Message, localized
from formloop.definitions import apps, library
from formloop.definitions import service as definitions
from formloop.forms.fields import find_type
from formloop.forms.live import MOST_CHOICES
from formloop.forms.spec import DEFAULT_STATES, Field
from formloop.forms.system_fields import SYSTEM_TITLES
from formloop.studio.operations import find
from formloop.studio.places import Schema
from formloop.studio.shapes import mapping, texts

ITSELF = M("The record itself")
Option = tuple[str, str]  # the value and its words


@dataclass(frozen=True)
class Around:
    """What a panel knows of the document it belongs to. `beside` are the values next to the one picked, `at` its place,
    `problems` what is wrong by place, its steps into lists as numbers."""

    kind: Kind
    doc: Doc
    locale: str
    beside: Mapping[str, Any]
    at: Path = ()
    problems: Mapping[Path, Message] = field(default_factory=dict)

    @cached_property
    def form(self) -> Doc:
        """The form that is meant: the one named beside, else the one the document is about, else itself."""
        if "form" not in self.beside and self.kind.name == "form":
            return self.doc
        named = self.beside.get("form", self.doc.get("form"))
        return (find_newest("form", named) or {}) if isinstance(named, str) else {}

    def inside(self, schema: Schema, value: Mapping[str, Any], at: Path = ()) -> "Around":
        """In a part of the document: where that asks for a form, no other is meant before one is chosen."""
        return replace(self, beside={**({"form": None} if asks_form(schema, value) else {}), **value}, at=at)

    @property
    def waits(self) -> bool:
        """Whether the form that is asked for beside is not chosen yet."""
        return "form" in self.beside and not self.form


def asks_form(schema: Schema, value: Mapping[str, Any]) -> bool:
    """Whether a part is about a form that it names: always, or beside the values that are there."""
    asked = mapping(mapping(mapping(schema.get("properties")).get("form")).get("x-needed-with"))
    beside = any(value.get(name) in values for name, values in asked.items())
    return beside or "form" in schema.get("required", ())


def find_newest(kind: str, key: str) -> Doc | None:
    """The draft of a definition, else what is published: designers work on what is coming."""
    draft = definitions.find_draft_by_key(kind, key)
    return library.find_document(kind, key) if draft is None else draft


def fields_of(form: Mapping[str, Any], locale: str, lines: bool = True) -> list[Option]:
    """The fields of a form by path, columns of lines too."""
    found = []
    for key, each in mapping(form.get("properties")).items():
        title = localized(mapping(each), "title", locale) or key
        found.append((key, title))
        columns = mapping(mapping(mapping(each).get("items")).get("properties")) if lines else {}
        found += [
            (f"{key}.{name}", f"{title} · {localized(mapping(column), 'title', locale) or name}")
            for name, column in columns.items()
        ]
    return found


def field_at(form: Mapping[str, Any], path: str) -> dict[str, Any]:
    """What a form says of a field, or of a column of lines."""
    top, _, column = path.partition(".")
    said = mapping(mapping(form.get("properties")).get(top))
    return mapping(mapping(mapping(said.get("items")).get("properties")).get(column)) if column else said


def options_of(form: Mapping[str, Any], locale: str) -> dict[str, list[Option]]:
    """The choices of each field that lists them, by path."""
    found = {}
    for path, _ in fields_of(form, locale):
        said = field_at(form, path)
        words = mapping(said.get("x-titles"))
        choices = texts(said.get("enum")) or texts(mapping(said.get("items")).get("enum"))
        if choices:
            found[path] = [
                (each, localized(mapping(words.get(each)), "title", locale) or each) for each in choices
            ]
    return found


def points_of(form: Mapping[str, Any], locale: str) -> dict[str, str]:
    """Where the people, departments and files of each field that holds such come from, by path."""
    found = {"owner": "@person", "department": "@department"}  # which every record has
    for path, _ in fields_of(form, locale):
        said = field_at(form, path)
        kind = find_type(said)
        found[path] = source_of(Field(path, path, kind, said)) if kind is not None else ""
    return {path: source for path, source in found.items() if source}


def source_of(field: Field) -> str:
    """Where the people, departments or files of a field come from; nothing for all else."""
    source = field.type.source(field) or ""
    return source if source.startswith("@") else ""


def states_of(form: Mapping[str, Any], locale: str) -> list[Option]:
    """The states records of a form may have."""
    said = mapping(form.get("x-states")) or DEFAULT_STATES
    return [(key, localized(mapping(each), "title", locale) or key) for key, each in said.items()]


def _definitions(kind: str) -> Callable[[Around], list[Option]]:
    def pick(around: Around) -> list[Option]:
        return [*apps.names_apart(definitions.list_definitions(kind), around.locale).items()]

    return pick


def _departments(around: Around) -> list[Option]:
    return [(row.key, people.department_title(row)) for row in people.list_departments() if row.key]


def _entering(around: Around) -> list[Option]:
    """Coming to a state, as postings say it."""
    return [(f"state:{key}", title) for key, title in states_of(around.form, around.locale)]


def _lines(around: Around) -> list[Option]:
    """The subforms of the form."""
    return _lines_of(around.form, around.locale)


def _lines_of(form: Mapping[str, Any], locale: str) -> list[Option]:
    fields = mapping(form.get("properties"))
    found = fields_of(form, locale, lines=False)
    return [each for each in found if "properties" in mapping(mapping(fields[each[0]]).get("items"))]


def _lines_beyond(around: Around) -> list[Option]:
    """The subforms of the form, and of the records that it or its lines name, by the way there."""
    found = _lines(around)
    for path, title in fields_of(around.form, around.locale):
        named = mapping(field_at(around.form, path).get("x-relation")).get("form")
        theirs = library.find_document("form", named) if isinstance(named, str) else None
        found += [
            (f"{path}.{key}", f"{title} · {word}") for key, word in _lines_of(theirs or {}, around.locale)
        ]
    return found


def _typed(*wanted: str, lines: bool = False) -> Callable[[Around], list[Option]]:
    """The fields of some types only."""

    def pick(around: Around) -> list[Option]:
        found = fields_of(around.form, around.locale, lines)
        kinds = {path: find_type(field_at(around.form, path)) for path, _ in found}
        return [each for each in found if (kind := kinds[each[0]]) is not None and kind.name in wanted]

    return pick


def _linked(around: Around) -> list[Option]:
    """What can be taken over from a record of another form: one of its fields, or which record it is."""
    fields = fields_of(around.form, around.locale, lines=False)
    kinds = {key: find_type(field_at(around.form, key)) for key, _ in fields}
    one = [each for each in fields if (kind := kinds[each[0]]) is not None and kind.stored]
    return [*one, ("id", ITSELF.render(around.locale))]


def _siblings(around: Around) -> list[Option]:
    """The fields that stand beside the one a setting is about and take a value: of the record, or of its line."""
    steps = [number for number, step in enumerate(around.at) if step == "properties"]
    if not steps:
        return []
    holder, own = around.at[: steps[-1] + 1], around.at[steps[-1] + 1 : steps[-1] + 2]
    beside = mapping(find(around.doc, holder, around.kind.identities))
    return [
        (key, localized(mapping(each), "title", around.locale) or key)
        for key, each in beside.items()
        if (key,) != own and "x-formula" not in mapping(each) and "items" not in mapping(each)
    ]


def _listed(around: Around) -> list[Option]:
    """What the list of a form can show and filter by: its fields, and what every record has."""
    own = [each for each in SYSTEM_TITLES if each != "id"]
    found = fields_of(around.form, around.locale, lines=False)
    return found + [(key, SYSTEM_TITLES[key].render(around.locale)) for key in own]


def _sorting(around: Around) -> list[Option]:
    """What the list of a form can be sorted by, each rising and falling."""
    said = [
        (key, title)
        for key, title in [*_listed(around), ("id", SYSTEM_TITLES["id"].render(around.locale))]
        if (kind := find_type(field_at(around.form, key))) is None or (kind.sortable and kind.stored)
    ]
    return [
        (f"{way}{key}", f"{title} {arrow}") for key, title in said for way, arrow in (("", "↑"), ("-", "↓"))
    ]


def _of_ledger(*parts: str, other: bool = False) -> Callable[[Around], list[Option]]:
    """The dimensions or measures of the ledger that is designed, or of the `other` one that is named beside."""

    def pick(around: Around) -> list[Option]:
        named = around.beside.get("ledger") if other else None
        ledger = (find_newest("ledger", named) or {}) if isinstance(named, str) else around.doc
        return [
            (key, called(mapping(each), key, around.locale))
            for part in parts
            for key, each in mapping(ledger.get(part)).items()
        ]

    return pick


def called(said: Mapping[str, Any], key: str, locale: str) -> str:
    """What a dimension or measure is called: as it says, else like the form it points to."""
    title, form = localized(said, "title", locale), said.get("form")
    if not title and isinstance(form, str):
        title = localized(find_newest("form", form) or {}, "title", locale)
    return title or key


def _of_form(pick: Callable[[Around], list[Option]]) -> Callable[[Around], list[Option]]:
    """Nothing of a form that is not chosen."""
    return lambda around: pick(around) if around.form else []


pickers: Registry[Callable[[Around], Sequence[Option]]] = Registry("picker")
pickers.add("form", _definitions("form"))
pickers.add("dataset", _definitions("dataset"))
pickers.add("role", _definitions("role"))
pickers.add("workflow", _definitions("workflow"))
pickers.add("plan", _definitions("plan"))
pickers.add("ledger", _definitions("ledger"))
pickers.add("measures", _of_ledger("measures"))
pickers.add("dimensions", _of_ledger("dimensions"))
pickers.add("amounts", _of_ledger("dimensions", "measures", other=True))
pickers.add("their_measures", _of_ledger("measures", other=True))
pickers.add("sibling", _siblings)
pickers.add("department", _departments)
for _word, _pick in {
    "entering": _entering,
    "lines": _lines,
    "lines_beyond": _lines_beyond,
    "field": lambda around: fields_of(around.form, around.locale, lines=False),
    "fields": lambda around: fields_of(around.form, around.locale),
    "linked": _linked,
    "date_field": _typed("date", "datetime"),
    "member_field": _typed("member", lines=True),
    "department_field": _typed("department"),
    "person_field": _typed("member", "department"),
    "listed": _listed,
    "sorting": _sorting,
    "state": lambda around: states_of(around.form, around.locale),
}.items():
    pickers.add(_word, _of_form(_pick))


Ready = tuple[str, str, Any]  # words, the name it gets, and what it says
ready: Registry[Callable[[Around], Sequence[Ready]]] = Registry(
    "ready-made part"
)  # what may be added as it stands


@dataclass(frozen=True, slots=True)
class Searched:
    """What is too much for a page: asked of the server letter by letter. A page has the words of what is chosen."""

    find: Callable[[str], list[tuple[str, str, str]]]  # the value, its words, and what tells it from its like
    words: Callable[[Sequence[str]], Mapping[str, str]]


def _find_people(text: str) -> list[tuple[str, str, str]]:
    return [(row.account, row.name, row.account) for row in people.list_people(text, limit=MOST_CHOICES)]


searched: Registry[Searched] = Registry("picker")
searched.add("person", Searched(_find_people, people.names_by_account))

Describe = Callable[[Around], Mapping[str, Any]]
described: Registry[Describe] = Registry("description")  # schemas of properties by name


def offered(word: str, around: Around, present: Any) -> list[Option]:
    """What may be picked, and what is there already even when it no longer can be."""
    there = [present] if isinstance(present, str) else texts(present)
    if (search := searched.find(word)) is not None:
        words = search.words(there)
        return [(each, words.get(each, each)) for each in there]
    found = list(pickers.get(word)(around))
    known = {value for value, _ in found}
    return found + [(each, each) for each in there if each and each not in known]
