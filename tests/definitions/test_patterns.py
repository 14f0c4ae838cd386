"""What does not fit a pattern is told in words: no business user reads a regular expression."""

from collections.abc import Iterator
from typing import Any

import pytest

import formloop.app  # noqa: F401  every kind is there
from formloop.core.definitions import check_schema_of, faults, kinds


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for each in schema.values():
            yield from patterns(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from patterns(each)


@pytest.mark.parametrize("name", [each for each in kinds.names() if each != "card"])
def test_every_pattern_of_a_kind_is_said_in_words(name: str) -> None:
    unnamed = {each for each in patterns(kinds.get(name).schema) if each not in faults._PATTERNS}
    assert not unnamed


def test_what_is_empty_is_to_be_filled_in() -> None:
    step = {"id": "tell", "node": "http", "title": "Tell", "url": ""}
    doc = {
        "x-kind": "workflow",
        "x-id": "0000001f",
        "x-key": "flow",
        "title": "Flow",
        "form": "",
        "steps": [step],
    }
    (problem,) = check_schema_of(doc, kinds.get("workflow"))
    assert (problem.at, str(problem.message)) == ("steps.0.url", "Fill this in.")
