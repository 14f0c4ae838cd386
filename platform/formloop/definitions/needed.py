"""What a document needs that was never published: it is published with it, and until then seen as if it were."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from formloop.core.definitions import Doc, Reference, check_schema_of, kinds
from formloop.core.errors import Problem
from formloop.core.text import M, Titled
from formloop.db import reading
from formloop.definitions import library
from formloop.definitions.checking import Candidate, check_candidates
from formloop.definitions.drafts import Draft, find_draft, find_unpublished, list_unpublished


def list_needed(kind: str, doc: Doc) -> list[Draft]:
    """The drafts that a document needs, however far, of definitions that were never published."""
    own, found = (kind, doc.get("x-key")), dict[Reference, Draft]()
    waiting = _needs(kind, doc)
    while waiting:
        name = waiting.pop()
        if name == own or name in found or name[0] not in kinds or library.find_document(*name) is not None:
            continue
        definition = find_unpublished(*name)
        draft = find_draft(definition.id) if definition else None
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


def bring(needed: Sequence[Draft]) -> list[Problem]:
    """Let the open transaction, or the block that tries something, see drafts as published; what is wrong with them.

    Where one of them has not even the shape of its kind, none is seen.
    """
    shapes = [(each, check_schema_of(each.doc, kinds.get(each.definition.kind))) for each in needed]
    if wrong := [_of(each, problem) for each, problems in shapes for problem in problems]:
        return wrong
    for each in needed:
        library.overlay().put(each.definition.kind, each.doc["x-key"], each.doc, 0)
    candidates = [candidate_of(each) for each in needed]
    return [
        _of(each, problem)
        for each, candidate in zip(needed, candidates, strict=True)
        for problem in check_candidates([candidate])
        if problem.severity == "error"
    ]


def candidate_of(draft: Draft) -> Candidate:
    """A draft of what was never published, on its way to its first version."""
    return Candidate(kinds.get(draft.definition.kind), draft.doc, None, None, number=1)


def bring_needed(candidates: Iterable[Candidate]) -> list[Problem]:
    """The same for what candidates of the right shape need."""
    return [problem for each in candidates for problem in bring(list_needed(each.kind.name, each.doc))]


def _of(draft: Draft, problem: Problem) -> Problem:
    """A problem of a draft, told where another one needs it."""
    text = M(
        "“{name}”, which was never published and is needed: {problem}",
        name=Titled(draft.doc),
        problem=problem.message,
    )
    return replace(problem, code="needed", at="", line=None, column=None, message=text)


@contextmanager
def seen_as_published(needed: Sequence[Draft]) -> Iterator[list[Problem]]:
    """Inside the block these drafts are seen as if they were published; they have no records, nor tables.

    Yields what is wrong with them.
    """
    with reading(), library.overlay().trying():
        yield bring(needed)
