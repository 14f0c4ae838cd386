"""Where a new definition begins: what it is called, and which form it is about where it must be about one."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for

from formloop.access import signing
from formloop.core.definitions import Kind, kinds
from formloop.core.text import M, Message, titled
from formloop.definitions import apps, editor, library
from formloop.definitions import service as definitions
from formloop.definitions import views as definition_views
from formloop.forms.fields import find_type
from formloop.planning.operators import operators
from formloop.planning.spec import Operator
from formloop.studio import plan_design
from formloop.studio.pickers import find_newest
from formloop.studio.shapes import mapping
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_new", __name__, url_prefix="/studio")
DESIGN = ("design", "definition")
FIRST = 8  # columns that a new dataset shows
_NAMED_AFTER: Mapping[str, tuple[str, str]] = {  # what a thing is called after its form, in both languages
    "workflow": ("{form} approval", "{form}审批"),
    "posting": ("{form} posting", "{form}记账"),
    "dataset": ("{form} list", "{form}明细"),
}


def enroll() -> None:
    """Each kind begins here unless it has a beginning of its own."""
    beginnings = definition_views.beginnings
    if "form" not in beginnings:
        beginnings.add("bridge", "studio_bridges.new")
        for kind in kinds.names():
            if kind not in beginnings and kind != "app":  # which the applications begin
                beginnings.add(kind, "studio_new.new")


@route(blueprint, "/new", permission=DESIGN)
def new() -> Response:
    """What the new definition is to be called."""
    return _page(kinds.get(request.args.get("kind", "form")), {})


@route(blueprint, "/new", permission=DESIGN, methods=["POST"], endpoint="do_new")
def do_new() -> Response:
    """Begin a definition with as little as can be."""
    kind, given = kinds.get(request.form.get("kind", "form")), request.form
    name, form = given.get("name", "").strip()[:200], given.get("form", "")
    found = next((each for each in _forms(kind) if each.key == form), None)
    operator = operators.find(given.get("operator", ""))
    problems: dict[str, Message] = {}
    if about(kind) and found is None:
        problems["form"] = M("Choose a form.")
    if kind.name == "plan" and operator is None:
        problems["operator"] = M("Choose a calculation.")
    if not name and kind.name not in _NAMED_AFTER:
        problems["name"] = M("Give it a name.")
    if problems:
        return _page(kind, problems, 422)
    app = library.find_entry("app", given.get("app", ""))
    made = begin(kind, name, found, app.key if app else "", operator)
    return page.redirect(url_for("studio.design", definition_id=made.id))


def about(kind: Kind) -> str:
    """The property that says which form a definition of this kind is about; nothing where it needs none."""
    return next((key for key in ("form", "from") if key in kind.schema["required"]), "")


def begin(
    kind: Kind,
    name: str,
    form: definitions.Definition | None = None,
    app: str = "",
    operator: Operator | None = None,
) -> definitions.Definition:
    """The first draft, called after its form where it has no name."""
    doc: dict[str, Any] = {"title": name}
    if form is not None and not name:
        doc = _named_after(kind, form)
    doc = {**editor.start(kind, doc["title"]), **doc}
    if kind.name == "form":
        doc |= {"$schema": "https://json-schema.org/draft/2020-12/schema", "x-layout": []}
    if form is not None:
        doc[about(kind)] = form.key
    if kind.name == "dataset" and form is not None:
        doc["columns"] = _columns(form.key)
    if operator is not None:
        doc |= {"operator": operator.name, "ports": plan_design.suggest_ports(operator)}
    return definitions.save_draft(signing.current(), kind.name, doc, app=app or (form.app if form else ""))


def _named_after(kind: Kind, form: definitions.Definition) -> dict[str, Any]:
    """Both names; a form that is named in Chinese alone gives Chinese alone."""
    english, chinese = _NAMED_AFTER[kind.name]
    own, theirs = form.title[:180], (form.title_zh or form.title)[:180]
    title = english.format(form=own) if own.isascii() or own != theirs else chinese.format(form=theirs)
    return titled(title, chinese.format(form=theirs))


def _columns(form: str) -> dict[str, str]:
    """The first fields of the form."""
    fields = mapping(mapping(find_newest("form", form)).get("properties"))
    kinds_of = {key: find_type(mapping(said)) for key, said in fields.items()}
    plain = [key for key, each in kinds_of.items() if each and each.stored and each.name != "subform"]
    return {key: key for key in plain[:FIRST]}


def _forms(kind: Kind) -> list[definitions.Definition]:
    """The forms that a definition of a kind may be about."""
    return [each for each in definitions.list_definitions("form") if about(kind) and not each.archived]


def _page(kind: Kind, problems: Mapping[str, Message], status: int = 200) -> Response:
    return page.render(
        "studio/new.html",
        status=status,
        kind=kind,
        problems=problems,
        forms=apps.names_apart(_forms(kind), viewer.locale()),
        named=kind.name in _NAMED_AFTER,
        calculations=[each for each in operators if kind.name == "plan"],
        chosen={key: request.values.get(key, "") for key in ("name", "form", "app", "operator")},
    )
