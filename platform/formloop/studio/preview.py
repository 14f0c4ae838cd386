"""The draft of a form as people will fill it in, with formulas, rules and look-ups answering; nothing is saved."""

from flask import Response, jsonify, request

from formloop.access import signing
from formloop.core.errors import Conflict, Problem
from formloop.core.text import M
from formloop.forms import engine, kind, live, posted, screen
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.studio import drafting
from formloop.studio.pickers import find_newest
from formloop.web import page, viewer


def build(desk: drafting.Desk) -> tuple[FormSpec | None, list[Problem]]:
    """What would run of the draft; nothing where it is too wrong to run."""
    problems = drafting.check(signing.current(), desk)
    if desk.definition.kind != "form" or any(each.severity == "error" for each in problems):
        return None, problems
    return kind.build(
        desk.doc, 0, lambda key: desk.doc if key == desk.definition.key else find_newest("form", key)
    )[0], problems


def show(desk: drafting.Desk) -> Response:
    """The page, as wide as a desk or as a phone."""
    if desk.definition.kind != "form":
        raise Conflict(M("Only forms have a preview."))
    spec, problems = build(desk)
    shown = _screen(spec) if spec is not None else None
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


def answer(desk: drafting.Desk) -> Response:
    """What the draft makes of the values on the page, while they are typed."""
    spec, _ = build(desk)
    if spec is None:
        raise Conflict(M("The draft can no longer be shown. Open the preview again."))
    actor, changed = signing.current(), request.form.get("_changed", "").split(",")
    typed = live.lay_over(actor, spec, posted.raw_values(spec, request.form), None, changed)
    names = screen.names_for(actor, spec, [typed.values])
    shown = _drawn(spec, typed.values, typed.env, typed.problems, names)
    return jsonify(live.tell(shown, typed, viewer.locale()))


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
