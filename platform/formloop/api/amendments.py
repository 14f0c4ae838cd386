"""Changes of approved records over HTTP: what was proposed, and proposing one."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from formloop.access.signing import current
from formloop.api import bodies
from formloop.api.door import blueprint, once, stale
from formloop.api.repeats import Answer
from formloop.core import json_text
from formloop.core.errors import Conflict, Invalid, Problem
from formloop.core.text import M
from formloop.forms import reads
from formloop.forms.kind import get_form
from formloop.web import viewer
from formloop.web.routes import route
from formloop.workflows.amendments import panels, service

KNOWN = ("values", "cancel", "reason")


@route(blueprint, "/<form>/<int:record>/amendments", permission=("view", "form:{form}"))
def list_amendments(form: str, record: int) -> Response:
    """What was ever proposed for a record, newest first, as far as this person may see its fields."""
    actor, spec, locale = current(), get_form(form), viewer.locale()
    reads.look(actor, form, record)  # NotFound for who may not see it
    return bodies.reply({"amendments": [_shape(c) for c in panels.list_of(actor, spec, record, locale)]})


def _shape(change: panels.Change) -> dict[str, Any]:
    return {
        "id": change.case,
        "status": change.status,
        "by": change.by,
        "at": change.at,
        "reason": change.reason,
        "stage": change.stage,
        "cancel": change.cancels,
        "outdated": change.outdated,
        "applied_at": change.applied_at,
        "differences": [{"field": d.label, "old": d.old, "new": d.new} for d in change.differences],
    }


@route(
    blueprint,
    "/<form>/<int:record>/amendments",
    permission=("amend", "form:{form}"),
    methods=["POST"],
    endpoint="amend",
)
def amend(form: str, record: int) -> Response:
    """Propose other values, or that the record is cancelled, in the revision that `If-Match` names."""
    actor, spec, body = current(), get_form(form), bodies.read_object(request)
    revision = bodies.read_revision(request)
    values, reason = _read(body)

    def work() -> Answer:
        done = service.propose(actor, form, record, values, reason, revision)
        return Answer(201, json_text.dumps({"id": done.case, "status": done.status}), None)

    try:
        return once(actor, [record, revision, body], work)
    except Conflict as error:
        return stale(error, actor, spec, record, revision)


def _read(body: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """The values that are proposed, None where the record is to be cancelled, and the reason."""
    problems = [
        Problem("unknown_field", key, M("This is not known here. Known are: {keys}.", keys=", ".join(KNOWN)))
        for key in body
        if key not in KNOWN
    ]
    values, cancels = body.get("values"), body.get("cancel", False)
    if not isinstance(cancels, bool) or isinstance(values, dict) == cancels:
        text = M("Send the values that are to change, or “cancel”: true.")
        problems.append(Problem("values", "values", text))
    if not isinstance(body.get("reason", ""), str):
        problems.append(Problem("unreadable", "reason", M("This must be a text.")))
    if problems:
        raise Invalid(problems)
    return (values if isinstance(values, dict) else None), str(body.get("reason", ""))
