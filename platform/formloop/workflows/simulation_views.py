"""Pages that play a case without leaving anything behind, and past cases by a draft."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from flask import Response, jsonify, request, url_for

from formloop.access import gate, people
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M, localized
from formloop.definitions import service as definitions
from formloop.definitions.needed import list_needed
from formloop.forms import choices, fill_in, listing, live, posted, reads, trying
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Values
from formloop.web import page, viewer
from formloop.web.routes import route
from formloop.workflows import play_inputs, play_words, replaying, simulation
from formloop.workflows.kind import find_workflow
from formloop.workflows.pages import MOST_PEOPLE, blueprint, number
from formloop.workflows.play_subject import Subject, find_drafted, find_subject, list_steps
from formloop.workflows.playing import LONGEST
from formloop.workflows.spec import Workflow
from formloop.workflows.starting import starting_at

LAST = 50  # finished cases that are played again


def may_play_it(workflow: str, path: str = "") -> None:
    """Refuse whoever neither designs workflows nor repairs their cases."""
    simulation.require_player(current())


@route(blueprint, "/cases/play/<workflow>", permission=may_play_it)
def show_play(workflow: str) -> Response:
    """Whose record is to be played."""
    subject = find_subject(current(), workflow)
    with subject.seen(current()) as problems:
        return _page(current(), subject, problems)


@route(blueprint, "/cases/play/<workflow>", permission=may_play_it, methods=["POST"])
def play(workflow: str) -> Response:
    """Play a record as if somebody submitted it: everybody agrees, or one decides as each of them; or past cases."""
    actor, subject = current(), find_subject(current(), workflow)
    with subject.seen(actor) as problems:
        if problems or "_add" in request.form:
            return _page(actor, subject, problems, 422 if problems else 200)
        return _play(actor, subject, request.form.get("_action", "step"))


def _play(actor: Actor, subject: Subject, action: str) -> Response:
    spec, locale = get_form(subject.form), viewer.locale()
    draft = subject.draft if request.form.get("_draft") or subject.published is None else None
    if subject.published and draft is not None and (problems := subject.list_mistakes(actor)):
        return _page(actor, subject, problems, 422)
    document = draft or dict(subject.published.document if subject.published else {})
    try:
        simulation.require_own(actor, document)
    except Invalid as error:
        return _page(actor, subject, error.problems, 422)
    if action == "replay":
        found = replaying.replay(
            actor, subject.key, document, LAST, subject.needed if draft is not None else ()
        )
        shown = [play_words.of_difference(actor, each, spec, locale) for each in found.differences]
        return _page(actor, subject, replayed=shown, count_played=found.played)
    if begin := request.form.get("_from", ""):
        document = draft = starting_at(document, begin)
    said = request.form.getlist("_deed")[:LONGEST]
    said = said[:-1] if action == "undo" else [] if action == "begin" else said
    deeds = None if action == "play" else [play_inputs.read_deed(each) for each in said]
    record, tried = 0 if subject.form_is_new else number("_record"), subject.tried(draft)
    answers, fills = play_inputs.read_answers(tried), play_inputs.read_fills(tried, spec)
    # nobody looks at a record this way which they may not see
    owner = reads.get_record(actor, spec.key, record)["owner"] if record else actor.person_id
    values = None if record else play_inputs.read_values(actor, spec, subject.form_is_new)
    for typed in [values or {}, *fills.values()]:
        choices.require_seen(actor, spec, typed)  # nor learns of one that somebody else would
    played = simulation.play(
        actor,
        spec.key,
        number("_initiator") or owner or 0,
        record=record or None,
        values=values,
        deeds=deeds,
        answers=answers,
        fills=fills,
        draft=draft,
        needed=subject.needed if draft is not None else (),
    )
    words = play_words.of_play(actor, played, spec, locale)
    return _page(actor, subject, played=words, deeds=said if deeds is not None else None)


@route(blueprint, "/cases/play/<workflow>/answer", permission=may_play_it, methods=["POST"])
def answer_play(workflow: str) -> Response:
    """What formulas, rules and look-ups make of what is typed instead of a record."""
    actor, subject = current(), find_subject(current(), workflow)
    with subject.seen(actor) as problems:
        if problems:
            raise Invalid(problems)
        spec = get_form(subject.form)
        raw, changed = posted.raw_values(spec, request.form), request.form.get("_changed", "").split(",")
        paths = play_inputs.list_paths(actor, spec, subject.form_is_new)
        return jsonify(trying.answer(actor, spec, raw, changed, viewer.locale(), paths))


@route(blueprint, "/cases/play/<workflow>/choices/<path>", permission=may_play_it)
def play_choices(workflow: str, path: str) -> Response:
    """What a field offers while a play is prepared; a form that was never published has no records to offer."""
    actor, subject = current(), find_subject(current(), workflow)
    with subject.seen(actor) as problems, suppress(NotFound):
        spec = None if problems else get_form(subject.form)
        if spec is not None and path in play_inputs.list_paths(actor, spec, subject.form_is_new):
            return jsonify(live.choices_on_page(actor, spec, path, request.args))
    return jsonify([])


def play_tool(actor: Actor, spec: FormSpec, before: Values | None) -> fill_in.Tool | None:
    """The way to play what is being filled in, for forms that are approved and people who play."""
    if not simulation.may_play(actor) or (
        find_workflow(spec.key) is None and not find_drafted(actor, spec.key)
    ):
        return None
    url = url_for("workflows.play_given", form=spec.key, record=before["id"] if before else None)
    return fill_in.Tool(M("See how it would be approved"), "player-play", url)


def change_tools(actor: Actor, spec: FormSpec, record: int) -> tuple[fill_in.Tool, ...]:
    """The way to play a change that is being proposed, for people who play."""
    url = url_for("workflows.play_given", form=spec.key, record=record, change=1)
    tool = fill_in.Tool(M("See how it would be approved"), "player-play", url)
    return (tool,) if simulation.may_play(actor) else ()


@route(blueprint, "/cases/play-given/<form>", permission="signed-in", methods=["POST"])
def play_given(form: str) -> Response:
    """Play what is being filled in as if its writer submitted it; it is not saved, so whoever may not save it is refused."""
    actor, spec, record = current(), get_form(form), request.args.get("record", type=int)
    raw = posted.raw_values(spec, request.form)
    if record is not None:
        reads.get_record(actor, form, record)  # NotFound for whoever may not see it
    change = record is not None and "change" in request.args
    if record is not None and change:
        played = simulation.play_change(actor, form, record, raw, request.form.get("_reason", "").strip())
    else:
        drafted = None if find_workflow(form) else find_drafted(actor, form)
        if drafted and (problems := definitions.check_draft(actor, drafted.definition.id)):
            raise Invalid(problems)
        draft = drafted.doc if drafted else None
        needed = list_needed("workflow", draft) if draft else ()
        played = simulation.play(
            actor, form, actor.person_id or 0, record=record, values=raw, draft=draft, needed=needed
        )
    return page.render(
        "workflows/play_given.html",
        "workflows/_play_given.html",
        title=M("How it would be approved"),
        played=play_words.of_play(actor, played, spec, viewer.locale()),
        deeds=None,
        back=url_for(
            "workflows.amend_page" if change else "forms.edit_page" if record else "forms.new_page",
            form=form,
            record=record,
        ),
    )


def _page(
    actor: Actor, subject: Subject, problems: Sequence[Problem] = (), status: int = 200, **result: Any
) -> Response:
    locale, document = viewer.locale(), subject.draft or subject.document
    return page.render(
        "workflows/play.html",
        status=status,
        problems=problems,
        key=subject.key,
        definition=subject.id,
        may_repair=gate.allows(actor, "repair", "site"),
        back=page.local_path(request.args.get("back"), ""),
        title=localized(subject.document, "title", locale) or subject.key,
        people=people.list_people(limit=MOST_PEOPLE),
        begin=request.values.get("_from") or request.values.get("from", ""),
        steps=list_steps(document, locale),
        unpublished=[localized(each.doc, "title", locale) for each in subject.forms],
        is_new=subject.form_is_new,
        has_draft=subject.draft is not None and subject.published is not None,
        given=request.form,
        statuses=play_inputs.STATUSES,
        heard=play_inputs.was_said(*play_inputs.HEARD),
        fills=play_inputs.was_said("_fill."),
        **_of_form(actor, subject, problems, locale),
        **_of_workflow(actor, subject, subject.newest(actor, problems), locale),
        **{"played": None, "replayed": None, "deeds": None, **result},
    )


def _of_form(actor: Actor, subject: Subject, problems: Sequence[Problem], locale: str) -> dict[str, Any]:
    """The form to type into, and the newest records; nothing of a new form that might not be published as it is."""
    if problems and subject.form_is_new:
        return {"spec": None, "screen": None, "records": [], "search": ""}
    spec = get_form(subject.form)
    paths = play_inputs.list_paths(actor, spec, subject.form_is_new)
    search = request.values.get("_q", "").strip()[:200]
    query = listing.Query(sort=("-id",), columns=(spec.title_field,), search=search)
    found = [] if subject.form_is_new else listing.list_records(actor, spec, query).rows
    chosen = 0 if subject.form_is_new else number("_record")
    if chosen and all(row["id"] != chosen for row in found):
        found = [reads.get_record(actor, spec.key, chosen), *found]
    return {
        "spec": spec,
        "screen": play_inputs.draw_form(actor, spec, subject.key, paths, locale),
        "search": search,
        "records": [(row["id"], row.get(spec.title_field) or row["id"]) for row in found],
    }


def _of_workflow(actor: Actor, subject: Subject, tried: Workflow | None, locale: str) -> Mapping[str, Any]:
    """What its steps ask for; nothing of one that is too wrong to run."""
    if tried is None:
        return {"calling": [], "waits": [], "filled": []}
    named = {
        word: [(step.id, step.title(locale)) for step in play_inputs.of_kind(tried, kind)]
        for word, kind in (("calling", "http"), ("waits", "wait"))
    }
    spec = get_form(subject.form)
    return {**named, "filled": play_inputs.draw_fills(actor, tried, spec, subject.key, locale)}
