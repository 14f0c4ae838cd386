"""What the initiator does: submit, submit again, withdraw, urge; and what anybody who takes part does."""

from formloop.core.errors import Conflict, Forbidden
from formloop.core.text import M
from formloop.workflows.actions.spec import CHOOSE, Action, Refusal, invalid, picked
from formloop.workflows.spec import Workflow
from formloop.workflows.state import Event, Remind, SetState, State, Tell
from formloop.workflows.walk import Walk

NOT_YOURS = M("Only the person who submitted this may do that.")


def _refuse_submit(workflow: Workflow, state: State, event: Event) -> Refusal:
    holds = state.home is not None and any(seat.person == event.by for seat in state.home.seats)
    if event.by != state.initiator and not holds:
        return Forbidden(NOT_YOURS)
    ready = state.status == "new" or state.home is not None
    return None if ready else Conflict(M("This is under approval already."))


def _submit(walk: Walk, event: Event) -> None:
    again = walk.state.tokens
    parked = tuple(each for token in again for each in token.parked)
    walk.remove(again)
    walk.change(status="open", decided=0, chosen={**walk.state.chosen, **picked(walk.workflow, None, event)})
    walk.note("submit", None, event)
    walk.effects.append(SetState(walk.workflow.states["submitted"]))
    if parked:
        walk.restore(parked)
    else:
        walk.change(passed=(), hands={}, variables={})
        walk.go(walk.workflow.first)


def _refuse_withdraw(workflow: Workflow, state: State, event: Event) -> Refusal:
    if event.by != state.initiator:
        return Forbidden(NOT_YOURS)
    if state.status == "new" or (state.status != "returned" and state.decided):
        return Conflict(M("Somebody has decided already, so this can no longer be withdrawn."))
    return None


def _withdraw(walk: Walk, event: Event) -> None:
    walk.note("withdraw", next(iter(walk.state.leaves), None), event)
    walk.end("withdrawn", walk.workflow.states["returned"])


def _refuse_urge(workflow: Workflow, state: State, event: Event) -> Refusal:
    if event.by != state.initiator:
        return Forbidden(NOT_YOURS)
    if state.status not in ("open", "stuck") or not _asked(state):
        return Conflict(M("This waits for nobody who could be reminded."))
    return None


def _asked(state: State) -> tuple[int, ...]:
    return tuple(dict.fromkeys(s.person for s in state.seats if s.state == "open"))


def _urge(walk: Walk, event: Event) -> None:
    walk.note("urge", next(iter(walk.state.leaves), None), event)
    asked = event.values.get("people", _asked(walk.state))
    walk.effects.append(Remind(tuple(asked)))


def _refuse_comment(workflow: Workflow, state: State, event: Event) -> Refusal:
    said = event.comment.strip() or event.files
    return None if said else invalid("comment", M("Please write something."))


def _comment(walk: Walk, event: Event) -> None:
    walk.note("comment", next(iter(walk.state.leaves), None), event)


def _refuse_copy(workflow: Workflow, state: State, event: Event) -> Refusal:
    chosen = isinstance(event.to, list | tuple) and event.to and all(isinstance(p, int) for p in event.to)
    return None if chosen else invalid("to", CHOOSE)


def _copy(walk: Walk, event: Event) -> None:
    found = walk.state.seat_of(event.by, event.round)
    token = found[0] if found else next(iter(walk.state.leaves), None)
    people = list(dict.fromkeys(event.to))
    walk.note("copied", token, event, people=people)
    round = walk.next_round()
    why = {"rule": "copied", "by": event.by}
    walk.effects += [
        Tell("", round, person, why) for person in people
    ]  # no step: their own grants alone count


ACTIONS = {
    "submit": Action(_refuse_submit, _submit),
    "withdraw": Action(_refuse_withdraw, _withdraw),
    "urge": Action(_refuse_urge, _urge),
    "comment": Action(_refuse_comment, _comment, after_end=True),
    "copy": Action(_refuse_copy, _copy, after_end=True),
}
