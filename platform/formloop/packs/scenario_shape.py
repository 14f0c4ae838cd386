"""What a scenario must look like before it is played, told with the place in its text."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from formloop.core.definitions import Kind, parse
from formloop.core.definitions.faults import check_schema_of
from formloop.core.errors import Problem
from formloop.core.text import M

NEEDED = {
    "create": (),
    "find": ("where", "is"),
    "fill_in": ("as", "values"),
    "change": ("values",),
    "submit": ("as",),
    "amend": ("as", "values", "reason"),
    "cancel": ("as", "reason"),
    "void": ("as", "reason"),
    "supplement": ("as", "values"),
    "ask": ("as", "bridge"),
    "decide": ("as", "action"),
    "deliver": (),
    "close": ("as", "through"),
    "expect": ("values",),
    "expect_all": ("where", "is"),
    "expect_chain": ("to",),
    "expect_balance": ("values",),
    "expect_rows": ("values",),
}  # what a step does, and what else it must say then
_MAKING = ("create", "find", "supplement", "ask")
_TELLING = (
    "change",
    "submit",
    "amend",
    "cancel",
    "void",
    "supplement",
    "ask",
    "decide",
    "fill_in",
    "expect",
    "expect_chain",
)  # name the step that made their record
_SCENARIO = Kind(
    name="scenario",
    title=M("Story"),
    schema=json.loads(Path(__file__).with_name("scenario_schema.json").read_text("utf-8")),
)


def check_scenario(body: bytes | str) -> list[Problem]:
    """Everything that keeps the text of a scenario from being played, with path, line and column."""
    parsed = parse(body)
    if parsed.problems:
        return parsed.problems
    wrong = check_schema_of(parsed.doc, _SCENARIO)
    return parsed.locate(wrong or list(_check_steps(parsed.doc)))


def _check_steps(scenario: Mapping[str, Any]) -> Iterator[Problem]:
    known: set[str] = set()
    for index, step in enumerate(scenario["steps"]):
        at = f"steps.{index}"
        verbs = [verb for verb in NEEDED if verb in step]
        if len(verbs) != 1:
            text = M("A step does exactly one of these: {verbs}.", verbs=", ".join(NEEDED))
            yield Problem("verb", at, text)
            continue
        for key in NEEDED[verbs[0]]:
            if key not in step:
                yield Problem("missing", at, M("“{verb}” needs “{key}”.", verb=verbs[0], key=key))
        if verbs[0] in _TELLING and step[verbs[0]] not in known:
            text = M("No earlier step “{id}” makes a record.", id=step[verbs[0]])
            yield Problem("no_step", f"{at}.{verbs[0]}", text)
        if step["id"] in known:
            yield Problem("id_twice", f"{at}.id", M("Two steps are called “{id}”.", id=step["id"]))
        if verbs[0] in _MAKING:
            known.add(step["id"])
