"""Drafts: what a builder works on until it is published. A draft may be wrong; it may not be nonsense."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from formloop.access import audit, gate
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.definitions import Doc, Kind, check_depth, check_schema_of, kinds, parse, write
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M, localized
from formloop.db import connection, reading, transactional
from formloop.definitions.tables import definition

RESOURCE = "definition"
_IDENTITY = ("x-kind", "x-id", "x-key")


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition as the list shows it. `version` is None until it is published for the first time."""

    id: str
    kind: str
    key: str
    app: str
    title: str
    title_zh: str
    version: int | None
    has_draft: bool
    draft_revision: int
    draft_by: int | None
    draft_at: datetime | None
    archived: bool
    publishing: int | None = None  # the job that publishes it, while it does

    def name(self, locale: str) -> str:
        """Its title in `locale`."""
        return (self.title_zh if locale.startswith("zh") else "") or self.title


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft with its text and what is wrong with it so far. `revision` goes along with the next save."""

    definition: Definition
    doc: Doc
    text: str
    revision: int


overwriting: list[Callable[[Row[Any]], None]] = []  # rooms above look at a draft before it is overwritten


@transactional
def save_draft(
    actor: Actor, kind: str, doc: Doc, revision: int | None = None, app: str | None = None
) -> Definition:
    """Keep `doc` as the draft of its definition, made anew when its `x-id` is not known or missing.

    With `revision` it must be the one the editor started from, else Conflict. Mistakes inside the document
    are kept as they are; `check_draft` and `publish` tell them.
    """
    gate.require(actor, "design", RESOURCE)
    doc = {**doc, "x-kind": kind, "x-id": doc.get("x-id") or clock.new_key()}
    problems = check_text(doc, kinds.get(kind))
    if problems:
        raise Invalid(problems)
    text = write(doc, kinds.get(kind))
    row = lock(doc["x-id"])
    names = {"title": str(doc["title"]), "title_zh": localized(doc, "title", "zh-CN")}
    written = {"draft": text, "draft_by": actor.person_id, "draft_at": clock.now()}
    require_free(doc, row)
    try:
        if row is None:
            values = {**names, **written, "draft_revision": 1, "app": app or "", "made_at": clock.now()}
            connection().execute(
                insert(definition).values(id=doc["x-id"], kind=kind, key=doc["x-key"], **values)
            )
        else:
            if revision not in (None, row.draft_revision):
                raise Conflict(current={"revision": row.draft_revision, "text": row.draft})
            for look in overwriting:
                look(row)
            shown = names if row.version is None else {}
            values = {**shown, **written, "draft_revision": row.draft_revision + 1, "key": doc["x-key"]}
            values |= {} if app is None else {"app": app}
            connection().execute(update(definition).where(definition.c.id == row.id).values(**values))
    except IntegrityError as error:
        raise Conflict from error
    return get_definition(doc["x-id"])


@transactional
def discard_draft(actor: Actor, definition_id: str) -> None:
    """Forget the draft; the published version stays as it is."""
    gate.require(actor, "design", RESOURCE)
    row = lock(definition_id)
    if row is None or row.draft is None:
        raise NotFound(M("There is no draft."))
    gone = {"draft": None, "draft_by": None, "draft_at": None, "draft_revision": row.draft_revision + 1}
    connection().execute(update(definition).where(definition.c.id == definition_id).values(**gone))
    audit.note(actor, "definition.draft_discarded", f"definition:{definition_id}", text=row.draft)


def find_draft(definition_id: str) -> Draft | None:
    """The draft of a definition, or None."""
    with reading() as conn:
        row = conn.execute(select(definition).where(definition.c.id == definition_id)).one_or_none()
    if row is None or row.draft is None:
        return None
    return Draft(_shown(row), parse(row.draft).doc, row.draft, row.draft_revision)


def find_draft_by_key(kind: str, key: str) -> Doc | None:
    """The draft of the definition with this key, or None."""
    own = definition.c.kind == kind, definition.c.key == key
    with reading() as conn:
        draft = conn.execute(select(definition.c.draft).where(*own)).scalar()
    return None if draft is None else parse(draft).doc


def find_by_key(kind: str, key: str) -> Definition | None:
    """The definition with this key, or None."""
    own = definition.c.kind == kind, definition.c.key == key
    with reading() as conn:
        row = conn.execute(select(definition).where(*own)).one_or_none()
    return None if row is None else _shown(row)


def find_unpublished(kind: str, key: str) -> Definition | None:
    """The definition with this key that was never published, or None."""
    own = definition.c.kind == kind, definition.c.key == key
    with reading() as conn:
        row = conn.execute(select(definition).where(*own, definition.c.version.is_(None))).first()
    return None if row is None else _shown(row)


def list_drafts(kind: str) -> dict[str, Doc]:
    """The drafts of a kind that there are, by key; one query."""
    query = select(definition.c.key, definition.c.draft).where(
        definition.c.kind == kind, definition.c.draft.is_not(None)
    )
    with reading() as conn:
        return {row.key: parse(row.draft).doc for row in conn.execute(query)}


def get_definition(definition_id: str) -> Definition:
    """The definition with this stable id."""
    with reading() as conn:
        row = conn.execute(select(definition).where(definition.c.id == definition_id)).one_or_none()
    if row is None:
        raise NotFound
    return _shown(row)


def list_definitions(kind: str | None = None, app: str | None = None) -> list[Definition]:
    """All definitions, drafts and archived ones too, by kind and key."""
    query = select(definition).order_by(definition.c.kind, definition.c.key)
    if kind is not None:
        query = query.where(definition.c.kind == kind)
    if app is not None:
        query = query.where(definition.c.app == app)
    with reading() as conn:
        return [_shown(row) for row in conn.execute(query)]


def lock(definition_id: str) -> Row[Any] | None:
    """The row of a definition, held until the transaction ends."""
    query = select(definition).where(definition.c.id == definition_id).with_for_update()
    return connection().execute(query).one_or_none()


def check_text(doc: Doc, kind: Kind) -> list[Problem]:
    """Whether a document can be written down and says properly which definition it is."""
    if problems := check_depth(doc):
        return problems
    try:
        parsed = parse(write(doc, kind))
    except (RecursionError, TypeError, ValueError):
        return [Problem("syntax", "", M("This is not well-formed JSON."))]
    if parsed.problems:
        return parsed.problems
    own = [*_IDENTITY, "title", "x-title"]
    required = ", ".join(key for key in own[:-1] if key not in doc)
    if required:
        return [Problem("missing", "", M("“{key}” is missing here.", key=required))]
    named = {key: doc[key] for key in own if key in doc}
    return [problem for problem in check_schema_of(named, kind) if problem.at.split(".")[0] in own]


def require_free(doc: Doc, row: Row[Any] | None) -> None:
    """The key must not belong to another definition, and id, kind and key of a published one are for ever."""
    query = select(definition.c.id).where(
        definition.c.kind == doc["x-kind"], definition.c.key == doc["x-key"], definition.c.id != doc["x-id"]
    )
    if connection().execute(query).first():
        raise Invalid([Problem("key_taken", "x-key", M("The key “{key}” is taken.", key=doc["x-key"]))])
    if row is not None and row.kind != doc["x-kind"]:
        message = M("The stable id “{id}” belongs to a definition of another kind.", id=row.id)
        raise Invalid([Problem("id_taken", "x-id", message)])
    if row is not None and row.version is not None and row.key != doc["x-key"]:
        message = M("A key cannot change once it is published; it is “{key}”.", key=row.key)
        raise Invalid([Problem("key_fixed", "x-key", message)])


def _shown(row: Row[Any]) -> Definition:
    return Definition(
        id=row.id,
        kind=row.kind,
        key=row.key,
        app=row.app,
        title=row.title,
        title_zh=row.title_zh,
        version=row.version,
        has_draft=row.draft is not None,
        draft_revision=row.draft_revision,
        draft_by=row.draft_by,
        draft_at=row.draft_at,
        archived=row.archived,
        publishing=row.publishing,
    )


def list_unpublished(kind: str) -> list[Draft]:
    """The drafts of definitions that were never published."""
    wanted = definition.c.kind == kind, definition.c.version.is_(None), definition.c.draft.is_not(None)
    with reading() as conn:
        rows = conn.execute(select(definition).where(*wanted).order_by(definition.c.id)).all()
    return [Draft(_shown(row), parse(row.draft).doc, row.draft, row.draft_revision) for row in rows]
