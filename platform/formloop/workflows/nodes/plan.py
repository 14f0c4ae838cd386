"""A plan is run as a part of the case; the steps behind it know how much it wrote."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library
from formloop.core.definitions.envelope import KEY_PATTERN
from formloop.core.errors import Problem
from formloop.core.expression import NUMBER, EvaluationError, RecordType, Type
from formloop.core.text import M
from formloop.definitions import library as published
from formloop.forms.spec import FormSpec
from formloop.planning.spec import PlanSpec, Written
from formloop.workflows.nodes.calculate import BROKEN, VALUES, evaluate, pairs
from formloop.workflows.nodes.failing import FAILED
from formloop.workflows.spec import Entry, FindForm, Node, Visit, Wanted, World
from formloop.workflows.state import Event, Note, Work

PARAMETER = {"x-pick": "plan_parameters", "title": "Parameter", "x-title": {"zh-CN": "参数"}}
COUNTS = tuple(each.name for each in fields(Written))


class RunPlan(Node):
    """A step that runs a plan within the case, with values for its parameters. Steps behind it know
    `flow.<step>.<output>.created`, `.changed`, `.unchanged`, `.removed` and `.kept`."""

    name = "plan"
    title = M("Run a plan")
    icon = "calculator"
    color = "green"
    required = ("plan",)
    schema: ClassVar[Mapping[str, Any]] = {
        "plan": {
            "type": "string",
            "pattern": KEY_PATTERN,
            "x-pick": "plan",
            "title": "Plan",
            "x-title": {"zh-CN": "计划"},
        },
        "parameters": {
            **VALUES,
            "x-pairs": pairs(PARAMETER),
            "title": "Parameters",
            "x-title": {"zh-CN": "参数"},
        },
        "failed": FAILED,
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """The plan is there and has these parameters."""
        plan = library.find_prepared("plan", doc["plan"])
        if not isinstance(plan, PlanSpec):
            return [Problem("no_plan", f"{at}.plan", M("There is no plan “{key}”.", key=doc["plan"]))]
        return [
            Problem(
                "no_parameter",
                f"{at}.parameters.{key}",
                M("The plan “{plan}” has no parameter “{key}”.", plan=plan.key, key=key),
            )
            for key in doc.get("parameters", {})
            if key not in plan.parameters
        ]

    def references(self, doc: Doc) -> set[tuple[str, str]]:
        """The plan."""
        return {("plan", doc["plan"])}

    def expressions(self, doc: Doc, find_form: FindForm) -> Mapping[str, Wanted]:
        """The values of parameters, each of its parameter's type."""
        known = _parameters(doc)
        return {
            f"parameters.{key}": (source, known.get(key), {})
            for key, source in doc.get("parameters", {}).items()
        }

    def offers(self, doc: Doc, types: Mapping[str, Type], find_form: FindForm) -> Type | None:
        """How many records each output made, changed and so on."""
        plan = published.find_published("plan", doc["plan"])
        outputs = [each.name for each in plan.outputs] if isinstance(plan, PlanSpec) else []
        counts: dict[str, Type] = dict.fromkeys(COUNTS, NUMBER)
        names: dict[str, Type] = {name: RecordType("counts", lambda: counts) for name in outputs}
        return RecordType("outputs", lambda: names)

    def enter(self, visit: Visit, world: World) -> Entry:
        """Promise the run; the case goes on when it is done."""
        try:
            values = evaluate(visit, world, "parameters")
        except EvaluationError as error:
            return Entry(stuck=error.message)
        if values is None:
            return Entry(stuck=BROKEN)
        wanted = {"plan": visit.step.document["plan"], "parameters": values}
        return Entry((Work(visit.token.round, visit.step.id, "plan", wanted),), stays=True)

    def hear(self, visit: Visit, event: Event, world: World) -> Entry:
        """Go on with the counts; a run that failed wrote nothing and stops the case, unless it may be passed."""
        step, token = visit.step, visit.token
        if event.action == "failed":
            return self.fail(visit, event.values.get("reason", ""))
        written = dict(event.values.get("written", {}))
        note = Note(
            "worked", step.id, token.round, detail={"do": "plan", "plan": step.document["plan"], **written}
        )
        return Entry((note,), next=step.next, variables={step.id: written})


def _parameters(doc: Doc) -> Mapping[str, Type]:
    plan = published.find_published("plan", doc["plan"])
    found = plan.parameters if isinstance(plan, PlanSpec) else {}
    return {key: each.type.expression_type(each) for key, each in found.items()}
