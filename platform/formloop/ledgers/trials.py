"""What a record that is only tried has entered on the way to the state that enters it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from formloop.access.actor import Actor
from formloop.core.errors import Invalid, Problem
from formloop.db import kept
from formloop.forms.spec import Values
from formloop.ledgers.book import Book
from formloop.ledgers.engine import Sheet

Way = Callable[[Actor, str, Values], None]  # raises what would refuse it
Teller = Callable[[Actor, str, int, Invalid], list[Problem]]

ways: list[Way] = []  # how records come on their way: rooms above this one know
tellers: list[Teller] = []  # what of a refusal somebody may know who tries a record; they know that, too


@dataclass(slots=True)
class Trial:
    """What one record has entered since it is tried, by posting."""

    form: str
    record: int
    sheets: dict[str, list[Sheet]] = field(default_factory=dict)


@contextmanager
def watched(form: str, record: int) -> Iterator[Trial]:
    """Note what a record enters inside the block, in the open transaction."""
    under_way, trial = _under_way(), Trial(form, record)
    under_way.append(trial)
    try:
        yield trial
    finally:
        under_way.pop()


def told(actor: Actor, form: str, record: int, error: Invalid) -> list[Problem]:
    """Why a record that is tried is refused, as far as whoever tries it may know."""
    for tell in tellers:
        error = Invalid(tell(actor, form, record, error))
    return error.problems


def note(posting: str, book: Book) -> None:
    """A book of a posting has been entered."""
    for trial in _under_way():
        mine = [g.sheet for g in book.groups if (g.form, g.record) == (trial.form, trial.record)]
        if mine:
            trial.sheets[posting] = mine


def _under_way() -> list[Trial]:
    return kept("ledgers.trials", list)
