"""The page of who may do what with a form: a line for each role, changes told in sentences before they count."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request, url_for
from werkzeug.datastructures import MultiDict

from formloop.access import people, signing
from formloop.access.actor import Actor, get_actor
from formloop.access.gate import RECORD_ACTIONS
from formloop.access.words import ACTION_TITLES, list_actions
from formloop.core.definitions import Doc, kinds
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M, Message
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.definitions.views import DESIGN
from formloop.forms import permits
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.studio import rights
from formloop.studio.formula import scope_at
from formloop.studio.pickers import Around
from formloop.studio.rights import Line
from formloop.studio.steps import LIST, steps_of
from formloop.studio.vocabulary import Vocabulary
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_rights", __name__, url_prefix="/studio/rights")


@route(blueprint, "/<definition_id>", permission=DESIGN)
def show(definition_id: str) -> Response:
    """Every role with what it may do with the records of a form."""
    found, spec = _form(definition_id)
    return _page(found, spec, rights.lines_of(spec))


@route(blueprint, "/<definition_id>", permission=DESIGN, methods=["POST"])
def change(definition_id: str) -> Response:
    """Show what the changes would do; publish them once somebody has seen that."""
    found, spec = _form(definition_id)
    lines, given = _read(spec, request.form), request.form
    changes, problems = rights.changed(spec, lines)
    told = given.get("do") in ("check", "publish")
    if given.get("do") != "publish" or problems or not changes:
        return _page(found, spec, lines, problems, told)
    if given.get("seen") != rights.mark_of(changes):
        text = M("This is what would change now; look at it once more.")
        return _page(found, spec, lines, [Problem("changed", "", text)], told)
    try:
        definitions.publish_many(signing.current(), [new for _, new in changes], given.get("note", "")[:1000])
    except Invalid as error:
        return _page(found, spec, lines, error.problems)
    return page.redirect(
        url_for("studio_rights.show", definition_id=definition_id), M("These rights count from now on.")
    )


@route(blueprint, "/<definition_id>/as", permission=DESIGN)
def show_as(definition_id: str) -> Response:
    """What one person may do with the form: actions, and for each field whether they see or fill it in."""
    _, spec = _form(definition_id)
    account = request.args.get("person", "")
    person = people.find_person(account)
    if account and person is None:
        raise NotFound
    actor = get_actor(person.id) if person else None
    return page.render_part("studio/_rights_as.html", **_as(spec, actor), spec=spec, person=actor)


def _form(definition_id: str) -> tuple[definitions.Definition, FormSpec]:
    found = definitions.get_definition(definition_id)
    if found.kind != "form" or not found.version:
        raise NotFound(M("Rights can be given once the form is published."))
    return found, get_form(found.key)


def _read(spec: FormSpec, form: MultiDict[str, str]) -> list[Line]:
    """The lines as the page sent them, with a preset just chosen and a role just added."""
    known, lines = {(line.role, line.grant): line for line in rights.lines_of(spec)}, list[Line]()
    every = frozenset(rights.paths_of(spec))
    for number in form.getlist("line"):
        line = known.get((form.get(f"role.{number}", ""), form.get(f"grant.{number}", "")))
        line = line or rights.added(spec, form.get(f"role.{number}", ""), form.get(f"name.{number}", ""))
        if line is None or f"gone.{number}" in form:
            continue
        line = replace(
            line,
            actions=frozenset(form.getlist(f"may.{number}")) & set(RECORD_ACTIONS),
            scope=form.get(f"scope.{number}", "")[:4096],
            fields=frozenset(form.getlist(f"field.{number}")) & every,
        )
        lines.append(rights.with_preset(line, form.get(f"preset.{number}", "")))
    if form.get("do") == "add":
        new = rights.added(spec, form.get("add", ""), form.get("name", "").strip()[:200])
        lines += [new] if new is not None and new.role not in {line.role for line in lines} else []
    return lines


def _page(
    found: definitions.Definition,
    spec: FormSpec,
    lines: list[Line],
    problems: list[Problem] | None = None,
    told: bool = False,
) -> Response:
    locale = viewer.locale()
    changes, standing = rights.changed(spec, lines)
    titles = {path: _title(spec, path, locale) for path in rights.paths_of(spec)}
    return page.render(
        "studio/rights.html",
        "studio/_rights.html",
        status=422 if problems else 200,
        found=found,
        steps=steps_of(found, LIST),
        lines=lines,
        actions=[(each, ACTION_TITLES[each]) for each in RECORD_ACTIONS],
        presets=rights.PRESETS,
        scopes=rights.SCOPES,
        where=lambda source: _where(spec, source, locale),
        role_ids={each.key: each.id for each in definitions.list_definitions("role")},
        titles=titles,
        others=rights.others(lines),
        problems=problems or standing,
        told=told,
        mark=rights.mark_of(changes),
        changes=[(new, _sentences(spec, old, new, locale)) for old, new in changes],
    )


def _sentences(spec: FormSpec, old: Doc | None, new: Doc, locale: str) -> list[str]:
    """How the grants of a role on the form change, each in words."""
    before, after = _said(spec, old, locale), _said(spec, new, locale)
    found = []
    for key in dict.fromkeys([*before, *after]):
        was, will = before.get(key, ""), after.get(key, "")
        if not was:
            found.append(M("New: {rights}", rights=will))
        elif not will:
            found.append(M("Taken away: {rights}", rights=was))
        elif was != will:
            found.append(M("{after} (until now: {before})", before=was, after=will))
    return [each.render(locale) for each in found]


def _said(spec: FormSpec, doc: Doc | None, locale: str) -> dict[str, str]:
    """What a role may do with the form, by the id of each grant."""
    found = {}
    for line in rights.lines_in(spec, doc) if doc else ():
        records = _records(spec, line.scope, locale)
        missing = [path for path in rights.paths_of(spec) if path not in line.fields]
        hidden = ("、" if locale == "zh-CN" else ", ").join(_title(spec, path, locale) for path in missing)
        parts = [list_actions(line.actions, locale), records]
        parts += [M("without {fields}", fields=hidden).render(locale)] if missing else []
        found[line.grant] = " · ".join(parts)
    return found


def _where(spec: FormSpec, source: str, locale: str) -> Message:
    """Which records a rule of its own means, in words."""
    form = library.find_document("form", spec.key) or {}
    scope = scope_at(Around(kinds.get("form"), form, locale, {}), ("where",))
    return M("where {condition}", condition=Vocabulary(scope, locale, signing.current()).say(source))


def _title(spec: FormSpec, path: str, locale: str) -> str:
    field = spec.find(path)
    top = spec.fields[path.partition(".")[0]].title(locale)
    return f"{top} · {field.title(locale)}" if field is not None and "." in path else top


def _records(spec: FormSpec, scope: str, locale: str) -> str:
    """The records of a grant, in words."""
    return (rights.SCOPES.get(scope) or _where(spec, scope, locale)).render(locale)


def _filled_in(spec: FormSpec) -> frozenset[str]:
    """What people fill in, as far as they may: nothing that the program gives its value."""
    found = ((path, spec.find(path)) for path in rights.paths_of(spec))
    return frozenset(
        path
        for path, field in found
        if field is not None
        and (field.children or field.type.stored)
        and not (field.formula or field.readonly or field.type.name == "serial")
    )


def _as(spec: FormSpec, actor: Actor | None) -> dict[str, Any]:
    if actor is None:
        return {"may": {}, "fields": []}
    locale = viewer.locale()
    permitted = {action: permits.find_permit(actor, action, spec) for action in RECORD_ACTIONS}
    may: dict[tuple[str, ...], list[Message]] = {}  # what may be done by the records with which
    for action, permit in permitted.items():
        if permit is not None:
            scopes = {each.condition or "" for each in permit.grants}
            records = () if "" in scopes else tuple(_records(spec, each, locale) for each in sorted(scopes))
            may.setdefault(records, []).append(ACTION_TITLES[action])
    reach = {a: p.anywhere if (p := permitted[a]) else frozenset[str]() for a in ("view", "create", "edit")}
    filled = _filled_in(spec) & (reach["create"] | reach["edit"])
    fields = [
        (_title(spec, path, locale), path in reach["view"], path in filled) for path in rights.paths_of(spec)
    ]
    return {"may": may, "fields": fields}
