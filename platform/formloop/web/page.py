"""One address, two forms: the whole page, or the part of it that htmx asked for."""

from typing import Any
from urllib.parse import quote, urlsplit

from flask import Response, flash, make_response, render_template, session
from flask import redirect as flask_redirect
from markupsafe import Markup

from formloop.core.text import Message
from formloop.web import htmx, viewer


def render(page: str, fragment: str | None = None, *, status: int = 200, **values: Any) -> Response:
    """`page` as a whole, or only `fragment`, which is then `alone`, when htmx asks; the page includes the same one."""
    if fragment is not None and htmx.wants_part():
        return render_part(fragment, status=status, alone=True, **values)
    response = make_response(render_template(page, **values), status)
    response.vary.add("HX-Request")
    return response


def render_part(fragment: str, *, status: int = 200, **values: Any) -> Response:
    """Only `fragment`, for addresses that have no page of their own."""
    response = make_response(render_template(fragment, **values), status)
    response.vary.add("HX-Request")
    response.cache_control.no_store = True
    return response


def render_progress(fragment: str, *, finished: bool, **values: Any) -> Response:
    """One step of long work, polled each second: 202 while it runs, 286 (which ends the polling) after."""
    return render_part(fragment, status=286 if finished else 202, **values)


def redirect(url: str, message: Message | None = None, kind: str = "success") -> Response:
    """Go on at `url` (303, or HX-Redirect for htmx), where `message` is shown as a toast."""
    if message is not None:
        session.pop("_flashes", None)  # only the newest: unread ones would outgrow the cookie
        flash(message.render(viewer.locale()), kind)
    if htmx.is_htmx():
        return htmx.send_to(make_response("", 200), url)
    return make_response(flask_redirect(quote(url, safe="/:?#[]@!$&'()*+,;=%~-._"), 303))


def reply(message: Message, kind: str = "success", *, html: str | Markup = "") -> Response:
    """Answer htmx with a toast, and with `html` to swap in if there is any."""
    response = make_response(html, 200 if html else 204)
    response.cache_control.no_store = True
    return htmx.toast(response, message, kind)


def local_path(url: str | None, otherwise: str = "/") -> str:
    """`url` reduced to a path on this site; `otherwise` for whatever might lead elsewhere."""
    if not url:
        return otherwise
    parts = urlsplit(url.replace("\\", "/"))
    path = parts.path or "/"
    if not path.startswith("/") or path.startswith("//") or any(ord(letter) < 32 for letter in path):
        return otherwise
    return f"{path}?{parts.query}" if parts.query else path
