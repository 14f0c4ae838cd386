"""Pages of records: list, new, view, edit, the live answers while somebody types, and choosing from other forms."""

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request, url_for

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.definitions import library
from formloop.forms import engine, listing, live, permits, posted, reads, screen, service
from formloop.forms.filters import Filter, operators
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.web import navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("forms", __name__)
record_panels: list[
    Any
] = []  # rooms above show their part of a record: callables (actor, spec, record) -> (template, values) | None


def init_app(app: Flask) -> None:
    """Add the room's pages, and the forms a person may see to the menu."""
    app.register_blueprint(blueprint)
    if "forms" not in navigation.navigation:
        navigation.navigation.add("forms", _menu)


def _menu() -> list[navigation.Entry]:
    actor, locale = current(), viewer.locale()
    found = []
    for entry in library.list_entries("form"):
        if gate.allows(actor, "view", f"form:{entry.key}"):
            title = entry.title_zh if locale.startswith("zh") and entry.title_zh else entry.title
            icon = library.published("form", entry.key).document.get("icon", "forms")
            found.append(
                navigation.Entry(
                    title, icon, "forms.list_page", group=navigation.APPS, values={"form": entry.key}
                )
            )
    return found


@route(blueprint, "/f/<form>", permission=("view", "form:{form}"))
def list_page(form: str) -> Response:
    """The list of a form: searched, filtered, sorted, a page at a time."""
    actor, spec, locale = current(), get_form(form), viewer.locale()
    query = read_query(spec, request.args)
    found = listing.list_records(actor, spec, query)
    total = listing.count_records(actor, spec, query)
    permit = permits.require_permit(actor, "view", spec)
    columns = [
        k for k in (query.columns or spec.list.columns) if k not in spec.fields or k in permit.anywhere
    ]
    names = screen.names_for(spec, list(found.rows))
    rows = [_list_row(spec, row, columns, locale, names) for row in found.rows]
    return page.render(
        "forms/list.html",
        "forms/_rows.html" if query.after else "forms/_list.html",
        spec=spec,
        title=spec.title(locale),
        columns=[_column(spec, key, query, locale) for key in columns],
        rows=rows,
        query=query,
        filters=_filter_inputs(actor, spec, query, locale),
        problems=found.problems,
        total=total,
        next_url=_page_url(spec, query, found.next) if found.next else None,
        sums=_sums(actor, spec, query, columns, locale),
        may_create=gate.allows(actor, "create", spec.resource),
    )


def read_query(spec: FormSpec, args: Any) -> listing.Query:
    """The list query in an address: `q`, `sort`, `after`, `deleted`, and `f.<field>.<operator>=value` for each filter."""
    filters = []
    for name in args:
        parts = name.split(".")
        if parts[0] != "f" or len(parts) != 3:
            continue
        values = args.getlist(name)
        if parts[2] == "between":
            low, _, high = values[0].partition("~")
            if low and high:
                filters.append(Filter(parts[1], "between", low, high))
            elif low or high:
                filters.append(Filter(parts[1], "at_least" if low else "at_most", low or high))
        elif any(v != "" for v in values) or operators.get(parts[2], operators["is"]).values == 0:
            filters.append(Filter(parts[1], parts[2], values if len(values) > 1 else values[0]))
    sort = tuple(key for key in args.get("sort", "").split(",") if key)
    return listing.Query(
        filters=tuple(filters),
        sort=sort,
        search=args.get("q", "")[:200],
        after=args.get("after", "")[:4_000],
        deleted=args.get("deleted") == "1",
    )


def _page_url(spec: FormSpec, query: listing.Query, after: str) -> str:
    args: dict[str, Any] = {k: v for k, v in request.args.to_dict(flat=False).items() if k != "after"}
    return url_for("forms.list_page", form=spec.key, **args, after=after)


def _column(spec: FormSpec, key: str, query: listing.Query, locale: str) -> dict[str, Any]:
    field = spec.fields.get(key)
    sort = query.sort or spec.list.sort
    way = {key: "up", f"-{key}": "down"}.get(sort[0]) if sort else None
    args: dict[str, Any] = {
        k: v for k, v in request.args.to_dict(flat=False).items() if k not in ("after", "sort")
    }
    target = url_for("forms.list_page", form=spec.key, **args, sort=f"-{key}" if way == "up" else key)
    sortable = field.type.sortable and field.type.stored if field else True
    attrs = {"hx-get": target, "hx-target": "#list", "hx-swap": "outerHTML", "hx-push-url": "true"}
    return {
        "key": key,
        "label": field.title(locale) if field else _SYSTEM_TITLES.get(key, M("Id")).render(locale),
        "number": bool(field and field.type.numeric),
        "sort": target if sortable else None,
        "sorted": way,
        "attrs": attrs,
    }


_SYSTEM_TITLES = {
    "state": M("State"),
    "owner": M("Owner"),
    "department": M("Department"),
    "created_at": M("Created"),
    "updated_at": M("Changed"),
}


def _list_row(
    spec: FormSpec, row: Values, columns: list[str], locale: str, names: screen.Names
) -> dict[str, Any]:
    cells = []
    for key in columns:
        field = spec.fields.get(key) or listing.system_field(key)
        text = screen.shown_text(field, row.get(key), locale, names) if field else ""
        cells.append((text, bool(field and field.type.numeric), key))
    state = spec.states.get(row["state"])
    return {
        "id": row["id"],
        "cells": cells,
        "state": state,
        "url": url_for("forms.record_page", form=spec.key, record=row["id"]),
    }


def _sums(
    actor: Actor, spec: FormSpec, query: listing.Query, columns: list[str], locale: str
) -> dict[str, str]:
    keys = [k for k in columns if k in spec.fields and spec.fields[k].type.name in ("amount", "calculation")]
    if not keys or request.args.get("sums") != "1":
        return {}
    found = listing.sum_records(actor, spec, query, keys)
    return {k: spec.fields[k].type.show(spec.fields[k], v, locale) for k, v in found.items()}


def _filter_inputs(actor: Actor, spec: FormSpec, query: listing.Query, locale: str) -> list[dict[str, Any]]:
    given = {(f.field, f.operator): f for f in query.filters}
    permit = permits.require_permit(actor, "view", spec)
    found = []
    for key in spec.list.filters:
        field = spec.fields.get(key) or listing.system_field(key)
        if field is None or (key in spec.fields and key not in permit.anywhere):
            continue
        ranged = "between" in field.type.operators
        operator = "between" if ranged else field.type.operators[0]
        has = given.get((key, operator))
        low = given.get((key, "at_least")) if ranged else None
        high = given.get((key, "at_most")) if ranged else None
        found.append(
            {
                "field": field,
                "key": key,
                "label": field.title(locale) if key in spec.fields else _SYSTEM_TITLES[key].render(locale),
                "name": f"f.{key}.{operator}",
                "operator": operator,
                "value": has.value if has else (low.value if low else ""),
                "other": has.other if has else (high.value if high else ""),
                "choices": [(c, field.type.show(field, c, locale)) for c in field.choices]
                or [(s.key, s.title(locale)) for s in spec.states.values() if key == "state"],
                "text": _chosen_text(spec, field, has.value if has else None, locale),
            }
        )
    return found


def _chosen_text(spec: FormSpec, field: Any, value: Any, locale: str) -> str:
    if value in (None, "") or not str(value).isdecimal():
        return ""
    names = screen.names_for(spec, [{field.key: int(value)}])
    return screen.shown_text(field, int(value), locale, names)


@route(blueprint, "/f/<form>/new", permission=("create", "form:{form}"))
def new_page(form: str) -> Response:
    """An empty record to fill in, its defaults in place."""
    actor, spec = current(), get_form(form)
    given = engine.Given({}, frozenset(), {})
    values: Values = {}
    return _edit_page(actor, spec, values, given, None, [])


@route(blueprint, "/f/<form>/new", permission=("create", "form:{form}"), methods=["POST"], endpoint="create")
def create(form: str) -> Response:
    """Save a new record."""
    actor, spec = current(), get_form(form)
    raw = posted.raw_values(spec, request.form)
    if "_add" in request.form:
        return _with_one_more(actor, spec, raw, None)
    try:
        saved = service.create_once(actor, form, raw, request.form.get("idempotency_key"))
    except Invalid as error:
        given = engine.read_given(spec, raw)
        return _edit_page(actor, spec, given.values, given, None, error.problems, 422)
    return page.redirect(url_for("forms.record_page", form=form, record=saved["id"]), M("Saved."))


@route(blueprint, "/f/<form>/<int:record>", permission=("view", "form:{form}"))
def record_page(form: str, record: int) -> Response:
    """One record with its history and what belongs to it."""
    actor, spec, locale = current(), get_form(form), viewer.locale()
    values = reads.get_record(actor, form, record)
    context = context_of(actor)
    links = Links(actor, spec, [values])
    env = links.environment(spec, values)
    permit = permits.require_permit(actor, "view", spec)
    names = screen.names_for(spec, [values])
    shown = screen.build(
        spec, values, env, context, locale, permit.visible(env, context), frozenset(), [], names
    )
    locked = service.is_locked(spec, values)
    return page.render(
        "forms/record.html",
        spec=spec,
        record=values,
        screen=shown,
        title=str(values.get(spec.title_field) or spec.title(locale)),
        state=spec.states.get(values["state"]),
        owner=names.get(("@person", values["owner"]), ""),
        panels=[part for each in record_panels if (part := each(actor, spec, values))],
        changes=reads.describe_changes(spec, record, permit.anywhere, locale),
        chain=reads.list_chain(actor, form, record, locale),
        may_edit=gate.allows(actor, "edit", spec.resource) and not locked,
        may_delete=gate.allows(actor, "delete", spec.resource) and not locked,
        may_create=gate.allows(actor, "create", spec.resource),
    )


@route(blueprint, "/f/<form>/<int:record>/edit", permission=("edit", "form:{form}"))
def edit_page(form: str, record: int) -> Response:
    """A record to change."""
    actor, spec = current(), get_form(form)
    values = reads.get_record(actor, form, record, "edit")
    if service.is_locked(spec, values):
        return page.redirect(
            url_for("forms.record_page", form=form, record=record),
            M("This record is under approval or approved; it cannot be changed by hand."),
            "warning",
        )
    return _edit_page(actor, spec, values, engine.Given({}, frozenset(), {}), values, [])


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
    before = reads.get_record(actor, form, record, "edit")
    if "_add" in request.form:
        return _with_one_more(actor, spec, raw, before)
    revision = request.form.get("revision", type=int)
    given = engine.read_given(spec, raw)
    try:
        service.change_record(actor, form, record, raw, revision)
    except Invalid as error:
        return _edit_page(actor, spec, {**before, **given.values}, given, before, error.problems, 422)
    except Conflict:
        seen = permits.require_permit(actor, "view", spec).anywhere
        theirs = reads.describe_changes(spec, record, seen, viewer.locale(), revision or 0)
        return _edit_page(actor, spec, {**before, **given.values}, given, before, [], 409, theirs)
    return page.redirect(url_for("forms.record_page", form=form, record=record), M("Saved."))


def _with_one_more(actor: Actor, spec: FormSpec, raw: dict[str, Any], before: Values | None) -> Response:
    given = engine.read_given(spec, raw)
    key = request.form["_add"]
    if key in spec.line_tables:
        given.values.setdefault(key, []).append({})
        given.line_keys = {**given.line_keys, key: [*given.line_keys.get(key, []), frozenset()]}
    return _edit_page(actor, spec, {**(before or {}), **given.values}, given, before, [])


def _edit_page(
    actor: Actor,
    spec: FormSpec,
    values: Values,
    given: engine.Given,
    before: Values | None,
    problems: list[Problem],
    status: int = 200,
    conflict: Any = None,
) -> Response:
    locale, context = viewer.locale(), context_of(actor)
    if before is None:
        for subform in spec.subforms:
            if not values.get(subform.key):  # one empty line to begin with
                values[subform.key] = [{}]
                given.line_keys = {**given.line_keys, subform.key: [frozenset()]}
    links = Links(actor, spec, [values])
    env = engine.complete(spec, values, given, links, context, creating=before is None)
    action = "create" if before is None else "edit"
    permit = permits.require_permit(actor, action, spec)
    seen = permits.find_permit(actor, "view", spec)
    editable = permit.anywhere if before is None else permit.visible(env, context)
    visible = editable | (
        seen.anywhere if seen and before is None else seen.visible(env, context) if seen else frozenset()
    )
    shown = screen.build(
        spec, values, env, context, locale, visible, editable, problems, screen.names_for(spec, [values])
    )
    return page.render(
        "forms/edit.html",
        "forms/_form.html",
        status=status,
        spec=spec,
        screen=shown,
        before=before,
        problems=problems,
        conflict=conflict,
        title=spec.title(locale),
        name=str((before or {}).get(spec.title_field) or ""),
        action=request.path,
        live=url_for("forms.live_values", form=spec.key, record=(before or {}).get("id")),
        back=url_for("forms.record_page", form=spec.key, record=before["id"])
        if before
        else url_for("forms.list_page", form=spec.key),
    )


@route(blueprint, "/f/<form>/live", permission="signed-in", methods=["POST"])
def live_values(form: str) -> Response:
    """What formulas, rules and look-ups make of the values on the page, while they are typed."""
    actor, spec = current(), get_form(form)
    record = request.args.get("record", type=int)
    action = "create" if record is None else "edit"
    gate.require(actor, action, spec.resource)
    before = reads.get_record(actor, form, record, "edit") if record else None
    raw = posted.raw_values(spec, request.form)
    return jsonify(live.answer(actor, spec, raw, before, request.form.get("_changed", ""), viewer.locale()))


@route(blueprint, "/f/<form>/choices/<path>", permission="signed-in")
def choices(form: str, path: str) -> Response:
    """The records a relation field offers for what was typed, as JSON for the select."""
    actor, spec = current(), get_form(form)
    if not any(gate.allows(actor, action, spec.resource) for action in ("create", "edit", "view")):
        raise NotFound
    field = spec.find(path)
    if field is None:
        raise NotFound
    return jsonify(live.choices(actor, field, request.args.get("q", "")[:100]))


@route(blueprint, "/f/<form>/<int:record>/delete", permission=("delete", "form:{form}"), methods=["POST"])
def delete(form: str, record: int) -> Response:
    """Move a record to the recycle bin."""
    service.delete_record(current(), form, record, request.form.get("revision", type=int))
    return page.redirect(url_for("forms.list_page", form=form), M("Moved to the recycle bin."))


@route(blueprint, "/f/<form>/<int:record>/restore", permission=("delete", "form:{form}"), methods=["POST"])
def restore(form: str, record: int) -> Response:
    """Take a record out of the recycle bin."""
    service.restore_record(current(), form, record)
    return page.redirect(url_for("forms.record_page", form=form, record=record), M("Restored."))
