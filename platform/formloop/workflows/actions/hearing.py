"""What a step hears: its work is done or has failed, a time has come. What comes too late changes nothing."""

from formloop.workflows.actions.spec import Action, Refusal
from formloop.workflows.spec import Visit, Workflow
from formloop.workflows.state import Event, State
from formloop.workflows.walk import Walk


def _never(workflow: Workflow, state: State, event: Event) -> Refusal:
    return None


def _hear(walk: Walk, event: Event) -> None:
    token = walk.state.find_token(event.round)
    step = walk.workflow.steps.get(token.at) if token is not None else None
    if token is None or step is None:
        return
    heard = step.node.hear(Visit(step, walk.state, token), event, walk.world)
    if heard.agreed:  # by itself, when it was due
        walk.change(decided=walk.state.decided + 1)
    walk.apply(token, heard)


def _outdated(walk: Walk, event: Event) -> None:
    """What was proposed no longer fits its record: the initiator gets it back, to be renewed."""
    token = next(iter(walk.state.leaves))
    walk.note("outdated", token, event)
    walk.give_back(token, "again")


ACTIONS = {
    **{name: Action(_never, _hear, after_end=True) for name in ("done", "failed", "due")},
    "outdated": Action(_never, _outdated),
}
