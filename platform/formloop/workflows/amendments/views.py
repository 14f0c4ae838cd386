"""Pages on which a change, a cancellation or a supplement of a locked record is proposed; its part of record pages."""

from typing import Any

from flask import Response, request, url_for

from formloop.access import people
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.errors import Conflict, Invalid, Problem
from formloop.core.text import M
from formloop.db import transactional
from formloop.forms import engine, fill_in, fills, history, posted, reads
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Values
from formloop.web import page, viewer
from formloop.web.routes import route
from formloop.workflows import cases, simulation_views, task_page
from formloop.workflows.amendments import panels, proposals, service, supplements
from formloop.workflows.amendments.chances import Chance, find_chance
from formloop.workflows.kind import find_amending, get_version
from formloop.workflows.pages import MOST_PEOPLE, STATUS, blueprint, chosen_people

SENT = M("Sent for approval.")


@route(blueprint, "/f/<form>/<int:record>/amend", permission=("amend", "form:{form}"))
def amend_page(form: str, record: int) -> Response:
    """A copy of a locked record to change; of a proposal of one's own that came back with what it proposed."""
    actor, spec = current(), get_form(form)
    before = reads.look(actor, form, record, "amend").record
    chance = _chance(actor, spec, before)
    if not chance.may_change:
        raise Conflict(M("Nothing of it can be changed at this stage."))
    purpose = _purpose(actor, spec, before, chance)
    if request.args.get("resume") and (kept := fills.find(actor, form, record)):
        given = engine.read_given(spec, kept.raw)
        return fill_in.show(
            actor, spec, engine.laid_over(spec, before, given.values), given, before, [], purpose=purpose
        )
    values = dict(before)
    if chance.mine is not None:
        values = proposals.lay_over(spec, before, proposals.get(chance.mine.id).new)
    given = engine.Given({}, frozenset(), {})
    return fill_in.show(actor, spec, values, given, before, [], purpose=purpose)


@route(
    blueprint,
    "/f/<form>/<int:record>/amend",
    permission=("amend", "form:{form}"),
    methods=["POST"],
    endpoint="amend",
)
def amend(form: str, record: int) -> Response:
    """Send the proposal into its approval; 409 shows what somebody else changed meanwhile."""
    actor, spec = current(), get_form(form)
    raw, revision = posted.raw_values(spec, request.form), request.form.get("revision", type=int)
    before = reads.look(actor, form, record, "amend").record
    purpose = _purpose(actor, spec, before, _chance(actor, spec, before))
    if "_add" in request.form:
        return fill_in.show_one_more(actor, spec, raw, before, request.form["_add"], purpose)
    try:
        _propose(actor, form, record, raw, revision)
    except Invalid as error:
        return _again(actor, spec, before, raw, purpose, error.problems, 422)
    except Conflict as error:
        if error.current is None:
            raise
        seen = reads.visible_in(actor, spec, before)
        theirs = history.describe_changes(actor, spec, record, seen, viewer.locale(), revision or 0)
        return _again(actor, spec, before, raw, purpose, [], 409, theirs)
    return page.redirect(_record_page(form, record), SENT)


def _again(
    actor: Actor,
    spec: FormSpec,
    before: Values,
    raw: dict[str, Any],
    purpose: fill_in.Purpose,
    problems: list[Problem],
    status: int,
    theirs: Any = None,
) -> Response:
    given = engine.read_given(spec, raw)
    values = engine.laid_over(spec, before, given.values)
    return fill_in.show(actor, spec, values, given, before, problems, status, theirs, purpose)


@transactional
def _propose(actor: Actor, form: str, record: int, raw: dict[str, Any] | None, revision: int | None) -> None:
    fills.forget(actor, form, record)
    service.propose(actor, form, record, raw, request.form.get("_reason", ""), revision, chosen_people())


@route(blueprint, "/f/<form>/<int:record>/cancel", permission=("amend", "form:{form}"))
def cancel_page(form: str, record: int) -> Response:
    """The question before it is proposed that a record is cancelled."""
    return _cancel_page(current(), get_form(form), record, [])


def _cancel_page(
    actor: Actor, spec: FormSpec, record: int, problems: list[Problem], status: int = 200
) -> Response:
    before = reads.look(actor, spec.key, record, "amend").record
    chance, locale = _chance(actor, spec, before), viewer.locale()
    return page.render(
        "workflows/amend_cancel.html",
        status=status,
        spec=spec,
        record=before,
        name=str(before.get(spec.title_field) or ""),
        problems=problems,
        purpose=_purpose(actor, spec, before, chance),
        may_cancel=chance.may_cancel,
        form_title=spec.title(locale),
    )


@route(
    blueprint,
    "/f/<form>/<int:record>/cancel",
    permission=("amend", "form:{form}"),
    methods=["POST"],
    endpoint="cancel",
)
def cancel(form: str, record: int) -> Response:
    """Propose that a record is cancelled."""
    actor, revision = current(), request.form.get("revision", type=int)
    try:
        _propose(actor, form, record, None, revision)
    except Invalid as error:
        return _cancel_page(actor, get_form(form), record, error.problems, 422)
    return page.redirect(_record_page(form, record), SENT)


@route(blueprint, "/f/<form>/<int:record>/supplement", permission=("amend", "form:{form}"))
def supplement_page(form: str, record: int) -> Response:
    """A new record that adds to a locked one, with what it takes from it."""
    actor, spec = current(), get_form(form)
    offer = supplements.get_offer(actor, form, record)
    target, given = get_form(offer.form), engine.Given(offer.values, frozenset(offer.values), {})
    purpose = _for_supplement(spec, record)
    return fill_in.show(actor, target, dict(offer.values), given, None, [], purpose=purpose)


@route(
    blueprint,
    "/f/<form>/<int:record>/supplement",
    permission=("amend", "form:{form}"),
    methods=["POST"],
    endpoint="supplement",
)
def supplement(form: str, record: int) -> Response:
    """Save the supplement, linked to the original."""
    actor, spec = current(), get_form(form)
    target = get_form(supplements.get_offer(actor, form, record).form)
    purpose = _for_supplement(spec, record)
    raw = posted.raw_values(target, request.form)
    if "_add" in request.form:
        return fill_in.show_one_more(actor, target, raw, None, request.form["_add"], purpose)
    try:
        saved = supplements.add(actor, form, record, raw, request.form.get("idempotency_key"))
    except Invalid as error:
        given = engine.read_given(target, raw)
        return fill_in.show(actor, target, given.values, given, None, error.problems, 422, purpose=purpose)
    return page.redirect(_record_page(target.key, saved["id"]), M("Saved."))


def _for_supplement(spec: FormSpec, record: int) -> fill_in.Purpose:
    return fill_in.Purpose(
        right="create",
        heading=M("Add a supplement"),
        save=M("Save"),
        icon="device-floppy",
        back=_record_page(spec.key, record),
        part="workflows/_supplement_part.html",
    )


def _chance(actor: Actor, spec: FormSpec, record: Values) -> Chance:
    found = find_chance(actor, spec, record)
    if found is None:
        raise Conflict(service.UNDER_WAY if cases.find_open(spec.key, record["id"]) else service.NOT_LOCKED)
    return found


def _purpose(actor: Actor, spec: FormSpec, before: Values, chance: Chance) -> fill_in.Purpose:
    locale, since = viewer.locale(), []
    reason = ""
    if chance.mine is not None:
        told = proposals.get(chance.mine.id)
        seen, reason = reads.visible_in(actor, spec, before), told.reason
        since = history.describe_changes(actor, spec, before["id"], seen, locale, told.revision)
    picks = task_page.picks_of(chance.workflow, None, locale)
    return fill_in.Purpose(
        right="amend",
        heading=M("Propose a change") if chance.mine is None else M("Renew the proposal"),
        save=M("Send for approval"),
        icon="send",
        back=_record_page(spec.key, before["id"]),
        part="workflows/_amend_part.html",
        tools=simulation_views.change_tools(actor, spec, before["id"]),
        shown={
            "stage": chance.stage,
            "locked": panels.list_locked(spec, chance.stage, locale),
            "impact": panels.count_dependents(spec, before["id"], locale),
            "reason": request.form.get("_reason", reason),
            "since": [each for each in since if each.differences],
            "picks": picks,
            "people": people.list_people(limit=MOST_PEOPLE) if picks else [],
        },
        is_held=chance.forbids,
    )


def _record_page(form: str, record: int) -> str:
    return url_for("forms.record_page", form=form, record=record)


def chance_panel(actor: Actor, spec: FormSpec, record: Values) -> tuple[str, dict[str, Any]] | None:
    """On top of a locked record: what may be proposed, or that something is."""
    running = cases.find_open(spec.key, record["id"])
    changes = running is not None and get_version(running.workflow, running.version).amends is not None
    if not changes and find_amending(spec.key) is None:
        return None
    shown = {"place": "top", "spec": spec, "record": record, "chance": None, "problem": None}
    try:
        shown["chance"] = find_chance(actor, spec, record)
    except Conflict as error:
        shown["problem"] = error.message
    shown["running"] = changes
    if shown["chance"] is None and shown["problem"] is None and not shown["running"]:
        return None
    return "workflows/_amend_chance.html", shown


def changes_panel(actor: Actor, spec: FormSpec, record: Values) -> tuple[str, dict[str, Any]] | None:
    """Below a record: everything that was proposed for it, old and new values side by side."""
    found = panels.list_of(actor, spec, record["id"], viewer.locale())
    if not found:
        return None
    return "workflows/_amendments.html", {"place": "bottom", "changes": found, "status_of": STATUS}
