"""One's own account: name, language, colours, password, sessions."""

from flask import Blueprint, Response, request, url_for

from formloop.access import people, roles, sessions, signing
from formloop.access.actor import Actor
from formloop.core.errors import Invalid, Problem, SignInNeeded
from formloop.core.text import LOCALES, M
from formloop.db import reading
from formloop.web import page
from formloop.web.routes import route
from formloop.web.viewer import THEMES

blueprint = Blueprint("profile", __name__, url_prefix="/me")


@route(blueprint, "", permission="signed-in")
def show() -> Response:
    """The page."""
    return _page()


@route(blueprint, "", permission="signed-in", methods=["POST"])
def change() -> Response:
    """Save name, language and colours."""
    actor, person_id = _myself()
    name = request.form.get("name", "").strip()[:80]
    problems = people.check_person(people.get_person(person_id).account, name, person_id)
    if problems:
        return _page(problems)
    if name != actor.name:
        people.rename(actor, name)
    for key, choices in (("locale", LOCALES), ("theme", THEMES)):
        value = request.form.get(key, "")
        if value in choices:
            people.prefer(person_id, key, value)
    return page.redirect(url_for("profile.show"), M("Saved."))


@route(blueprint, "/password", permission="signed-in", methods=["POST"])
def change_password() -> Response:
    """Change one's password; every session ends but the one that is begun here."""
    actor, person_id = _myself()
    given = {key: request.form.get(key, "") for key in ("current", "password", "again")}
    try:
        sessions.change_password(actor, given["current"], given["password"], given["again"], _address())
    except Invalid as error:
        return _page(error.problems)
    response = page.redirect(
        url_for("profile.show"), M("The password is changed. You are signed out everywhere else.")
    )
    return signing.keep(response, sessions.open_session(person_id, str(request.user_agent)))


@route(blueprint, "/sessions/end", permission="signed-in", methods=["POST"])
def end_sessions() -> Response:
    """End one of one's sessions, or all of them."""
    actor, person_id = _myself()
    key = request.form.get("key", "")
    if key:
        sessions.end_session(actor, key)
        return page.redirect(url_for("profile.show"), M("The session is ended."))
    sessions.sign_out_everywhere(actor, person_id)
    return page.redirect(url_for("access.sign_in"), M("You are signed out everywhere."))


def _myself() -> tuple[Actor, int]:
    actor = signing.current()
    if actor.person_id is None:
        raise SignInNeeded
    return actor, actor.person_id


def _address() -> str:
    return request.remote_addr or ""


def device_of(agent: str) -> str:
    """Browser and system of a browser's own description, as people call them."""
    browsers = ("Edg/", "OPR/", "Firefox/", "Chrome/", "Safari/", "MicroMessenger/")
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
    browser = next((each.rstrip("/") for each in browsers if each in agent), "")
    system = next((each for each in systems if each in agent), "")
    return " · ".join(filter(None, ({"Edg": "Edge", "OPR": "Opera"}.get(browser, browser), system)))


def _page(problems: list[Problem] | None = None) -> Response:
    actor, person_id = _myself()
    secret = request.cookies.get(signing.COOKIE, "")
    with reading():
        row = people.get_person(person_id)
        held = set(roles.roles_of([person_id])[person_id])
        return page.render(
            "access/me.html",
            status=422 if problems else 200,
            person=row,
            name=request.form.get("name", row.name),
            department=people.find_department(row.department),
            roles=[each for each in roles.list_roles() if each.key in held],
            sessions=sessions.list_sessions(person_id),
            device=device_of,
            here=sessions.digest(secret),
            locales={"en": "English", "zh-CN": "简体中文"},
            locale=row.locale or actor.locale,
            problems=problems or [],
            wrong={each.at: each.message for each in problems or ()},
        )
