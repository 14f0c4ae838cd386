"""Versions of a definition, what differs between them, and what publishing would do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from formloop.access import gate, people
from formloop.access.actor import Actor
from formloop.core.definitions import Change, Doc, ImpactRow, diff, kinds, parse, upgrade, write
from formloop.core.errors import NotFound, Problem
from formloop.core.text import M, Titled
from formloop.db import reading
from formloop.definitions import library
from formloop.definitions.checking import Candidate, check_candidates
from formloop.definitions.drafts import RESOURCE, Definition, Draft, find_draft, get_definition
from formloop.definitions.needed import bring_needed, candidate_of, list_needed, list_waiting, told
from formloop.definitions.rights import check_rights
from formloop.definitions.tables import version as versions


@dataclass(frozen=True, slots=True)
class Version:
    """One line of the history."""

    version: int
    note: str
    by: int | None
    by_name: str
    at: datetime
    sha256: str
    current: bool


@dataclass(frozen=True, slots=True)
class Impact:
    """What publishing a document would mean. With an error among the problems it cannot be published."""

    definition: Definition
    number: int | None  # the old version to go back to; None for the draft
    changes: list[Change]
    rows: list[ImpactRow]
    dependents: list[library.Entry]
    problems: list[Problem]
    needed: list[Draft]  # never published either, and published with it
    waiting: list[Draft]  # drafts of what was never published, which need this one

    @property
    def possible(self) -> bool:
        """Whether nothing stands against it."""
        severities = [each.severity for each in self.problems] + [each.severity for each in self.rows]
        return "error" not in severities


def list_history(definition_id: str) -> list[Version]:
    """All versions, the newest first."""
    current = get_definition(definition_id).version
    query = select(versions).where(versions.c.definition == definition_id).order_by(versions.c.version.desc())
    with reading() as conn:
        rows = conn.execute(query).all()
    names = people.names_of(row.by for row in rows)
    return [
        Version(
            version=row.version,
            note=row.note,
            by=row.by,
            by_name=names.get(row.by, ""),
            at=row.at,
            sha256=row.sha256,
            current=row.version == current,
        )
        for row in rows
    ]


def get_version(definition_id: str, version: int) -> Doc:
    """The document of a numbered version, in today's format."""
    return library.read_version(definition_id, version)


def get_text(definition_id: str, version: int | None = None) -> str:
    """The canonical text of a version, or of the draft."""
    kind = kinds.get(get_definition(definition_id).kind)
    if version is not None:
        return write(get_version(definition_id, version), kind)
    return _require_draft(definition_id)[0]


def compare(definition_id: str, old: int, new: int | None = None) -> list[Change]:
    """What differs from version `old` to version `new`, or to the draft."""
    kind = kinds.get(get_definition(definition_id).kind)
    later = _require_draft(definition_id)[1] if new is None else get_version(definition_id, new)
    return diff(get_version(definition_id, old), later, kind)


def check_draft(actor: Actor, definition_id: str) -> list[Problem]:
    """What stands against publishing the draft, with line and column in its text."""
    gate.require(actor, "design", RESOURCE)
    found = get_definition(definition_id)
    with reading(), judged(actor, found, wanted_document(found, None)) as problems:
        return problems


def impact(actor: Actor, definition_id: str, version: int | None = None) -> Impact:
    """What publishing the draft would do, or going back to `version`; nothing is changed."""
    gate.require(actor, "design", RESOURCE)
    found = get_definition(definition_id)
    kind, new = kinds.get(found.kind), wanted_document(found, version)
    with reading() as conn:
        old = library.read_version(found.id, found.version) if found.version else None
        dependents = library.list_dependents(found.kind, found.key)
        needed, waiting = list_needed(found.kind, new), list_waiting(found.kind, found.key)
        with judged(actor, found, new) as problems:
            rows = [] if any_error(problems) else kind.impact(conn, old, new)
            for each in needed if not any_error(problems) else ():
                rows += _named(each, kinds.get(each.definition.kind).impact(conn, None, each.doc))
    changes = diff(old, new, kind) if old is not None else []
    return Impact(found, version, changes, rows, dependents, problems, needed, waiting)


def _named(draft: Draft, rows: list[ImpactRow]) -> list[ImpactRow]:
    name = Titled(draft.doc)
    return [replace(row, message=M("{name}: {problem}", name=name, problem=row.message)) for row in rows]


def wanted_document(found: Definition, version: int | None) -> Doc:
    """The draft, or the document of a version, in today's format."""
    new = _require_draft(found.id)[1] if version is None else get_version(found.id, version)
    return upgrade(new, kinds.get(found.kind))[0]


@contextmanager
def judged(actor: Actor, found: Definition, new: Doc) -> Iterator[list[Problem]]:
    """What stands against publishing `new`; inside the block it is seen as if it were published."""
    kind = kinds.get(found.kind)
    problems = upgrade(new, kind)[1]
    if problems:
        yield problems
        return
    old = library.read_version(found.id, found.version) if found.version else None
    with library.overlay().trying() as coming:
        candidate = Candidate(kind, new, old, found.version, number=(found.version or 0) + 1)
        coming.put(found.kind, found.key, new, candidate.number)
        problems = check_candidates([candidate], bring=bring_needed)
        yield problems if any_error(problems) else [*problems, *list_beyond(actor, candidate)]


def list_beyond(actor: Actor, candidate: Candidate) -> list[Problem]:
    """What it, and what goes along, would do beyond the rights of whoever publishes it."""
    needed = list_needed(candidate.kind.name, candidate.doc)
    along = [told(each, problem) for each in needed for problem in check_rights(actor, candidate_of(each))]
    return check_rights(actor, candidate) + along


def any_error(problems: list[Problem]) -> bool:
    """Whether one of them stands against publishing."""
    return any(problem.severity == "error" for problem in problems)


def _require_draft(definition_id: str) -> tuple[str, Doc]:
    draft = find_draft(definition_id)
    if draft is None:
        raise NotFound(M("There is no draft."))
    return draft.text, parse(draft.text).doc
