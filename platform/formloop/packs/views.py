"""The template centre: cards, preview, install with progress, sample data, taking an application along as a pack."""

from typing import Any

from flask import Blueprint, Flask, Response, make_response, request, url_for

from formloop.access import gate
from formloop.access.signing import current
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.definitions import apps, library
from formloop.events.jobs import Job
from formloop.packs import installing, reading, samples, service
from formloop.packs.reading import Pack
from formloop.web import navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("packs", __name__)
INSTALL = ("install", "pack")
DESIGN = ("design", "definition")


def init_app(app: Flask) -> None:
    """Add the template centre to the menu and to the start page."""
    app.register_blueprint(blueprint)
    installing.init()
    apps.known_by(service.list_apps)
    if "packs" not in navigation.navigation:
        entry = navigation.Entry(
            M("Template centre"), "building-store", "packs.centre", 20, navigation.BUILD, "signed-in"
        )
        navigation.navigation.add("packs", entry)
        start_page = navigation.Entry(M("Start"), "home", "start.home", 5, navigation.WORK, phone=True)
        navigation.navigation.add("start", start_page)
        navigation.home.add("packs", navigation.Slot("packs/_home.html", _home, order=300))
        navigation.home.add("apps", navigation.Slot("packs/_apps.html", _apps, order=200, wide=True))


def _home() -> dict[str, object] | None:
    if not gate.allows(current(), *INSTALL):
        return None
    missing = [card for card in service.list_cards() if card.installed is None]
    return {"cards": missing[:3]} if missing else None


def _apps() -> dict[str, object]:
    actor, packs = current(), {pack.key: pack for pack in service.list_shipped()}
    found: dict[str, list[object]] = {}
    for entry in library.list_entries("form"):
        if gate.allows(actor, "view", f"form:{entry.key}"):
            document = library.find_document("form", entry.key) or {}
            found.setdefault(entry.app, []).append((entry, document.get("icon", "forms")))
    own = service.OWN_FORMS if gate.allows(actor, *DESIGN) else None
    return {"apps": [(packs.get(app), app, forms) for app, forms in found.items()], "own": own}


@route(blueprint, "/templates", permission="signed-in")
def centre() -> Response:
    """All packs as cards, searched and by category."""
    cards, text = service.list_cards(), request.args.get("q", "").strip().lower()
    category = request.args.get("category", "")
    categories = {card.pack.said("category", "en"): card.pack for card in cards}
    shown = [
        card
        for card in cards
        if (not category or card.pack.said("category", "en") == category)
        and (not text or any(text in _searched(card, locale) for locale in ("en", "zh-CN")))
    ]
    return page.render(
        "packs/centre.html",
        "packs/_cards.html",
        cards=shown,
        categories=categories,
        category=category,
        text=text,
        may_install=gate.allows(current(), *INSTALL),
    )


def _searched(card: service.Card, locale: str) -> str:
    return f"{card.pack.said('title', locale)} {card.pack.said('summary', locale)} {card.pack.key}".lower()


@route(blueprint, "/templates/<key>", permission="signed-in")
def preview(key: str) -> Response:
    """What a pack brings, before it is installed."""
    pack = service.get_pack(key)
    card = next(card for card in service.list_cards() if card.pack.key == key)
    may_install = gate.allows(current(), *INSTALL)
    return page.render(
        "packs/preview.html",
        card=card,
        pack=pack,
        needed=service.list_needed(pack),
        problems=service.check(current(), pack) if may_install else pack.problems,
        may_install=may_install,
    )


@route(blueprint, "/templates/<key>/install", permission=INSTALL, methods=["POST"])
def install(key: str) -> Response:
    """Begin to install; the page follows its progress."""
    run = installing.begin(current(), service.get_pack(key), bool(request.form.get("samples")))
    return page.redirect(url_for("packs.progress", key=key, run=run))


@route(blueprint, "/templates/<key>/progress/<int:run>", permission=INSTALL)
def progress(key: str, run: int) -> Response:
    """How far an installation is; polled each second until it has ended."""
    job = installing.get_run(run)
    shown: dict[str, Any] = {"job": job, "key": key, "title": _title_of(job)}
    if request.headers.get("HX-Request"):
        return page.render_progress("packs/_progress.html", finished=job.over, **shown)
    return page.render("packs/progress.html", **shown)


def _title_of(job: Job) -> str:
    return Pack(job.payload["pack"]["manifest"], {}, (), None, ()).said("title", viewer.locale())


@route(blueprint, "/templates/<key>/samples/remove", permission=INSTALL, methods=["POST"])
def remove_samples(key: str) -> Response:
    """Take the sample data away, all that nobody has changed."""
    gone, kept = samples.remove(current(), key)
    text = M("{gone} sample records removed; {kept} were changed by people and stay.", gone=gone, kept=kept)
    return page.redirect(url_for("packs.preview", key=key), text)


@route(blueprint, "/templates/upload", permission=INSTALL, methods=["POST"])
def upload(key: str = "") -> Response:
    """Install a pack from a zip somebody brings."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid([Problem("required", "file", M("Choose a file first."))])
    pack = reading.read_zip(file.read())
    run = installing.begin(current(), pack, bool(request.form.get("samples")))
    return page.redirect(url_for("packs.progress", key=pack.key, run=run))


@route(blueprint, "/apps/<app>/pack.zip", permission=DESIGN)
def download(app: str) -> Response:
    """An application as a pack, to take along to another site."""
    files = service.export(current(), app)
    if not files:
        raise NotFound
    response = make_response(service.zipped(files))
    response.headers["Content-Type"] = "application/zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{app}.zip"'
    return response
