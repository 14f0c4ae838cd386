"""What an event makes of a case: pure, so that a simulation and a real decision are the same function."""

from collections.abc import Callable
from dataclasses import replace

from formloop.core.errors import Conflict, Forbidden, FormloopError, Invalid, Problem
from formloop.core.text import M, Message
from formloop.workflows.nodes.end import finished
from formloop.workflows.spec import (
    ENDED,
    Ask,
    CancelOpen,
    Effect,
    Entry,
    Event,
    Note,
    Seat,
    SetState,
    State,
    Step,
    Tell,
    Workflow,
    World,
)

Moved = tuple[State, tuple[Effect, ...]]
REASON = M("Please give a reason.")


def advance(workflow: Workflow, state: State, event: Event, world: World) -> Moved:
    """The new state and what is to be done; raises what `find_refusal` finds."""
    refused = find_refusal(workflow, state, event)
    if refused is not None:
        raise refused
    return _ACTIONS[event.action](workflow, state, event, world)


def find_refusal(workflow: Workflow, state: State, event: Event) -> FormloopError | None:
    """Why an event is out of place here, or None."""
    if event.action == "comment":
        return None if event.comment.strip() else _invalid("comment", M("Please write something."))
    if state.status in ENDED:
        return Conflict(M("This approval is finished; nothing can be decided any more."))
    if event.action in _OF_SUBMITTER:
        return _refuse_submitter(state, event)
    if event.action == "resume":
        return None if state.status == "stuck" else Conflict(M("This approval is not stuck."))
    return _refuse_approver(workflow, state, event)


_OF_SUBMITTER = ("submit", "withdraw")


def _refuse_submitter(state: State, event: Event) -> FormloopError | None:
    if event.by != state.initiator:
        return Forbidden(M("Only the person who submitted this may do that."))
    if event.action == "submit":
        ready = state.status in ("new", "returned")
        return None if ready else Conflict(M("This is under approval already."))
    if state.status == "new" or (state.status != "returned" and state.decided):
        return Conflict(M("Somebody has decided already, so this can no longer be withdrawn."))
    return None


def _refuse_approver(workflow: Workflow, state: State, event: Event) -> FormloopError | None:
    step = workflow.steps.get(state.at or "")
    if step is None or state.seat_of(event.by) is None:
        return Conflict(M("This step does not wait for you any more."))
    if event.action not in step.actions:
        return Forbidden(M("This step does not offer that."))
    if event.action == "reject" and not event.comment.strip():
        return _invalid("comment", REASON)
    if event.action == "return" and event.to not in list_targets(workflow, state):
        return _invalid("to", M("It cannot be returned there."))
    if event.action == "transfer" and not isinstance(event.to, int):
        return _invalid("to", M("Please choose a person."))
    if event.action == "transfer" and any(s.person == event.to for s in state.seats):
        return _invalid("to", M("This person is asked at this step already."))
    return None


def _invalid(at: str, message: Message) -> Invalid:
    return Invalid([Problem("refused", at, message)])


def list_targets(workflow: Workflow, state: State) -> list[str]:
    """Where the present step may return to: the initiator, the previous step, any step people agreed in."""
    earlier = [key for key in state.passed if key in workflow.steps and key != state.at]
    return ["initiator", *(["previous"] if earlier else []), *earlier]


def _submit(workflow: Workflow, state: State, event: Event, world: World) -> Moved:
    again = state.status == "returned"
    began = replace(state, status="open", decided=0, passed=(), seats=())
    effects: tuple[Effect, ...] = (
        *((CancelOpen(),) if again else ()),
        Note("submit", "", state.round, event.by, event.comment),
        SetState(workflow.states["submitted"]),
    )
    return _go(workflow, began, workflow.first, world, effects)


def _approve(workflow: Workflow, state: State, event: Event, world: World) -> Moved:
    step = workflow.steps[state.at or ""]
    noted = Note("approve", step.id, state.round, event.by, event.comment)
    entry = step.node.decide(step, replace(state, decided=state.decided + 1), event.by or 0)
    if entry.stays:
        return entry.state, (noted, *entry.effects)
    return _go(workflow, entry.state, entry.next, world, (noted, *entry.effects))


def _reject(workflow: Workflow, state: State, event: Event, world: World) -> Moved:
    noted = Note("reject", state.at or "", state.round, event.by, event.comment)
    ended = replace(state, status="rejected", at=None, seats=(), decided=state.decided + 1)
    return ended, (noted, *_leave(state, event), SetState(workflow.states["rejected"]))


def _return(workflow: Workflow, state: State, event: Event, world: World) -> Moved:
    target = event.to
    if target == "previous":
        target = [key for key in state.passed if key != state.at][-1]
    noted = Note("return", state.at or "", state.round, event.by, event.comment, {"to": target})
    before = replace(state, seats=(), decided=state.decided + 1)
    effects: tuple[Effect, ...] = (noted, *_leave(state, event))
    if target == "initiator":
        back = replace(before, status="returned", at=None, round=state.round + 1, passed=())
        ask = Ask("", back.round, state.initiator, {"rule": "returned"})
        return back, (*effects, ask, SetState(workflow.states["returned"]))
    kept = before.passed[: before.passed.index(target)]
    return _go(workflow, replace(before, passed=kept), target, world, effects)


def _withdraw(workflow: Workflow, state: State, event: Event, world: World) -> Moved:
    noted = Note("withdraw", state.at or "", state.round, event.by, event.comment)
    ended = replace(state, status="withdrawn", at=None, seats=())
    return ended, (noted, CancelOpen(), SetState(workflow.states["returned"]))


def _transfer(workflow: Workflow, state: State, event: Event, world: World) -> Moved:
    why = {"rule": "transferred", "by": event.by}
    seats = tuple(
        Seat(event.to, why) if s.person == event.by and s.state == "open" else s for s in state.seats
    )
    noted = Note("transfer", state.at or "", state.round, event.by, event.comment, {"to": event.to})
    moved = replace(state, seats=seats, round=state.round + 1)  # a round of its own: it may come back
    return moved, (noted, Ask(state.at or "", moved.round, event.to, why))


def _comment(workflow: Workflow, state: State, event: Event, world: World) -> Moved:
    return state, (Note("comment", state.at or "", state.round, event.by, event.comment),)


def _resume(workflow: Workflow, state: State, event: Event, world: World) -> Moved:
    noted = Note("resume", state.at or "", state.round, event.by, event.comment)
    return _go(workflow, replace(state, status="open"), state.at, world, (noted,))


def _leave(state: State, event: Event) -> tuple[Effect, ...]:
    """The others at the step need not decide any more."""
    others = any(s.state == "open" and s.person != event.by for s in state.seats)
    return (CancelOpen(),) if others else ()


def _go(workflow: Workflow, state: State, at: str | None, world: World, effects: tuple[Effect, ...]) -> Moved:
    """Walk on from `at` until a step waits or the case ends. Steps only lead forward, so this ends."""
    while at is not None:
        step = workflow.steps[at]
        entry: Entry = step.node.enter(step, replace(state, at=at, round=state.round + 1, seats=()), world)
        state, effects = entry.state, (*effects, *entry.effects)
        if entry.stays:
            return state, effects
        at = entry.next
    last = finished(state, workflow.states["approved"])
    return last.state, (*effects, *last.effects)


_ACTIONS: dict[str, Callable[[Workflow, State, Event, World], Moved]] = {
    "submit": _submit,
    "approve": _approve,
    "reject": _reject,
    "return": _return,
    "withdraw": _withdraw,
    "transfer": _transfer,
    "comment": _comment,
    "resume": _resume,
}


def foresee(workflow: Workflow, state: State, world: World) -> list[tuple[Step, tuple[int, ...]]]:
    """The steps still to come if everybody agrees and nothing changes, with the people they would ask or tell."""
    step = workflow.steps.get(state.at or "")
    at = step.next if step is not None else None
    found: list[tuple[Step, tuple[int, ...]]] = []
    while at is not None:
        step = workflow.steps[at]
        entry = step.node.enter(step, replace(state, at=at, seats=(), status="open"), world)
        people = tuple(s.person for s in entry.state.seats)
        people += tuple(e.person for e in entry.effects if isinstance(e, Tell))
        if people:
            found.append((step, people))
        if entry.state.status != "open":
            break
        at = step.next if entry.stays else entry.next
    return found
