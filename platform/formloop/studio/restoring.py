"""One change of an earlier publishing taken back in the draft, whatever else was changed since."""

from typing import Any

from formloop.access.actor import Actor
from formloop.core.definitions import Change, Doc, Kind, Path
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.definitions import service as definitions
from formloop.studio import drafting, form_rows
from formloop.studio.operations import FIXED, Operation, apply, find
from formloop.studio.shapes import mapping


def can_take_back(change: Change) -> bool:
    """Whether one change can be taken back by itself; an order of many things cannot."""
    return change.kind_of_change != "moved" and bool(change.path) and change.path[0] not in FIXED


def take_back(actor: Actor, definition_id: str, old: int, new: int | None, place: int) -> drafting.Desk:
    """The draft with change number `place` between two versions as it was before; Invalid when its place is gone."""
    changes = definitions.compare(definition_id, old, new)
    if not 0 <= place < len(changes) or not can_take_back(changes[place]):
        raise NotFound
    desk, before = drafting.open_desk(actor, definition_id), definitions.get_version(definition_id, old)
    return drafting.edit(
        actor, definition_id, desk.revision, lambda doc: _without(doc, changes[place], before, desk.kind)
    )


def _without(doc: Doc, change: Change, before: Doc, kind: Kind) -> Doc:
    around, at = change.path[:-1], change.path
    if change.kind_of_change == "placed":
        return _placed(doc, before, at[1]) if at[1] in mapping(doc.get("properties")) else doc
    container = find(doc, around, kind.identities) if around else doc
    if not isinstance(container, dict | list):
        raise Invalid([Problem("gone", "", M("This part is no longer there; the page shows what is."))])
    there = find(doc, at, kind.identities) is not None
    if change.kind_of_change == "added":
        return apply(doc, [Operation("remove", at)], kind.identities)[0] if there else doc
    if there:
        return apply(doc, [Operation("set", at, change.old)], kind.identities)[0]
    name = at[-1] if isinstance(container, dict) else ""
    behind = _behind(container, find(before, around, kind.identities) if around else before, at, kind)
    doc = apply(doc, [Operation("add", around, change.old, name, behind)], kind.identities)[0]
    in_rows = kind.name == "form" and at[0] == "properties" and len(at) == 2 and "x-layout" in doc
    mark = len(at) == 2 and form_rows.is_mark(at)
    return _placed(doc, before, form_rows.name_at(at)) if in_rows or mark else doc


def _behind(container: Doc | list[Any], before: Any, at: Path, kind: Kind) -> str:
    """What a removed thing comes back in front of: what stood nearest behind it, else what follows its neighbour."""
    was, now = (
        _names(each, kind.identities.get(at[-2], "id") if at[1:] else "") for each in (before, container)
    )
    place = was.index(at[-1]) if at[-1] in was else len(was)
    follower = next((name for name in was[place + 1 :] if name in now), "")
    neighbour = next((name for name in reversed(was[:place]) if name in now), "")
    if follower or not neighbour:
        return follower
    return next(iter(now[now.index(neighbour) + 1 :]), "")


def _names(container: Any, identity: str) -> list[str]:
    """What the members of an object or a list are called, in their order."""
    if isinstance(container, dict):
        return list(container)
    members = enumerate(container if isinstance(container, list) else ())
    return [str(each.get(identity, n) if isinstance(each, dict) else each) for n, each in members]


def _placed(doc: Doc, before: Doc, key: str) -> Doc:
    """A field that came back, in the row where it was: beside who was beside it, else in a row below the one above."""
    rows = form_rows.rows_of(before)
    number = next((n for n, row in enumerate(rows) if key in row), 0)
    row = rows[number] if rows else [key]
    column = row.index(key) if key in row else 0
    if len(row) > 1:
        return form_rows.place(doc, key, *(("", row[1]) if column == 0 else (row[column - 1], "")))
    above = rows[number - 1][0] if number else ""
    below = rows[1][0] if not number and rows[1:] else ""
    return form_rows.place(doc, key, above, below, below=True)
