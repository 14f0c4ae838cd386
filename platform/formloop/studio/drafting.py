"""Drafts edited step by step: each edit is kept at once, fifty can be taken back, nothing is overwritten unseen."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Row

from formloop.access import gate, people
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.definitions import Doc, Kind, check_depth, kinds, parse, write
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.definitions import drafts, editor, library, publishing
from formloop.definitions import service as definitions
from formloop.definitions.drafts import RESOURCE, lock
from formloop.studio.tables import desk, step

STEPS = 50  # that can be taken back
LEFT_AFTER = timedelta(minutes=15)  # whoever does nothing for so long has left

Change = Callable[[Doc], Doc]


@dataclass(frozen=True, slots=True)
class Desk:
    """A definition as its designer shows it. `editor` is somebody else who edits it now, by name."""

    definition: definitions.Definition
    kind: Kind
    doc: Doc
    text: str
    revision: int
    can_undo: bool
    can_redo: bool
    saved_at: datetime | None
    editor: str = ""


def open_desk(actor: Actor, definition_id: str) -> Desk:
    """The draft, or the published version where there is none yet."""
    gate.require(actor, "design", RESOURCE)
    found = definitions.get_definition(definition_id)
    text, revision = editor.text_of(found)
    with reading() as conn:
        row = conn.execute(select(desk).where(desk.c.definition == definition_id)).one_or_none()
        places = conn.execute(select(step.c.place).where(step.c.definition == definition_id)).scalars().all()
    current = row is not None and found.has_draft
    place = row.place if row is not None and current else 0
    undone = current and row is not None and row.revision != revision  # saved as text: one step more
    other = _other(actor, row)
    return Desk(
        definition=found,
        kind=kinds.get(found.kind),
        doc=parse(text).doc,
        text=text,
        revision=revision,
        can_undo=current and (undone or place - 1 in places),
        can_redo=current and not undone and place + 1 in places,
        saved_at=found.draft_at,
        editor=people.names_of([other]).get(other, "") if other is not None else "",
    )


@transactional
def edit(actor: Actor, definition_id: str, revision: int | None, change: Change) -> Desk:
    """Keep what `change` makes of the draft as its newest step; Conflict when the page was not up to date."""
    row, place = _sit_down(actor, definition_id, revision)
    before = _text(row)
    try:
        doc = change(parse(before).doc)
        if problems := check_depth(doc):
            raise Invalid(problems)
        text = write(doc, kinds.get(row.kind))
    except RecursionError:
        raise Invalid([Problem("too_deep", "", M("This is nested too deeply."))]) from None
    if text != before:
        _keep(actor, row, doc, place + 1)
        _add(definition_id, place, text)
    return open_desk(actor, definition_id)


@transactional
def undo(actor: Actor, definition_id: str, revision: int | None) -> Desk:
    """Take the newest step back."""
    return _go(actor, definition_id, revision, -1)


@transactional
def redo(actor: Actor, definition_id: str, revision: int | None) -> Desk:
    """Do again what was taken back last."""
    return _go(actor, definition_id, revision, +1)


@transactional
def take_over(actor: Actor, definition_id: str) -> Desk:
    """Go on in place of whoever edits now; their page will tell them."""
    gate.require(actor, "design", RESOURCE)
    if lock(definition_id) is None:
        raise NotFound
    taken = {"editor": actor.person_id, "at": clock.now()}
    connection().execute(update(desk).where(desk.c.definition == definition_id).values(**taken))
    return open_desk(actor, definition_id)


def check(actor: Actor, found: Desk, with_others: bool = False) -> list[Problem]:
    """What stands against publishing the draft as it is now; `with_others` also whom of what is published it would break."""
    return editor.check(actor, found.kind, found.text, found.definition.id, with_others)


def is_felt(found: Desk) -> bool:
    """Whether others need to be asked, too."""
    return editor.is_felt_by_others(found.definition, found.doc)


def enroll() -> None:
    """A published draft is finished: its steps are forgotten; one that is overwritten is a step."""
    if _before_overwriting not in drafts.overwriting:
        drafts.overwriting.append(_before_overwriting)
    if "studio" not in publishing.listeners:
        publishing.listeners.add("studio", lambda _actor, published: _forget(published.id))


def _forget(definition_id: str) -> None:
    for table in (step, desk):
        connection().execute(delete(table).where(table.c.definition == definition_id))


def _sit_down(actor: Actor, definition_id: str, revision: int | None) -> tuple[Row[Any], int]:
    """The definition's row and the place of the step that shows; Conflict when somebody else is at it."""
    gate.require(actor, "design", RESOURCE)
    row = lock(definition_id)
    if row is None:
        raise NotFound
    found = connection().execute(select(desk).where(desk.c.definition == definition_id)).one_or_none()
    other = _other(actor, found)
    if other is not None:
        name = people.names_of([other]).get(other, "")
        raise Conflict(M("{name} is editing this. Take over, or wait until they are done.", name=name))
    if revision != row.draft_revision:
        raise Conflict(M("This was changed meanwhile. The page now shows the newest state."))
    if found is None or row.draft is None:
        return row, _begin(row, actor.person_id)
    return row, _catch_up(row, found)


def _begin(row: Row[Any], editor: int | None) -> int:
    """Steps from what there is now."""
    _forget(row.id)
    values = {"definition": row.id, "place": 0, "revision": row.draft_revision}
    connection().execute(insert(desk).values(**values, editor=editor, at=clock.now()))
    return _add(row.id, -1, _text(row))


def _catch_up(row: Row[Any], found: Row[Any]) -> int:
    """The place of the step that shows: what was saved as text meanwhile is a step of its own."""
    if found.revision == row.draft_revision:
        return int(found.place)
    place = _add(row.id, found.place, row.draft)
    kept = {"place": place, "revision": row.draft_revision}
    connection().execute(update(desk).where(desk.c.definition == row.id).values(**kept))
    return place


def _before_overwriting(row: Row[Any]) -> None:
    """Several saves as text, one after the other, are as many steps; those of a draft that was discarded are gone."""
    found = connection().execute(select(desk).where(desk.c.definition == row.id)).one_or_none()
    if found is not None and found.revision == row.draft_revision:
        return
    if found is not None and row.draft is not None:
        _catch_up(row, found)
    elif row.draft is not None or row.version is not None:
        _begin(row, None)


def _other(actor: Actor, row: Row[Any] | None) -> int | None:
    """Who else sits at the desk and has not left it."""
    if row is None or row.editor in (None, actor.person_id) or row.at < clock.now() - LEFT_AFTER:
        return None
    return int(row.editor)


def _text(row: Row[Any]) -> str:
    if row.draft is not None:
        return str(row.draft)
    if row.version is None:
        raise NotFound(M("There is no draft."))
    return write(library.read_version(row.id, row.version), kinds.get(row.kind))


def _add(definition_id: str, place: int, text: str) -> int:
    """A step behind `place`; what was taken back there is gone, and so is what is too long ago."""
    mine = step.c.definition == definition_id
    too_old = step.c.place <= place - STEPS
    connection().execute(delete(step).where(mine, (step.c.place > place) | too_old))
    connection().execute(insert(step).values(definition=definition_id, place=place + 1, text=text))
    return place + 1


def _keep(actor: Actor, row: Row[Any], doc: Doc, place: int) -> None:
    saved = definitions.save_draft(actor, row.kind, doc, row.draft_revision)
    values = {"place": place, "revision": saved.draft_revision, "editor": actor.person_id, "at": clock.now()}
    connection().execute(update(desk).where(desk.c.definition == row.id).values(**values))


def _go(actor: Actor, definition_id: str, revision: int | None, by: int) -> Desk:
    row, place = _sit_down(actor, definition_id, revision)
    wanted = (step.c.definition == definition_id) & (step.c.place == place + by)
    text = connection().execute(select(step.c.text).where(wanted)).scalar()
    if text is not None:
        _keep(actor, row, parse(text).doc, place + by)
    return open_desk(actor, definition_id)
