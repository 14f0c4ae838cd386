"""Publishing: all checks, what each kind does to its tables, and the new versions, in one transaction."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from formloop.access import audit, gate, granting, role_kind, roles
from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.definitions import Doc, Kind, find_kind, kinds, parse, upgrade, write
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.registry import Registry
from formloop.core.text import M, localized
from formloop.db import after_commit, connection, hurry, raise_counter, transactional
from formloop.definitions import library
from formloop.definitions.checking import Candidate, as_it_is, check_candidates, in_document, in_order
from formloop.definitions.drafts import RESOURCE, check_text, find_draft, lock, require_free
from formloop.definitions.needed import list_needed
from formloop.definitions.rights import DOES, check_rights, require_rights
from formloop.definitions.tables import definition
from formloop.definitions.tables import version as versions
from formloop.events import jobs

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Published:
    """One definition with the version it now has; `new` is False when nothing had changed."""

    id: str
    kind: str
    key: str
    version: int
    new: bool
    from_pack: bool = False


Listener = Callable[[Actor, Published], None]
listeners: Registry[Listener] = Registry("listener")  # told of each new version, inside the transaction


def _conflicts_told(work: Callable[P, R]) -> Callable[P, R]:
    """Two publish the same at once: the second meets the first one's rows."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return work(*args, **kwargs)
        except IntegrityError as error:
            if "fl_definition" not in str(error.orig):
                raise
            raise Conflict from error

    return run


@transactional
def publish(
    actor: Actor,
    definition_id: str,
    note: str = "",
    revision: int | None = None,
    together: Mapping[str, int] | None = None,
) -> Published:
    """Make the draft the version that runs, and with it what it needs that was never published; Invalid with
    everything that is wrong with it.

    With `revision`, and `together` by the ids of what goes with it, the drafts must be those that somebody saw.
    """
    seen = {**(together or {}), **({} if revision is None else {definition_id: revision})}
    draft = find_draft(definition_id)
    needed = list_needed(draft.definition.kind, draft.doc) if draft else []
    return publish_drafts(actor, [definition_id, *(each.definition.id for each in needed)], note, seen)[0]


@_conflicts_told
@transactional
def publish_drafts(
    actor: Actor, definition_ids: Sequence[str], note: str = "", seen: Mapping[str, int] | None = None
) -> list[Published]:
    """Publish several drafts together, for changes that only make sense at once.

    Conflict where one is no longer at the revision that was `seen`, by its id.
    """
    gate.require(actor, "design", RESOURCE)
    candidates = []
    for definition_id in definition_ids:
        row = lock(definition_id)
        if row is None:
            raise NotFound
        if row.draft is None or (seen or {}).get(definition_id, row.draft_revision) != row.draft_revision:
            raise Conflict(M("The draft has been published or changed by somebody else."))
        kind = kinds.get(row.kind)
        doc, problems = upgrade(parse(row.draft).doc, kind)
        if problems:
            raise Invalid(problems)
        candidates.append(_candidate(kind, doc, row))
    return _publish(actor, candidates, note)


@_conflicts_told
@transactional
def publish_prepared(
    actor: Actor, definition_id: str, doc: Doc, note: str, revision: int, job: int
) -> Published | None:
    """Publish what a job has prepared; None, and nothing is done, when it has come already or was taken back.

    A draft that was changed since its `revision` stays as it is.
    """
    gate.require(actor, "design", RESOURCE)
    hurry()
    row = lock(definition_id)
    if row is None:
        raise NotFound
    if row.publishing != job:
        return None
    candidate = _candidate(kinds.get(row.kind), doc, row, job)
    found = _publish(actor, [candidate], note, keep_draft=row.draft_revision != revision)[0]
    connection().execute(update(definition).where(definition.c.id == row.id).values(publishing=None))
    return found


@_conflicts_told
@transactional
def publish_many(
    actor: Actor, docs: Iterable[Doc], note: str = "", app: str | None = None
) -> list[Published]:
    """Publish documents that come from elsewhere: all or none; what has not changed gets no version.

    With `app` they are a pack's, and drafts that people keep of them stay.
    """
    gate.require(actor, "design", RESOURCE)
    documents = _require_readable(docs)
    taken = [_taken_in(kind, doc, app) for kind, doc in documents]
    from_pack = app is not None
    return _publish(actor, taken, note, keep_draft=from_pack, from_pack=from_pack)


@_conflicts_told
@transactional
def roll_back(actor: Actor, definition_id: str, version: int, note: str = "") -> Published:
    """Make a new version with the content of an old one; tables follow, and no data are lost."""
    gate.require(actor, "design", RESOURCE)
    row = lock(definition_id)
    if row is None:
        raise NotFound
    candidate = _candidate(kinds.get(row.kind), library.read_version(definition_id, version), row)
    return _publish(actor, [candidate], note, keep_draft=True)[0]


@transactional
def archive(actor: Actor, definition_id: str) -> None:
    """Take a definition out of use; its versions and its data stay. Refused while others need it."""
    gate.require(actor, "design", RESOURCE)
    row = lock(definition_id)
    if row is None:
        raise NotFound
    users = library.list_dependents(row.kind, row.key)
    if users:
        names = ", ".join(entry.title for entry in users)
        raise Invalid([Problem("in_use", "", M("This is still used by: {names}.", names=names))])
    require_at_rest(row)
    if row.version:
        require_rights(actor, row.kind, row.key, beyond=DOES)
    _set_archived(actor, definition_id, True)


@transactional
def take_back(actor: Actor, definition_id: str) -> None:
    """Use an archived definition again."""
    gate.require(actor, "design", RESOURCE)
    row = lock(definition_id)
    if row is None:
        raise NotFound
    _set_archived(actor, definition_id, False)
    if row.version:
        require_rights(actor, row.kind, row.key)


@transactional
def move(actor: Actor, definition_ids: Sequence[str], app: str) -> None:
    """Let definitions belong to another application; `""` is none."""
    gate.require(actor, "design", RESOURCE)
    for definition_id in definition_ids:
        row = lock(definition_id)
        if row is None:
            raise NotFound
        connection().execute(update(definition).where(definition.c.id == definition_id).values(app=app))
        audit.note(actor, "definition.moved", f"definition:{definition_id}", before=row.app, after=app)
    _tell_everybody()


def _set_archived(actor: Actor, definition_id: str, archived: bool) -> None:
    connection().execute(update(definition).where(definition.c.id == definition_id).values(archived=archived))
    verb = "archived" if archived else "taken_back"
    audit.note(actor, f"definition.{verb}", f"definition:{definition_id}")
    _tell_everybody()


def _require_readable(docs: Iterable[Doc]) -> list[tuple[Kind, Doc]]:
    """The documents in today's format with their kinds, or Invalid with what is wrong in any of them."""
    readable, wrong, seen = list[tuple[Kind, Doc]](), list[Problem](), set[str]()
    for doc in docs:
        kind, problems = find_kind(doc)
        if kind is not None:
            doc, problems = upgrade(doc, kind)
            problems = problems or check_text(doc, kind)
            readable.append((kind, doc))
        if not problems and doc["x-id"] in seen:
            problems = [
                Problem("id_twice", "x-id", M("Two definitions have the stable id “{id}”.", id=doc["x-id"]))
            ]
        seen.add(str(doc.get("x-id")))
        wrong += [in_document(doc, problem) for problem in problems]
    if wrong:
        raise Invalid(wrong)
    return readable


def _taken_in(kind: Kind, doc: Doc, app: str | None) -> Candidate:
    row = lock(doc["x-id"])
    require_free(doc, row)
    if row is None:
        names = {"title": doc["title"], "title_zh": localized(doc, "title", "zh-CN")}
        made = {"id": doc["x-id"], "kind": kind.name, "key": doc["x-key"], "made_at": clock.now()}
        connection().execute(insert(definition).values(**made, **names, app=app or "", draft_revision=0))
        return Candidate(kind, doc, None, None)
    if app is not None and row.app != app:
        connection().execute(update(definition).where(definition.c.id == row.id).values(app=app))
    return _candidate(kind, doc, row)


def _candidate(kind: Kind, doc: Doc, row: Row[Any], job: int | None = None) -> Candidate:
    if row.publishing != job:
        require_at_rest(row)
    old = library.read_version(row.id, row.version) if row.version else None
    return Candidate(kind, doc, old, row.version, row.archived)


def require_at_rest(row: Row[Any]) -> None:
    """Invalid while a publication of this definition is under way."""
    if row.publishing is not None and not jobs.get_job(row.publishing).over:
        raise Invalid(
            [
                Problem(
                    "publishing",
                    "",
                    M(
                        "“{name}” is being published just now. Wait until that is done, or cancel it.",
                        name=row.title,
                    ),
                )
            ]
        )


def _publish(
    actor: Actor,
    candidates: Sequence[Candidate],
    note: str,
    keep_draft: bool = False,
    from_pack: bool = False,
) -> list[Published]:
    library.list_entries()  # the shelf is read before anything is written
    candidates = [_numbered(candidate) for candidate in candidates]
    coming = library.overlay()
    for candidate in candidates:
        coming.put(candidate.kind.name, candidate.doc["x-key"], candidate.doc, candidate.number)
    _refuse(check_candidates(candidates))
    _refuse(_check_grants(actor, candidates, from_pack))
    changed = [candidate for candidate in in_order(candidates) if candidate.changes]
    for candidate in changed:
        candidate.kind.apply(connection(), candidate.old, candidate.doc)
    for candidate in changed:
        candidate.kind.connect(connection(), candidate.old, candidate.doc)
    for candidate in candidates:
        _write(actor, candidate, note, keep_draft)
        library.find_published(candidate.kind.name, candidate.doc["x-key"])  # fails now rather than later
    found = [
        Published(c.doc["x-id"], c.kind.name, c.doc["x-key"], c.number, c.changes, from_pack)
        for c in candidates
    ]
    for listener in listeners:
        for each in found:
            if each.new:
                listener(actor, each)
    if not from_pack:  # whoever installs packs holds a right of their own to that
        _refuse(_beyond_rights(actor, changed))
    _tell_everybody()
    return found


def _refuse(problems: Sequence[Problem]) -> None:
    if any(problem.severity == "error" for problem in problems):
        raise Invalid(problems)


def _check_grants(actor: Actor, candidates: Sequence[Candidate], from_pack: bool) -> list[Problem]:
    """Roles that would give more than their publisher has.

    A pack may bring new roles that nobody holds yet: giving them to people is judged when that is done.
    """
    found = []
    for candidate in candidates:
        if candidate.kind is not role_kind.ROLE:
            continue
        if from_pack and candidate.old is None and not roles.is_held(candidate.doc["x-key"]):
            continue
        problems = granting.check_role(actor, candidate.old, candidate.doc)
        found += [in_document(candidate.doc, problem) for problem in problems]
    return found


def _beyond_rights(actor: Actor, candidates: Sequence[Candidate]) -> list[Problem]:
    named = in_document if len(candidates) > 1 else as_it_is
    return [named(each.doc, problem) for each in candidates for problem in check_rights(actor, each)]


def _numbered(candidate: Candidate) -> Candidate:
    """The candidate with the number it will have: the present one when nothing changed."""
    query = select(func.max(versions.c.version)).where(versions.c.definition == candidate.doc["x-id"])
    last = connection().execute(query).scalar() or 0
    old, kind = candidate.old, candidate.kind
    if candidate.version and old is not None and write(old, kind) == write(candidate.doc, kind):
        return replace(candidate, number=candidate.version, changes=candidate.archived)
    return replace(candidate, number=last + 1, changes=True)


def _write(actor: Actor, candidate: Candidate, note: str, keep_draft: bool) -> None:
    doc, conn = candidate.doc, connection()
    if candidate.number != candidate.version:
        text = write(doc, candidate.kind)
        conn.execute(
            insert(versions).values(
                definition=doc["x-id"],
                version=candidate.number,
                sha256=hashlib.sha256(text.encode()).hexdigest(),
                body=text,
                note=note,
                by=actor.person_id,
                at=clock.now(),
            )
        )
        about = f"definition:{doc['x-id']}"
        audit.note(actor, "definition.published", about, version=candidate.number, note=note)
    values = {"version": candidate.number, "key": doc["x-key"], "archived": False}
    values |= {"title": doc["title"], "title_zh": localized(doc, "title", "zh-CN")}
    if not keep_draft:
        values |= {"draft": None, "draft_by": None, "draft_at": None}
        values |= {"draft_revision": definition.c.draft_revision + 1}
    was = (
        definition.c.version.is_(None)
        if candidate.version is None
        else definition.c.version == candidate.version
    )
    moved = conn.execute(update(definition).where(definition.c.id == doc["x-id"], was).values(**values))
    if not moved.rowcount:
        raise Conflict


def _tell_everybody() -> None:
    epoch = raise_counter("definitions")
    after_commit(lambda: library.refresh(epoch))
