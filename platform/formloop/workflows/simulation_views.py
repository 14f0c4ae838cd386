"""Pages that play a case without leaving anything behind, and past cases by a draft."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify, request, url_for
from werkzeug.datastructures import MultiDict

from formloop.access import gate, people
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.json_text import loads
from formloop.core.text import M, localized
from formloop.definitions import drafts, library
from formloop.definitions import service as definitions
from formloop.forms import choices, engine, fill_in, listing, live, posted, reads, screen
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.screen import Cell
from formloop.forms.spec import FormSpec, Values
from formloop.web import page, viewer
from formloop.web.routes import route
from formloop.workflows import play_words, replaying, sight, simulation
from formloop.workflows.kind import find_workflow, prepare
from formloop.workflows.pages import MOST_PEOPLE, blueprint, number
from formloop.workflows.playing import LONGEST
from formloop.workflows.plays import Answer, Deed
from formloop.workflows.spec import Step, Workflow
from formloop.workflows.starting import starting_at

LAST = 50  # finished cases that are played again
STATUSES = ("200", "400", "404", "500", "none")  # what an address may answer in a play
_TYPED = "value."  # begins the names of what is played instead of a record
_HEARD = ("wait.", "status.", "answer.")
TOO_LARGE = ("subform", "files", "signature", "rich_text")  # widgets for what is on a record's own page


@dataclass(frozen=True, slots=True)
class Subject:
    """What is played: a published workflow, its draft, or a draft that was never published."""

    id: str
    key: str
    published: Workflow | None
    draft: Doc | None
    forms: Sequence[drafts.Draft] = ()  # never published either: played as if they were

    @property
    def document(self) -> Mapping[str, Any]:
        """The published document, else the draft."""
        return self.published.document if self.published else self.draft or {}

    @property
    def form(self) -> str:
        """The form whose records are submitted."""
        return str(self.document["form"])


def may_play_it(workflow: str) -> None:
    """Refuse whoever neither designs workflows nor repairs their cases."""
    simulation.require_player(current())


@route(blueprint, "/cases/play/<workflow>", permission=may_play_it)
def show_play(workflow: str) -> Response:
    """Whose record is to be played."""
    actor, subject = current(), _subject(current(), workflow)
    with simulation.seen_as_published(subject.forms):
        problems = [] if subject.published else definitions.check_draft(actor, subject.id)
        return _page(actor, subject, problems)


@route(blueprint, "/cases/play/<workflow>", permission=may_play_it, methods=["POST"])
def play(workflow: str) -> Response:
    """Play a record as if somebody submitted it: everybody agrees, or one decides as each of them; or past cases."""
    subject = _subject(current(), workflow)
    with simulation.seen_as_published(subject.forms):
        return _play(current(), subject, request.form.get("action", "step"))


def _play(actor: Actor, subject: Subject, action: str) -> Response:
    spec, locale = get_form(subject.form), viewer.locale()
    draft = subject.draft if request.form.get("draft") or subject.published is None else None
    if draft is not None and (problems := definitions.check_draft(actor, subject.id)):
        return _page(actor, subject, problems, 422)
    document = draft or dict(subject.published.document if subject.published else {})
    begin = request.form.get("from", "")
    try:
        simulation.require_own(actor, document)
    except Invalid as error:
        return _page(actor, subject, error.problems, 422)
    if action == "replay":
        found = replaying.replay(actor, subject.key, document, LAST)
        shown = [play_words.of_difference(actor, each, spec, locale) for each in found.differences]
        return _page(actor, subject, replayed=shown, count_played=found.played)
    if begin:
        document = draft = starting_at(document, begin)
    record, tried = 0 if subject.forms else number("record"), _tried(subject, draft)
    answers, fills = _answers(tried), _fills(tried, spec)
    # nobody looks at a record this way which they may not see
    owner = reads.get_record(actor, spec.key, record)["owner"] if record else actor.person_id
    values = None if record else posted.raw_values(spec, _named(_TYPED))
    for typed in [values or {}, *fills.values()]:
        choices.require_seen(actor, spec, typed)  # nor learns of one that somebody else would
    said = request.form.getlist("deed")[:LONGEST]
    said = said[:-1] if action == "undo" else [] if action == "begin" else said
    deeds = None if action == "play" else [_deed(each) for each in said]
    played = simulation.play(
        actor,
        spec.key,
        number("initiator") or owner or 0,
        record=record or None,
        values=values,
        deeds=deeds,
        answers=answers,
        fills=fills,
        draft=draft,
        forms=subject.forms,
    )
    words = play_words.of_play(actor, played, spec, locale)
    return _page(actor, subject, played=words, deeds=said if deeds is not None else None)


@route(blueprint, "/cases/play/<workflow>/choices/<path>", permission=("design", "definition"))
def play_choices(workflow: str, path: str) -> Response:
    """What a field of a form that was never published offers while a play is prepared."""
    actor, subject = current(), _subject(current(), workflow)
    with simulation.seen_as_published(subject.forms), suppress(NotFound):
        spec = get_form(subject.form)
        field = spec.find(path)
        drafted = {each.doc["x-key"] for each in subject.forms}
        if field is not None and field.type.source(field) not in drafted:  # which have no records
            return jsonify(live.choices_on_page(actor, spec, path, request.args))
    return jsonify([])


def play_tool(actor: Actor, spec: FormSpec, before: Values | None) -> fill_in.Tool | None:
    """The way to play what is being filled in, for forms that are approved and people who play."""
    if not simulation.may_play(actor) or (
        find_workflow(spec.key) is None and not _find_drafted(actor, spec.key)
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
        drafted = None if find_workflow(form) else _find_drafted(actor, form)
        if drafted and (problems := definitions.check_draft(actor, drafted.definition.id)):
            raise Invalid(problems)
        draft = drafted.doc if drafted else None
        if draft is not None:
            simulation.require_own(actor, draft)
        played = simulation.play(actor, form, actor.person_id or 0, record=record, values=raw, draft=draft)
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


def _answers(workflow: Workflow) -> dict[str, Answer]:
    """What the steps without people are to hear, where somebody chose; Invalid where it is no JSON."""
    found, problems = {}, []
    for step in _of_kind(workflow, "wait"):
        if chosen := request.form.get(f"wait.{step.id}"):
            found[step.id] = Answer(comes=chosen == "over")
    for step in _of_kind(workflow, "http"):
        status, text = request.form.get(f"status.{step.id}", ""), request.form.get(f"answer.{step.id}", "")
        try:
            body = loads(text) if text.strip() else {}
        except (ValueError, RecursionError):
            problems.append(Problem("json", f"answer.{step.id}", M("This is no JSON.")))
            continue
        if status in STATUSES or text.strip():
            found[step.id] = Answer(status != "none", int(status) if status.isdecimal() else 200, body)
    if problems:
        raise Invalid(problems)
    return found


def _fills(workflow: Workflow, spec: FormSpec) -> dict[str, dict[str, Any]]:
    """What is filled in at each step: `fill.<step>.<field>` of the posted form."""
    found = {}
    for step in workflow.steps.values():
        raw = posted.raw_values(spec, _named(f"fill.{step.id}."))
        found[step.id] = {key: value for key, value in raw.items() if value not in ("", [], None)}
    return {step: raw for step, raw in found.items() if raw}


def _named(start: str) -> "MultiDict[str, str]":
    """What was posted under names that begin so, by the rest of the name."""
    names = [name for name in request.form if name.startswith(start)]
    return MultiDict((name.removeprefix(start), v) for name in names for v in request.form.getlist(name))


def _of_kind(workflow: Workflow, kind: str) -> list[Step]:
    return [step for step in workflow.steps.values() if step.node.name == kind]


def _inputs(actor: Actor, workflow: Workflow, spec: FormSpec, locale: str) -> list[tuple[Step, list[Cell]]]:
    """The inputs of what may be filled in at each step, but for lines and files, with what was filled in so far."""
    given, found = _fills(workflow, spec), []
    for step in workflow.steps.values():
        start = f"fill.{step.id}."
        cells = _cells(actor, spec, locale, sight.editable_paths(spec, step), given.get(step.id, {}), start)
        for cell in cells:
            cell.required = sight.rights_of(step, spec)[cell.field.path] == "require"
        if cells:
            found.append((step, cells))
    return found


def _cells(
    actor: Actor, spec: FormSpec, locale: str, paths: frozenset[str], raw: Mapping[str, Any], start: str
) -> list[Cell]:
    """Inputs of fields, but for lines and files, under names that begin so."""
    given = engine.read_given(spec, raw)
    values = dict.fromkeys(spec.fields) | given.values
    choices.drop_unseen(spec, [(None, values, given)], Links(actor, spec, [values]))
    names = screen.names_for(actor, spec, [values])
    shown = screen.build(spec, values, values, context_of(actor), locale, paths, paths, [], names)
    cells = [each for each in shown.cells() if not (each.readonly or each.field.type.widget in TOO_LARGE)]
    for cell in cells:
        cell.name = f"{start}{cell.field.path}"
    return cells


def _deed(text: str) -> Deed:
    """What a button says: `<person>:<action>:<step>`."""
    person, action, step = (*text.split(":", 2), "", "")[:3]
    who = clock.find_id(person)
    if who is None or action not in play_words.OFFERED:
        raise NotFound
    return Deed(who, action, to="initiator" if action == "return" else None, step=step)


def _tried(subject: Subject, draft: Doc | None) -> Workflow:
    if draft is None and subject.published is not None:
        return subject.published
    return prepare(draft or {}, subject.published.version if subject.published else 1)


def _page(
    actor: Actor, subject: Subject, problems: Sequence[Problem] = (), status: int = 200, **result: Any
) -> Response:
    locale = viewer.locale()
    tried = subject.published if problems else _tried(subject, subject.draft)
    spec, search = get_form(subject.form), request.values.get("q", "").strip()[:200]
    query = listing.Query(sort=("-id",), columns=(spec.title_field,), search=search)
    found = [] if subject.forms else listing.list_records(actor, spec, query).rows
    chosen = 0 if subject.forms else number("record")
    if chosen and all(row["id"] != chosen for row in found):
        found = [reads.get_record(actor, spec.key, chosen), *found]
    begin = request.values.get("from", "")
    typed = _cells(
        actor, spec, locale, frozenset(spec.fields), posted.raw_values(spec, _named(_TYPED)), _TYPED
    )
    for cell in typed if subject.forms else ():
        cell.search = url_for("workflows.play_choices", workflow=subject.key, path=cell.field.path)
    return page.render(
        "workflows/play.html",
        status=status,
        problems=problems,
        key=subject.key,
        definition=subject.id,
        may_repair=gate.allows(actor, "repair", "site"),
        title=localized(subject.document, "title", locale) or subject.key,
        search=search,
        records=[(row["id"], row.get(spec.title_field) or row["id"]) for row in found],
        people=people.list_people(limit=MOST_PEOPLE),
        spec=spec,
        typed=typed,
        begin=(begin, _step_title(tried, begin, locale)) if begin else None,
        calling=[(step.id, step.title(locale)) for step in _of_kind(tried, "http")] if tried else [],
        waits=[(step.id, step.title(locale)) for step in _of_kind(tried, "wait")] if tried else [],
        filled=[(step.title(locale), cells) for step, cells in _inputs(actor, tried, spec, locale)]
        if tried
        else [],
        unpublished=[localized(each.doc, "title", locale) for each in subject.forms],
        has_draft=subject.draft is not None and subject.published is not None,
        given=request.form,
        statuses=STATUSES,
        heard=any(request.form.get(name) for name in request.form if name.startswith(_HEARD)),
        fills=any(request.form.get(name) for name in request.form if name.startswith("fill.")),
        **{"played": None, "replayed": None, "deeds": None, **result},
    )


def _step_title(workflow: Workflow | None, step: str, locale: str) -> str:
    found = workflow.steps.get(step) if workflow else None
    return found.title(locale) if found else step


def _subject(actor: Actor, key: str) -> Subject:
    """What is played: the published workflow, and its draft for whoever designs definitions; or the draft alone."""
    designs = gate.allows(actor, "design", "definition")
    workflow = library.find_published("workflow", key)
    if not isinstance(workflow, Workflow):
        found = drafts.find_unpublished("workflow", key) if designs else None
        draft = drafts.find_draft(found.id) if found else None
        if draft is None or "amends" in draft.doc:
            raise NotFound
        forms, own = simulation.drafted_forms(draft.doc), str(draft.doc.get("form"))
        if library.find_published("form", own) is None and all(each.doc["x-key"] != own for each in forms):
            raise Conflict(M("There is no form for it yet: a case is played with a record of one."))
        simulation.require_sound(actor, forms)
        return Subject(draft.definition.id, key, None, draft.doc, forms)
    if workflow.amends is not None:
        raise Conflict(M("A workflow for changes is played on the page where a change is proposed."))
    draft = drafts.find_draft(workflow.id) if designs else None
    return Subject(workflow.id, key, workflow, draft.doc if draft else None)


def _find_drafted(actor: Actor, form: str) -> drafts.Draft | None:
    """The draft of the workflow of a form that has none yet, for whoever designs definitions."""
    if not gate.allows(actor, "design", "definition"):
        return None
    known = drafts.list_unpublished("workflow")
    return next((each for each in known if each.doc.get("form") == form and "amends" not in each.doc), None)
