"""The contract of an action, and the questions that several of them ask."""

from collections.abc import Callable
from dataclasses import dataclass

from formloop.core.errors import Conflict, Forbidden, FormloopError, Invalid, Problem
from formloop.core.text import M, Message
from formloop.workflows.spec import Step, Workflow
from formloop.workflows.state import Event, Seat, State, Token
from formloop.workflows.walk import Walk

Refusal = FormloopError | None
REASON = M("Please give a reason.")
CHOOSE = M("Please choose a person.")


@dataclass(frozen=True, slots=True)
class Action:
    """`refuse` says why an event is out of place; `perform` does it. `after_end`: it may come to an ended case."""

    refuse: Callable[[Workflow, State, Event], Refusal]
    perform: Callable[[Walk, Event], None]
    after_end: bool = False


def invalid(at: str, message: Message) -> Invalid:
    """A refusal that says which input is wrong."""
    return Invalid([Problem("refused", at, message)])


def seat_at(state: State, event: Event) -> tuple[Token, Seat]:
    """The token and the open seat an event comes from; refusals have seen to it that it is there."""
    found = state.seat_of(event.by, event.round)
    if found is None:
        raise Conflict(M("This step does not wait for you any more."))
    return found


def refuse_person(token: Token, event: Event) -> Refusal:
    """Why nobody new can sit at a step."""
    if not isinstance(event.to, int):
        return invalid("to", CHOOSE)
    if any(s.person == event.to and s.state in ("open", "waiting") for s in token.seats):
        return invalid("to", M("This person is asked at this step already."))
    return None


def refuse_unoffered(workflow: Workflow, state: State, event: Event) -> Refusal:
    """Why somebody may not do this at the step that asks them, if it asks them."""
    found = state.seat_of(event.by, event.round)
    step = workflow.steps.get(found[0].at) if found else None
    if step is None:
        return Conflict(M("This step does not wait for you any more."))
    if event.action not in step.actions:
        return Forbidden(M("This step does not offer that."))
    return None


def list_targets(workflow: Workflow, state: State, token: Token | None) -> list[str]:
    """Where the step that a token stands at may return to: the initiator, the step before, or any step before in which people agreed.

    From inside a block also to steps in front of it, but never into another way of it.
    """
    here = workflow.steps.get(token.at) if token else None
    if here is None:
        return ["initiator"]
    earlier = [key for key in state.passed if key in workflow.steps and _leads(workflow.steps[key], here)]
    return ["initiator", *(["previous"] if earlier else []), *earlier]


def _leads(step: Step, here: Step) -> bool:
    """Whether one can go back from `here` to a step."""
    return step.place < here.place and step.blocks == here.blocks[: len(step.blocks)]


def pickable(workflow: Workflow, step: Step | None) -> list[Step]:
    """The steps whose people are picked now: by the initiator, or by those who decide at the step before."""
    by = "initiator" if step is None else "previous"
    asks = [
        each
        for each in workflow.steps.values()
        if any(rule["rule"] == "chosen" and rule["by"] == by for rule in each.who)
    ]
    return asks if step is None else [each for each in asks if picks_for(workflow, step, each.id)]


def picked(workflow: Workflow, step: Step | None, event: Event) -> dict[str, tuple[int, ...]]:
    """The people an event picks, of steps for which it is its person's turn to pick."""
    return {each.id: event.chosen[each.id] for each in pickable(workflow, step) if each.id in event.chosen}


def leads_straight(workflow: Workflow, step: Step, at: str) -> bool:
    """Whether one step follows another with nothing but conditions between them."""
    return _follows(workflow, step, at, lambda between: between.node.name == "condition")


def picks_for(workflow: Workflow, step: Step, at: str) -> bool:
    """Whether one step follows another with nobody between them who decides and could pick its people."""
    return _follows(workflow, step, at, lambda between: not (between.node.actions or between.node.ends))


def _follows(workflow: Workflow, step: Step, at: str, over: Callable[[Step], bool]) -> bool:
    """Whether one may come from a step to another over such steps alone; out of their branches too, and round loops."""
    ahead, seen = [step.next], set[str]()
    while ahead:
        key = ahead.pop()
        if key == at:
            return True
        found = workflow.steps.get((key or "").removeprefix("/"))
        if key is None or found is None or key in seen or not over(found):
            continue
        seen.add(key)
        leaves = key.startswith("/") and found.node.name != "loop"
        ahead += [found.next, *(() if leaves else (branch.first for branch in found.branches))]
    return False
