"""The pages of the studio: one designer for every kind of definition, its panels, its gestures."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, abort, request, url_for

from formloop.access import signing
from formloop.core.definitions import Doc, Path, kinds, say_place
from formloop.core.errors import Conflict, Invalid, Problem
from formloop.core.text import M, Message
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.definitions import views as definition_views
from formloop.definitions.designers import designers
from formloop.definitions.views import Restorer
from formloop.forms import list_views
from formloop.studio import (
    app_designer,
    beginning,
    bridge_designer,
    choosing,
    dataset_designer,
    drafting,
    example_views,
    faces,
    flow_designer,
    following,
    form_designer,
    formula_views,
    from_file,
    guide,
    ledger_designer,
    numbering,
    plan_designer,
    preview,
    restoring,
    rights,
    rights_views,
    steps,
    tour_views,
)
from formloop.studio.designer import Designer, Gesture, designer_of
from formloop.studio.filling import read_section
from formloop.studio.operations import find, positions, read_path, write_path
from formloop.studio.panel import Panel
from formloop.studio.pickers import Around
from formloop.studio.vocabulary import Vocabulary
from formloop.studio.wording import place_in_words
from formloop.web import htmx, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio", __name__, url_prefix="/studio")
DESIGN = ("design", "definition")
DESIGNED = (
    app_designer,
    bridge_designer,
    dataset_designer,
    faces,
    form_designer,
    flow_designer,
    ledger_designer,
    plan_designer,
)  # join the registries of designers and pickers as they are imported


def init_app(app: Flask) -> None:
    """Add the designers; definitions lead to them."""
    app.register_blueprint(blueprint)
    app.register_blueprint(preview.blueprint)
    app.register_blueprint(beginning.blueprint)
    app.register_blueprint(from_file.blueprint)
    app.register_blueprint(rights_views.blueprint)
    app.register_blueprint(choosing.blueprint)
    app.register_blueprint(dataset_designer.blueprint)
    app.register_blueprint(ledger_designer.blueprint)
    app.register_blueprint(plan_designer.blueprint)
    app.register_blueprint(bridge_designer.blueprint)
    bridge_designer.enroll()
    app.register_blueprint(guide.blueprint)
    app.register_blueprint(tour_views.blueprint)
    tour_views.enroll()
    app.register_blueprint(example_views.blueprint)
    app.register_blueprint(numbering.blueprint)
    app.register_blueprint(formula_views.blueprint)
    example_views.enroll()
    from_file.enroll()
    following.enroll()
    drafting.enroll()
    beginning.enroll()
    definition_views.restorer[:] = [Restorer("studio.restore", restoring.can_take_back)]
    for kind in kinds.names():
        if kind not in designers:
            designers.add(kind, "studio.design")


@dataclass(frozen=True, slots=True)
class Bench:
    """A desk with everything its page shows."""

    desk: drafting.Desk
    around: Around
    designer: Designer
    at: Path
    problems: list[Problem] = field(default_factory=list)

    def panel(self) -> Panel | None:
        """The panel of the place that is selected."""
        return self.designer.panel(self.around, self.at) or self.designer.panel(self.around, ())


@route(blueprint, "/<definition_id>", permission=DESIGN)
def design(definition_id: str) -> Response:
    """The designer of a definition, or of it what another place shows."""
    bench = _bench(
        drafting.open_desk(signing.current(), definition_id), read_path(request.args.get("at", ""))
    )
    return _page("studio/design.html", bench)


@route(blueprint, "/<definition_id>/restore", permission=DESIGN, methods=["POST"])
def restore(definition_id: str) -> Response:
    """Take one change back in the draft, and show the draft."""
    given = request.form
    old, new, place = (given.get(name, type=int) for name in ("old", "new", "place"))
    back = url_for("definitions.history", definition_id=definition_id, old=old, new=new)
    if old is None or place is None:
        abort(404)
    try:
        restoring.take_back(signing.current(), definition_id, old, new, place)
    except (Conflict, Invalid) as error:
        return page.redirect(back, error.message, "danger")
    return page.redirect(
        url_for("definitions.history", definition_id=definition_id),
        M("Taken back in the draft. Publish it when you are done."),
    )


@route(blueprint, "/<definition_id>/check", permission=DESIGN)
def check(definition_id: str) -> Response:
    """What stands against publishing the draft, also what would no longer work of all that is published."""
    bench = _bench(drafting.open_desk(signing.current(), definition_id), (), with_others=True)
    return page.render_part(
        "studio/_check.html", found=bench.desk.definition, problems=_with_places(bench), felt=False
    )


@route(blueprint, "/<definition_id>/do/<act>", permission=DESIGN, methods=["POST"])
def do(definition_id: str, act: str) -> Response:
    """Do one thing to the draft and show what became of it."""
    actor, revision = signing.current(), request.form.get("revision", type=int)
    if act in ("undo", "redo"):
        return _answer(definition_id, lambda: getattr(drafting, act)(actor, definition_id, revision))
    if act == "take-over":
        return _answer(definition_id, lambda: drafting.take_over(actor, definition_id))
    return _act(definition_id, act, revision)


def _act(definition_id: str, act: str, revision: int | None) -> Response:
    found = definitions.get_definition(definition_id)
    designer, kind = designer_of(found.kind), kinds.get(found.kind)
    published = library.find_document(found.kind, found.key)
    shown: dict[str, Any] = {"at": read_path(request.form.get("at", "")), "wrong": {}}

    def change(doc: Doc) -> Doc:
        gesture = Gesture(Around(kind, designer.opened(doc), viewer.locale(), {}), request.form, published)
        return designer.closed(made_of(gesture))

    def made_of(gesture: Gesture) -> Doc:
        if act == "fill":
            made, shown["at"], shown["wrong"] = _fill(designer, gesture)
            return made
        if act == "condition":
            made, shown["at"] = formula_views.write_condition(designer, gesture)
            return made
        perform = designer.gestures().get(act)
        if perform is None:
            abort(404)
        made, shown["at"] = perform(gesture)
        return made

    before = shown["at"]
    return _answer(
        definition_id,
        lambda: drafting.edit(signing.current(), definition_id, revision, change),
        shown,
        before,
    )


def _fill(designer: Designer, gesture: Gesture) -> tuple[Doc, Path, dict[str, Message]]:
    panel = designer.panel(gesture.around, gesture.at)
    if panel is not None and panel.value is None and _holds_inputs(panel):
        around = find(gesture.around.doc, gesture.at[:-1], gesture.around.kind.identities)
        panel = replace(panel, value={}) if isinstance(around, dict) else None  # a part that begins with this
    if panel is None or not isinstance(panel.value, dict):
        raise Invalid([Problem("gone", "", M("This part is no longer there; the page shows what is."))])
    operations, wrong = read_section(panel, gesture.given)
    doc, at = designer.write(gesture, operations)
    return doc, at, wrong


def _answer(
    definition_id: str, work: Any, shown: dict[str, Any] | None = None, before: Path = ()
) -> Response:
    """What the page shows after an edit, also when it was refused: always the newest state."""
    said: Message | None = None
    status = 200
    shown = shown or {"at": read_path(request.form.get("at", "")), "wrong": {}}
    try:
        desk = work()
    except (Conflict, Invalid) as error:
        said, status = error.message, error.status
        shown = {"at": before, "wrong": {}}
        desk = drafting.open_desk(signing.current(), definition_id)
    panel_at = read_path(request.form.get("shown", ""))
    elsewhere = "shown" in request.form and panel_at != before
    bench, wrong = _bench(desk, panel_at if elsewhere else shown["at"]), shown["wrong"]
    keep = bool(request.form.get("keep")) and status == 200 and not wrong
    keep = keep and not _is_typed_wrong(bench, shown["at"])
    response = _page("studio/design.html", bench, status, wrong, with_panel=not keep)
    if keep and shown["at"] != before:
        htmx.trigger(response, **{"fl-moved": {"from": write_path(before), "to": write_path(shown["at"])}})
    return htmx.toast(response, said, "warning") if said is not None else response


def _is_typed_wrong(bench: Bench, at: Path) -> bool:
    """Whether check tells something of what was just typed into the panel of a place."""
    doc, identities = bench.around.doc, bench.around.kind.identities
    typed = [(*at, *read_path(name.removeprefix("v-"))) for name in request.form if name.startswith("v-")]
    places = {positions(doc, each, identities) for each in typed}
    return any(positions(doc, _place(each), identities) in places for each in bench.problems)


def _bench(desk: drafting.Desk, at: Path, with_others: bool = False) -> Bench:
    designer = designer_of(desk.kind.name)
    around = Around(desk.kind, designer.opened(desk.doc), viewer.locale(), {})
    if at and find(around.doc, at, desk.kind.identities) is None and not _may_begin(designer, around, at):
        at = ()
    problems = [*drafting.check(signing.current(), desk, with_others), *designer.warnings(around)]
    return Bench(desk, around, designer, at, problems)


def _may_begin(designer: Designer, around: Around, at: Path) -> bool:
    """Whether a place is a part of the whole definition that begins with the first thing said in it."""
    panel = designer.panel(around, at) if len(at) == 1 else None
    return panel is not None and _holds_inputs(panel)


def _holds_inputs(panel: Panel) -> bool:
    return "properties" in panel.schema or "x-names" in panel.schema


def _page(
    template: str,
    bench: Bench,
    status: int = 200,
    wrong: dict[str, Message] | None = None,
    with_panel: bool = True,
) -> Response:
    panel, designer = bench.panel(), bench.designer
    around = replace(bench.around, problems=_told(bench, panel.at if panel else (), wrong or {}))
    if panel is not None:
        panel = replace(panel, around=around)
    problems = _with_places(bench)
    values = {
        "desk": bench.desk,
        "found": bench.desk.definition,
        "at": write_path(panel.at if panel else ()),
        "selected": write_path(designer.selected(around, bench.at)),
        "parts": panel.parts() if panel is not None and not designer.whole else [],
        "problems": problems,
        "felt": drafting.is_felt(bench.desk),
        "wrong": {place: each.message for each, place, _ in reversed(problems) if place},
        "said": lambda path, source: _said(bench, path, source),
        "canvas": designer.canvas_at(bench.at),
        "path_text": write_path,
        "steps": _steps(bench),
        "plays": _and_back(bench, _plays(bench)),
        "plays_from": _plays_from(bench),
        "shown": designer.shown(replace(around, at=bench.at)),
        "types": designer.types(around, bench.at),
        "help": guide.explain(around.kind.name, panel.at if panel else ()),
        "with_panel": with_panel,
    }
    return page.render(template, "studio/_parts.html", status=status, **values)


def _with_places(bench: Bench) -> list[tuple[Problem, str, str]]:
    """Each problem with the place it is told at: as the page selects it, and in words."""
    around, found = bench.around, [(each, _place(each)) for each in bench.problems]
    return [
        (each, write_path(bench.designer.selected(around, at)), _place_of_another(each, around.locale))
        if each.code == "breaks"
        else (each, write_path(bench.designer.selected(around, at)), place_in_words(around, at))
        for each, at in found
    ]


def _place_of_another(problem: Problem, locale: str) -> str:
    """Where another definition would no longer work."""
    kind, key, at = problem.at.split(".", 2)
    doc = library.find_document(kind, key)
    return say_place(doc, at, kinds.get(kind), locale) if doc is not None else ""


def _told(bench: Bench, at: Path, wrong: Mapping[str, Message]) -> dict[Path, Message]:
    """What is wrong by place: with what was just typed into the panel at a place, else with the draft."""
    doc, identities = bench.around.doc, bench.around.kind.identities
    typed = {(*at, *name.removeprefix("v-").split("/")): message for name, message in wrong.items()}
    found = typed or {_place(each): each.message for each in reversed(bench.problems)}
    return {positions(doc, path, identities): message for path, message in found.items()}


def _said(bench: Bench, path: Path, source: str) -> str:
    """A condition in words; whose records a grant is about, in those of the page of rights."""
    if bench.around.kind.name == "role" and source in rights.SCOPES:
        return rights.SCOPES[source].render(bench.around.locale)
    words = formula_views.words_for(bench.designer, bench.around, path)
    return words.say(source) if isinstance(words, Vocabulary) else words.say(find(bench.around.doc, path, {}))


def _plays(bench: Bench) -> str | None:
    """Where a workflow is played; empty where it has no form, None for others."""
    found, doc = bench.desk.definition, bench.desk.doc
    if found.kind != "workflow" or "amends" in doc:
        return None
    form = str(doc.get("form"))
    if library.find_document("form", form) is None:
        if found.version or definitions.find_draft_by_key("form", form) is None:
            return ""
    elif not list_views.list_url(form):
        return None
    return url_for("workflows.show_play", workflow=found.key)


def _plays_from(bench: Bench) -> str | None:
    """Where it is played from the selected step on, where one is selected."""
    plays, at = _plays(bench), bench.designer.selected(bench.around, bench.at)
    places = [place for place, name in enumerate(at[:-1]) if name == "steps"]
    return _and_back(bench, plays, **{"from": at[places[-1] + 1]}) if plays and places else None


def _and_back(bench: Bench, plays: str | None, **more: str) -> str | None:
    """An address from which the way back leads to the designer."""
    back = url_for("studio.design", definition_id=bench.desk.definition.id)
    return f"{plays}?{urlencode({**more, 'back': back})}" if plays else plays


def _place(problem: Problem) -> Path:
    return tuple(problem.at.split(".")) if problem.at else ()


def _steps(bench: Bench) -> list[tuple[Message, str, bool]]:
    """The four steps of shaping a form, with where each leads."""
    found = bench.desk.definition
    form = found if found.kind == "form" else _form_of(bench)
    if form is None:
        return []
    here = steps.LIST if found.kind == "form" and bench.at[:1] == ("x-list",) else found.kind
    return steps.steps_of(form, here)


def _form_of(bench: Bench) -> definitions.Definition | None:
    key = bench.desk.doc.get("form")
    return definitions.find_by_key("form", key) if isinstance(key, str) else None


@route(blueprint, "/<definition_id>/flow", permission=DESIGN)
def flow_of(definition_id: str) -> Response:
    """The workflow of a form, or where to begin one."""
    form = definitions.get_definition(definition_id)
    found = _flow_of(form)
    if found is not None:
        return page.redirect(url_for("studio.design", definition_id=found.id))
    return page.render("studio/no_flow.html", found=form, steps=steps.steps_of(form, steps.WORKFLOW))


@route(blueprint, "/<definition_id>/flow", permission=DESIGN, methods=["POST"], endpoint="begin_flow")
def begin_flow(definition_id: str) -> Response:
    """Begin the workflow of a form."""
    form = definitions.get_definition(definition_id)
    found = _flow_of(form)
    if found is None:
        found = beginning.begin(kinds.get("workflow"), "", form)
    return page.redirect(url_for("studio.design", definition_id=found.id))


def _flow_of(form: definitions.Definition) -> definitions.Definition | None:
    drafts = definitions.list_drafts("workflow")
    for each in definitions.list_definitions("workflow"):
        doc = drafts.get(each.key) or library.find_document("workflow", each.key) or {}
        if doc.get("form") == form.key and "amends" not in doc and not each.archived:
            return each
    return None
