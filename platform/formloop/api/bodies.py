"""What comes in and goes out: JSON without surprises, decimals with all their digits."""

import re
from typing import Any

from flask import Request, Response

from formloop.core import json_text
from formloop.core.definitions import parse
from formloop.core.errors import FormloopError, Invalid, TooLarge
from formloop.core.text import M
from formloop.forms.spec import FormSpec, Values

MOST_BYTES = 1_000_000
MOST_VALUES = 200_000  # a record of 10,000 lines
SHOWN = ("id", "revision", "state", "owner", "department", "created_at", "updated_at")
_REVISION = re.compile(r'^(?:W/)?"?(\d{1,9})"?$')


class Malformed(Invalid):
    """The request is not JSON as it should be."""

    code = "malformed"
    status = 400


class ConditionMissing(FormloopError):
    """A change must say which revision it was made from."""

    code = "precondition_required"
    status = 428

    def __init__(self) -> None:
        super().__init__(M("Send the revision you have read as “If-Match”, so that nobody's change is lost."))


def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body; Malformed or TooLarge."""
    if (request.content_length or 0) > MOST_BYTES:
        raise TooLarge(M("A request may have at most {most} bytes.", most=MOST_BYTES))
    request.max_content_length = MOST_BYTES
    parsed = parse(request.get_data(cache=True), MOST_VALUES)
    if parsed.problems:
        raise Malformed(parsed.problems)
    if not isinstance(parsed.doc, dict):
        raise Malformed([], M("The body must be a JSON object."))
    return parsed.doc


def read_revision(request: Request, required: bool = True) -> int | None:
    """The revision that `If-Match` names."""
    said = request.headers.get("If-Match", "").strip()
    if not said and not required:
        return None
    found = _REVISION.match(said)
    if found is None:
        raise ConditionMissing
    return int(found[1])


def shape(spec: FormSpec, record: Values) -> dict[str, Any]:
    """A record as programs see it: the system's values and those of its fields that were given."""
    shown = {key: record[key] for key in SHOWN if key in record}
    return shown | {key: record[key] for key in spec.fields if key in record}


def reply(value: Any, status: int = 200, revision: int | None = None) -> Response:
    """An answer in JSON; `revision` becomes its ETag."""
    return reply_text(json_text.dumps(value), status, revision)


def reply_text(text: str, status: int, revision: int | None = None) -> Response:
    """An answer whose JSON text is there already."""
    response = Response("" if status == 204 else text, status, mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-store"
    if revision is not None:
        response.headers["ETag"] = f'"{revision}"'
    return response
