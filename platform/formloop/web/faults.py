"""What people see when something goes wrong: a page, a toast for htmx, or JSON for programs."""

import errno
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from formloop.core.errors import (
    Conflict,
    Forbidden,
    FormloopError,
    Invalid,
    NotFound,
    SignInNeeded,
    StorageFull,
)
from formloop.core.text import M, Message
from formloop.web import htmx, page, viewer
from formloop.web.tracing import request_id

_log = structlog.get_logger("formloop.web")

TITLES = {
    400: M("This request could not be understood"),
    401: M("Please sign in"),
    403: M("You may not do this"),
    404: M("Not found"),
    405: M("This address does not take that"),
    409: M("Somebody was faster"),
    413: M("Too large"),
    422: M("Please correct this"),
    429: M("Too many tries"),
    500: M("Something broke on our side"),
    503: M("Not available at the moment"),
    507: M("The disk is full"),
}
TEXTS = {
    400: M("The address or what was sent with it is damaged. Go back and try again."),
    403: Forbidden().message,
    404: NotFound().message,
    405: M("The page was opened in a way it does not offer. Go back and try again."),
    409: Conflict().message,
    413: M("What was sent is larger than allowed."),
    429: M("Wait a moment, then try again."),
    500: M("Nothing was saved. Try again; if it happens again, give an administrator the number below."),
    503: M("Try again in a moment. Nothing was lost."),
    507: StorageFull().message,
}
STALE_FORM = M(
    "This page has been open for too long. Nothing was saved: go back, reload the page and try again."
)
ICONS = {
    401: "lock",
    403: "lock",
    404: "search",
    409: "users",
    429: "clock",
    503: "plug-connected-x",
    507: "database",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing gone wrong, ready to be shown in any of the three ways."""

    status: int
    code: str
    text: Message
    error: Exception | None = None

    @property
    def title(self) -> Message:
        """What happened, in three or four words."""
        return TITLES.get(self.status, TITLES[500 if self.status >= 500 else 400])

    @property
    def icon(self) -> str:
        """The picture on the error page."""
        return ICONS.get(self.status, "alert-triangle")


_json_prefixes: list[str] = []


def _nowhere(target: str) -> str:
    return "/"


_sign_in_url: Callable[[str], str] = _nowhere


def speak_json(prefix: str) -> None:
    """Answer errors below the path `prefix` in JSON, whatever the client says it accepts."""
    if prefix not in _json_prefixes:
        _json_prefixes.append(prefix)


def use_sign_in(url_for_target: Callable[[str], str]) -> None:
    """Send people who must sign in to `url_for_target(path they wanted)`."""
    global _sign_in_url
    _sign_in_url = url_for_target


def init_app(app: Flask) -> None:
    """Show the faults of `app`."""
    app.register_error_handler(FormloopError, on_own_error)
    app.register_error_handler(CSRFError, lambda error: show(Fault(400, "stale_form", STALE_FORM, error)))
    app.register_error_handler(HTTPException, on_http_error)
    # a number from outside that no column can hold
    for too_large in (OverflowError, DataError):
        app.register_error_handler(
            too_large, lambda error: show(Fault(400, "bad_request", TEXTS[400], error))
        )
    app.register_error_handler(OSError, on_system_error)
    app.register_error_handler(Exception, on_crash)


def on_own_error(error: FormloopError) -> Response:
    """One of our own errors, with its own text."""
    if isinstance(error, SignInNeeded) and not _wants_json():
        return ask_to_sign_in()
    if error.status >= 500:
        _log.error("fault", code=error.code, exc_info=error)
    return show(Fault(error.status, error.code, error.message, error))


def on_http_error(error: HTTPException) -> Response:
    """An error of the web framework; redirects and ready responses pass through."""
    if error.response is not None or error.code is None or error.code < 400:
        return make_response(error.get_response())
    text = TEXTS.get(error.code, TEXTS[500 if error.code >= 500 else 400])
    return show(Fault(error.code, error.name.lower().replace(" ", "_"), text, error))


def on_system_error(error: OSError) -> Response:
    """What the system refuses: a full disk in words, everything else as a crash."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return on_own_error(StorageFull())
    return on_crash(error)


def on_crash(error: Exception) -> Response:
    """Anything nobody foresaw: logged in full, shown without detail."""
    _log.error("crash", path=request.path, exc_info=error)
    return show(Fault(500, "error", TEXTS[500], error))


def ask_to_sign_in() -> Response:
    """To the sign-in page and back again afterwards."""
    wanted = htmx.current_url() if htmx.is_htmx() else request.full_path if request.method == "GET" else None
    url = _sign_in_url(page.local_path((wanted or "/").rstrip("?")))
    if htmx.is_htmx():
        return htmx.send_to(make_response("", 401), url)
    return page.redirect(url)


def show(fault: Fault) -> Response:
    """The fault in the form that the client can use."""
    if _wants_json():
        return as_json(fault)
    response = _as_toast(fault) if htmx.wants_part() else _as_page(fault)
    response.vary.add("HX-Request")
    response.cache_control.no_store = True
    return response


def as_json(fault: Fault) -> Response:
    """The one error shape of programs: code, message, problems with their places, request number."""
    locale = viewer.locale()
    problems = fault.error.problems if isinstance(fault.error, Invalid) else []
    body = {
        "code": fault.code,
        "message": fault.text.render(locale),
        "problems": [problem.as_dict(locale) for problem in problems],
        "request_id": request_id(),
    }
    response = jsonify({"error": body})
    response.status_code = fault.status
    return response


def _as_toast(fault: Fault) -> Response:
    response = make_response("", fault.status)
    response.headers["HX-Reswap"] = "none"  # 409 and 422 are swapped in when a view answers them itself
    kind = "warning" if fault.status < 500 else "danger"
    return htmx.toast(response, fault.text, kind, request=request_id(), retry=fault.status >= 500)


def _as_page(fault: Fault) -> Response:
    return make_response(render_template("web/error.html", fault=fault), fault.status)


def _wants_json() -> bool:
    if any(request.path.startswith(prefix) for prefix in _json_prefixes):
        return True
    accepted = request.accept_mimetypes
    return accepted.best == "application/json" and not accepted.accept_html
