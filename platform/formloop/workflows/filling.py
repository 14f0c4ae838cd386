"""What somebody fills in at a step is saved with their approval, by the field rights of the step."""

from collections.abc import Mapping
from typing import Any

from formloop.core.errors import Conflict, Invalid
from formloop.core.text import M
from formloop.db import connection
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.workflows import cases, sight
from formloop.workflows.spec import Step
from formloop.workflows.turn import Turn, describe


def fill_in(turn: Turn, step: Step | None, raw: Mapping[str, Any] | None, revision: int | None) -> None:
    """Save what was filled in at a step, and insist on what it requires."""
    if step is None:
        return
    if raw:
        _save(turn, step, raw, revision)
    elif revision is not None and turn.situation.values["revision"] != revision:
        raise Conflict(
            M("The record was changed while you were reading it. Look at it again before you decide.")
        )
    if "require" in step.fields.values():
        spec, context = turn.spec, context_of(turn.actor)
        values = rows.load(connection(), spec, [turn.record])[turn.record]
        env = Links(turn.actor, spec, [values]).environment(spec, values)
        problems = sight.find_missing(spec, step, values, env, context)
        if problems:
            raise Invalid(problems)


def _save(turn: Turn, step: Step, raw: Mapping[str, Any], revision: int | None) -> None:
    how = records.How(fields=sight.editable_paths(turn.spec, step), unlocked=True)
    saved = records.change_record(turn.actor, turn.spec.key, turn.record, raw, revision, turn.cause, how)
    turn.situation.see(saved)
    turn.before = None
    cases.describe(turn.case, *describe(turn, saved))
