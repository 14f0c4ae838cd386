"""A workflow as it goes on from one of its steps, for plays that begin there."""

from collections.abc import Mapping, Sequence
from typing import Any

from formloop.core.definitions import Doc
from formloop.core.errors import NotFound


def starting_at(doc: Doc, step: str) -> Doc:
    """The document without what comes before a step; NotFound where there is no such step."""
    rest = _rest(doc.get("steps", ()), step)
    if rest is None:
        raise NotFound
    return {**doc, "steps": rest}


def _rest(steps: Sequence[Mapping[str, Any]], wanted: str) -> list[Mapping[str, Any]] | None:
    """The step with all that follows it: in its own sequence, then behind what that sequence lies in."""
    for place, each in enumerate(steps):
        if each.get("id") == wanted:
            return list(steps[place:])
        within = [each, *each.get("branches", ())]
        found = next((rest for part in within if (rest := _rest(part.get("steps", ()), wanted))), None)
        if found is not None:
            return [*found, *steps[place + 1 :]]
    return None
