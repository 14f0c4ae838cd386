"""One change of an earlier publishing taken back in the draft, whatever else was changed since."""

from formloop.access.actor import Actor
from formloop.core.definitions import Change, Doc, Kind
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.definitions import service as definitions
from formloop.studio import drafting
from formloop.studio.operations import FIXED, Operation, apply, find


def can_take_back(change: Change) -> bool:
    """Whether one change can be taken back by itself; an order of many things cannot."""
    return change.kind_of_change != "moved" and bool(change.path) and change.path[0] not in FIXED


def take_back(actor: Actor, definition_id: str, old: int, new: int | None, place: int) -> drafting.Desk:
    """The draft with change number `place` between two versions as it was before; Invalid when its place is gone."""
    changes = definitions.compare(definition_id, old, new)
    if not 0 <= place < len(changes) or not can_take_back(changes[place]):
        raise NotFound
    desk = drafting.open_desk(actor, definition_id)
    return drafting.edit(
        actor, definition_id, desk.revision, lambda doc: _without(doc, changes[place], desk.kind)
    )


def _without(doc: Doc, change: Change, kind: Kind) -> Doc:
    around, at = change.path[:-1], change.path
    container = find(doc, around, kind.identities) if around else doc
    if not isinstance(container, dict | list):
        raise Invalid([Problem("gone", "", M("This part is no longer there; the page shows what is."))])
    there = find(doc, at, kind.identities) is not None
    if change.kind_of_change == "added":
        operations = [Operation("remove", at)] if there else []
    elif isinstance(container, list) and not there:
        operations = [Operation("add", around, change.old)]
    else:
        operations = [Operation("set", at, change.old)]
    return apply(doc, operations, kind.identities)[0] if operations else doc
