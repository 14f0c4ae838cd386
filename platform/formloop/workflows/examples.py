"""The way that an example of a form would take through a workflow: the real engine, imagined people, no database.

Everybody agrees. Each rule finds somebody else, so that nobody passes because they agreed before; who that is on a
site, the simulation says.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from formloop.core.definitions import Doc, Library
from formloop.core.errors import FormloopError, Problem
from formloop.core.expression import Expression
from formloop.core.text import M, Message
from formloop.definitions import service as definitions
from formloop.forms import examples
from formloop.forms.examples import Tried, Way
from formloop.forms.spec import FormSpec
from formloop.workflows.assignees import rules
from formloop.workflows.engine import advance, foresee
from formloop.workflows.situation import Situation, unlinked
from formloop.workflows.spec import Step, Visit, Workflow
from formloop.workflows.state import Ask, Event, Rule, State, Tell

INITIATOR = 1


class Imagined(Situation):
    """Answers the engine for a record that is only said."""

    def __init__(self, workflow: Workflow, tried: Tried) -> None:
        super().__init__(workflow, tried.spec, 0, INITIATOR)
        self.tried = tried
        self.see(tried.values)
        self._people: dict[str, int] = {}

    def value_of(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """A value of the record; what steps would find out is not known."""
        return unlinked(expression.evaluate({**names, **self.tried.env}, self.tried.context))

    def find_people(self, rule: Rule, visit: Visit) -> Sequence[int]:
        """One person for each rule."""
        known = INITIATOR if rule["rule"] == "initiator" else INITIATOR + 1 + len(self._people)
        return [self._people.setdefault(json.dumps(rule, sort_keys=True, default=str), known)]

    def find_deputies(self, people: Sequence[int]) -> Mapping[int, int]:
        """Nobody is away."""
        return {}

    def is_here(self, person: int) -> bool:
        """Everybody is here."""
        return True

    def list_items(self, over: str, names: Mapping[str, Any]) -> Sequence[Any]:
        """The lines of a subform."""
        return list(self.tried.env.get(over) or ())


def way_of(workflow: Workflow, tried: Tried) -> Way:
    """The steps that would ask or tell somebody if everybody agreed; none where it cannot begin."""
    world, names = Imagined(workflow, tried), {key: _called(step) for key, step in workflow.steps.items()}
    try:
        state, effects = advance(workflow, State(INITIATOR), Event("submit", INITIATOR, signed=True), world)
        ahead = [step.id for step, _ in foresee(workflow, state, world)]
    except FormloopError:
        return Way((), names)
    asked = [each.step for each in effects if isinstance(each, Ask | Tell)]
    return Way(tuple(dict.fromkeys([*asked, *ahead])), names)


def _called(step: Step) -> Message:
    """A step by its title and the rules by which it finds its people."""
    title = step.called
    found = [rules.get(each["rule"]).title for each in step.document.get("who", ()) if each["rule"] in rules]
    return M("{step} ({rule})", step=title, rule=found[0]) if found else title


def find_way(tried: Tried, lib: Library) -> Way | None:
    """The way through the workflow that records of the form are submitted to, if there is one."""
    for key in lib.list_keys("workflow"):
        doc = lib.find_document("workflow", key)
        if doc is not None and doc.get("form") == tried.spec.key and "amends" not in doc:
            found = lib.find_prepared("workflow", key)
            return way_of(found, tried) if isinstance(found, Workflow) else None
    return None


def check(workflow: Workflow, form: FormSpec, lib: Library) -> list[Problem]:
    """A warning for each example of the form that would go another way by this workflow, whose document has no place for it."""
    return [
        replace(examples.warning(each.example, number, difference), at="")
        for number, each in enumerate(_results(workflow, form, lib))
        for difference in each.differences
    ]


def _results(workflow: Workflow, form: FormSpec, lib: Library) -> list[examples.Result]:
    told: list[Doc] = [
        {**each, "expect": {"way": each["expect"]["way"]}}
        for each in _examples_of(form)
        if "way" in each.get("expect", {})
    ]
    return [examples.run(form, each, lib, lambda tried, _lib: way_of(workflow, tried)) for each in told]


def _examples_of(form: FormSpec) -> list[Doc]:
    """Those of the form's draft where there is one, but for what the form that runs cannot be given yet."""
    document = definitions.find_draft_by_key("form", form.key) or form.document
    return [
        each
        for each in document.get(examples.EXAMPLES, ())
        if isinstance(each, dict) and {*each.get("given", {})} <= {*form.fields}
    ]


examples.ways.add("workflow", find_way)
