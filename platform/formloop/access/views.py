"""Signing in and out, the one-time links, and the demo's personas."""

import ipaddress

from flask import Blueprint, Flask, Response, current_app, request, url_for

from formloop.access import (
    audit_views,
    departments_views,
    people,
    people_views,
    personas,
    profile_views,
    rights_views,
    sealing,
    sessions,
    signing,
)
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.web import faults, navigation, page, start, viewer
from formloop.web.routes import route

blueprint = Blueprint("access", __name__)


ROOMS = (people_views, departments_views, rights_views, audit_views, profile_views)
MANAGE = ("manage", "people")
ENTRIES = {
    "people": navigation.Entry(
        M("People"), "users", "people.list_all", order=300, group=navigation.SITE, permission=MANAGE
    ),
    "departments": navigation.Entry(
        M("Departments"),
        "sitemap",
        "departments.list_all",
        order=310,
        group=navigation.SITE,
        permission=MANAGE,
    ),
    "roles": navigation.Entry(
        M("Roles"), "shield-check", "rights.list_roles", order=320, group=navigation.SITE, permission=MANAGE
    ),
    "why": navigation.Entry(
        M("Who may what?"), "help-circle", "rights.ask", order=330, group=navigation.SITE, permission=MANAGE
    ),
    "audit": navigation.Entry(
        M("Audit trail"),
        "history",
        "audit.list_all",
        order=340,
        group=navigation.SITE,
        permission=("manage", "audit"),
    ),
}
OWN_ENTRIES = {
    "me": navigation.Entry(M("My account"), "user-circle", "profile.show", order=50),
    "sign_out": navigation.Entry(M("Sign out"), "logout", "access.sign_out", order=900, post=True),
}


def init_app(app: Flask) -> None:
    """Add the room's pages and its entries in the menus."""
    app.register_blueprint(blueprint)
    for each in ROOMS:
        app.register_blueprint(each.blueprint)
    with app.app_context():
        sealing.plan_sealing()
    faults.use_sign_in(lambda target: url_for("access.sign_in", next=target))
    start.keep_preferences(_keep)
    for key, entry in ENTRIES.items():
        if key not in navigation.navigation:
            navigation.navigation.add(key, entry)
    for key, entry in OWN_ENTRIES.items():
        if key not in navigation.person_menu:
            navigation.person_menu.add(key, entry)


def _keep(name: str, value: str) -> None:
    actor = signing.find_current()
    if actor is not None and actor.person_id is not None:
        people.prefer(actor.person_id, name, value)


@route(blueprint, "/sign-in", permission="public")
def sign_in() -> Response:
    """The page to sign in."""
    if signing.find_current() is not None:
        return page.redirect(page.local_path(request.args.get("next")))
    return _sign_in_page()


@route(blueprint, "/sign-in", permission="public", methods=["POST"], endpoint="do_sign_in")
def do_sign_in() -> Response:
    """Check account and password, and begin a session."""
    account, password = request.form.get("account", ""), request.form.get("password", "")
    try:
        secret = sessions.sign_in(account, password, request.remote_addr or "", str(request.user_agent))
    except Invalid as error:
        return _sign_in_page(account, error.problems, 422)
    return signing.keep(page.redirect(page.local_path(request.form.get("next"))), secret)


@route(blueprint, "/sign-in/as/<account>", permission="public", methods=["POST"])
def sign_in_as(account: str) -> Response:
    """Become one of the demo's personas: only in a demo, only from this very machine."""
    offered = _persona_allowed() and account in _demo().accounts
    person = people.find_person(account) if offered else None
    if person is None:
        raise NotFound
    return signing.keep(
        page.redirect(page.local_path(request.form.get("next"))),
        sessions.open_session(person.id, str(request.user_agent)),
    )


@route(blueprint, "/sign-out", permission="public", methods=["POST"])
def sign_out() -> Response:
    """End this session."""
    secret = request.cookies.get(signing.COOKIE)
    if secret:
        sessions.sign_out(secret)
    response = page.redirect(url_for("access.sign_in"))
    response.delete_cookie(signing.COOKIE)
    return response


@route(blueprint, "/link/<secret>", permission="public")
def open_link(secret: str) -> Response:
    """The page behind a one-time link: choose a password, or become the first administrator."""
    return page.render("access/link.html", link=sessions.get_link(secret), values={}, problems=[])


@route(blueprint, "/link/<secret>", permission="public", methods=["POST"])
def use_link(secret: str) -> Response:
    """Spend the link."""
    values = {key: request.form.get(key, "") for key in ("name", "account", "password")}
    link = sessions.get_link(secret)
    if values["password"] != request.form.get("again", ""):
        wrong = [Problem("again", "again", M("The two passwords are not the same."))]
        return page.render("access/link.html", link=link, values=values, problems=wrong, status=422)
    try:
        person_id = sessions.use_link(secret, values["name"], values["account"], values["password"])
    except Invalid as error:
        return page.render("access/link.html", link=link, values=values, problems=error.problems, status=422)
    return signing.keep(page.redirect("/"), sessions.open_session(person_id, str(request.user_agent)))


def _demo() -> personas.Demo:
    return personas.read_demo(current_app.config["SETTINGS"])


def _sign_in_page(account: str = "", problems: list[Problem] | None = None, status: int = 200) -> Response:
    demo, locale = _demo(), viewer.locale()
    there = [p for key in demo.accounts if (p := people.find_person(key))] if _persona_allowed() else []
    shown = [(person, demo.deed(person.account, locale)) for person in there]
    target = page.local_path(request.values.get("next"))
    return page.render(
        "access/sign_in.html",
        account=account,
        problems=problems or [],
        personas=shown,
        next=target,
        status=status,
    )


def _persona_allowed() -> bool:
    if not current_app.config["SETTINGS"].demo or "X-Forwarded-For" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
