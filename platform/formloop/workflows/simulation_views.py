"""Pages that play a case without leaving anything behind, and past cases by a draft."""

from collections.abc import Sequence
from typing import Any

from flask import Response, request

from formloop.access import gate, people
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core.definitions import Doc
from formloop.core.errors import Conflict, Problem
from formloop.core.text import M
from formloop.definitions import drafts, library
from formloop.definitions import service as definitions
from formloop.events import outbox
from formloop.forms import listing, reads
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.web import page, viewer
from formloop.web.routes import route
from formloop.workflows import simulation, timeline
from formloop.workflows.pages import MOST_PEOPLE, STATUS, blueprint, number
from formloop.workflows.spec import Workflow

REPAIR = ("repair", "site")
LAST = 50  # finished cases that are played again


@route(blueprint, "/cases/play/<workflow>", permission=REPAIR)
def show_play(workflow: str) -> Response:
    """Whose record is to be played."""
    return _page(current(), workflow)


@route(blueprint, "/cases/play/<workflow>", permission=REPAIR, methods=["POST"])
def play(workflow: str) -> Response:
    """Play a record as if somebody submitted it and everybody agreed; or past cases by the draft."""
    actor, spec = current(), get_form(_published(workflow).form)
    draft = _find_draft(actor, workflow) if request.form.get("draft") else None
    if draft is not None and (problems := definitions.check_draft(actor, _published(workflow).id)):
        return _page(actor, workflow, problems, 422)
    if request.form.get("action") == "replay":
        found = simulation.replay(actor, workflow, draft or dict(_published(workflow).document), LAST)
        return _page(actor, workflow, replayed=found)
    record = number("record")
    reads.get_record(actor, spec.key, record)  # nobody looks at a record this way which they may not see
    played = simulation.play(actor, spec.key, number("initiator"), record=record, draft=draft)
    return _page(actor, workflow, played=_in_words(played, spec, _published(workflow), viewer.locale()))


def _page(
    actor: Actor, key: str, problems: Sequence[Problem] = (), status: int = 200, **result: Any
) -> Response:
    workflow, locale = _published(key), viewer.locale()
    spec = get_form(workflow.form)
    found = listing.list_records(actor, spec, listing.Query(sort=("-id",), columns=(spec.title_field,)))
    return page.render(
        "workflows/play.html",
        status=status,
        problems=problems,
        key=key,
        title=workflow.title(locale),
        records=[(row["id"], row.get(spec.title_field) or row["id"]) for row in found.rows],
        people=people.list_people(limit=MOST_PEOPLE),
        has_draft=_find_draft(actor, key) is not None,
        given=request.form,
        status_of=STATUS,
        **{"played": None, "replayed": None, **result},
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


def _in_words(played: simulation.Played, spec: FormSpec, workflow: Workflow, locale: str) -> dict[str, Any]:
    names = people.names_of(
        {person for _, _, person in played.path if person is not None}
        | {each.person for each in played.asked}
    )
    titles = {step.id: step.title(locale) for step in workflow.steps.values()}
    return {
        "status": STATUS.get(played.status, STATUS["draft"]),
        "problems": played.problems,
        "path": [
            (titles.get(step, step), timeline.ACTIONS[action][0], names.get(person or 0, ""))
            for step, action, person in played.path
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
        "changes": [(get_form(form).title(locale), action) for form, _, action in played.changes],
        "messages": [
            topic.title if (topic := outbox.topics.find(name)) is not None and topic.title else M("Message")
            for name, _ in played.messages
        ],
    }


def _rights(asked: simulation.Asked, spec: FormSpec, locale: str) -> str:
    """The field rights of a step, as its definition says them."""
    named = {path: field.title(locale) for path in asked.fields if (field := spec.find(path)) is not None}
    return ", ".join(f"{named.get(path, path)}: {right}" for path, right in asked.fields.items())
