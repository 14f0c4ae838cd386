"""A record on paper, as `x-print` of its form says: what heads and ends the sheet, which fields, what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from formloop.access.signing import current
from formloop.core import clock
from formloop.core.text import localized
from formloop.forms import reads, screen
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.screen import Cell, Screen
from formloop.forms.spec import FormSpec
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("printing", __name__)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on paper: parts with their heading and facts, then the lines."""

    title: str
    logo: str
    head: str
    foot: str
    parts: list[tuple[str, list[Cell]]]
    tables: list[Cell]
    without: Sequence[str]


def sheet_of(
    spec: FormSpec, shown: Screen | None, locale: str, title: str = "", every: bool = False
) -> Sheet:
    """A record as a sheet; `title` is what it is called where the form says nothing of its own, `every`: with all
    fields that are shown."""
    said: dict[str, Any] = spec.document.get("x-print", {})
    chosen = None if every else said.get("fields")
    parts: list[tuple[str, list[Cell]]] = []
    tables: list[Cell] = []
    for tab in shown.tabs if shown else ():
        for number, section in enumerate(tab.sections):
            cells = [c for c in section.cells if c.shown and (not chosen or c.field.key in chosen)]
            facts = [c for c in cells if not c.field.children and c.field.type.widget != "query"]
            tables += [c for c in cells if c.field.children]
            if facts:
                parts.append((section.title or ("" if number else tab.title), facts))
    return Sheet(
        localized(said, "title", locale) or title or spec.title(locale),
        said.get("logo", ""),
        localized(said, "head", locale),
        localized(said, "foot", locale),
        parts,
        tables,
        said.get("without", ()),
    )


@route(blueprint, "/f/<form>/<int:record>/print", permission=("view", "form:{form}"))
def print_record(form: str, record: int) -> Response:
    """The sheet of a record, with what its reader may see."""
    actor, locale = current(), viewer.locale()
    seen = reads.look(actor, form, record)
    spec, values = get_form(form), reads.project(seen.spec, seen.record, seen.visible)
    names = screen.names_for(actor, spec, [values])
    context = context_of(actor)
    shown = screen.build(spec, seen.record, seen.env, context, locale, seen.visible, frozenset(), [], names)
    named = next((c.text for c in shown.cells() if c.field.key == spec.title_field), "")
    state = spec.states.get(values["state"])
    return page.render(
        "forms/print.html",
        sheet=sheet_of(spec, shown, locale),
        name=named,
        state=state.title(locale) if state else "",
        owner=names.get(("@person", values["owner"]), ""),
        printed_at=clock.now(),
        record=values,
    )
