"""Three states of a definition into one: the shipped base, mine (edited here) and theirs (the new release)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from formloop.core.definitions.kind import Doc, Kind
from formloop.core.definitions.parts import ABSENT, Path, Split, same, split
from formloop.core.definitions.writing import canonical


@dataclass(frozen=True, slots=True)
class ConflictAt:
    """Mine and theirs changed the same thing differently. A value is ABSENT where the thing is not there.

    `of_order` says that only the order of the members differs; the values are then lists of their names.
    """

    path: Path
    base: Any
    mine: Any
    theirs: Any
    of_order: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """The merged document. Where there is a conflict it says what mine says."""

    doc: Doc
    conflicts: list[ConflictAt]


def merge(
    base: Doc, mine: Doc, theirs: Doc, kind: Kind | None = None, choices: Mapping[Path, str] | None = None
) -> Merge:
    """Everything mine and theirs changed since `base`, by stable ids.

    `choices` decide conflicts by their path: "mine" or "theirs"; a decided conflict is none any more.
    """
    work = _Merging(kind.identities if kind else {}, choices or {})
    doc = work.merge(canonical(base, kind), canonical(mine, kind), canonical(theirs, kind), ())
    return Merge(canonical(doc, kind), work.conflicts)


@dataclass(slots=True)
class _Merging:
    identities: Mapping[str, str]
    choices: Mapping[Path, str]
    conflicts: list[ConflictAt] = field(default_factory=list)

    def merge(self, base: Any, mine: Any, theirs: Any, path: Path) -> Any:
        if same(mine, theirs) or same(base, theirs):
            return mine
        if same(base, mine):
            return theirs
        # what one side removed and the other changed is for a person to decide, as a whole
        parts = None if ABSENT in (mine, theirs) else self._split(base, mine, theirs, path)
        if parts is None:
            return self._decide(ConflictAt(path, base, mine, theirs))
        return self._merge_parts(parts, path)

    def _split(self, base: Any, mine: Any, theirs: Any, path: Path) -> Split | None:
        return split((base, mine, theirs), path[-1] if path else "", self.identities)

    def _merge_parts(self, parts: Split, path: Path) -> Any:
        base, mine, theirs = parts.parts
        merged = dict[str, Any]()
        for name in {**base, **mine, **theirs}:
            b, m, t = (side.get(name, ABSENT) for side in parts.parts)
            value = self.merge(b, m, t, (*path, name))
            if value is not ABSENT:
                merged[name] = value
        order = self._order(list(base), list(mine), list(theirs), path)
        return parts.join({name: merged[name] for name in order if name in merged})

    def _order(self, base: list[str], mine: list[str], theirs: list[str], path: Path) -> list[str]:
        """Both orders in one: that of the side which moved something, the other's additions put in."""
        shared = set(base) & set(mine) & set(theirs)
        b, m, t = ([name for name in side if name in shared] for side in (base, mine, theirs))
        if m == t or b == t:
            first, second = mine, theirs
        elif b == m:
            first, second = theirs, mine
        elif self._decide(ConflictAt(path, base, mine, theirs, of_order=True)) is mine:
            first, second = mine, theirs
        else:
            first, second = theirs, mine
        return _put_in(first, second)

    def _decide(self, conflict: ConflictAt) -> Any:
        chosen = self.choices.get(conflict.path)
        if chosen is None:
            self.conflicts.append(conflict)
        return conflict.theirs if chosen == "theirs" else conflict.mine


def _put_in(first: list[str], second: list[str]) -> list[str]:
    """The names of `first`, and after its predecessor in `second` each name only that one has."""
    there, following, leading = set(first), dict[str, list[str]](), list[str]()
    place = leading
    for name in second:
        if name in there:
            place = following.setdefault(name, [])
        else:
            place.append(name)
    result = leading
    for name in first:
        result += [name, *following.get(name, ())]
    return result
