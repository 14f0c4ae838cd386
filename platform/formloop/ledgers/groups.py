"""Entries that are written together."""

from dataclasses import dataclass
from typing import Any

from formloop.ledgers.engine import Sheet
from formloop.ledgers.revaluing import Revaluation


@dataclass(slots=True, eq=False)
class Group:
    """Entries that belong together: of one record under one posting, or what follows from such ones."""

    sheet: Sheet
    source: str
    purpose: str
    form: str
    record: int
    reverses: int | None = None
    because: int | None = None
    inputs: Any = None
    root: int | None = None  # the group that this corrects, where that stands
    id: int = 0
    revaluations: tuple[Revaluation, ...] = ()  # of which the sheet has the sums
