"""Pages of the room: the repair desk, and how bridges stand on each record's page."""

from typing import Any

from flask import Blueprint, Flask, Response, request, url_for

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.bridges import asking_views, clocked, desk, outbound, publisher_rights, service
from formloop.core.text import M
from formloop.events import heartbeat, repair
from formloop.forms import views as forms_views
from formloop.forms.spec import FormSpec, Values
from formloop.web import navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("bridges", __name__, url_prefix="/repair")
REPAIR = (desk.ACTION, desk.RESOURCE)
PAGE = 50


def init_app(app: Flask) -> None:
    """Start the bridges, add the repair desk to the menu and the bridges' part to the pages of records."""
    service.start()
    clocked.start()
    outbound.ALLOWED.update(app.config["SETTINGS"].private_hosts)
    publisher_rights.enroll()
    app.register_blueprint(blueprint)
    asking_views.init_app(app)
    if record_panel not in forms_views.record_panels:
        forms_views.record_panels.append(record_panel)
    if "repair" not in navigation.navigation:
        entry = navigation.Entry(
            M("Repair desk"),
            "lifebuoy",
            "bridges.list_messages",
            order=300,
            group=navigation.SITE,
            permission=REPAIR,
            badge=repair.COUNT_STUCK,
            urgent=True,
        )
        navigation.navigation.add("repair", entry)


def record_panel(actor: Actor, spec: FormSpec, record: Values) -> tuple[str, dict[str, Any]] | None:
    """How the bridges stand with one record; None when none has anything to say."""
    states = desk.states_of(spec, record["id"], viewer.locale())
    if not states:
        return None
    repairs = gate.allows(actor, *REPAIR)
    return "bridges/_panel.html", {"place": "bottom", "states": states, "repairs": repairs}


@route(blueprint, "", permission=REPAIR)
def list_messages() -> Response:
    """What failed (or, on the other tab, what waits), newest first."""
    stuck = request.args.get("show", "failed") != "waiting"
    before, locale = request.args.get("before", type=int), viewer.locale()
    topic, group = request.args.get("topic") or None, request.args.get("group", "")
    items = desk.list_items(stuck, locale, topic, group, before, PAGE + 1)
    args: dict[str, Any] = {"show": None if stuck else "waiting", "topic": topic, "group": group or None}
    more = url_for("bridges.list_messages", **args, before=items[PAGE - 1].id) if len(items) > PAGE else None
    return page.render(
        "bridges/repair.html",
        "bridges/_messages.html" if before else "bridges/_desk.html",
        items=items[:PAGE],
        more=more,
        stuck=stuck,
        topic=topic,
        group=group,
        failed=repair.count_stuck(),
        waiting=repair.count_waiting(),
        advice=heartbeat.ADVICE if heartbeat.is_missing() else None,
        groups=sorted({(each.topic, each.group, each.title) for each in items if each.group}, key=str),
    )


@route(blueprint, "/<int:message>/retry", permission=REPAIR, methods=["POST"])
def retry(message: int) -> Response:
    """Try one message again."""
    desk.retry(current(), message)
    return page.redirect(_back(), M("It is being tried again."))


@route(blueprint, "/retry", permission=REPAIR, methods=["POST"])
def retry_all() -> Response:
    """Try every failed message of one bridge again."""
    count = desk.retry_all(current(), request.form.get("topic", ""), request.form.get("group", ""))
    return page.redirect(
        _back(), M("{count} {count:message is|messages are} being tried again.", count=count)
    )


@route(blueprint, "/<int:message>/cancel", permission=REPAIR, methods=["POST"])
def cancel(message: int) -> Response:
    """Give one message up, with the reason."""
    desk.cancel(current(), message, request.form.get("reason", ""))
    return page.redirect(_back(), M("Given up. Later messages of this record go on."))


def _back() -> str:
    return page.local_path(request.form.get("back"), url_for("bridges.list_messages"))
