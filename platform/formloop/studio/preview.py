"""The draft of a form as people will fill it in, with formulas, rules and look-ups answering; nothing is saved."""

from contextlib import suppress

from flask import Blueprint, Response, jsonify, request, url_for

from formloop.access import signing
from formloop.core.errors import Conflict, NotFound, Problem
from formloop.core.text import M
from formloop.definitions.views import DESIGN
from formloop.forms import engine, kind, live, posted, screen
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.studio import drafting
from formloop.studio.pickers import find_newest
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_preview", __name__, url_prefix="/studio")


def build(desk: drafting.Desk) -> tuple[FormSpec | None, list[Problem]]:
    """What would run of the draft; nothing where it is too wrong to run."""
    problems = drafting.check(signing.current(), desk)
    if desk.definition.kind != "form" or any(each.severity == "error" for each in problems):
        return None, problems
    return kind.build(
        desk.doc, 0, lambda key: desk.doc if key == desk.definition.key else find_newest("form", key)
    )[0], problems


@route(blueprint, "/<definition_id>/preview", permission=DESIGN)
def show(definition_id: str) -> Response:
    """The form as people will fill it in, as wide as a desk or as a phone."""
    desk = drafting.open_desk(signing.current(), definition_id)
    if desk.definition.kind != "form":
        raise Conflict(M("Only forms have a preview."))
    spec, problems = build(desk)
    shown = _screen(spec) if spec is not None else None
    for cell in shown.all_cells() if shown else ():
        cell.search = url_for("studio_preview.offer", definition_id=desk.definition.id, path=cell.field.path)
    seen = request.args.get("as")  # a phone is a page within the page, so that it is laid out as on one
    return page.render(
        "studio/preview.html",
        found=desk.definition,
        spec=spec,
        screen=shown,
        problems=problems,
        phone=seen == "phone",
        within=seen == "page",
    )


@route(blueprint, "/<definition_id>/preview", permission=DESIGN, methods=["POST"])
def answer(definition_id: str) -> Response:
    """What formulas, rules and look-ups of the draft make of what is typed into the preview."""
    spec, _ = build(drafting.open_desk(signing.current(), definition_id))
    if spec is None:
        raise Conflict(M("The draft can no longer be shown. Open the preview again."))
    actor, changed = signing.current(), request.form.get("_changed", "").split(",")
    typed = live.lay_over(actor, spec, posted.raw_values(spec, request.form), None, changed)
    names = screen.names_for(actor, spec, [typed.values])
    shown = _drawn(spec, typed.values, typed.env, typed.problems, names)
    return jsonify(live.tell(shown, typed, viewer.locale()))


@route(blueprint, "/<definition_id>/preview/choices/<path>", permission=DESIGN)
def offer(definition_id: str, path: str) -> Response:
    """What a field of the draft offers for what was typed: a form that is not published yet has no records."""
    spec, _ = build(drafting.open_desk(signing.current(), definition_id))
    if spec is None:
        raise NotFound
    with suppress(NotFound):
        return jsonify(live.choices_on_page(signing.current(), spec, path, request.args))
    return jsonify([])


def _screen(spec: FormSpec) -> screen.Screen:
    actor, values = signing.current(), Values()
    for subform in spec.subforms:
        values[subform.key] = [{}]
    given = engine.Given(values, frozenset(), {key.key: [frozenset()] for key in spec.subforms})
    links, context = Links(actor, spec, []), context_of(actor)
    env = engine.complete(spec, values, given, links, context, None)
    return _drawn(spec, values, env, [], {})


def _drawn(
    spec: FormSpec, values: Values, env: Values, problems: list[Problem], names: screen.Names
) -> screen.Screen:
    """All fields, whatever the rights to them: those are given when the form is there."""
    paths = frozenset(each.path for top in spec.fields.values() for each in (top, *top.children))
    context = context_of(signing.current())
    return screen.build(spec, values, env, context, viewer.locale(), paths, paths, problems, names)
