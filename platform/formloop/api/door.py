"""What all of this room's addresses share: who comes in, that a request has its effect once, and who was faster."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, make_response, request

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.api import bodies, repeats
from formloop.api.repeats import Answer
from formloop.core.errors import Conflict, SignInNeeded
from formloop.core.text import M
from formloop.db import transactional
from formloop.forms import history, reads
from formloop.forms.spec import FormSpec
from formloop.web import faults, security, viewer

blueprint = security.accept_without_page(Blueprint("api", __name__, url_prefix="/api/v1"))


@blueprint.before_request
def require_token() -> None:
    """Only tokens open this door: a browser's session could be used by another site's page."""
    if not request.headers.get("Authorization", "").startswith("Bearer "):
        raise SignInNeeded(M("Send a token as “Authorization: Bearer …”."))


def once(actor: Actor, said: Any, work: Callable[[], Answer]) -> Response:
    """The answer of `work`, which an `Idempotency-Key` lets happen once only."""
    name = f"{request.method} {request.path}"
    found = repeats.once(actor, name, request.headers.get("Idempotency-Key", ""), said, transactional(work))
    response = bodies.reply_text(found.body, found.status, found.revision)
    if found.repeated:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def stale(error: Conflict, actor: Actor, spec: FormSpec, record: int, revision: int | None) -> Response:
    """409 with what others have changed since the revision that was sent."""
    if error.current is None or not gate.allows(actor, "view", spec.resource):
        raise error
    locale, seen = viewer.locale(), reads.get_record(actor, spec.key, record)
    visible = {k for k in seen if k in spec.fields}
    visible |= {f"{s.key}.{c}" for s in spec.subforms for line in seen.get(s.key) or () for c in line}
    entries = history.describe_changes(actor, spec, record, frozenset(visible), locale, revision or 0)
    response = faults.as_json(faults.Fault(409, error.code, error.message, error))
    body = response.get_json()
    body["error"] |= {
        "current": bodies.shape(spec, seen),
        "differences": [
            {"field": d.label, "old": d.old, "new": d.new, "by": entry.person, "at": entry.at}
            for entry in entries
            for d in entry.differences
        ],
    }
    return make_response(bodies.reply(body, 409, seen["revision"]))
