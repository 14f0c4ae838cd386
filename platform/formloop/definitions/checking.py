"""What stands against publishing: the documents' own mistakes, what they need, and whom they would break."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from formloop.core.definitions import Doc, Kind, Reference, check_schema_of, kinds, parse, write
from formloop.core.errors import Problem
from formloop.core.text import M, Titled
from formloop.db import remembered_by
from formloop.definitions import library


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document on its way to being published. `number` is the version it will have."""

    kind: Kind
    doc: Doc
    old: Doc | None
    version: int | None
    archived: bool = False
    number: int = 0
    changes: bool = True

    @property
    def name(self) -> Reference:
        """Kind and key."""
        return self.kind.name, self.doc["x-key"]


UNSEEN = "needed_unseen"  # the code of what is needed and cannot be seen as if it were published
Others: TypeAlias = Callable[[Sequence[Candidate]], list[Problem]]


def check_candidates(
    candidates: Sequence[Candidate], with_others: Others | None = None, bring: Others | None = None
) -> list[Problem]:
    """Everything that is wrong with them; they must lie in the overlay already.

    `with_others` asks what is published already whether it would still work; it is `broken_dependents` unless told.
    `bring` lays what they need into the overlay, too, and says what is wrong with that.
    """
    named = in_document if len(candidates) > 1 else as_it_is
    problems = list[Problem]()
    # what a schema refuses must not be prepared, so all schemas come before all checks
    for check in (_check_form, _check_meaning):
        for candidate in candidates:
            found = check(candidate.doc, candidate.kind)
            problems += [named(candidate.doc, problem) for problem in found]
        if any(problem.severity == "error" for problem in problems):
            return problems
        if bring is not None and check is _check_form:
            problems += bring(candidates)
            if any(problem.code == UNSEEN for problem in problems):
                return problems
    return problems + (with_others or broken_dependents)(candidates)


def _check_form(doc: Doc, kind: Kind) -> list[Problem]:
    return _located(doc, kind, check_schema_of(doc, kind))


def _check_meaning(doc: Doc, kind: Kind) -> list[Problem]:
    problems = kind.check(doc, library.VIEW)
    if not any(problem.severity == "error" for problem in problems):
        problems += [_missing(name) for name in sorted(kind.references(doc)) if not _is_there(name)]
    return _located(doc, kind, problems)


def _located(doc: Doc, kind: Kind, problems: list[Problem]) -> list[Problem]:
    """The problems with line and column in the canonical text."""
    return parse(write(doc, kind)).locate(problems) if problems else []


def as_it_is(_doc: Doc, problem: Problem) -> Problem:
    """The problem of the only document there is."""
    return problem


def in_document(doc: Doc, problem: Problem) -> Problem:
    """The problem with the name of its document in front, where several are checked at once."""
    name = doc.get("title") if isinstance(doc, dict) else None
    return replace(problem, message=M("{name}: {problem}", name=name or "?", problem=problem.message))


def in_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Referenced ones first; of those that need each other, the given order."""
    by_name = {candidate.name: candidate for candidate in candidates}
    done = dict[Reference, Candidate]()
    visiting = set[Reference]()

    def visit(name: Reference) -> None:
        if name in done or name in visiting:
            return
        visiting.add(name)
        for needed in sorted(by_name[name].kind.references(by_name[name].doc)):
            if needed in by_name:
                visit(needed)
        done[name] = by_name[name]

    for name in by_name:
        visit(name)
    return list(done.values())


def _is_there(name: Reference) -> bool:
    kind, key = name
    return kind not in kinds or library.find_document(kind, key) is not None


def _missing(name: Reference) -> Problem:
    kind, key = name
    message = M("This needs the {kind} “{key}”, which is not published.", kind=kinds.get(kind).title, key=key)
    return Problem("missing_definition", "", message)


_UNFELT = {
    "title", "x-title", "description", "x-description", "x-titles", "icon", "color", "x-layout", "x-list", "x-print",
    "x-share", "x-examples", "x-checks", "x-width", "x-capital", "x-head", "x-foot", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "pattern",
}  # fmt: skip
_ITS_OWN = {
    "x-formula",
    "x-default",
    "x-visible",
    "x-required",
    "x-readonly",
    "x-linkage",
}  # that there is one counts
_GROWING = {"properties", "x-states"}  # others rest on those that were there


def _felt(value: Any, named: bool = False) -> Any:
    """What other definitions may rest on in a document. The keys of what is `named` are names of its maker's."""
    if isinstance(value, list):
        return [_felt(each) for each in value]
    if not isinstance(value, dict):
        return value
    if named:
        return {key: _felt(each) for key, each in value.items()}
    return {k: k in _ITS_OWN or _felt(v, k in _GROWING) for k, v in value.items() if k not in _UNFELT}


def _keeps(old: Any, new: Any, growing: bool = False) -> bool:
    """Whether what was felt of a document is felt of the new one, too."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return bool(old == new)
    if not growing and old.keys() != new.keys():
        return False
    return all(key in new and _keeps(value, new[key], key in _GROWING) for key, value in old.items())


def is_felt(candidate: Candidate) -> bool:
    """Whether a change takes something away, or makes another thing of it, that other definitions may rest on."""
    return candidate.old is not None and not _keeps(_felt(candidate.old), _felt(candidate.doc))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Candidates of which others feel the same are the same question to them."""

    felt: str
    candidates: Sequence[Candidate] = field(compare=False)


def remembered_dependents(candidates: Sequence[Candidate]) -> list[Problem]:
    """The same while somebody edits: asked once for what is felt of the candidates."""
    felt = [each for each in candidates if is_felt(each)]
    return _remember(_Asked(repr([(c.name, _felt(c.doc)) for c in felt]), felt)) if felt else []


@remembered_by("definitions")
def _remember(asked: _Asked) -> list[Problem]:
    return broken_dependents(asked.candidates)


def broken_dependents(candidates: Sequence[Candidate]) -> list[Problem]:
    """New mistakes of definitions that are published already and refer to a candidate, however far.

    An expression may step from one form into the next, so a change is felt beyond the nearest ones.
    """
    inside = {candidate.name for candidate in candidates}
    problems = list[Problem]()
    touched = library.list_dependents_however_far(
        c.name for c in candidates if c.old is not None and c.changes
    )
    for entry in touched:
        name = (entry.kind, entry.key)
        doc, kind = library.find_document(*name), kinds.get(entry.kind)
        if name in inside or doc is None:
            continue
        for problem in kind.check(doc, library.VIEW):
            if problem.severity == "error" and not _was_there(problem, doc, kind):
                message = M(
                    "{name} would no longer work: {problem}",
                    name=Titled(doc, entry.key),
                    problem=problem.message,
                )
                problems.append(Problem("breaks", f"{entry.kind}.{entry.key}.{problem.at}", message))
    return problems


def _was_there(problem: Problem, doc: Doc, kind: Kind) -> bool:
    coming = library.overlay()
    with coming.trying():
        coming.documents = {}
        return any(
            (each.code, each.at) == (problem.code, problem.at) for each in kind.check(doc, library.VIEW)
        )
