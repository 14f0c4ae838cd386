"""Who sits at a step once its case goes on by another version of the workflow, which may name others."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from formloop.workflows.assignees import rules
from formloop.workflows.nodes.seats import WAITS, call, line_up, name, pass_repeated, sit
from formloop.workflows.spec import Step, Visit, World
from formloop.workflows.state import Rule, Seat

ASKS = ("who", "mode", "percent", "nobody")  # what a step says of whom it asks, and how


def asks_otherwise(here: Step, there: Step) -> bool:
    """Whether one version of a step says otherwise than another whom it asks."""
    return any(here.document.get(each) != there.document.get(each) for each in ASKS)


def renew(visit: Visit, world: World) -> tuple[Seat, ...]:
    """The seats as the step says now. Who decided, or is asked, and is still named keeps their seat.

    So does who is asked for somebody, or by somebody, who is still named. Without seats nobody is found.
    """
    named = name(visit, world)
    kept = [_by_now(each, named) for each in visit.token.seats if _stays(visit, each, named, world)]
    held = {person for each in kept for person in (each.person, _sits_for(each))}
    new = sit({person: rule for person, rule in named.items() if person not in held}, world)
    new = pass_repeated(visit, tuple(each for each in new if each.person not in held))
    place = {person: index for index, person in enumerate(named)}
    seats = sorted((*kept, *new), key=lambda s: place.get(s.person, place.get(_sits_for(s) or 0, len(place))))
    return call(visit, _in_order(visit.step, seats), world)


def _stays(visit: Visit, seat: Seat, named: Container[int | None], world: World) -> bool:
    if seat.state == "gone" or (seat.state == "against" and visit.step.mode != "vote"):
        return False
    return world.is_here(seat.person) and (seat.person in named or _sits_for(seat) in named)


def _by_now(seat: Seat, named: Mapping[int, Rule]) -> Seat:
    """With the rule that chooses the person now, where it was a rule that did."""
    chosen = seat.why.get("rule") in (*rules.names(), "stand_in") and seat.person in named
    return replace(seat, why=named[seat.person]) if chosen else seat


def _sits_for(seat: Seat) -> int | None:
    """Who was asked in the first place, or asked for this seat; None where the step itself chose the person."""
    why = seat.why
    found: int | None = why["by"] if why.get("rule") in ("transferred", "added") else why.get("of")
    return found


def _in_order(step: Step, seats: Sequence[Seat]) -> tuple[Seat, ...]:
    """One after the other where the step says so; else all at once but for a further signer before or after somebody."""
    waiting = {each.person: each for each in seats if each.state in WAITS}
    if step.mode == "in_turn":
        return line_up([_at_once(each) for each in seats])
    return tuple(
        each if _waits_for_signer(each, waiting.get(each.after or 0)) else _at_once(each) for each in seats
    )


def _waits_for_signer(seat: Seat, before: Seat | None) -> bool:
    return before is not None and "added" in (seat.why.get("rule"), before.why.get("rule"))


def _at_once(seat: Seat) -> Seat:
    return replace(seat, state="open", round=0, after=None) if seat.state == "waiting" else seat
