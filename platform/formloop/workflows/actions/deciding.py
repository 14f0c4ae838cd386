"""What people do who are asked: approve, reject, return, transfer, let somebody else sign as well."""

from dataclasses import replace

from formloop.core.errors import Conflict
from formloop.core.text import M
from formloop.workflows.actions.spec import (
    REASON,
    Action,
    Refusal,
    invalid,
    leads_straight,
    list_targets,
    picked,
    refuse_person,
    refuse_unoffered,
    seat_at,
)
from formloop.workflows.nodes.seats import put_instead, sit
from formloop.workflows.spec import Visit, Workflow
from formloop.workflows.state import Event, Seat, State, Token
from formloop.workflows.walk import Walk

WAYS_BACK = ("again", "back")
PLACES = ("before", "after", "beside")


def _refuse_reject(workflow: Workflow, state: State, event: Event) -> Refusal:
    refused = refuse_unoffered(workflow, state, event)
    if refused is None and not event.comment.strip():
        return invalid("comment", REASON)
    return refused


def _refuse_approve(workflow: Workflow, state: State, event: Event) -> Refusal:
    refused = refuse_unoffered(workflow, state, event)
    if refused is not None:
        return refused
    needs = workflow.steps[seat_at(state, event)[0].at].document.get("needs", ())
    if "comment" in needs and not event.comment.strip():
        return invalid("comment", M("This step needs a comment from you."))
    if "signature" in needs and not event.signed:
        return invalid("signature", M("This step needs your signature."))
    return None


def for_whom(seat: Seat) -> dict[str, int]:
    """For whom somebody decides who stands in, as the history keeps it."""
    return {"for": seat.why["of"]} if seat.why.get("rule") == "delegated" else {}


def _decide(walk: Walk, event: Event) -> None:
    token, mine = seat_at(walk.state, event)
    step = walk.workflow.steps[token.at]
    walk.change(
        decided=walk.state.decided + 1, chosen={**walk.state.chosen, **picked(walk.workflow, step, event)}
    )
    walk.note(event.action, token, event, **for_whom(mine))
    walk.apply(token, step.node.decide(Visit(step, walk.state, token), event, walk.world))


def _refuse_return(workflow: Workflow, state: State, event: Event) -> Refusal:
    refused = refuse_unoffered(workflow, state, event)
    if refused is not None:
        return refused
    token, _ = seat_at(state, event)
    if event.to not in list_targets(workflow, state, token):
        return invalid("to", M("It cannot be returned there."))
    if event.how and event.how not in WAYS_BACK:
        return invalid("how", M("It goes through all steps again, or comes straight back."))
    return None if event.comment.strip() else invalid("comment", M("Please say what is to be corrected."))


def _return(walk: Walk, event: Event) -> None:
    token, mine = seat_at(walk.state, event)
    target, how = event.to, event.how or str(walk.workflow.steps[token.at].document.get("returned", "again"))
    if target == "previous":
        target = list_targets(walk.workflow, walk.state, token)[-1]
    straight = {"how": how} if how == "back" else {}
    walk.note("return", token, event, to=target, **straight, **for_whom(mine))
    walk.change(decided=walk.state.decided + 1)
    if target == "initiator":
        walk.give_back(token, how)
    else:
        send_back(walk, token, target, how)


def send_back(walk: Walk, token: Token, target: str, how: str) -> None:
    """From a token to an earlier step: what is inside the part of the way that is gone back over ends."""
    step = walk.workflow.steps[target]
    top = walk.state.line_of(token)[len(step.blocks)]
    gone = tuple(walk.state.under(top))
    walk.remove(gone)
    if how != "back":
        walk.forget_from(step.place)
    walk.go(target, replace(top, memory={}, parked=gone if how == "back" else ()))


def _refuse_transfer(workflow: Workflow, state: State, event: Event) -> Refusal:
    refused = refuse_unoffered(workflow, state, event)
    return refused if refused is not None else refuse_person(seat_at(state, event)[0], event)


def _transfer(walk: Walk, event: Event) -> None:
    token, mine = seat_at(walk.state, event)
    walk.note("transfer", token, event, to=event.to, **for_whom(mine))
    other = _seat_for(walk, token, event.to, {"rule": "transferred", "by": event.by})
    replace_seat(walk, token, mine, other)


def _seat_for(walk: Walk, token: Token, person: int, why: dict[str, object]) -> Seat:
    """A seat for a person, or for their deputy where they are away and the deputy does not sit here already."""
    (seat,) = sit({person: why}, walk.world)
    return Seat(person, why) if any(s.person == seat.person for s in token.seats) else seat


def replace_seat(walk: Walk, token: Token, mine: Seat, other: Seat) -> None:
    """Somebody else sits where somebody sat; who waits for the one waits for the other."""
    seats = put_instead(token.seats, mine, replace(other, after=mine.after))
    walk.put(replace(token, seats=seats, stuck=any(s.state == "gone" for s in seats)))


def _refuse_signer(workflow: Workflow, state: State, event: Event) -> Refusal:
    if event.how not in PLACES:
        return invalid("how", M("Before you, after you, or beside you."))
    return _refuse_transfer(workflow, state, event)


def _add_signer(walk: Walk, event: Event) -> None:
    token, mine = seat_at(walk.state, event)
    walk.note("add_signer", token, event, to=event.to, how=event.how, **for_whom(mine))
    why: dict[str, object] = {"rule": "added", "by": event.by}
    now = _seat_for(walk, token, event.to, why)
    if event.how == "before":
        pair = (now, replace(mine, state="waiting", round=0, after=now.person))
    elif event.how == "after":
        pair = (replace(mine, round=0), Seat(event.to, why, "waiting", after=mine.person))
    else:
        pair = (replace(mine, round=0), now)
    others = token.seats
    if event.how == "after":
        others = tuple(replace(s, after=event.to) if s.after == mine.person else s for s in others)
    place = token.seats.index(mine)
    walk.put(replace(token, seats=(*others[:place], *pair, *others[place + 1 :])))


def _refuse_take_back(workflow: Workflow, state: State, event: Event) -> Refusal:
    last = state.passed[-1] if state.passed else ""
    if event.by not in state.hands.get(last, ()):
        return Conflict(M("Only whoever agreed last may take that back."))
    if len(state.tokens) == 1 and last in workflow.steps:
        (token,) = state.tokens
        untouched = token.seats and all(s.state in ("open", "waiting") for s in token.seats)
        if untouched and leads_straight(workflow, workflow.steps[last], token.at):
            return None
    return Conflict(M("It has gone on already, so this can no longer be taken back."))


def _take_back(walk: Walk, event: Event) -> None:
    """The step is open again for everybody it asks, as it was before somebody agreed."""
    (token,) = walk.state.tokens
    walk.note("take_back", token, event)
    walk.change(decided=max(walk.state.decided - 1, 0))
    send_back(walk, token, walk.state.passed[-1], "again")


ACTIONS = {
    "take_back": Action(_refuse_take_back, _take_back),
    "approve": Action(_refuse_approve, _decide),
    "reject": Action(_refuse_reject, _decide),
    "return": Action(_refuse_return, _return),
    "transfer": Action(_refuse_transfer, _transfer),
    "add_signer": Action(_refuse_signer, _add_signer),
}
