"""What would happen: the real engine on the real record, and nothing of it stays.

Everything runs inside one transaction that is undone at the end, so tasks, records and messages arise as they
would. Cases of sub-flows are played too. Addresses are never called and nobody waits for a time: what they would
say is given, else it is assumed, and the history of the play says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from formloop.access import gate
from formloop.access.actor import Actor, get_actor
from formloop.core.definitions import Doc, check_schema_of, kinds
from formloop.core.errors import Conflict, FormloopError, Invalid, Problem
from formloop.core.text import M, Message, Titled
from formloop.db import reading, undone
from formloop.definitions import drafts, library, publishing
from formloop.definitions import service as definitions
from formloop.definitions.drafts import Draft
from formloop.forms import first_rights
from formloop.workflows import publisher_rights
from formloop.workflows.kind import find_amending, find_workflow, prepare
from formloop.workflows.played import Played, begin, collect
from formloop.workflows.playing import Stage
from formloop.workflows.plays import Answer, Deed, Open, Play


def may_play(actor: Actor) -> bool:
    """Whoever repairs cases may play them, and whoever designs definitions: nothing of it stays."""
    return gate.allows(actor, "design", "definition") or gate.allows(actor, "repair", "site")


def require_player(actor: Actor) -> None:
    """Refuse whoever may not play cases."""
    if not may_play(actor):
        gate.require(actor, "repair", "site")


def play(
    actor: Actor,
    form: str,
    initiator: int,
    *,
    record: int | None = None,
    values: Mapping[str, Any] | None = None,
    deeds: Sequence[Deed] | None = None,
    answers: Mapping[str, Answer] | None = None,
    fills: Mapping[str, Mapping[str, Any]] | None = None,
    draft: Doc | None = None,
    forms: Sequence[Draft] = (),
) -> Played:
    """Play a case of a record, of values that are not saved, or of a record changed to these.

    Without `deeds` everybody agrees; else it stops when they are done. Invalid for a draft that the actor might not
    publish. `forms` are drafts of forms that were never published, and are played as if they were.
    """
    require_player(actor)
    if draft is not None:
        with seen_as_published(forms):
            require_own(actor, draft)
    script = iter(deeds) if deeds is not None else None

    def follow(waiting: Sequence[Open]) -> Deed | None:
        return next(script, None) if script is not None else agree(waiting)

    fresh = [each.definition.id for each in forms]
    return try_out(
        actor,
        Play(form, initiator, follow, record, values or {}, answers or {}, fills or {}, draft, forms=fresh),
    )


def drafted_forms(workflow: Doc) -> list[Draft]:
    """The drafts of forms that a workflow needs and that were never published, and those that they point to."""
    found, waiting = dict[str, Draft](), [("workflow", workflow)]
    while waiting:
        for name, key in sorted(_needs(*waiting.pop())):
            if name != "form" or key in found:
                continue
            definition = drafts.find_unpublished("form", key)
            draft = drafts.find_draft(definition.id) if definition else None
            if draft is not None:
                found[key] = draft
                waiting.append(("form", draft.doc))
    return sorted(found.values(), key=lambda each: each.doc["x-key"] != workflow.get("form"))  # its own first


def _needs(kind: str, doc: Doc) -> set[tuple[str, str]]:
    """What a draft needs, which may be wrong in every way."""
    if check_schema_of(doc, kinds.get(kind)):
        return {("form", str(doc.get("form")))}
    return set(kinds.get(kind).references(doc))


def require_sound(actor: Actor, forms: Sequence[Draft]) -> None:
    """Refuse forms that could not be published as they are."""
    for each in forms:
        _refuse(each, check_schema_of(each.doc, kinds.get("form")))
    with seen_as_published(forms):
        for each in forms:
            _refuse(each, definitions.check_draft(actor, each.definition.id))


def _refuse(form: Draft, problems: Sequence[Problem]) -> None:
    for problem in problems:
        if problem.severity == "error":
            text = M(
                "The form “{form}” cannot be played yet. {problem}",
                form=Titled(form.doc),
                problem=problem.message,
            )
            raise Conflict(text)


@contextmanager
def seen_as_published(forms: Sequence[Draft]) -> Iterator[None]:
    """Inside the block these drafts are seen as if they were published; they have no records, nor tables."""
    with reading(), library.overlay().trying() as coming:
        for each in forms:
            coming.put("form", each.doc["x-key"], each.doc, 0)
        yield


def require_own(actor: Actor, draft: Doc) -> None:
    """Refuse a draft that shows the actor, or does, what they may not see or do: they could not publish it either."""
    key, version = draft["x-key"], 0
    if library.find_document("workflow", key) == draft:
        return  # it runs already
    with reading(), library.overlay().trying() as coming:
        coming.put("workflow", key, draft, version)
        publisher_rights.require_rights(actor, prepare(draft, version))


def play_change(actor: Actor, form: str, record: int, values: Mapping[str, Any], reason: str) -> Played:
    """Play the change of an approved record as if the actor proposed it, and everybody agreed."""
    require_player(actor)
    wanted = Play(form, actor.person_id or 0, agree, record, values, reason=reason or "simulation")
    return try_out(actor, wanted)


def agree(waiting: Sequence[Open]) -> Deed | None:
    """Whoever is asked first agrees."""
    return Deed(waiting[0].person, step=waiting[0].step) if waiting else None


def try_out(actor: Actor, wanted: Play) -> Played:
    """How a play goes, in a transaction that is taken back; the actor looks at it."""
    return undone(partial(_play_all, actor, wanted))


def _play_all(actor: Actor, wanted: Play) -> Played:
    played = Played()
    try:
        _publish_first(actor, wanted)
    except FormloopError as error:
        played.problems += _said(error)
        return played
    if wanted.draft is not None:
        entry = library.find_entry("workflow", wanted.draft["x-key"])
        version = entry.version if entry else 1
        library.overlay().put("workflow", wanted.draft["x-key"], wanted.draft, version)
    workflow = find_amending(wanted.form) if wanted.reason else find_workflow(wanted.form)
    stage = Stage(wanted, workflow.key if workflow else "", begin())
    try:
        stage.play(played)
    except FormloopError as error:
        played.problems += _said(error)
    collect(actor, played, stage.root, stage.begun)
    return played


def _publish_first(actor: Actor, wanted: Play) -> None:
    """Publish the forms that were never published, and let the initiator use theirs, which no role gives to anybody."""
    if wanted.forms:
        publishing.publish_drafts(actor, wanted.forms)
        first_rights.give(get_actor(wanted.initiator), wanted.form, f"{wanted.form[:30]}_played")


def _said(error: FormloopError) -> list[Message]:
    return [each.message for each in error.problems] if isinstance(error, Invalid) else [error.message]
