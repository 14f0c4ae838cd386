"""Pages that play a case without leaving anything behind, and past cases by a draft."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Response, request

from formloop.access import gate, people
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import Conflict, NotFound, Problem
from formloop.core.text import M, Message
from formloop.definitions import drafts, library
from formloop.definitions import service as definitions
from formloop.events import outbox, reasons
from formloop.forms import listing, reads
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.web import page, viewer
from formloop.web.routes import route
from formloop.workflows import replaying, simulation, timeline
from formloop.workflows.kind import prepare
from formloop.workflows.pages import MOST_PEOPLE, STATUS, blueprint, number
from formloop.workflows.simulation import Deed
from formloop.workflows.spec import Workflow

REPAIR = ("repair", "site")
LAST = 50  # finished cases that are played again
OFFERED = {"approve": M("Approve"), "reject": M("Reject"), "return": M("Return"), "submit": M("Submit again")}
RIGHTS = {
    "view": M("read only"),
    "edit": M("may be filled in"),
    "require": M("must be filled in"),
    "hide": M("hidden"),
}
CHANGED = {"created": M("is created"), "updated": M("is changed"), "deleted": M("is deleted")}


@route(blueprint, "/cases/play/<workflow>", permission=REPAIR)
def show_play(workflow: str) -> Response:
    """Whose record is to be played."""
    return _page(current(), workflow)


@route(blueprint, "/cases/play/<workflow>", permission=REPAIR, methods=["POST"])
def play(workflow: str) -> Response:
    """Play a record as if somebody submitted it: everybody agrees, or one decides as each of them; or past cases."""
    actor, published, action = current(), _published(workflow), request.form.get("action", "step")
    draft = _find_draft(actor, workflow) if request.form.get("draft") else None
    if draft is not None and (problems := definitions.check_draft(actor, published.id)):
        return _page(actor, workflow, problems, 422)
    if action == "replay":
        found = replaying.replay(actor, workflow, draft or dict(published.document), LAST)
        return _page(actor, workflow, replayed=found)
    record, spec = number("record"), get_form(published.form)
    owner = reads.get_record(actor, spec.key, record)[
        "owner"
    ]  # nobody looks at a record this way they may not see
    said = request.form.getlist("deed")[: simulation.LONGEST]
    said = said[:-1] if action == "undo" else [] if action == "begin" else said
    deeds = None if action == "play" else [_deed(each) for each in said]
    played = simulation.play(
        actor, spec.key, number("initiator") or owner, record=record, deeds=deeds, draft=draft
    )
    shown = _in_words(actor, played, spec, _tried(published, draft), viewer.locale())
    return _page(actor, workflow, played=shown, deeds=said if deeds is not None else None)


def _deed(text: str) -> Deed:
    """What a button says: `<person>:<action>:<step>`."""
    person, action, step = (*text.split(":", 2), "", "")[:3]
    who = clock.find_id(person)
    if who is None or action not in OFFERED:
        raise NotFound
    return Deed(who, action, to="initiator" if action == "return" else None, step=step)


def _tried(published: Workflow, draft: Doc | None) -> Workflow:
    return published if draft is None else prepare(draft, published.version)


def _page(
    actor: Actor, key: str, problems: Sequence[Problem] = (), status: int = 200, **result: Any
) -> Response:
    workflow, locale = _published(key), viewer.locale()
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
        title=workflow.title(locale),
        search=search,
        records=[(row["id"], row.get(spec.title_field) or row["id"]) for row in found],
        people=people.list_people(limit=MOST_PEOPLE),
        has_draft=_find_draft(actor, key) is not None,
        given=request.form,
        status_of=STATUS,
        **{"played": None, "replayed": None, "deeds": None, **result},
    )


def _published(key: str) -> Workflow:
    found: Workflow = library.published("workflow", key)
    if found.amends is not None:
        raise Conflict(
            M("A workflow for changes is tried out by proposing one; there is nothing to play here.")
        )
    return found


def _find_draft(actor: Actor, key: str) -> Doc | None:
    """The draft, for whoever designs definitions."""
    if not gate.allows(actor, "design", "definition"):
        return None
    found = drafts.find_draft(_published(key).id)
    return found.doc if found is not None else None


def _in_words(
    actor: Actor, played: simulation.Played, spec: FormSpec, workflow: Workflow, locale: str
) -> dict[str, Any]:
    met = {person for _, _, person in played.path if person is not None}
    met |= {each.person for each in played.asked} | {person for person, _ in played.told}
    names = people.names_of(met)
    titles = {step.id: step.title(locale) for step in workflow.steps.values()}
    return {
        "status": STATUS.get(played.status, STATUS["draft"]),
        "problems": played.problems,
        "path": [
            (titles.get(step, step), timeline.ACTIONS[action], names.get(person or 0, ""))
            for step, action, person in played.path
        ],
        "waiting": [
            (titles.get(step, ""), names.get(person, ""), _offers(workflow, step, person))
            for step, person in played.waiting
        ],
        "asked": [
            (
                titles.get(a.step, a.step),
                names.get(a.person, ""),
                timeline.explain(a.why, spec),
                _rights(a, spec, locale),
            )
            for a in played.asked
        ],
        "changes": _changes(actor, played, locale),
        "told": [(names.get(person, ""), reasons.read(said, locale)) for person, said in played.told],
        "messages": Counter(
            topic.title if (topic := outbox.topics.find(name)) is not None and topic.title else M("Message")
            for name, _ in played.messages
        ).items(),
    }


def _offers(workflow: Workflow, step: str, person: int) -> list[tuple[str, Message]]:
    """What may be decided as a person who is asked: the value and the word of each button."""
    found = workflow.steps.get(step)
    if found is None:
        return [(f"{person}:submit:", M("Submit again"))]
    words = {**OFFERED, "approve": found.node.agree}
    return [(f"{person}:{each}:{step}", words[each]) for each in OFFERED if each in found.actions]


def _changes(actor: Actor, played: simulation.Played, locale: str) -> list[tuple[str, str, Message]]:
    """Form, record and what becomes of it, once each and in order; new records have no name yet."""
    found: dict[tuple[str, str, Message], None] = {}
    for key, record, action in played.changes:
        spec = get_form(key)
        title = reads.list_titles(actor, spec, spec.table.c.id == record, 1).get(record, "")
        state = spec.states.get(action.removeprefix("state:")) if action.startswith("state:") else None
        word = (
            M("becomes “{state}”", state=state.title(locale))
            if state
            else CHANGED.get(action, CHANGED["updated"])
        )
        found[spec.title(locale), title, word] = None
    return list(found)


def _rights(asked: simulation.Asked, spec: FormSpec, locale: str) -> str:
    """The field rights of a step, as its definition says them."""
    named = {path: field.title(locale) for path in asked.fields if (field := spec.find(path)) is not None}
    words = {right: word.render(locale) for right, word in RIGHTS.items()}
    return ", ".join(f"{named.get(path, path)}: {words[right]}" for path, right in asked.fields.items())
