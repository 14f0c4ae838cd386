"""The template centre: cards, preview, install with progress, sample data, taking an application along as a pack."""

from typing import Any, BinaryIO, cast

from flask import Blueprint, Flask, Response, request, url_for

from formloop.access import gate
from formloop.access.signing import current
from formloop.core.definitions import kinds
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.definitions import apps, library
from formloop.definitions import views as definition_views
from formloop.events.jobs import Job
from formloop.forms import files
from formloop.packs import app_views, differing, installing, reading, samples, service, unseen
from formloop.packs.bound_links import list_linked
from formloop.packs.reading import Pack
from formloop.web import navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("packs", __name__)
INSTALL = ("install", "pack")


def init_app(app: Flask) -> None:
    """Add the template centre to the menu and to the start page."""
    app.register_blueprint(blueprint)
    app.register_blueprint(app_views.blueprint)
    installing.init()
    apps.known_by(service.list_apps)
    if "packs" not in navigation.navigation:
        entry = navigation.Entry(
            M("Template centre"), "building-store", "packs.centre", 20, navigation.BUILD, "signed-in"
        )
        navigation.navigation.add("packs", entry)
        own = navigation.Entry(
            M("Applications"), "apps", "applications.list_all", 190, navigation.BUILD, app_views.DESIGN
        )
        navigation.navigation.add("applications", own)
        if "app" not in definition_views.beginnings:
            definition_views.beginnings.add("app", "applications.new")
            definition_views.openers.add("app", lambda key: url_for("applications.show", app=key, all=1))
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
    actor, locale, known = current(), viewer.locale(), apps.list_apps()
    found: dict[str, list[library.Entry]] = {}
    for entry in library.list_entries("form"):
        if gate.allows(actor, "view", f"form:{entry.key}"):
            found.setdefault(entry.app, []).append(entry)
    shown = []
    for key, entries in found.items():
        app = apps.app_of(key, known)
        entries.sort(key=lambda each: (app.place("form", each.key), each.name(locale)))
        shown.append((app, [(each, _icon(each)) for each in entries]))
    shown.sort(key=lambda each: (each[0].order, each[0].name(locale)))  # as in the menu
    return {"apps": shown, "own": service.OWN_FORMS}


def _icon(entry: library.Entry) -> str:
    return str((library.find_document(entry.kind, entry.key) or {}).get("icon", "forms"))


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
    problems = service.check(current(), pack) if gate.allows(current(), *INSTALL) else list(pack.problems)
    return _preview_page(pack, card, problems, url_for("packs.install", key=key))


def _preview_page(
    pack: Pack, card: service.Card | None, problems: list[Problem], install_at: str
) -> Response:
    may_install, locale = gate.allows(current(), *INSTALL), viewer.locale()
    sound = not pack.problems
    docs = list(pack.documents.values()) if sound else []
    needed = service.list_needed(pack) if sound else []
    beside = [doc for each in needed for doc in each.documents.values()]
    return page.render(
        "packs/preview.html",
        bound=list_linked(docs),
        unseen=unseen.list_unseen(docs, beside),
        card=card,
        pack=pack,
        kinds=kinds,
        needed=needed,
        needs=[(service.titled(key), least) for key, least in pack.needs.items() if least] if sound else [],
        problems=problems,
        changes=_changes(pack, locale) if card is None and sound else [],
        may_install=may_install,
        install_at=install_at,
    )


def _changes(pack: Pack, locale: str) -> list[tuple[str, list[str]]]:
    """How the application that is here differs from the pack, file by file."""
    try:
        found = differing.compare(current(), pack.key, pack)
    except NotFound:
        return []
    return [(each.file, each.sentences(locale)) for each in found]


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
    docs = service.documents_of(key) if job.done else []
    shown |= {"bound": list_linked(docs), "unseen": unseen.list_unseen(docs)}
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
def upload() -> Response:
    """Take in a pack that somebody brings, to be looked at before it is installed."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid([Problem("required", "file", M("Choose a file first."))])
    kept = files.keep_upload(current(), file.filename, cast(BinaryIO, file.stream), reading.MOST_BYTES)
    reading.read_zip(kept.path.read_bytes())
    return page.redirect(url_for("packs.brought", upload=kept.key))


@route(blueprint, "/templates/brought/<upload>", permission=INSTALL)
def brought(upload: str) -> Response:
    """What a pack that was brought holds, what it would change here, and what stands against it."""
    pack = _brought(upload)
    problems = service.check(current(), pack)
    return _preview_page(pack, None, problems, url_for("packs.install_brought", upload=upload))


@route(blueprint, "/templates/brought/<upload>", permission=INSTALL, methods=["POST"])
def install_brought(upload: str) -> Response:
    """Begin to install a pack that was brought."""
    pack = _brought(upload)
    run = installing.begin(current(), pack, bool(request.form.get("samples")))
    return page.redirect(url_for("packs.progress", key=pack.key, run=run))


def _brought(upload: str) -> Pack:
    kept = files.get_file(upload)
    if kept.person != current().person_id:
        raise NotFound
    return reading.read_zip(kept.path.read_bytes())
