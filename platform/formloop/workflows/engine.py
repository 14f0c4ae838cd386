"""What an event makes of a case: pure, so that a simulation and a real decision are the same function."""

from dataclasses import replace

from formloop.core.errors import Conflict, FormloopError
from formloop.core.text import M
from formloop.workflows.actions import administering, deciding, hearing, submitting
from formloop.workflows.actions.spec import Action, list_targets
from formloop.workflows.spec import Step, Visit, Workflow, World
from formloop.workflows.state import ENDED, Effect, Event, State, Tell, Token
from formloop.workflows.walk import Effort, Walk

__all__ = ["advance", "find_refusal", "foresee", "list_targets"]

Moved = tuple[State, tuple[Effect, ...]]

ACTIONS: dict[str, Action] = {
    **submitting.ACTIONS,
    **deciding.ACTIONS,
    **administering.ACTIONS,
    **hearing.ACTIONS,
}


def advance(
    workflow: Workflow, state: State, event: Event, world: World, effort: Effort | None = None
) -> Moved:
    """The new state and what is to be done; raises what `find_refusal` finds. `effort` is what it may still take."""
    refused = find_refusal(workflow, state, event)
    if refused is not None:
        raise refused
    walk = Walk(workflow, state, world, effort)
    ACTIONS[event.action].perform(walk, event)
    return walk.result()


def find_refusal(workflow: Workflow, state: State, event: Event) -> FormloopError | None:
    """Why an event is out of place here, or None."""
    action = ACTIONS[event.action]
    if state.status in ENDED and not action.after_end:
        return Conflict(M("This approval is finished; nothing can be decided any more."))
    return action.refuse(workflow, state, event)


def foresee(workflow: Workflow, state: State, world: World) -> list[tuple[Step, tuple[int, ...]]]:
    """The steps still to come if everybody agrees and nothing changes, with the people they would ask or tell."""
    stands = [(workflow.steps.get(leaf.at), leaf.loop) for leaf in state.leaves]
    ahead = [(step.next, loop) for step, loop in stands if step is not None]
    found: dict[str, tuple[Step, tuple[int, ...]]] = {}
    seen: set[str] = set()
    while ahead:
        at, loop = ahead.pop(0)
        if at is None or at in seen:
            continue
        seen.add(at)
        if at.startswith("/"):  # behind a block; what a loop would do again is not told twice
            ahead.append((workflow.steps[at[1:]].next, loop))
            continue
        step = workflow.steps[at]
        token = Token(0, at, loop=loop)
        entry = step.node.enter(Visit(step, replace(state, tokens=(token,)), token), world)
        people = tuple(s.person for s in entry.seats or ())
        people += tuple(e.person for e in entry.effects if isinstance(e, Tell))
        if people:
            found[at] = (step, people)
        if entry.ends is not None or entry.stuck is not None:
            continue
        behind = step.next if entry.stays else entry.next
        ahead += [(child.first, loop) for child in entry.inside] or [(behind, loop)]
    return sorted(found.values(), key=lambda each: each[0].place)
