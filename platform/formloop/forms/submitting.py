"""Sending saved records on to be decided about: workflows say how it is done, an import asks for it."""

from collections.abc import Callable
from dataclasses import dataclass

from formloop.access.actor import Actor
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M


@dataclass(frozen=True, slots=True)
class Way:
    """How records are submitted: `send` one of a form in somebody's name, and the `state` it then has."""

    send: Callable[[Actor, str, int], object]
    state: Callable[[str], str | None]


_ways: list[Way] = []


def add_way(way: Way) -> None:
    """Let records be submitted in this way; adding it twice counts once."""
    if way not in _ways:
        _ways.append(way)


def state_of(form: str) -> str | None:
    """The state of records of a form once they are submitted; None where none can be."""
    return next((state for way in _ways if (state := way.state(form)) is not None), None)


def submit(actor: Actor, form: str, record: int) -> None:
    """Send a record on in the name of `actor`, inside the open transaction; raises what refuses it."""
    for way in _ways:
        if way.state(form) is not None:
            way.send(actor, form, record)
            return
    raise Invalid(
        [Problem("no_workflow", "", M("It cannot be submitted: this form has no workflow any more."))]
    )
