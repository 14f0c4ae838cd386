"""What an administrator does to a case that goes wrong; who may is asked before."""

from dataclasses import replace

from formloop.core.errors import Conflict
from formloop.core.text import M
from formloop.workflows.actions.deciding import replace_seat
from formloop.workflows.actions.spec import CHOOSE, REASON, Action, Refusal, invalid, refuse_person
from formloop.workflows.nodes.seats import put_instead
from formloop.workflows.spec import Visit, Workflow
from formloop.workflows.state import ENDED, CancelOpen, Event, Seat, SetState, State, Token
from formloop.workflows.walk import LEFT, Walk

TO_COME = ("waiting", "gone")
RUNNING = ("open", "stuck")
APPLIED = M("This change was applied already. Propose the change back instead.")


def _refuse_resume(workflow: Workflow, state: State, event: Event) -> Refusal:
    if event.to is not None:
        if state.status not in RUNNING:
            return Conflict(M("Only an approval under way can be moved to a step."))
        return _refuse_step(workflow, event)
    return None if state.status == "stuck" else Conflict(M("This approval is not stuck."))


def _refuse_step(workflow: Workflow, event: Event) -> Refusal:
    step = workflow.steps.get(str(event.to))
    if step is None or step.blocks:
        return invalid("to", M("Choose a step that does not stand inside parallel ways or a loop."))
    return None


def _resume(walk: Walk, event: Event) -> None:
    """At a step: everything else ends and the case stands there. Otherwise what is stuck is tried again."""
    if event.to is not None:
        walk.note("resume", next(iter(walk.state.leaves), None), event, to=event.to)
        _leave_home(walk)
        walk.go(event.to)
        return
    for token in [each for each in walk.state.tokens if each.stuck]:
        walk.note("resume", token, event)
        gone = [seat for seat in token.seats if seat.state == "gone"]
        if gone:
            seats = tuple(replace(s, state="open", round=0) if s in gone else s for s in token.seats)
            walk.call(replace(token, seats=seats, stuck=False))
        elif not token.at:
            walk.remove([token])
            walk.go_home(token.parked)
        elif token.inside:
            step = walk.workflow.steps[token.at]
            walk.apply(token, step.node.back(Visit(step, walk.state, token), walk.world))
        else:
            walk.remove([token])
            walk.go(token.at, token)


def _leave_home(walk: Walk) -> None:
    """Every place is given up; a record that was back with its initiator is under approval again."""
    if walk.state.home is not None:
        walk.effects.append(SetState(walk.workflow.states["submitted"]))
    walk.remove(walk.state.tokens)


def _refuse_restart(workflow: Workflow, state: State, event: Event) -> Refusal:
    return None if state.status in RUNNING else Conflict(M("This is not under approval."))


def _restart(walk: Walk, event: Event) -> None:
    """From the first step, as if it had just been submitted; what people said stays in the history."""
    walk.note("restart", None, event)
    _leave_home(walk)
    walk.change(status="open", decided=0, passed=(), hands={}, variables={})
    walk.go(walk.workflow.first)


def _refuse_move(workflow: Workflow, state: State, event: Event) -> Refusal:
    return None if state.status in (*RUNNING, "returned") else Conflict(M("This is not under approval."))


def _move(walk: Walk, event: Event) -> None:
    """By this version of the workflow from now on: at the places `renewed`, where it asks otherwise, it does so now."""
    versions = {"from": event.values["from"], "version": event.values["version"]}
    walk.note("moved", next(iter(walk.state.leaves), None), event, **versions)
    for round in event.values["renewed"]:
        token = walk.state.find_token(round)
        if token is None:  # the case has ended
            continue
        step = walk.workflow.steps[token.at]
        entry = step.node.renew(Visit(step, walk.state, token), walk.world)
        if entry is not None:
            walk.apply(replace(token, stuck=any(s.state == "gone" for s in entry.seats or ())), entry)


def _refuse_skip(workflow: Workflow, state: State, event: Event) -> Refusal:
    if not event.comment.strip():
        return invalid("comment", REASON)
    if state.home is not None:
        return Conflict(LEFT)
    return None if state.status == "stuck" else Conflict(M("This approval is not stuck."))


def _skip(walk: Walk, event: Event) -> None:
    """What is stuck is passed over."""
    for token in [each for each in walk.state.leaves if each.stuck]:
        walk.note("skip", token, event)
        walk.leave(token, walk.workflow.steps[token.at].next)


def _refuse_reassign(workflow: Workflow, state: State, event: Event) -> Refusal:
    found = _seat_to_give(state, event)
    if found is None:
        return Conflict(M("This step does not wait for that person any more."))
    return refuse_person(found[0], event)


def _reassign(walk: Walk, event: Event) -> None:
    found = _seat_to_give(walk.state, event)
    if found is not None:
        token, seat = found
        walk.note("reassign", token, event, to=event.to, person=seat.person)
        state = "waiting" if seat.state == "waiting" else "open"
        if seat.state == "open":
            walk.effects.append(CancelOpen((seat.round,) if seat.round > 0 else (), (seat.person,)))
        why = {"rule": "reassigned", "by": event.by, "of": seat.person}
        replace_seat(walk, token, seat, Seat(event.to, why, state))


def _seat_to_give(state: State, event: Event) -> tuple[Token, Seat] | None:
    """The seat of a task; without a task (no round) one whose turn is still to come."""
    person = event.values.get("person")
    if event.round or state.seat_of(person) is not None:
        return state.seat_of(person, event.round)
    seats = ((token, seat) for token in state.tokens for seat in token.seats)
    return next((each for each in seats if each[1].person == person and each[1].state in TO_COME), None)


def list_unasked(workflow: Workflow, state: State) -> list[Token]:
    """The places that are stuck where people decide, because nobody was found to ask."""
    steps = workflow.steps
    return [
        each
        for each in state.leaves
        if each.stuck
        and each.at in steps
        and steps[each.at].node.actions
        and (
            any(seat.state == "gone" for seat in each.seats)
            or all(seat.state != "open" for seat in each.seats)
        )
    ]


def _refuse_assign(workflow: Workflow, state: State, event: Event) -> Refusal:
    if not isinstance(event.to, int):
        return invalid("to", CHOOSE)
    if not event.comment.strip():
        return invalid("comment", REASON)
    if not list_unasked(workflow, state):
        return Conflict(M("No step of this approval lacks somebody who decides."))
    return None


def _assign(walk: Walk, event: Event) -> None:
    """Where nobody was found somebody is named; the times of the step begin now."""
    for token in list_unasked(walk.workflow, walk.state):
        walk.note("assign", token, event, to=event.to)
        named = Seat(event.to, {"rule": "reassigned", "by": event.by})
        gone = next((seat for seat in token.seats if seat.state == "gone"), None)
        seats = put_instead(token.seats, gone, named) if gone else (*token.seats, named)
        waits = walk.put(replace(token, seats=seats, stuck=any(s.state == "gone" for s in seats)))
        node = walk.workflow.steps[token.at].node
        visit = Visit(walk.workflow.steps[token.at], walk.state, waits)
        walk.effects += node.arm(visit, walk.world, walk.world.now()) or ()


def _refuse_end(workflow: Workflow, state: State, event: Event) -> Refusal:
    if state.status not in (*RUNNING, "returned"):
        return Conflict(M("This is not under approval."))
    return None if event.comment.strip() else invalid("comment", REASON)


def _end(walk: Walk, event: Event) -> None:
    walk.note("end", next(iter(walk.state.leaves), None), event)
    walk.finish("approved", walk.workflow.states["approved"])


def _refuse_void(workflow: Workflow, state: State, event: Event) -> Refusal:
    if state.status in ("new", "voided"):
        return Conflict(M("This was voided already."))
    if _is_applied(workflow, state):
        return Conflict(APPLIED)
    return None if event.comment.strip() else invalid("comment", REASON)


def _void(walk: Walk, event: Event) -> None:
    walk.note("void", next(iter(walk.state.leaves), None), event)
    walk.end("voided", walk.workflow.states["rejected"])


def _refuse_reactivate(workflow: Workflow, state: State, event: Event) -> Refusal:
    if state.status not in ENDED:
        return Conflict(M("Only a finished approval can be taken up again."))
    if _is_applied(workflow, state):
        return Conflict(APPLIED)
    return _refuse_step(workflow, event) if event.to is not None else None


def _is_applied(workflow: Workflow, state: State) -> bool:
    """Whether the record has what a case proposed, which the case alone cannot undo."""
    return workflow.amends is not None and state.status == "approved"


def _reactivate(walk: Walk, event: Event) -> None:
    """An ended case goes on, at a step or from the beginning."""
    walk.note("reactivate", None, event, **({"to": event.to} if event.to else {}))
    walk.forget_from(walk.workflow.steps[event.to].place if event.to else 0)
    walk.change(status="open", decided=0, tokens=())
    walk.effects.append(SetState(walk.workflow.states["submitted"]))
    walk.go(event.to or walk.workflow.first)


ACTIONS = {
    "resume": Action(_refuse_resume, _resume),
    "move": Action(_refuse_move, _move),
    "restart": Action(_refuse_restart, _restart),
    "skip": Action(_refuse_skip, _skip),
    "reassign": Action(_refuse_reassign, _reassign),
    "assign": Action(_refuse_assign, _assign),
    "end": Action(_refuse_end, _end),
    "void": Action(_refuse_void, _void, after_end=True),
    "reactivate": Action(_refuse_reactivate, _reactivate, after_end=True),
}
