"""The start page, the menu page of phones, and the switches for language and colours."""

from collections.abc import Callable

from flask import Blueprint, Response, request

from formloop.core.errors import Invalid, Problem
from formloop.core.text import LOCALES, M
from formloop.web import htmx, navigation, page
from formloop.web.routes import route
from formloop.web.viewer import THEMES

blueprint = Blueprint("start", __name__)
A_YEAR = 365 * 24 * 3600
COOKIES = {"locale": "formloop_locale", "theme": "formloop_theme"}
CHOICES = {"locale": LOCALES, "theme": THEMES}

Keep = Callable[[str, str], None]
_keepers: list[Keep] = []


def keep_preferences(keep: Keep) -> None:
    """Let `keep(name, value)` remember the language ("locale") and "theme" of a signed-in person."""
    _keepers.append(keep)


@route(blueprint, "/", permission="signed-in")
def home() -> Response:
    """What waits for this person, the applications, and where to get more."""
    return page.render("web/home.html", slots=navigation.list_slots(navigation.home))


@route(blueprint, "/menu", permission="signed-in")
def menu() -> Response:
    """All that the side bar and the person's menu offer, on a page for phones."""
    return page.render("web/menu.html")


@route(blueprint, "/preferences", permission="public", methods=["POST"])
def set_preference() -> Response:
    """Change the language or the colours, and come back."""
    name = "locale" if "locale" in request.form else "theme"
    value = request.form.get(name, "")
    if value not in CHOICES[name]:
        raise Invalid([Problem("choice", name, M("There is no such choice: {value}.", value=value[:40]))])
    for keep in _keepers:
        keep(name, value)
    response = _after_change(name, value)
    secure = request.is_secure
    response.set_cookie(COOKIES[name], value, max_age=A_YEAR, secure=secure, httponly=True, samesite="Lax")
    return response


def _after_change(name: str, value: str) -> Response:
    if name == "theme" and htmx.wants_part():
        return htmx.trigger(Response(status=204), **{"fl-theme": value})
    back = htmx.current_url() if htmx.is_htmx() else request.referrer
    return page.redirect(page.local_path(back))
