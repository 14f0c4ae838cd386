"""One case while an event on it is worked on."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Row

from formloop.access.actor import SYSTEM, Actor
from formloop.core.text import LOCALES
from formloop.events import Cause
from formloop.forms import screen
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Values
from formloop.workflows.amendments.proposals import Proposed
from formloop.workflows.kind import get_version
from formloop.workflows.situation import Situation
from formloop.workflows.spec import Workflow
from formloop.workflows.state import State


@dataclass(slots=True)
class Turn:
    """One event on one case, while it is worked on."""

    actor: Actor
    workflow: Workflow
    spec: FormSpec
    case: int
    record: int
    state: State
    situation: Situation
    before: Values | None = None  # the whole record, where it has been read
    title: str = ""  # what the case is called
    judged: bool = False  # whether the form's rules have been asked in it

    @property
    def cause(self) -> Cause:
        """What changes of records come from."""
        return Cause(("ui", f"workflow:{self.workflow.key}"), self.spec.key, self.record)


def turn_of(
    actor: Actor,
    workflow: Workflow,
    spec: FormSpec,
    case: int,
    record: int,
    state: State,
    values: Values | None = None,
) -> Turn:
    """A turn; `values` is the whole record where the caller has read it."""
    situation = situation_of(workflow, spec, case, record, state.initiator)
    situation.see(values)
    return Turn(actor, workflow, spec, case, record, state, situation, values)


def situation_of(workflow: Workflow, spec: FormSpec, case: int, record: int, initiator: int) -> Situation:
    """The world a case is decided in: where it is about a proposed change, the record is as it would be."""
    if workflow.amends is not None:
        return Proposed(workflow, spec, record, initiator, case)
    return Situation(workflow, spec, record, initiator)


def turn_on(actor: Actor, found: Row[Any], values: Values | None = None) -> Turn:
    """A turn on the row of a case."""
    workflow, spec = get_version(found.workflow, found.version), get_form(found.form)
    turn = turn_of(actor, workflow, spec, found.id, found.record, State.from_json(found.state), values)
    turn.title = found.title
    return turn


def describe(turn: Turn, values: Values) -> tuple[str, list[dict[str, str]]]:
    """What a case is called and what it says in the inbox: texts by language, with the field each comes from."""
    spec = turn.spec
    keys = [spec.title_field, *turn.workflow.summary]
    shown = {key: values.get(key) for key in keys if key in spec.fields}
    names = screen.names_for(SYSTEM, spec, [shown])  # told to all who take part
    texts = {
        key: [screen.shown_text(spec.fields[key], value, locale, names) for locale in LOCALES]
        for key, value in shown.items()
    }
    title = texts.get(spec.title_field, [""])[0]
    summary = [
        {"path": key, **dict(zip(LOCALES, texts[key], strict=True))}
        for key in turn.workflow.summary
        if key in texts and texts[key][0]
    ]
    return title, summary
