"""What is to be saved and how, as those who ask say it; and who may lock records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from formloop.core.errors import Problem
from formloop.forms.spec import FormSpec, Values


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be saved: raw values, and the record to change (None: a new one) as its reader saw it."""

    raw: Mapping[str, Any]
    id: int | None = None
    revision: int | None = None
    state: str | None = None
    owner: int | None = None  # of a new record: whoever saves it, unless said
    department: int | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How a save treats what it is given.

    `trusted`: the values are taken as they are, read-only fields and serial numbers too, and the person's
    rights are not asked unless `asks` names the action whose grants count for rows and fields (an import).
    `fields`: the paths that may be changed beyond or within the person's grants (a workflow node's field
    rights). `unlocked`: a record under approval may be changed too. `dry`: find every problem, save nothing.
    `unique`: fields that may occur only once and by which the caller has just looked, in this transaction, for
    records that are there, so that nobody else needs to. `restores`: the values were there before, so what they
    point to is not asked again whether it may be chosen.
    """

    trusted: bool = False
    asks: str | None = None
    fields: frozenset[str] | None = None
    unlocked: bool = False
    dry: bool = False
    unique: frozenset[str] = frozenset()
    restores: bool = False

    @property
    def free(self) -> bool:
        """Whether nobody's rights are asked."""
        return self.trusted and self.asks is None


@dataclass(slots=True)
class Outcome:
    """What became of one draft: the record as saved, or the problems that kept it from being saved."""

    id: int | None
    values: Values
    problems: list[Problem] = field(default_factory=list)
    action: str = "unchanged"


Guard = Callable[[FormSpec, Values], bool]
_guards: list[Guard] = []


def guard_changes(guard: Guard) -> Guard:
    """Let `guard(spec, record)` say whether a record is locked against changes by hand (a workflow does)."""
    if guard not in _guards:
        _guards.append(guard)
    return guard


def is_locked(spec: FormSpec, record: Values) -> bool:
    """Whether a record may only be changed by a workflow or an amendment."""
    return any(guard(spec, record) for guard in _guards)
