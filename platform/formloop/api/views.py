"""Records over HTTP: list, read, create, change, delete, and their description as OpenAPI."""

from flask import Flask, Response, make_response, request

from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.api import amendments, bodies, openapi, pages, tokens
from formloop.api.door import blueprint, once, stale
from formloop.api.repeats import Answer
from formloop.core import json_text
from formloop.core.errors import Conflict, NotFound
from formloop.datasets import views as datasets_views
from formloop.datasets.kind import get_dataset
from formloop.events import Cause
from formloop.forms import reads, service, uses
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Values
from formloop.forms.uses import InUse
from formloop.web import faults, viewer
from formloop.web.routes import route

CAUSE = Cause(("api",))
MORE = (amendments,)  # whose addresses stand in a file of their own


def init_app(app: Flask) -> None:
    """Add the interface and the page of a person's tokens."""
    app.register_blueprint(blueprint)
    faults.speak_json("/api/")
    tokens.init_app(app)


@route(blueprint, "/openapi.json", permission="signed-in")
def description() -> Response:
    """What this person may do here, as an OpenAPI document."""
    return bodies.reply(openapi.describe(current(), viewer.locale()))


@route(blueprint, "/datasets/<key>", permission=datasets_views.may_read)
def list_rows(key: str) -> Response:
    """A page of a dataset; `next` is the `after` of the following page."""
    return bodies.reply(pages.answer_rows(current(), get_dataset(key), request.args))


@route(blueprint, "/<form>", permission=("view", "form:{form}"))
def list_records(form: str) -> Response:
    """A page of records; `next` is the `after` of the following page."""
    return bodies.reply(pages.answer(current(), get_form(form), request.args))


@route(blueprint, "/<form>/<int:record>", permission=("view", "form:{form}"))
def read(form: str, record: int) -> Response:
    """One record with its lines."""
    found = reads.get_record(current(), form, record)
    return bodies.reply(bodies.shape(get_form(form), found), 200, found["revision"])


@route(blueprint, "/<form>", permission=("create", "form:{form}"), methods=["POST"], endpoint="create")
def create(form: str) -> Response:
    """A new record; 201 with it."""
    actor, spec, body = current(), get_form(form), bodies.read_object(request)

    def work() -> Answer:
        return _told(actor, spec, service.create(actor, form, body, CAUSE), 201)

    response = once(actor, body, work)
    if response.status_code == 201 and response.json:
        response.headers["Location"] = f"{request.path}/{response.json['id']}"
    return response


@route(
    blueprint,
    "/<form>/<int:record>",
    permission=("edit", "form:{form}"),
    methods=["PATCH"],
    endpoint="change",
)
def change(form: str, record: int) -> Response:
    """Change the fields that are given, in the revision that `If-Match` names; 409 says what differs by now."""
    actor, spec, body = current(), get_form(form), bodies.read_object(request)
    revision = bodies.read_revision(request)

    def work() -> Answer:
        return _told(actor, spec, service.change_record(actor, form, record, body, revision, CAUSE), 200)

    try:
        return once(actor, [record, revision, body], work)
    except Conflict as error:
        return stale(error, actor, spec, record, revision)


@route(
    blueprint,
    "/<form>/<int:record>",
    permission=("delete", "form:{form}"),
    methods=["DELETE"],
    endpoint="delete",
)
def delete(form: str, record: int) -> Response:
    """Put a record into the recycle bin; one that others point to only with `?even_if_used=1`."""
    actor, spec, revision = current(), get_form(form), bodies.read_revision(request, required=False)
    even_if_used = request.args.get("even_if_used") == "1"

    def work() -> Answer:
        service.delete_record(actor, form, record, revision, CAUSE, even_if_used)
        return Answer(204, "", None)

    try:
        return once(actor, [record, revision, even_if_used], work)
    except InUse as error:
        return _used(error)
    except Conflict as error:
        return stale(error, actor, spec, record, revision)


def _told(actor: Actor, spec: FormSpec, saved: Values, status: int) -> Answer:
    """The record as it is now, as far as this person may read it."""
    try:
        seen = reads.get_record(actor, spec.key, saved["id"])
    except NotFound:
        seen = {"id": saved["id"], "revision": saved["revision"], "state": saved["state"]}
    return Answer(status, json_text.dumps(bodies.shape(spec, seen)), saved["revision"])


def _used(error: InUse) -> Response:
    """409 with what points to the record: how many of each form, and some that this person may see."""
    body = faults.as_json(faults.Fault(409, error.code, error.message, error)).get_json()
    body["error"]["uses"] = [
        {
            "form": use.form.key,
            "count": min(use.count, uses.COUNTED),
            "count_exact": use.count <= uses.COUNTED,
            "records": [{"id": record, "name": name} for record, name in use.names.items()],
        }
        for use in error.uses
    ]
    return make_response(bodies.reply(body, 409))
