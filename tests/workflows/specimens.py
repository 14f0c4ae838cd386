"""A small form with a workflow, and a world the engine can be asked in without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from formloop.core.definitions import Doc
from formloop.core.expression import Context, Expression
from formloop.forms import kind as forms_kind
from formloop.forms.spec import FormSpec
from formloop.workflows import calendar
from formloop.workflows.engine import advance
from formloop.workflows.reading import build
from formloop.workflows.spec import Visit, Workflow
from formloop.workflows.state import Effect, Event, State

REQUEST: Doc = {
    "x-kind": "form",
    "x-id": "000000f1",
    "x-key": "request",
    "title": "Request",
    "x-title": {"zh-CN": "申请"},
    "type": "object",
    "required": ["subject"],
    "properties": {
        "subject": {"type": "string", "title": "Subject", "x-title": {"zh-CN": "事由"}},
        "amount": {"type": "number", "x-type": "amount", "title": "Amount", "x-title": {"zh-CN": "金额"}},
        "secret": {"type": "string", "title": "Secret", "x-title": {"zh-CN": "机密"}},
        "reason": {"type": "string", "title": "Reason", "x-title": {"zh-CN": "原因"}},
        "reviewer": {
            "type": "integer",
            "x-type": "member",
            "title": "Reviewer",
            "x-title": {"zh-CN": "审核人"},
        },
        "team": {"type": "integer", "x-type": "department", "title": "Team", "x-title": {"zh-CN": "班组"}},
        "twice": {"type": "number", "x-type": "amount", "title": "Twice", "x-formula": "amount * 2"},
    },
    "x-list": {"title": "subject", "columns": ["subject", "amount", "secret"]},
}
SMALL = {
    "id": "small",
    "holds": "amount < 50",
    "at": "amount",
    "says": "Too much.",
    "x-says": {"zh-CN": "过多。"},
}
STRICTER: Doc = {**REQUEST, "x-checks": [SMALL]}  # published over records that were saved before


def approval(step: str, *people: str, **more: Any) -> Doc:
    """An approval by named people."""
    who = [{"rule": "people", "people": list(people)}]
    return {"id": step, "node": "approval", "title": step.title(), "who": who, **more}


def workflow_doc(*steps: Doc, **more: Any) -> Doc:
    """A workflow over the form with these steps."""
    return {
        "x-kind": "workflow",
        "x-id": "0000001f",
        "x-key": "request_approval",
        "title": "Request approval",
        "x-title": {"zh-CN": "申请审批"},
        "form": "request",
        "steps": list(steps),
        **more,
    }


def request_form() -> FormSpec:
    """The form, prepared."""
    return forms_kind.build(REQUEST, 1, lambda key: None)[0]


def prepared(*steps: Doc, **more: Any) -> Workflow:
    """A workflow, prepared without a library."""
    form = request_form()
    found, problems = build(workflow_doc(*steps, **more), 1, form, find_form={"request": form}.get)
    assert problems == []
    return found


PEOPLE = {"ann": 1, "bob": 2, "cho": 3, "dee": 4, "eve": 5}


@dataclass
class Paper:
    """A world on paper: who is who, and what the record says."""

    values: Mapping[str, Any] = field(default_factory=dict)

    days: Mapping[str, datetime] = field(default_factory=dict)
    away: Mapping[int, int] = field(default_factory=dict)
    gone: tuple[int, ...] = ()
    clock: datetime = datetime(2026, 11, 21, tzinfo=UTC)

    def value_of(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        return expression.evaluate({**names, **self.values}, Context(self.clock))

    def find_people(self, rule: Mapping[str, Any], visit: Visit) -> Sequence[int]:
        if rule["rule"] == "head_of":
            return [rule["of"] + 1]
        if rule["rule"] == "chosen":
            return visit.state.chosen.get(visit.step.id, ())
        if rule["rule"] == "same":
            return visit.state.hands.get(rule["step"], ())
        named = rule.get("people", [rule.get("person")])
        return [PEOPLE[name] for name in named if name in PEOPLE]

    def is_here(self, person: int) -> bool:
        return person not in self.gone

    def find_deputies(self, people: Sequence[int]) -> Mapping[int, int]:
        return {who: deputy for who, deputy in self.away.items() if who in people}

    def list_items(self, over: str, names: Mapping[str, Any]) -> Sequence[Any]:
        return list(self.values.get(over) or names["flow"].get(over) or ())

    def now(self) -> datetime:
        return self.clock

    def later(self, moment: datetime, duration: str, working: bool) -> datetime:
        return calendar.later(moment, duration)

    def moment_in(self, path: str) -> datetime | None:
        return self.days.get(path)


@dataclass
class Play:
    """A case on paper."""

    workflow: Workflow
    world: Paper = field(default_factory=Paper)
    state: State = field(default_factory=lambda: State(initiator=PEOPLE["ann"]))
    effects: tuple[Effect, ...] = ()

    def do(
        self, action: str, who: str = "ann", comment: str = "", to: Any = None, how: str = "", **more: Any
    ) -> "Play":
        event = Event(action, PEOPLE[who], comment, to, how, **more)
        self.state, self.effects = advance(self.workflow, self.state, event, self.world)
        return self

    def hear(self, action: str, at: str, **values: Any) -> "Play":
        """Let the step `at` hear that its work is done, has failed, or that a time has come."""
        (token,) = [each for each in self.state.leaves if each.at == at]
        event = Event(action, None, round=token.round, values=values)
        self.state, self.effects = advance(self.workflow, self.state, event, self.world)
        return self

    def places(self) -> list[str]:
        return [each.at for each in self.state.leaves]

    def asked(self) -> list[int]:
        return [s.person for s in self.state.seats if s.state == "open"]
