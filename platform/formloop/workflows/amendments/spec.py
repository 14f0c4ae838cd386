"""How a form's approved records may be changed: lock stages, what each forbids, and what is offered instead."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from formloop.core.expression import Expression
from formloop.core.text import localized

CANCEL = "cancel"  # what a stage forbids besides paths; "+lines" and "-lines" are lines that come and go
EVERYTHING = "*"


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """How far a record has gone. The first stage counts whose `when` holds; one without it holds always."""

    id: str
    document: Mapping[str, Any]
    when: Expression | None
    forbids: frozenset[str]
    broken: bool = False  # its condition no longer fits the forms

    def title(self, locale: str) -> str:
        """Its name in `locale`."""
        return localized(self.document, "title", locale) or self.id

    def is_forbidden(self, what: str) -> bool:
        """Whether a path, lines that come or go, or cancelling is out of the question at this stage."""
        if EVERYTHING in self.forbids or what in self.forbids:
            return True
        return what != CANCEL and what.lstrip("+-").split(".")[0] in self.forbids

    def list_forbidden(self, what: Iterable[str]) -> list[str]:
        """Those of several that are out of the question."""
        return [each for each in what if self.is_forbidden(each)]


@dataclass(frozen=True, slots=True, eq=False)
class Supplement:
    """The record that is offered where a change is forbidden, and what it takes from the original."""

    form: str
    values: Mapping[str, Expression]


@dataclass(frozen=True, slots=True, eq=False)
class Amends:
    """What a workflow says that is for changes of approved records."""

    stages: tuple[Stage, ...]
    cancelled: str | None  # the state of a record that is cancelled, where that can be proposed
    dependents: tuple[str, ...]  # the forms whose records its conditions look at
    supplement: Supplement | None
