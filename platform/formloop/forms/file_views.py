"""Files of records up and down, and what a field fetches while it is on a page: tables of query fields, cards."""

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request, send_file

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.errors import Invalid, NotFound
from formloop.forms import elsewhere, engine, files, import_views, permits, posted, reads, screen, sweeping
from formloop.forms.fields.attachment import Attachment
from formloop.forms.fields.datetime import use_zone
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.spec import Field, FormSpec, Values
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("fields", __name__)


def init_app(app: Flask) -> None:
    """Add the routes; say where files are kept and by which clock the site lives."""
    app.register_blueprint(blueprint)
    import_views.init_app(app)
    files.use_folder(app.config["SETTINGS"].files)
    use_zone(app.config["ZONE"])
    with app.app_context():
        sweeping.plan(app.config["SETTINGS"])


def _field(actor: Actor, form: str, path: str, actions: tuple[str, ...]) -> tuple[FormSpec, Field]:
    spec = get_form(form)
    found = spec.find(path)
    allowed = [p for a in actions if (p := permits.find_permit(actor, a, spec))]
    if found is None or not any(path in permit.anywhere for permit in allowed):
        raise NotFound
    return spec, found


@route(blueprint, "/f/<form>/upload/<path>", permission="signed-in", methods=["POST"])
def upload(form: str, path: str) -> Response:
    """Keep files chosen in a page; they belong to the record once that is saved."""
    actor = current()
    _, found = _field(actor, form, path, ("create", "edit"))
    kept: list[dict[str, Any]] = []
    try:
        for each in request.files.getlist("file"):
            stored = files.store(actor, found, each.filename or "", each.stream)  # type: ignore[arg-type]
            kept.append({"key": stored.key, "name": stored.name, "size": stored.size})
    except Invalid as error:
        answer = jsonify(message=error.problems[0].message.render(viewer.locale()))
        answer.status_code = 422
        return answer
    return jsonify(files=kept)


@route(blueprint, "/f/<form>/file/<path>/<key>", permission="signed-in")
def download(form: str, path: str, key: str) -> Response:
    """A file of a record, for those who may see that field of it; or one's own that no record has yet."""
    actor, record = current(), request.args.get("record", type=int)
    found = get_form(form).find(path)
    if found is None or not isinstance(found.type, Attachment):
        raise NotFound
    stored = files.get_file(key)
    mine = stored.person is not None and stored.person == actor.person_id
    if not mine and (record is None or key not in _keys(reads.get_record(actor, form, record), found)):
        raise NotFound
    answer = send_file(stored.path, stored.kind, as_attachment=True, download_name=stored.name, max_age=0)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, max-age=600"
    return answer


def _keys(values: Values, field: Field) -> set[str]:
    lines = values.get(field.subform) or () if field.subform else (values,)
    return {key for line in lines for key in line.get(field.key) or ()}


@route(blueprint, "/f/<form>/query/<path>", permission="signed-in", methods=["GET", "POST"])
def query(form: str, path: str) -> Response:
    """The table of a query field, for a record as saved or as it stands in its page."""
    actor, record = current(), request.args.get("record", type=int)
    spec, found = _field(actor, form, path, ("view", "create", "edit"))
    if "x-query" not in found.schema:
        raise NotFound
    values: Values = {}
    if record is not None:
        values = reads.get_record(actor, form, record)
    if request.method == "POST":
        gate.require(actor, "create" if record is None else "edit", spec.resource)
        values |= engine.read_given(spec, posted.raw_values(spec, request.form)).values
    env = Links(actor, spec, [values]).environment(spec, values)
    target, columns, rows, more = elsewhere.query_rows(actor, spec, found, env)
    locale = viewer.locale()
    names = screen.names_for(actor, target, rows)
    fields = [target.fields[key] for key in columns]
    return page.render_part(
        "forms/_query.html",
        target=target,
        fields=fields,
        rows=[(r["id"], [screen.shown_text(f, r.get(f.key), locale, names) for f in fields]) for r in rows],
        more=more,
        label=found.title(locale),
    )


@route(blueprint, "/f/<form>/card/<path>/<int:record>", permission="signed-in")
def card(form: str, path: str, record: int) -> Response:
    """What `x-relation.show` names of the record a field points to, as far as it may be seen."""
    actor, locale = current(), viewer.locale()
    _, found = _field(actor, form, path, ("view", "create", "edit"))
    if found.relation is None:
        raise NotFound
    target = get_form(found.relation.form)
    values = reads.get_record(actor, target.key, record)
    names = screen.names_for(actor, target, [values])
    shown = [key for key in found.relation.show if key != target.title_field]  # that stands beside it already
    pairs = [
        (target.fields[k].title(locale), screen.shown_text(target.fields[k], values[k], locale, names))
        for k in shown
        if k in target.fields and k in values
    ]
    return page.render_part("forms/_card.html", target=target, record=record, pairs=pairs)
