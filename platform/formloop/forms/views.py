"""Pages of records: list, new, view, edit, the live answers while somebody types, and choosing from other forms."""

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request, url_for

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.errors import Conflict, Invalid, NotFound
from formloop.core.text import M
from formloop.db import transactional
from formloop.definitions import apps, editor, library
from formloop.forms import (
    batch_views,
    comments,
    engine,
    explaining,
    file_views,
    fill_in,
    fills,
    first_rights,
    history,
    list_views,
    live,
    made_there,
    posted,
    printing,
    publisher_rights,
    reads,
    screen,
    service,
    share_views,
    sharing,
    starting,
    states,
)
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, State, Values
from formloop.forms.uses import InUse
from formloop.web import navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("forms", __name__)
record_panels: list[
    Any
] = []  # rooms above show their part of a record: callables (actor, spec, record) -> (template, values) | None


def init_app(app: Flask) -> None:
    """Add the room's pages, and the forms a person may see to the menu."""
    app.register_blueprint(blueprint)
    explaining.enroll()
    first_rights.enroll()
    publisher_rights.enroll()
    app.register_blueprint(list_views.blueprint)
    app.register_blueprint(batch_views.blueprint)
    app.register_blueprint(printing.blueprint)
    app.register_blueprint(share_views.blueprint)
    file_views.init_app(app)
    if "form" not in editor.starters:
        editor.starters.add("form", starting.from_labels)
    if "forms" not in navigation.navigation:
        navigation.navigation.add("forms", _menu)


def _menu() -> list[navigation.Entry]:
    actor, locale, known = current(), viewer.locale(), apps.list_apps()
    found = []
    for entry in library.list_entries("form"):
        if gate.allows(actor, "view", f"form:{entry.key}"):
            title = entry.title_zh if locale.startswith("zh") and entry.title_zh else entry.title
            icon = library.published("form", entry.key).document.get("icon", "forms")
            app = apps.app_of(entry.app, known)
            found.append(
                navigation.Entry(
                    title,
                    icon,
                    "lists.list_page",
                    order=app.order,
                    group=navigation.APPS,
                    values={"form": entry.key},
                    section=app.name(locale),
                    place=app.place("form", entry.key),
                )
            )
    return sorted(found, key=lambda each: (each.order, each.section, str(each.title)))


@route(blueprint, "/f/<form>/new", permission=("create", "form:{form}"))
def new_page(form: str) -> Response:
    """An empty record to fill in, its defaults in place."""
    actor, spec = current(), get_form(form)
    if request.args.get("resume") and (kept := fills.find(actor, form, None)):
        given = engine.read_given(spec, kept.raw)
        return fill_in.show(actor, spec, given.values, given, None, [])
    source = request.args.get("copy", type=int)
    if source is None:
        return fill_in.show(actor, spec, {}, engine.Given({}, frozenset(), {}), None, [])
    given = reads.copy_of(spec, reads.get_record(actor, form, source))
    return fill_in.show(actor, spec, given.values, given, None, [])


@route(blueprint, "/f/<form>/new", permission=("create", "form:{form}"), methods=["POST"], endpoint="create")
def create(form: str) -> Response:
    """Save a new record."""
    actor, spec = current(), get_form(form)
    raw = posted.raw_values(spec, request.form)
    if "_add" in request.form:
        return fill_in.show_one_more(actor, spec, raw, None, request.form["_add"])
    try:
        saved = _save_new(actor, form, raw, request.form.get("idempotency_key"))
    except Invalid as error:
        given = engine.read_given(spec, raw)
        return fill_in.show(actor, spec, given.values, given, None, error.problems, 422)
    return page.redirect(url_for("forms.record_page", form=form, record=saved["id"]), M("Saved."))


def _save_new(actor: Actor, form: str, raw: dict[str, Any], key: str | None) -> Values:
    try:
        return _save_and_forget(actor, form, raw, key)
    except Conflict:  # the first of two clicks was saved at this moment: ask again for its record
        return _save_and_forget(actor, form, raw, key)


@transactional
def _save_and_forget(actor: Actor, form: str, raw: dict[str, Any], key: str | None) -> Values:
    fills.forget(actor, form, None)
    return service.create_once(actor, form, raw, key)


@route(blueprint, "/f/<form>/<int:record>", permission=("view", "form:{form}"))
def record_page(form: str, record: int) -> Response:
    """One record with its history and what belongs to it."""
    actor, locale = current(), viewer.locale()
    seen = _look(actor, form, record)
    spec, values = seen.spec, reads.project(seen.spec, seen.record, seen.visible)
    names = screen.names_for(actor, spec, [values])
    shown = screen.build(
        spec, seen.record, seen.env, context_of(actor), locale, seen.visible, frozenset(), [], names
    )
    binned = values["deleted_at"] is not None
    fixed = binned or service.is_locked(spec, values)
    return page.render(
        "forms/record.html",
        spec=spec,
        record=values,
        screen=shown,
        title=_name_of(spec, values, names, locale),
        state=_telling_state(spec, values),
        owner=names.get(("@person", values["owner"]), ""),
        binned=binned,
        panels=[part for each in record_panels if not binned and (part := each(actor, spec, values))],
        changes=history.describe_changes(actor, spec, record, seen.visible, locale),
        comments=comments.list_of(form, record),
        chain=reads.list_chain(actor, form, record, locale),
        may_edit=gate.allows(actor, "edit", spec.resource) and not fixed,
        may_delete=gate.allows(actor, "delete", spec.resource) and not fixed,
        may_create=gate.allows(actor, "create", spec.resource) and not binned,
        may_share=not binned and sharing.may_share(actor, spec),
        may_comment=gate.allows(actor, "comment", spec.resource) and not binned,
    )


def _telling_state(spec: FormSpec, values: Values) -> State | None:
    """The state of a record where it tells people anything."""
    told = states.are_telling(spec) or values["state"] != spec.initial_state
    return spec.states.get(values["state"]) if told else None


def _name_of(spec: FormSpec, values: Values, names: screen.Names, locale: str) -> str:
    """What a record is called: its title field in words, else the form's title."""
    field = spec.fields.get(spec.title_field)
    shown = screen.shown_text(field, values.get(field.key), locale, names) if field else ""
    return shown or spec.title(locale)


def _look(actor: Actor, form: str, record: int) -> reads.Look:
    """A record, also one in the recycle bin for those who could take it out again."""
    try:
        return reads.look(actor, form, record)
    except NotFound:
        reads.look(actor, form, record, "delete", deleted=True)
        return reads.look(actor, form, record, deleted=True)


@route(blueprint, "/f/<form>/<int:record>/edit", permission=("edit", "form:{form}"))
def edit_page(form: str, record: int) -> Response:
    """A record to change."""
    actor, spec = current(), get_form(form)
    values = reads.look(actor, form, record, "edit").record
    if service.is_locked(spec, values):
        return page.redirect(
            url_for("forms.record_page", form=form, record=record),
            M("This record is under approval or approved; it cannot be changed by hand."),
            "warning",
        )
    if request.args.get("resume") and (kept := fills.find(actor, form, record)):
        given = engine.read_given(spec, kept.raw)
        return fill_in.show(actor, spec, engine.laid_over(spec, values, given.values), given, values, [])
    return fill_in.show(actor, spec, values, engine.Given({}, frozenset(), {}), values, [])


@route(
    blueprint,
    "/f/<form>/<int:record>/edit",
    permission=("edit", "form:{form}"),
    methods=["POST"],
    endpoint="change",
)
def change(form: str, record: int) -> Response:
    """Save the changes; 409 shows what somebody else changed meanwhile."""
    actor, spec = current(), get_form(form)
    raw = posted.raw_values(spec, request.form)
    before = reads.look(actor, form, record, "edit").record
    if "_add" in request.form:
        return fill_in.show_one_more(actor, spec, raw, before, request.form["_add"])
    revision = request.form.get("revision", type=int)
    given = engine.read_given(spec, raw)
    try:
        _save_changes(actor, form, record, raw, revision)
    except Invalid as error:
        return fill_in.show(
            actor, spec, engine.laid_over(spec, before, given.values), given, before, error.problems, 422
        )
    except Conflict:
        seen = reads.visible_in(actor, spec, before)
        theirs = history.describe_changes(actor, spec, record, seen, viewer.locale(), revision or 0)
        return fill_in.show(
            actor, spec, engine.laid_over(spec, before, given.values), given, before, [], 409, theirs
        )
    return page.redirect(url_for("forms.record_page", form=form, record=record), M("Saved."))


@transactional
def _save_changes(actor: Actor, form: str, record: int, raw: dict[str, Any], revision: int | None) -> None:
    fills.forget(actor, form, record)
    service.change_record(actor, form, record, raw, revision)


@route(blueprint, "/f/<form>/live", permission="signed-in", methods=["POST"])
def live_values(form: str) -> Response:
    """What formulas, rules and look-ups make of the values on the page, while they are typed."""
    actor, spec = current(), get_form(form)
    record, action = request.args.get("record", type=int), _right_asked()
    gate.require(actor, action, spec.resource)
    before = reads.look(actor, form, record, action).record if record else None
    raw = posted.raw_values(spec, request.form)
    changed = request.form.get("_changed", "").split(",")
    return jsonify(live.answer(actor, spec, raw, before, changed, viewer.locale(), action))


def _right_asked() -> str:
    """The right by which a page is filled in: to propose a change where it says so, else to create or to edit."""
    if "record" not in request.args:
        return "create"
    return "amend" if "amend" in request.args else "edit"


@route(blueprint, "/f/<form>/fill", permission="signed-in", methods=["POST"])
def keep_fill(form: str) -> Response:
    """Keep what is being filled in, or forget it when `forget` is posted."""
    actor, spec = current(), get_form(form)
    record = request.args.get("record", type=int)
    gate.require(actor, _right_asked(), spec.resource)
    if "forget" in request.form:
        fills.forget(actor, form, record)
        target = "forms.new_page" if record is None else "forms.edit_page"
        back = page.local_path(request.form.get("back"), url_for(target, form=form, record=record))
        return page.redirect(back, M("The draft was dropped."))
    late = service.was_saved(actor, form, request.form.get("idempotency_key"))  # it comes beside a save
    if not late:
        fills.keep(actor, form, record, posted.raw_values(spec, request.form))
    return Response(status=204)


@route(blueprint, "/f/<form>/choices/<path>", permission="signed-in")
def choices(form: str, path: str) -> Response:
    """The records a relation field offers for what was typed, as JSON for the select."""
    actor, spec = current(), get_form(form)
    if not any(gate.allows(actor, action, spec.resource) for action in ("create", "edit", "view")):
        raise NotFound
    return jsonify(live.choices_on_page(actor, spec, path, request.args))


@route(
    blueprint, "/f/<form>/choices/<path>", permission="signed-in", methods=["POST"], endpoint="make_choice"
)
def make_choice(form: str, path: str) -> Response:
    """Make the record that was typed into a relation field and is not there yet, and offer it; or say what is wrong."""
    actor, spec = current(), get_form(form)
    if not any(gate.allows(actor, action, spec.resource) for action in ("create", "edit")):
        raise NotFound
    try:
        return jsonify(made_there.make(actor, spec, path, request.form))
    except Invalid as error:
        answer = jsonify(message=made_there.reason(spec, path, error, viewer.locale()))
        answer.status_code = 422
        return answer


@route(blueprint, "/f/<form>/<int:record>/delete", permission=("delete", "form:{form}"), methods=["POST"])
def delete(form: str, record: int) -> Response:
    """Move a record to the recycle bin; where others point to it, only after showing which."""
    actor, revision = current(), request.form.get("revision", type=int)
    try:
        service.delete_record(actor, form, record, revision, even_if_used="even_if_used" in request.form)
    except InUse as error:
        return _used_page(actor, form, record, revision, error)
    return page.redirect(url_for("lists.list_page", form=form), M("Moved to the recycle bin."))


def _used_page(actor: Actor, form: str, record: int, revision: int | None, error: InUse) -> Response:
    spec, seen = get_form(form), reads.get_record(actor, form, record, "delete")
    return page.render(
        "forms/in_use.html",
        status=409,
        spec=spec,
        uses=error.uses,
        revision=revision,
        title=str(seen.get(spec.title_field) or f"#{record}"),
        back=url_for("forms.record_page", form=form, record=record),
    )


@route(blueprint, "/f/<form>/<int:record>/restore", permission=("delete", "form:{form}"), methods=["POST"])
def restore(form: str, record: int) -> Response:
    """Take a record out of the recycle bin."""
    try:
        service.restore_record(current(), form, record)
    except Invalid as error:
        return page.redirect(url_for("lists.list_page", form=form, deleted=1), error.message, "danger")
    return page.redirect(url_for("forms.record_page", form=form, record=record), M("Restored."))


@route(blueprint, "/f/<form>/<int:record>/comments", permission=("comment", "form:{form}"), methods=["POST"])
def comment(form: str, record: int) -> Response:
    """Say something about a record."""
    comments.add(current(), form, record, request.form.get("text", ""))
    return page.redirect(url_for("forms.record_page", form=form, record=record, _anchor="comments"))


@route(
    blueprint,
    "/f/<form>/<int:record>/changes/<int:change>/undo",
    permission=("edit", "form:{form}"),
    methods=["POST"],
)
def undo_change(form: str, record: int, change: int) -> Response:
    """Give the fields of one change their old values back, as a new change."""
    service.undo_change(current(), form, record, change)
    return page.redirect(
        url_for("forms.record_page", form=form, record=record), M("The old values are back.")
    )
