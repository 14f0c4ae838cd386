"""Pages of applications: what one opens with, and for builders making, filling, copying and removing them."""

from collections.abc import Iterable

from flask import Blueprint, Response, make_response, request, url_for

from formloop.access import gate
from formloop.access.signing import current
from formloop.core.definitions import Doc, kinds
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import Listed, M, Message
from formloop.datasets import service as datasets
from formloop.definitions import apps, library
from formloop.definitions.apps import Page
from formloop.definitions.designers import design_url
from formloop.definitions.service import Definition
from formloop.packs import applications, copying, service, unseen
from formloop.packs.applications import Application
from formloop.packs.bound_links import list_linked
from formloop.studio.app_designer import PAGES, menu_of
from formloop.studio.faces import COLORS, ICONS
from formloop.web import page, viewer
from formloop.web.prose import to_html
from formloop.web.routes import route

blueprint = Blueprint("applications", __name__, url_prefix="/apps")
DESIGN = ("design", "definition")
INSTALL = ("install", "pack")


@route(blueprint, "", permission=DESIGN)
def list_all() -> Response:
    """All applications as cards."""
    found = [each for each in applications.list_applications() if each.app.key or each.contents]
    return page.render("packs/apps.html", found=found, may_install=gate.allows(current(), *INSTALL))


@route(blueprint, "/new", permission=DESIGN)
def new() -> Response:
    """What a new application is called; with `copy`, one like another."""
    return _new_page(request.args.get("copy", ""), [])


@route(blueprint, "/new", permission=DESIGN, methods=["POST"], endpoint="create")
def create() -> Response:
    """Make an application, empty or like another one."""
    form, actor = request.form, current()
    title, chinese = (form.get(name, "").strip()[:200] for name in ("title", "title_zh"))
    source = form.get("copy", "")
    try:
        if not title:  # a name in Chinese alone is its name
            title, chinese = chinese, ""
        if not title:
            raise Invalid([Problem("required", "title", M("Give it a name."))])
        if source:
            key = copying.copy(actor, source, title, chinese)
        else:
            icon = form.get("icon") if form.get("icon") in ICONS else next(iter(ICONS))
            key = applications.create(actor, title, chinese, str(icon), form.get("color", "blue"))
    except Invalid as error:
        return _new_page(source, error.problems)
    told = _left_behind(source) if source else None
    return page.redirect(url_for("applications.contents", app=key), told, "warning")


def _left_behind(source: str) -> Message | None:
    """That rights on the forms were not copied, for whoever copied an application."""
    behind = unseen.list_behind(service.documents_of(source))
    text = M(
        "Copied without the rights of {roles}: give rights on its forms.",
        roles=Listed(e.role for e in behind),
    )
    return text if behind else None


def _new_page(source: str, problems: list[Problem]) -> Response:
    return page.render(
        "packs/new_app.html",
        status=422 if problems else 200,
        source=applications.get_application(source) if source else None,
        roles=copying.list_roles(source) if source else [],
        behind=unseen.list_behind(service.documents_of(source)) if source else [],
        icons=[(name, words.render(viewer.locale())) for name, words in ICONS.items()],
        colors=COLORS.items(),
        given=request.form,
        wrong={each.at: each.message for each in problems},
        problems=[each for each in problems if each.at != "title"],
    )


@route(blueprint, "/<app>", permission="signed-in")
def show(app: str) -> Response:
    """What an application opens with: a list, a dataset, or what it says with everything in it."""
    found = apps.app_of(service.app_of_pack(app), apps.list_apps())
    seen = [each for each in _pages_of(found) if _may_see(each)]
    may_design = gate.allows(current(), *DESIGN)
    if not seen and not may_design:
        raise NotFound  # nobody is told which applications there are
    if found.home is not None and found.home in seen and not request.args.get("all"):
        return page.redirect(_address(found.home))
    locale = viewer.locale()
    tiles = [(_address(each), _icon(each), _title(each, locale)) for each in seen]
    text = to_html(found.said(locale))
    return page.render("packs/app.html", found=found, word=app, tiles=tiles, text=text, may_design=may_design)


def _pages_of(app: apps.App) -> list[Page]:
    document = {"x-key": app.key, "menu": [f"{kind}:{key}" for kind, key in app.menu]}
    names = [
        (name.partition(":")[0], name.partition(":")[2]) for name, _ in menu_of(document, viewer.locale())
    ]
    return [app.home, *(each for each in names if each != app.home)] if app.home else names


def _may_see(each: Page) -> bool:
    kind, key = each
    if library.find_entry(kind, key) is None:
        return False
    return (
        datasets.may_read(current(), key)
        if kind == "dataset"
        else gate.allows(current(), "view", f"form:{key}")
    )


def _address(each: Page) -> str:
    kind, key = each
    return (
        url_for("lists.list_page", form=key) if kind == PAGES[0] else url_for("datasets.rows_page", key=key)
    )


def _icon(each: Page) -> str:
    document = library.find_document(*each) or {}
    return str(document.get("icon", "forms" if each[0] == PAGES[0] else "table"))


def _title(each: Page, locale: str) -> str:
    entry = library.find_entry(*each)
    return "" if entry is None else (entry.title_zh if locale == "zh-CN" else "") or entry.title


@route(blueprint, "/<app>/contents", permission=DESIGN)
def contents(app: str) -> Response:
    """Everything that belongs to an application, for its builders."""
    return _contents_page(applications.get_application(app))


def _contents_page(found: Application, problems: list[Problem] | None = None) -> Response:
    groups, docs = applications.by_kind(found.contents), _documents(found)
    targets = [each for each in applications.list_applications() if each.key != found.key]
    return page.render(
        "packs/contents.html",
        status=422 if problems else 200,
        found=found,
        groups=[(kinds.get(name), groups[name]) for name in _in_order(groups)],
        stays=applications.brought([each.id for each in found.contents]),
        address=_designer,
        targets=targets,
        target=request.args.get("to", ""),
        sources=[] if found.contents else _with_what_may_move(targets),
        published=any(each.version for each in found.contents),
        bound=list_linked(docs),
        behind=unseen.list_behind(docs),
        unseen=unseen.list_unseen(docs),
        problems=problems or [],
    )


def _with_what_may_move(others: list[Application]) -> list[Application]:
    """The applications from which something can be moved: what packs brought along stays."""
    stays = applications.brought([each.id for other in others for each in other.contents])
    return [other for other in others if any(each.id not in stays for each in other.contents)]


def _documents(found: Application) -> list[Doc]:
    """What is published of an application: what a copy has, and what is taken along to another site."""
    there = (library.find_document(each.kind, each.key) for each in found.contents if each.version)
    return [doc for doc in there if doc is not None]


def _in_order(names: Iterable[str]) -> list[str]:
    """Kinds as builders look for them: forms first, who may do what last."""
    order = [name for name in kinds.names() if name != "role"] + ["role"]
    return sorted(names, key=order.index)


def _designer(each: Definition) -> str:
    return design_url(each) or url_for("definitions.history", definition_id=each.id)


@route(blueprint, "/<app>/shape", permission=DESIGN, methods=["POST"])
def shape(app: str) -> Response:
    """Go to the designer of the application itself."""
    return page.redirect(url_for("studio.design", definition_id=applications.shape(current(), app)))


@route(blueprint, "/<app>/move", permission=DESIGN, methods=["POST"])
def move(app: str) -> Response:
    """Let what was ticked belong to another application."""
    target = request.form.get("to", "")
    try:
        applications.move(current(), request.form.getlist("id"), target)
    except Invalid as error:
        return _contents_page(applications.get_application(app), error.problems)
    return page.redirect(url_for("applications.contents", app=app), M("It belongs there now."))


@route(blueprint, "/<app>/remove", permission=DESIGN, methods=["POST"])
def remove(app: str) -> Response:
    """Take an empty application out of use."""
    try:
        applications.remove(current(), app)
    except Invalid as error:
        return _contents_page(applications.get_application(app), error.problems)
    return page.redirect(url_for("applications.list_all"), M("The application is gone."))


@route(blueprint, "/<app>/pack.zip", permission=DESIGN)
def download(app: str) -> Response:
    """An application as a pack, to take along to another site."""
    response = make_response(service.zipped(service.export(current(), app)))
    response.headers["Content-Type"] = "application/zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{app}.zip"'
    return response
