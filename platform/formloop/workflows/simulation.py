"""What would happen: the real engine on the real record, and nothing of it stays.

Everything runs inside one transaction that is undone at the end, so tasks, records and messages arise as they
would. Cases of sub-flows are played too. Addresses are never called and nobody waits for a time: what they would
say is given, else it is assumed, and the history of the play says so.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from formloop.access import gate
from formloop.access.actor import Actor, get_actor
from formloop.core.definitions import Doc
from formloop.core.errors import FormloopError
from formloop.db import reading, undone
from formloop.definitions import library, publishing
from formloop.definitions.drafts import Draft
from formloop.definitions.needed import seen_as_published
from formloop.forms import first_rights
from formloop.workflows import publisher_rights, refusals
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
    needed: Sequence[Draft] = (),
) -> Played:
    """Play a case of a record, of values that are not saved, or of a record changed to these.

    Without `deeds` everybody agrees; else it stops when they are done. Invalid for a draft that the actor might not
    publish. `needed` are drafts of what was never published, and are played as if they were.
    """
    require_player(actor)
    if draft is not None:
        with seen_as_published(needed):
            require_own(actor, draft)
    script = iter(deeds) if deeds is not None else None

    def follow(waiting: Sequence[Open]) -> Deed | None:
        return next(script, None) if script is not None else agree(waiting)

    fresh = [each.definition.id for each in needed]
    return try_out(
        actor,
        Play(form, initiator, follow, record, values or {}, answers or {}, fills or {}, draft, needed=fresh),
    )


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
        played.problems += refusals.said(actor, error)
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
        played.problems += refusals.said(actor, error)
    collect(actor, played, stage.root, stage.begun)
    return played


def _publish_first(actor: Actor, wanted: Play) -> None:
    """Publish what was never published, and let the initiator use a new form, which no role gives to anybody."""
    if wanted.needed:
        is_new = library.is_new("form", wanted.form)
        publishing.publish_drafts(actor, wanted.needed)
        if is_new:
            first_rights.give(get_actor(wanted.initiator), wanted.form, "played")
