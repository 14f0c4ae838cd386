"""The draft of a form as people will fill it in, with formulas, rules and look-ups answering; nothing is saved."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flask import Blueprint, Response, jsonify, request, url_for

from formloop.access import signing
from formloop.core.errors import Conflict, NotFound, Problem
from formloop.core.text import M
from formloop.definitions.drafts import Draft
from formloop.definitions.needed import list_needed, seen_as_published
from formloop.definitions.views import DESIGN
from formloop.forms import kind, live, posted, trying
from formloop.forms.screen import Screen
from formloop.forms.spec import FormSpec
from formloop.studio import drafting
from formloop.studio.pickers import find_newest
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_preview", __name__, url_prefix="/studio")


@contextmanager
def running(desk: drafting.Desk) -> Iterator[tuple[FormSpec | None, list[Problem]]]:
    """What would run of the draft, inside the block; nothing where it is too wrong to run."""
    problems, own = drafting.check(signing.current(), desk), desk.definition
    if own.kind != "form" or any(each.severity == "error" for each in problems):
        yield None, problems
        return
    needed = list_needed("form", desk.doc)
    if own.version is None:  # it may point to itself
        needed.append(Draft(own, desk.doc, desk.text, desk.revision))
    with seen_as_published(needed):
        spec, _ = kind.build(
            desk.doc, 0, lambda key: desk.doc if key == own.key else find_newest("form", key)
        )
        yield spec, problems


@route(blueprint, "/<definition_id>/preview", permission=DESIGN)
def show(definition_id: str) -> Response:
    """The form as people will fill it in, as wide as a desk or as a phone."""
    desk = drafting.open_desk(signing.current(), definition_id)
    if desk.definition.kind != "form":
        raise Conflict(M("Only forms have a preview."))
    seen = request.args.get("as")  # a phone is a page within the page, so that it is laid out as on one
    with running(desk) as (spec, problems):
        return page.render(
            "studio/preview.html",
            found=desk.definition,
            spec=spec,
            screen=_screen(desk.definition.id, spec) if spec is not None else None,
            problems=problems,
            phone=seen == "phone",
            within=seen == "page",
        )


def _screen(definition_id: str, spec: FormSpec) -> Screen:
    shown = trying.show(signing.current(), spec, {}, viewer.locale(), trying.every_path(spec))
    for cell in shown.all_cells():
        cell.search = url_for("studio_preview.offer", definition_id=definition_id, path=cell.field.path)
    return shown


@route(blueprint, "/<definition_id>/preview", permission=DESIGN, methods=["POST"])
def answer(definition_id: str) -> Response:
    """What formulas, rules and look-ups of the draft make of what is typed into the preview."""
    with running(drafting.open_desk(signing.current(), definition_id)) as (spec, _):
        if spec is None:
            raise Conflict(M("The draft can no longer be shown. Open the preview again."))
        raw, changed = posted.raw_values(spec, request.form), request.form.get("_changed", "").split(",")
        paths = trying.every_path(spec)
        return jsonify(trying.answer(signing.current(), spec, raw, changed, viewer.locale(), paths))


@route(blueprint, "/<definition_id>/preview/choices/<path>", permission=DESIGN)
def offer(definition_id: str, path: str) -> Response:
    """What a field of the draft offers for what was typed: a form that is not published yet has no records."""
    with running(drafting.open_desk(signing.current(), definition_id)) as (spec, _):
        if spec is None:
            raise NotFound
        with suppress(NotFound):
            return jsonify(live.choices_on_page(signing.current(), spec, path, request.args))
    return jsonify([])
