"""What a dataset can be made of: its sources, what their rows name, and what may be joined beside them."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from formloop.core.definitions import Doc, Path
from formloop.core.errors import FormloopError
from formloop.core.expression import NUMBER, ListType, RecordType, Type
from formloop.core.keys import suggest_key
from formloop.core.text import LOCALES, M, Message, localized
from formloop.datasets.columns import WORDS
from formloop.datasets.sources import sources
from formloop.datasets.sources.form import FormOrigin
from formloop.datasets.sources.ledger import LedgerOrigin
from formloop.datasets.spec import LINE, PARAMETERS, RESERVED, Origin
from formloop.definitions import apps, library
from formloop.forms.fields import type_of
from formloop.forms.fields.dropdown import choice_title
from formloop.forms.spec import Field
from formloop.ledgers.spec import LedgerSpec
from formloop.studio.inputs import written_source
from formloop.studio.operations import find
from formloop.studio.pickers import Around, Option, Ready, source_of
from formloop.studio.shapes import mapping, texts

COUNT = M("Number of rows")
Named = tuple[Type, str, Field | None]  # of what rows name: its type, its words, and its field if it is one
Fit = tuple[
    Message, str, Any, dict[str, str]
]  # words, what it is called after, its source, and where it fits
LAST = (
    "id",
    "created_at",
    "updated_at",
    "owner",
    "department",
    "revision",
)  # seldom wanted, so offered behind


def list_sources(around: Around) -> list[Option]:
    """Everything rows may come from, as what stands under `from` in JSON."""
    locale = around.locale
    forms = [each for said in _names("form", locale).items() for each in _of_form(*said, locale)]
    named = [
        ({"dataset": key}, M("Dataset: {name}", name=name).render(locale))
        for key, name in _names("dataset", locale).items()
        if key != around.doc.get("x-key")
    ]
    ledgers = [each for spec in library.all_published("ledger") for each in _of_ledger(spec, locale)]
    return [(written_source(said), word) for said, word in (*forms, *named, *ledgers)]


def _names(kind: str, locale: str) -> dict[str, str]:
    """What is published of a kind, by key and told apart."""
    return apps.names_apart(library.list_entries(kind), locale)


def _of_form(key: str, title: str, locale: str) -> Iterator[tuple[Any, str]]:
    form = library.find_document("form", key) or {}
    yield key, title
    for name, said in mapping(form.get("properties")).items():
        if type_of(said) == "subform":
            yield {"form": key, "each": name}, f"{title} · {localized(said, 'title', locale) or name}"


def _of_ledger(ledger: LedgerSpec, locale: str) -> Iterator[tuple[Any, str]]:
    name, key = ledger.title.render(locale), ledger.key
    for number, each in enumerate(ledger.sets):
        per = {"per": list(each)} if number else {}
        words = ", ".join(ledger_word(ledger, dimension, locale) for dimension in each)
        yield {"ledger": key, **per}, M("{ledger}: balances per {per}", ledger=name, per=words).render(locale)
    yield {"ledger": key, "of": "entries"}, M("{ledger}: entries", ledger=name).render(locale)
    if ledger.open is not None:
        yield {"ledger": key, "of": "open"}, M("{ledger}: open items", ledger=name).render(locale)
    yield {"period": key}, M("{ledger}: the day it is closed through", ledger=name).render(locale)


def ledger_word(ledger: LedgerSpec, name: str, locale: str) -> str:
    """What a dimension of a ledger is called."""
    said = mapping(mapping(ledger.document.get("dimensions")).get(name))
    form = said.get("form")
    return localized(said, "title", locale) or (
        _title("form", form, locale) if isinstance(form, str) else name
    )


def _title(kind: str, key: str, locale: str) -> str:
    return localized(library.find_document(kind, key) or {}, "title", locale) or key


def part_of(doc: Doc, at: Path) -> Doc:
    """The first rows, or those of the union, that a place belongs to."""
    return mapping(find(doc, at[:2], {})) if at[:1] == ("union",) and len(at) > 1 else doc


def origin_of(said: Any) -> Origin | None:
    """A source as it is published; None where there is none."""
    words = {"form": said} if isinstance(said, str) else mapping(said)
    kind = next((each for each in sources if each.name in words), None)
    with suppress(
        KeyError, TypeError, AttributeError, ValueError, FormloopError
    ):  # a draft may be wrong in every way
        return kind.open(words, library.find_published, {})[0] if kind else None
    return None


def fields_in(origin: Origin, locale: str) -> dict[str, Named]:
    """What a source's rows name: type, words and field by path; what everybody looks for first."""
    found: dict[str, Named] = {}
    for name, kind in origin.names.items():
        if name == LINE and isinstance(kind, RecordType):
            lines, _ = _said(origin, (LINE,), locale)
            for key, each in kind.fields().items():
                word, field = _said(origin, (LINE, key), locale)
                found[f"{LINE}.{key}"] = each, f"{lines} · {word}", field
        elif not isinstance(kind, ListType):
            found[name] = (kind, *_said(origin, (name,), locale))
    late = {key for key in found if key.rpartition(".")[2] in LAST}
    return {key: found[key] for key in sorted(found, key=late.__contains__)}


def _said(origin: Origin, path: Path, locale: str) -> tuple[str, Field | None]:
    with suppress(KeyError, TypeError, AttributeError):
        if field := origin.find_field(path):
            return field.title(locale), field
    if isinstance(origin, LedgerOrigin) and path[0] in origin.ledger.dimensions:
        return ledger_word(origin.ledger, path[0], locale), None
    word = WORDS.get(path[-1])
    return (word.render(locale) if word else path[-1]), None


def rows_name(part: Doc, locale: str, upto: str = "") -> dict[str, Named]:
    """What an expression of a part can name; of what is joined only what stands before `upto`."""
    origin = origin_of(part.get("from"))
    found = fields_in(origin, locale) if origin else {}
    for name, said in mapping(part.get("join")).items():
        if name == upto:
            break
        joined = origin_of(mapping(said).get("from"))
        title = source_title(mapping(said).get("from"), locale)
        theirs = fields_in(joined, locale) if joined else {}
        found |= {
            f"{name}.{key}": (kind, f"{title} · {word}", each) for key, (kind, word, each) in theirs.items()
        }
    return found


def given(doc: Doc, locale: str) -> list[Option]:
    """The parameters, as expressions name them."""
    return [
        (f"{PARAMETERS}.{key}", localized(mapping(said), "title", locale) or key)
        for key, said in mapping(doc.get("parameters")).items()
    ]


def given_points(doc: Doc) -> dict[str, str]:
    """The forms whose records parameters name."""
    said = {key: mapping(each).get("x-relation") for key, each in mapping(doc.get("parameters")).items()}
    forms = {key: mapping(each).get("form") for key, each in said.items()}
    return {f"{PARAMETERS}.{key}": form for key, form in forms.items() if isinstance(form, str)}


def source_title(said: Any, locale: str) -> str:
    """What a source is called, without what is read of it."""
    words = {"form": said} if isinstance(said, str) else mapping(said)
    kind = next((each for each in ("form", "dataset", "ledger") if isinstance(words.get(each), str)), None)
    return _title(kind, words[kind], locale) if kind else ""


def choices_in(part: Doc, locale: str) -> dict[str, list[Option]]:
    """The options of what the rows name."""
    return {
        path: [(each, choice_title(field, each, locale)) for each in field.choices]
        for path, (_, _, field) in rows_name(part, locale).items()
        if field is not None and field.choices
    }


def points_in(part: Doc, locale: str) -> dict[str, str]:
    """Where the people, departments and files of what the rows name come from."""
    named = rows_name(part, locale).items()
    found = {path: source_of(field) for path, (_, _, field) in named if field is not None}
    return {path: source for path, source in found.items() if source}


def joins(around: Around) -> list[Ready]:
    """What fits beside the rows of a part: what they point to, what points to them, what is summed up by the same."""
    part = around.beside
    origin, locale = origin_of(part.get("from")), around.locale
    if origin is None:
        return []
    rows = rows_name(dict(part), locale)
    taken = {path.partition(".")[0] for path in rows} | {*mapping(part.get("join")), PARAMETERS, LINE}
    points = {path: kind.name for path, (kind, _, _) in rows.items() if isinstance(kind, RecordType)}
    found: list[Fit] = [
        (
            M("{form}, of “{field}”", form=_title("form", form, locale), field=rows[path][1]),
            form,
            form,
            {"id": path},
        )
        for path, form in points.items()
    ]
    if isinstance(origin, FormOrigin):
        found += _pointing(origin.form, locale)
    found += [each for path, form in points.items() for each in _summed(around, path, form, rows[path][1])]
    ready = [
        (word.render(locale), _free(name, taken), {"from": said, "on": on}) for word, name, said, on in found
    ]
    other = M("Another source").render(locale), suggest_key("joined", taken), {"from": "", "on": {}}
    return [*ready, other]


def _pointing(form: str, locale: str) -> Iterator[Fit]:
    """Forms, and their lines, with a field that points to the rows' records."""
    for key, title in _names("form", locale).items():
        properties = mapping(mapping(library.find_document("form", key)).get("properties"))
        for name, said in properties.items():
            if _points_to(said, form):
                words = {"form": title, "field": localized(said, "title", locale)}
                yield M("{form} whose “{field}” this is", **words), key, key, {name: "id"}
            columns = mapping(mapping(said.get("items")).get("properties")) if "items" in said else {}
            for column, inner in columns.items():
                if _points_to(inner, form):
                    words = {
                        "form": f"{title} · {localized(said, 'title', locale)}",
                        "field": localized(inner, "title", locale),
                    }
                    lines = {"form": key, "each": name}
                    yield M("{form} whose “{field}” this is", **words), key, lines, {f"{LINE}.{column}": "id"}


def _points_to(said: Mapping[str, Any], form: str) -> bool:
    return mapping(said.get("x-relation")).get("form") == form


def _summed(around: Around, path: str, form: str, word: str) -> Iterator[Fit]:
    """Datasets that are grouped by such a record alone, and balances per it: one row of theirs for each of ours."""
    for key, name in _names("dataset", around.locale).items():
        doc = library.find_document("dataset", key) or {}
        if len(doc.get("group", ())) != 1 or key == around.doc.get("x-key"):
            continue
        (column,) = doc["group"]
        kind = library.published("dataset", key).types.get(column)
        if isinstance(kind, RecordType) and kind.name == form:
            words = {"dataset": name, "field": word}
            yield M("Dataset “{dataset}” by “{field}”", **words), key, {"dataset": key}, {column: path}
    for ledger in library.all_published("ledger"):
        for number, each in enumerate(ledger.sets):
            if len(each) == 1 and ledger.dimensions[each[0]].forms[:1] == (form,):
                said = {"ledger": ledger.key, **({"per": list(each)} if number else {})}
                words = {"ledger": ledger.title.render(around.locale), "field": word}
                yield M("Balances of “{ledger}” by “{field}”", **words), ledger.key, said, {each[0]: path}


def _free(name: str, taken: Collection[str]) -> str:
    return suggest_key(name, taken) if name in taken or name in RESERVED else name


def columns(around: Around) -> list[Ready]:
    """What the rows name and is no column yet."""
    there = {str(mapping(said).get("value", said)) for said in mapping(around.doc.get("columns")).values()}
    rows = rows_name(around.doc, around.locale)
    taken = {*mapping(around.doc.get("columns")), *mapping(around.doc.get("measures"))}
    return [
        (word, _free(path.rpartition(".")[2], taken), {"value": path})
        for path, (_, word, _) in rows.items()
        if path not in there
    ]


def totals(around: Around) -> list[Ready]:
    """Sums of columns of numbers, and how many rows there are."""
    doc, locale = around.doc, around.locale
    rows, taken = rows_name(doc, locale), {*mapping(doc.get("columns")), *mapping(doc.get("measures"))}
    english, *others = (COUNT.render(each) for each in LOCALES)
    count = {"value": "COUNT(rows)", "title": english, "x-title": dict(zip(LOCALES[1:], others, strict=True))}
    found: list[Ready] = [(COUNT.render(locale), suggest_key("number", taken), count)]
    for key, said in mapping(doc.get("columns")).items():
        value = mapping(said).get("value", said)
        kind, word, field = rows.get(str(value), (None, str(mapping(said).get("title") or key), None))
        counts = field is None or field.type.numeric  # people and departments are numbers, too
        counts = counts and str(value).rpartition(".")[2] not in LAST
        if key not in texts(doc.get("group")) and kind in (NUMBER, None) and counts:
            own = localized(mapping(said), "title", locale) or word.rpartition(" · ")[2]
            name = key if key not in mapping(doc.get("measures")) else suggest_key(key, taken)
            found.append((M("Sum of {field}", field=own).render(locale), name, {"value": f"SUM({key})"}))
    return found


def alike(doc: Doc, part: Doc, locale: str) -> dict[str, str]:
    """The columns of the first rows that other rows name the same."""
    bare: dict[str, str] = {}
    for path in rows_name(part, locale):
        bare.setdefault(path.rpartition(".")[2], path)
    found = {}
    for key, said in mapping(doc.get("columns")).items():
        value = str(mapping(said).get("value", said)).rpartition(".")[2]
        if name := bare.get(value) or bare.get(key):
            found[key] = name
    return found
