"""What a document needs that was never published: it is published with it, and until then seen as if it were."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from formloop.core.definitions import Doc, Reference, check_schema_of, kinds
from formloop.core.errors import Problem
from formloop.core.text import M, Titled
from formloop.db import reading, remembered_by
from formloop.definitions import library
from formloop.definitions.checking import UNSEEN, Candidate, check_candidates
from formloop.definitions.drafts import Draft, find_draft, find_unpublished, list_unpublished


def list_needed(kind: str, doc: Doc) -> list[Draft]:
    """The drafts that a document needs, however far, of definitions that were never published."""
    own, found = (kind, doc.get("x-key")), dict[Reference, Draft]()
    waiting = _needs(kind, doc)
    while waiting:
        name = waiting.pop()
        if name == own or name in found or name[0] not in kinds or not library.is_new(*name):
            continue
        definition = find_unpublished(*name)
        draft = find_draft(definition.id) if definition and not definition.archived else None
        if draft is not None:
            found[name] = draft
            waiting += _needs(name[0], draft.doc)
    return [found[name] for name in sorted(found)]


def list_waiting(kind: str, key: str) -> list[Draft]:
    """The drafts of definitions that were never published which need this one."""
    return [
        each
        for other in kinds
        for each in list_unpublished(other.name)
        if (kind, key) in _needs(other.name, each.doc) and each.doc["x-key"] != key
    ]


def _needs(kind: str, doc: Doc) -> list[Reference]:
    """What a draft refers to; of one that is wrong in its very shape the form alone."""
    if check_schema_of(doc, kinds.get(kind)):
        return [("form", doc["form"])] if isinstance(doc.get("form"), str) else []
    return sorted(kinds.get(kind).references(doc))


def bring(needed: Sequence[Draft], own: Reference | None = None) -> list[Problem]:
    """Let the open transaction, or the block that tries something, see drafts as published; what is to be said of them.

    `own` is what needs them and lies there already. Where one of them has not even the shape of its kind, none is seen.
    """
    shapes = [(each, check_schema_of(each.doc, kinds.get(each.definition.kind))) for each in needed]
    if wrong := [told(each, problem, UNSEEN) for each, problems in shapes for problem in problems]:
        return wrong
    for each in needed:
        library.overlay().put(each.definition.kind, each.doc["x-key"], each.doc, 0)
    if any(own in _needs(each.definition.kind, each.doc) for each in needed):
        return _check(needed)  # what they come to hangs on a document that somebody is writing
    return _remember(_Asked(tuple((each.definition.id, each.revision) for each in needed), needed))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Drafts at the same revisions are the same question."""

    revisions: tuple[tuple[str, int], ...]
    drafts: Sequence[Draft] = field(compare=False)


@remembered_by("definitions")
def _remember(asked: _Asked) -> list[Problem]:
    return _check(asked.drafts)


def _check(needed: Sequence[Draft]) -> list[Problem]:
    return [told(each, problem) for each in needed for problem in check_candidates([candidate_of(each)])]


def candidate_of(draft: Draft) -> Candidate:
    """A draft of what was never published, on its way to its first version."""
    return Candidate(kinds.get(draft.definition.kind), draft.doc, None, None, number=1)


def bring_needed(candidates: Sequence[Candidate]) -> list[Problem]:
    """The same for what candidates of the right shape need."""
    return [
        problem for each in candidates for problem in bring(list_needed(each.kind.name, each.doc), each.name)
    ]


def told(draft: Draft, problem: Problem, code: str = "needed") -> Problem:
    """A problem of a draft, told where another one needs it."""
    text = M(
        "“{name}”, which was never published and is needed: {problem}",
        name=Titled(draft.doc),
        problem=problem.message,
    )
    return replace(problem, code=code, at="", line=None, column=None, message=text)


@contextmanager
def seen_as_published(needed: Sequence[Draft]) -> Iterator[list[Problem]]:
    """Inside the block these drafts are seen as if they were published; they have no records, nor tables.

    Yields what is wrong with them.
    """
    with reading(), library.overlay().trying():
        yield [each for each in bring(needed) if each.severity == "error"]
