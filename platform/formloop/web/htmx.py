"""All that we use of htmx-flask; nobody else imports it, since it stumbles over some values (see below)."""

import json
from typing import Any
from urllib.parse import quote

from flask import Response, request
from htmx_flask.requests import HtmxHeaders

from formloop.core.text import Message
from formloop.web import viewer

TOAST_KINDS = ("success", "info", "warning", "danger")


def _asked() -> HtmxHeaders:
    return HtmxHeaders(request.headers)


def is_htmx() -> bool:
    """Whether htmx sent this request."""
    return bool(_asked())


def wants_part() -> bool:
    """Whether htmx waits for a part of the page, and not for a whole one."""
    asked = _asked()
    return bool(asked) and not asked.boosted and not asked.history_restore_request


def current_url() -> str | None:
    """The address in the browser's bar, when htmx told it."""
    return request.headers.get("HX-Current-URL")


def trigger(response: Response, **events: Any) -> Response:
    """Have htmx fire `events` in the browser, beside those already there."""
    earlier = response.headers.get("HX-Trigger")
    all_events = (json.loads(earlier) if earlier else {}) | events
    response.headers["HX-Trigger"] = json.dumps(all_events)  # ASCII, as headers must be
    return response


def toast(response: Response, message: Message, kind: str = "success", **more: Any) -> Response:
    """Show a short note in the corner once the response has arrived."""
    if kind not in TOAST_KINDS:
        raise ValueError(f"no such kind of toast: {kind}")
    return trigger(response, **{"fl-toast": {"text": message.render(viewer.locale()), "kind": kind, **more}})


def send_to(response: Response, url: str) -> Response:
    """Have htmx load another page; quoted, because headers carry no Chinese."""
    response.headers["HX-Redirect"] = quote(url, safe="/:?#[]@!$&'()*+,;=%~-._")
    return response
