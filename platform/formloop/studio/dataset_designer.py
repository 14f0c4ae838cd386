"""The designer of datasets: columns and measures by name, each with its value, and the first rows that come of them."""

from contextlib import suppress
from dataclasses import replace

from flask import Blueprint, Response
from markupsafe import Markup

from formloop.access import signing
from formloop.core.definitions import Doc, Path
from formloop.core.errors import Forbidden, Invalid, NotFound, Problem
from formloop.datasets import drawing
from formloop.datasets.kind import prepare
from formloop.datasets.reading import Names, Reader
from formloop.datasets.service import Reading
from formloop.definitions import library
from formloop.forms.list_views import SYSTEM_TITLES
from formloop.forms.listing import Query
from formloop.studio import drafting
from formloop.studio.designer import Designer, designers
from formloop.studio.formula import Scope
from formloop.studio.pickers import Around, Option, called, fields_of, find_newest, pickers, states_of
from formloop.studio.shapes import mapping
from formloop.studio.vocabulary import STATE
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_datasets", __name__, url_prefix="/studio")
FIRST = 10  # rows of the preview
PARTS = ("columns", "measures")


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
        """Expressions see what the dataset itself lets them name at their place; its form's fields are offered."""
        source = mapping(around.doc.get("from")).get("form", around.doc.get("from"))
        scope = super().scope(replace(around, beside={**around.beside, "form": source}), at)
        if at[:1] in (("measures",), ("having",)):
            scope = replace(scope, fields=_columns(around), options={})
        names = _names_at(around.doc, ".".join(at))
        if names is None:
            return scope
        if STATE in names and STATE not in dict(scope.fields):  # which every record of the source has
            form = find_newest("form", source) if isinstance(source, str) else None
            word = (STATE, SYSTEM_TITLES[STATE].render(around.locale))
            options = {**scope.options, STATE: states_of(form or {}, around.locale)}
            scope = replace(scope, fields=[*scope.fields, word], options=options)
        return replace(scope, names=names, form="")


def _names_at(doc: Doc, place: str) -> Names | None:
    """What can be named at a place; None while the dataset cannot be read so far."""
    reader = Reader(doc, library.find_published)
    with suppress(KeyError, TypeError, AttributeError, ValueError):  # a draft may be wrong in every way
        reader.dataset(0)
    return reader.names_at.get(place)


def _short(said: object) -> object:
    return said["value"] if isinstance(said, dict) and said.keys() == {"value"} else said


def _columns(around: Around) -> list[Option]:
    """The columns and measures, called as they say or like the field they show."""
    source = mapping(around.doc.get("from")).get("form", around.doc.get("from"))
    form = find_newest("form", source) if isinstance(source, str) else None
    titles = dict(fields_of(form or {}, around.locale))
    return [
        (key, called(mapping(said), titles.get(str(mapping(said).get("value")), key), around.locale))
        for part in PARTS
        for key, said in mapping(around.doc.get(part)).items()
    ]


@route(blueprint, "/<definition_id>/rows", permission=("design", "definition"))
def preview(definition_id: str) -> Response:
    """The first rows of the draft, as the builder may see them, or what stands against it."""
    actor, locale = signing.current(), viewer.locale()
    desk = drafting.open_desk(actor, definition_id)
    if desk.kind.name != "dataset":
        raise NotFound
    problems = [each for each in drafting.check(actor, desk) if each.severity == "error"]
    columns, rows = [], list[Markup]()
    if not problems:
        try:
            found, query = Reading(actor, prepare(desk.doc, 0)), Query(limit=FIRST)
            fields = list(found.fields.values())
            columns = [{"label": each.title(locale), "number": each.type.numeric} for each in fields]
            rows = drawing.rows(actor, found, query, fields, found.page(query).rows, locale)
        except Invalid as error:
            problems = error.problems
        except Forbidden as error:
            problems = [Problem(error.code, "", error.message)]
    return page.render_part("studio/_dataset_rows.html", problems=problems, columns=columns, rows=rows)


designers.add("dataset", DatasetDesigner())
pickers.add("columns", _columns)
