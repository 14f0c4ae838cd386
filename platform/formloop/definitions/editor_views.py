"""The pages where definitions are written as text, and where a new one starts from labels."""

from flask import Blueprint, Response, request, url_for

from formloop.access import signing
from formloop.core.definitions import Kind, kinds, write
from formloop.core.errors import Conflict, Invalid, Problem
from formloop.core.text import M, localized
from formloop.definitions import editor, service
from formloop.definitions.designers import design_url
from formloop.web import page
from formloop.web.routes import route
from formloop.web.viewer import locale

blueprint = Blueprint("editor", __name__, url_prefix="/definitions")
DESIGN = ("design", "definition")


@route(blueprint, "/new", permission=DESIGN)
def new() -> Response:
    """A new definition: from labels where the kind can be started so, else as text."""
    kind = kinds.get(request.args.get("kind", "form"))
    if kind.name in editor.starters and not request.args.get("text"):
        return _labels_page(kind)
    return _text_page(kind, write(editor.start(kind, kind.title.render("en")), kind))


@route(blueprint, "/new", permission=DESIGN, methods=["POST"], endpoint="do_new")
def do_new() -> Response:
    """Make the first draft of what was typed."""
    kind = kinds.get(request.form.get("kind", ""))
    if "text" in request.form:
        return _text_posted(kind, None)
    try:
        made = editor.start_from_lines(
            signing.current(), kind, request.form.get("name", ""), request.form.get("lines", "")
        )
    except Invalid as error:
        return _labels_page(kind, error.problems)
    message = M("The draft is made. Look it over, then publish it.")
    return page.redirect(design_url(made) or url_for("editor.edit", definition_id=made.id), message)


@route(blueprint, "/<definition_id>/edit", permission=DESIGN)
def edit(definition_id: str) -> Response:
    """The text of the draft, or of the published version where there is no draft."""
    found = service.get_definition(definition_id)
    text, revision = editor.text_of(found)
    return _text_page(kinds.get(found.kind), text, found, revision)


@route(blueprint, "/<definition_id>/edit", permission=DESIGN, methods=["POST"], endpoint="do_edit")
def do_edit(definition_id: str) -> Response:
    """Check the text, keep it as the draft, or keep it and go on to publishing."""
    found = service.get_definition(definition_id)
    return _text_posted(kinds.get(found.kind), found)


def _text_posted(kind: Kind, found: service.Definition | None) -> Response:
    text = request.form.get("text", "").replace("\r\n", "\n")
    revision = request.form.get("revision", type=int)
    known = found.id if found else None
    actor, wish = signing.current(), request.form.get("do", "save")
    if wish == "check":
        problems = editor.check(actor, kind, text, known)
        return _text_page(kind, text, found, revision, problems, checked=True)
    try:
        saved = editor.save(actor, kind, text, known, revision)
    except Invalid as error:
        return _text_page(kind, text, found, revision, error.problems)
    except Conflict:
        if found is None:
            raise
        theirs, latest = editor.text_of(service.get_definition(found.id))
        return _text_page(kind, text, found, latest, theirs=theirs)
    if wish == "publish":
        return page.redirect(url_for("definitions.impact", definition_id=saved.id))
    return page.redirect(url_for("editor.edit", definition_id=saved.id), M("The draft is saved."))


def _text_page(
    kind: Kind,
    text: str,
    found: service.Definition | None = None,
    revision: int | None = None,
    problems: list[Problem] | None = None,
    *,
    checked: bool = False,
    theirs: str | None = None,
) -> Response:
    status = 409 if theirs is not None else 422 if problems and not checked else 200
    return page.render(
        "definitions/edit.html",
        status=status,
        kind=kind,
        text=text,
        found=found,
        revision=revision,
        problems=problems or [],
        checked=checked,
        theirs=theirs,
        designer=design_url(found) if found else None,
        known=[(key, localized(said, "title", locale())) for key, said in kind.schema["properties"].items()],
        differences=[]
        if theirs is None
        else [c.describe(locale()) for c in editor.compare(kind, theirs, text)],
    )


def _labels_page(kind: Kind, problems: list[Problem] | None = None) -> Response:
    return page.render(
        "definitions/new.html",
        status=422 if problems else 200,
        kind=kind,
        kinds=kinds,
        problems=problems or [],
        name=request.form.get("name", ""),
        lines=request.form.get("lines", ""),
    )
