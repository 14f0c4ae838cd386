"""The designer of datasets: columns and measures by name, each with its value, and the first rows that come of them."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from flask import Blueprint, Response
from markupsafe import Markup

from formloop.access import signing
from formloop.core.definitions import Doc, Path
from formloop.core.errors import Forbidden, Invalid, NotFound, Problem
from formloop.core.expression import RecordType
from formloop.datasets import drawing
from formloop.datasets.kind import prepare
from formloop.datasets.reading import Names, Reader
from formloop.datasets.service import Reading
from formloop.datasets.spec import PARAMETERS
from formloop.definitions import library
from formloop.forms.listing import Query
from formloop.studio import dataset_design, drafting
from formloop.studio.designer import Designer, Gesture, Made, designers
from formloop.studio.formula import Scope, expected_at
from formloop.studio.operations import Operation, apply, find
from formloop.studio.pickers import Around, Option, called, pickers, ready
from formloop.studio.shapes import mapping
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_datasets", __name__, url_prefix="/studio")
FIRST = 10  # rows of the preview
_FOLDED = re.compile(r"[A-Z]+\((\w+)\)")  # what one column comes to
PARTS = ("columns", "measures")
Known = TypeVar("Known")


class DatasetDesigner(Designer):
    """Draws datasets by panels, with a look at their rows."""

    canvas = "studio/_dataset_canvas.html"

    def opened(self, doc: Doc) -> Doc:
        """A column that is an expression alone, as one that may have a name and more."""
        return doc | {
            part: {key: {"value": said} if isinstance(said, str) else said for key, said in doc[part].items()}
            for part in PARTS
            if isinstance(doc.get(part), dict)
        }

    def closed(self, doc: Doc) -> Doc:
        """A column that says nothing but its expression, as that alone."""
        return doc | {
            part: {key: _short(said) for key, said in doc[part].items()}
            for part in PARTS
            if isinstance(doc.get(part), dict)
        }

    def scope(self, around: Around, at: Path) -> Scope:
        """Expressions see what the dataset itself lets them name at their place: its columns, or its source's rows."""
        doc, locale, given = around.doc, around.locale, dataset_design.given(around.doc, around.locale)
        if at[:1] in (("measures",), ("having",), ("leads",)):
            fields = _columns(around)
            options = _of_columns(doc, dataset_design.choices_in(doc, locale))
            points = _of_columns(doc, dataset_design.points_in(doc, locale))
        else:
            part = dataset_design.part_of(doc, at)
            fields = [(path, word) for path, (_, word, _) in dataset_design.rows_name(part, locale).items()]
            options, points = dataset_design.choices_in(part, locale), dataset_design.points_in(part, locale)
        names, points = _names_at(doc, at), {**points, **dataset_design.given_points(doc)}
        return Scope(names, [*fields, *given], expected_at(at), "", options=options, points=points)

    def write(self, gesture: Gesture, operations: list[Operation]) -> Made:
        """What a panel changed; more rows begin with the columns that their source has too."""
        doc, at = super().write(gesture, operations)
        chosen = any(each.do == "set" and each.at[-1:] == ("from",) for each in operations)
        if not chosen or at[:1] != ("union",) or mapping(find(doc, (*at, "columns"), {})):
            return doc, at
        columns = dataset_design.alike(doc, mapping(find(doc, at, {})), gesture.around.locale)
        return apply(doc, [Operation("set", (*at, "columns"), columns)], {})[0], at


def _names_at(doc: Doc, at: Path) -> Names:
    """What can be named at a place, also where nothing is written yet; nothing while the dataset cannot be read."""
    if "from" in at[:-1]:  # a source is asked with parameters alone
        given = _read(doc).given
        return {PARAMETERS: RecordType(PARAMETERS, lambda: given)}
    there = _read(doc).names_at.get(".".join(at))
    if there is not None:
        return there
    with suppress(Invalid):
        doc, _ = apply(doc, [Operation("set", at, "true")], {})
    return _read(doc).names_at.get(".".join(at), {})


def _read(doc: Doc) -> Reader:
    reader = Reader(doc, library.find_published)
    reader.given = {}
    with suppress(KeyError, TypeError, AttributeError, ValueError):  # a draft may be wrong in every way
        reader.dataset(0)
    return reader


def _short(said: object) -> object:
    return said["value"] if isinstance(said, dict) and said.keys() == {"value"} else said


def _columns(around: Around) -> list[Option]:
    """The columns and measures, called as they say or like what they show or add up."""
    rows = dataset_design.rows_name(around.doc, around.locale)
    titles = _short_titles(around, {path: word for path, (_, word, _) in rows.items()})
    found = dict[str, str]()
    for part in PARTS:
        for key, said in mapping(around.doc.get(part)).items():
            value = str(mapping(said).get("value", said))
            folded = _FOLDED.fullmatch(value) if part == "measures" else None
            word = found.get(folded[1], key) if folded else titles.get(value, key)
            found[key] = called(mapping(said), word, around.locale)
    return list(found.items())


def _short_titles(around: Around, words: Mapping[str, str]) -> dict[str, str]:
    """What the rows' fields are called as columns: by their last word, in full where two columns have the same."""
    said = [mapping(around.doc.get(part)).values() for part in PARTS]
    shown = {str(mapping(each).get("value", each)) for part in said for each in part}
    often = Counter(word.rpartition(" · ")[2] for path, word in words.items() if path in shown)
    last = {path: word.rpartition(" · ")[2] for path, word in words.items()}
    return {path: words[path] if often[word] > 1 else word for path, word in last.items()}


def _of_columns(doc: Doc, named: Mapping[str, Known]) -> dict[str, Known]:
    """What is known of the rows' fields, by the columns that show them as they are."""
    values = {key: mapping(said).get("value", said) for key, said in mapping(doc.get("columns")).items()}
    return {key: named[value] for key, value in values.items() if isinstance(value, str) and value in named}


@route(blueprint, "/<definition_id>/rows", permission=("design", "definition"))
def preview(definition_id: str) -> Response:
    """The first rows of the draft, as the builder may see them, or what stands against it."""
    actor, locale = signing.current(), viewer.locale()
    desk = drafting.open_desk(actor, definition_id)
    if desk.kind.name != "dataset":
        raise NotFound
    problems = [each for each in drafting.check(actor, desk) if each.severity == "error"]
    columns, rows, narrows = [], list[Markup](), False
    if not problems:
        try:
            found, query = Reading(actor, prepare(desk.doc, 0)), Query(limit=FIRST)
            fields, narrows = list(found.fields.values()), found.dataset.narrows
            columns = [{"label": each.title(locale), "number": each.type.numeric} for each in fields]
            rows = drawing.rows(actor, found, query, fields, found.page(query).rows, locale)
        except Invalid as error:
            problems = error.problems
        except Forbidden as error:
            problems = [Problem(error.code, "", error.message)]
    return page.render_part(
        "studio/_dataset_rows.html", problems=problems, columns=columns, rows=rows, narrows=narrows
    )


def _sorted(around: Around) -> list[Option]:
    """The columns, each rising and falling."""
    said = [*_columns(around), *_running(around)]
    return [
        (f"{way}{key}", f"{title} {arrow}") for key, title in said for way, arrow in (("", "↑"), ("-", "↓"))
    ]


def _running(around: Around) -> list[Option]:
    return [
        (key, called(mapping(said), key, around.locale))
        for key, said in mapping(around.doc.get("running")).items()
    ]


def _own_columns(around: Around) -> list[Option]:
    """The columns of the first rows, which more rows fill."""
    only = mapping(around.doc.get("columns"))
    return [each for each in _columns(around) if each[0] in only]


def _rows(around: Around) -> list[Option]:
    """What the rows of the part name, in a join only what stands before it, and the parameters."""
    part = dataset_design.part_of(around.doc, around.at)
    upto = around.at[-1] if "join" in around.at[:-1] else ""
    found = dataset_design.rows_name(part, around.locale, upto)
    return [(path, word) for path, (_, word, _) in found.items()] + dataset_design.given(
        around.doc, around.locale
    )


def _joined(around: Around) -> list[Option]:
    """The fields of the source that is joined."""
    origin = dataset_design.origin_of(around.beside.get("from"))
    found = dataset_design.fields_in(origin, around.locale) if origin else {}
    return [(path, word) for path, (_, word, _) in found.items()]


def _joined_names(around: Around) -> list[Option]:
    """What is joined, by what it is and how formulas name it."""
    part = dataset_design.part_of(around.doc, around.at)
    titles = {
        name: dataset_design.source_title(mapping(said).get("from"), around.locale)
        for name, said in mapping(part.get("join")).items()
    }
    return [(name, f"{title} ({name})" if title else name) for name, title in titles.items()]


def _their_dimensions(around: Around) -> list[Option]:
    """The dimensions of the ledger that is named beside."""
    ledger = library.find_published("ledger", str(around.beside.get("ledger", "")))
    if ledger is None:
        return []
    return [(each, dataset_design.ledger_word(ledger, each, around.locale)) for each in ledger.dimensions]


def _their_parameters(around: Around) -> list[Option]:
    """The parameters of the dataset that rows come from."""
    theirs = library.find_document("dataset", str(around.beside.get("dataset", ""))) or {}
    return [(key.partition(".")[2], word) for key, word in dataset_design.given(theirs, around.locale)]


def _their_columns(around: Around) -> list[Option]:
    """The columns of the dataset that rows lead to."""
    theirs = library.find_published("dataset", str(around.beside.get("dataset", "")))
    return [(key, field.title(around.locale)) for key, field in theirs.fields.items()] if theirs else []


def _day_parameters(around: Around) -> list[Option]:
    """The parameters that are days."""
    said = mapping(around.doc.get("parameters"))
    found = dataset_design.given(around.doc, around.locale)
    named = [(key.partition(".")[2], word) for key, word in found]
    return [each for each in named if mapping(said[each[0]]).get("format") == "date"]


designers.add("dataset", DatasetDesigner())
PICKERS: Mapping[str, Callable[[Around], list[Option]]] = {
    "columns": _columns,
    "own_columns": _own_columns,
    "sorted_columns": _sorted,
    "source": dataset_design.list_sources,
    "rows": _rows,
    "joined": _joined,
    "joined_names": _joined_names,
    "their_dimensions": _their_dimensions,
    "their_parameters": _their_parameters,
    "own_parameters": lambda around: dataset_design.given(around.doc, around.locale),
    "their_columns": _their_columns,
    "day_parameters": _day_parameters,
}
for name, pick in PICKERS.items():
    pickers.add(name, pick)
ready.add("joins", dataset_design.joins)
ready.add("columns", dataset_design.columns)
ready.add("totals", dataset_design.totals)
