"""Pages: what I was told, and how I want to be told."""

from typing import Any

from flask import Blueprint, Flask, Response, request, url_for

from formloop.access.signing import current
from formloop.bridges.notices import delivery, service
from formloop.core.errors import SignInNeeded
from formloop.core.text import M
from formloop.web import navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("notices", __name__, url_prefix="/notices")


def init_app(app: Flask) -> None:
    """Deliver letters, and add the pages to the menus."""
    delivery.start(app.config["SETTINGS"])
    app.register_blueprint(blueprint)
    if "notices" in navigation.navigation:
        return
    entry = navigation.Entry(
        M("Notices"), "bell", "notices.list_own", 15, navigation.WORK, badge=service.counting(), phone=True
    )
    navigation.navigation.add("notices", entry)
    choices = navigation.Entry(M("How I am told"), "adjustments", "notices.show_choices", order=55)
    navigation.person_menu.add("notices", choices)


@route(blueprint, "", permission="signed-in")
def list_own() -> Response:
    """One's notices, newest first."""
    found, following = service.list_notices(current(), viewer.locale(), request.args.get("before", type=int))
    more = url_for("notices.list_own", before=following) if following else None
    part = "bridges/_notices.html" if "before" in request.args else None
    return page.render("bridges/notices.html", part, notices=found, more_url=more)


@route(blueprint, "/<int:notice>", permission="signed-in")
def open_one(notice: int) -> Response:
    """Mark a notice as read and go where it leads."""
    return page.redirect(page.local_path(service.open_notice(current(), notice), url_for("notices.list_own")))


@route(blueprint, "/read", permission="signed-in", methods=["POST"])
def read_all() -> Response:
    """Mark them all as read."""
    service.read_all(current())
    return page.redirect(url_for("notices.list_own"))


@route(blueprint, "/choices", permission="signed-in")
def show_choices() -> Response:
    """How each kind of notice comes over each channel."""
    return page.render("bridges/notice_choices.html", **_choices(_myself()))


@route(blueprint, "/choices", permission="signed-in", methods=["POST"])
def choose() -> Response:
    """Keep the choices."""
    wanted = {
        (kind, name): how
        for kind in service.KINDS
        for name in (service.APP, *(channel.name for channel in service.ready_channels()))
        if (how := request.form.get(f"{kind}.{name}"))
    }
    service.choose(_myself(), wanted)
    return page.redirect(url_for("notices.show_choices"), M("Saved."))


def _myself() -> int:
    person = current().person_id
    if person is None:
        raise SignInNeeded
    return person


def _choices(person: int) -> dict[str, Any]:
    return {
        "kinds": service.KINDS,
        "channels": service.ready_channels(),
        "ways": service.HOW,
        "in_app": service.IN_APP,
        "chosen": service.get_choices(person),
    }
