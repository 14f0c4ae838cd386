"""Pages that play a case without leaving anything behind, and past cases by a draft."""

from collections.abc import Sequence
from typing import Any

from flask import Response, request, url_for
from werkzeug.datastructures import MultiDict

from formloop.access import gate, people
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.json_text import loads
from formloop.core.text import M
from formloop.definitions import drafts, library
from formloop.definitions import service as definitions
from formloop.forms import engine, fill_in, listing, posted, reads, screen
from formloop.forms.kind import get_form
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

LAST = 50  # finished cases that are played again
STATUSES = ("200", "400", "404", "500", "none")  # what an address may answer in a play
_HEARD = ("wait.", "status.", "answer.")
TOO_LARGE = ("files", "signature", "rich_text")  # widgets for what is on a record's own page


def may_play_it(workflow: str) -> None:
    """Refuse whoever neither designs workflows nor repairs their cases."""
    simulation.require_player(current())


@route(blueprint, "/cases/play/<workflow>", permission=may_play_it)
def show_play(workflow: str) -> Response:
    """Whose record is to be played."""
    return _page(current(), workflow)


@route(blueprint, "/cases/play/<workflow>", permission=may_play_it, methods=["POST"])
def play(workflow: str) -> Response:
    """Play a record as if somebody submitted it: everybody agrees, or one decides as each of them; or past cases."""
    actor, published, action = current(), _published(workflow), request.form.get("action", "step")
    spec, locale = get_form(published.form), viewer.locale()
    draft = _find_draft(actor, workflow) if request.form.get("draft") else None
    if draft is not None and (problems := definitions.check_draft(actor, published.id)):
        return _page(actor, workflow, problems, 422)
    try:
        simulation.require_own(actor, draft or dict(published.document))
    except Invalid as error:
        return _page(actor, workflow, error.problems, 422)
    if action == "replay":
        found = replaying.replay(actor, workflow, draft or dict(published.document), LAST)
        shown = [play_words.of_difference(actor, each, spec, locale) for each in found.differences]
        return _page(actor, workflow, replayed=shown, count_played=found.played)
    record, tried = number("record"), _tried(published, draft)
    answers, fills = _answers(tried), _fills(tried, spec)
    # nobody looks at a record this way which they may not see
    owner = reads.get_record(actor, spec.key, record)["owner"]
    said = request.form.getlist("deed")[:LONGEST]
    said = said[:-1] if action == "undo" else [] if action == "begin" else said
    deeds = None if action == "play" else [_deed(each) for each in said]
    who = number("initiator") or owner
    played = simulation.play(
        actor, spec.key, who, record=record, deeds=deeds, answers=answers, fills=fills, draft=draft
    )
    words = play_words.of_play(actor, played, spec, locale)
    return _page(actor, workflow, played=words, deeds=said if deeds is not None else None)


def play_tool(actor: Actor, spec: FormSpec, before: Values | None) -> fill_in.Tool | None:
    """The way to play what is being filled in, for forms that are approved and people who play."""
    if find_workflow(spec.key) is None or not simulation.may_play(actor):
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
        played = simulation.play(actor, form, actor.person_id or 0, record=record, values=raw)
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
        start = f"fill.{step.id}."
        names = [name for name in request.form if name.startswith(start)]
        given = MultiDict((name.removeprefix(start), v) for name in names for v in request.form.getlist(name))
        raw = posted.raw_values(spec, given)
        found[step.id] = {key: value for key, value in raw.items() if value not in ("", [], None)}
    return {step: raw for step, raw in found.items() if raw}


def _of_kind(workflow: Workflow, kind: str) -> list[Step]:
    return [step for step in workflow.steps.values() if step.node.name == kind]


def _inputs(actor: Actor, workflow: Workflow, spec: FormSpec, locale: str) -> list[tuple[Step, list[Cell]]]:
    """The inputs of what may be filled in at each step, but for lines and files, with what was filled in so far."""
    given, found = _fills(workflow, spec), []
    for step in workflow.steps.values():
        paths = sight.editable_paths(spec, step)
        values = dict.fromkeys(spec.fields) | engine.read_given(spec, given.get(step.id, {})).values
        names = screen.names_for(actor, spec, [values])
        shown = screen.build(spec, values, values, context_of(actor), locale, paths, paths, [], names)
        cells = [
            each
            for each in shown.cells()
            if not (each.readonly or each.field.children or each.field.type.widget in TOO_LARGE)
        ]
        for cell in cells:
            cell.name = f"fill.{step.id}.{cell.field.path}"
            cell.required = sight.rights_of(step, spec)[cell.field.path] == "require"
        if cells:
            found.append((step, cells))
    return found


def _deed(text: str) -> Deed:
    """What a button says: `<person>:<action>:<step>`."""
    person, action, step = (*text.split(":", 2), "", "")[:3]
    who = clock.find_id(person)
    if who is None or action not in play_words.OFFERED:
        raise NotFound
    return Deed(who, action, to="initiator" if action == "return" else None, step=step)


def _tried(published: Workflow, draft: Doc | None) -> Workflow:
    return published if draft is None else prepare(draft, published.version)


def _page(
    actor: Actor, key: str, problems: Sequence[Problem] = (), status: int = 200, **result: Any
) -> Response:
    workflow, locale = _published(key), viewer.locale()
    draft = _find_draft(actor, key)
    tried = workflow if problems else _tried(workflow, draft)
    spec, search = get_form(workflow.form), request.values.get("q", "").strip()[:200]
    query = listing.Query(sort=("-id",), columns=(spec.title_field,), search=search)
    found = listing.list_records(actor, spec, query).rows
    chosen = number("record")
    if chosen and all(row["id"] != chosen for row in found):
        found = [reads.get_record(actor, spec.key, chosen), *found]
    return page.render(
        "workflows/play.html",
        status=status,
        problems=problems,
        key=key,
        definition=workflow.id,
        may_repair=gate.allows(actor, "repair", "site"),
        title=workflow.title(locale),
        search=search,
        records=[(row["id"], row.get(spec.title_field) or row["id"]) for row in found],
        people=people.list_people(limit=MOST_PEOPLE),
        spec=spec,
        calling=[(step.id, step.title(locale)) for step in _of_kind(tried, "http")],
        waits=[(step.id, step.title(locale)) for step in _of_kind(tried, "wait")],
        filled=[(step.title(locale), cells) for step, cells in _inputs(actor, tried, spec, locale)],
        has_draft=draft is not None,
        given=request.form,
        statuses=STATUSES,
        heard=any(request.form.get(name) for name in request.form if name.startswith(_HEARD)),
        fills=any(request.form.get(name) for name in request.form if name.startswith("fill.")),
        **{"played": None, "replayed": None, "deeds": None, **result},
    )


def _published(key: str) -> Workflow:
    found: Workflow = library.published("workflow", key)
    if found.amends is not None:
        raise Conflict(M("A workflow for changes is played on the page where a change is proposed."))
    return found


def _find_draft(actor: Actor, key: str) -> Doc | None:
    """The draft, for whoever designs definitions."""
    if not gate.allows(actor, "design", "definition"):
        return None
    found = drafts.find_draft(_published(key).id)
    return found.doc if found is not None else None
