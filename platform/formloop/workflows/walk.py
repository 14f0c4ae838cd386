"""Moving through a workflow: from an event's step on until every way waits or the case ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from time import monotonic
from typing import Any

from formloop.core.text import M, Message
from formloop.events import reasons
from formloop.workflows.nodes.seats import GONE, WAITS, call
from formloop.workflows.spec import Child, Entry, Step, Visit, Workflow, World
from formloop.workflows.state import (
    Ask,
    CancelOpen,
    Effect,
    Event,
    Note,
    Seat,
    SetState,
    State,
    Token,
    Work,
)

LEFT = M("It was returned, and whoever submitted it has left. Give it to somebody else.")
TOO_MANY = M("Too many steps in one go.")
_NOWHERE = Token(0, "")
MOST_STEPS = (
    100_000  # in one go; a loop that never waits could go on for long, a thousand lines want some 80,000
)
WORK = 10  # a step that changes records takes as long as so many that only calculate


@dataclass(slots=True)
class Effort:
    """How many steps one event may still take, in the cases it begins as well; each expression counts like a step."""

    left: int = field(default_factory=lambda: MOST_STEPS)
    until: float | None = None  # when it must be done, by the monotonic clock

    @property
    def spent(self) -> bool:
        """Whether nothing more may be done."""
        return self.left < 0 or (self.until is not None and monotonic() > self.until)


_PARTS = tuple(each.name for each in fields(State))


class Walk:
    """One event's way through a case: `state` and `effects` grow as it goes. Used once."""

    def __init__(self, workflow: Workflow, state: State, world: World, effort: Effort | None = None) -> None:
        self.workflow = workflow
        self.state = state
        self.world = world
        self.effects: list[Effect] = []
        self._ahead: list[tuple[str | None, Token]] = []
        self._effort = effort or Effort()

    def result(self) -> tuple[State, tuple[Effect, ...]]:
        """Walk on until every way waits: where the case stands then, and what is to be done."""
        while self._ahead:
            self._enter(*self._ahead.pop())
        state = self.state
        if state.status in ("open", "stuck", "returned"):
            waits = "returned" if state.home is not None else "open"
            stuck = any(each.stuck for each in state.tokens)
            state = replace(state, status="stuck" if stuck else waits)
        return state, tuple(self.effects)

    def note(self, action: str, token: Token | None, event: Event, **detail: Any) -> None:
        """A row of history for what somebody does."""
        at, round = (token.at, token.round) if token else ("", self.state.round)
        if event.files:
            detail["files"] = list(event.files)
        self.effects.append(Note(action, at, round, event.by, event.comment, detail))

    def change(self, **values: Any) -> None:
        """Change the state besides its tokens."""
        was = self.state  # a walk does it at every step, and `replace` looks at all fields anew
        self.state = State(*[values[key] if key in values else getattr(was, key) for key in _PARTS])

    def forget_from(self, place: int) -> None:
        """Who agreed at this step or behind it is asked again."""
        steps = self.workflow.steps
        kept = tuple(key for key in self.state.passed if key in steps and steps[key].place < place)
        hands = {key: people for key, people in self.state.hands.items() if key in kept}
        self.change(passed=kept, hands=hands)

    def write(self, token: Token) -> Token:
        """Write a token as it is now, asking nobody."""
        tokens = tuple(token if each.round == token.round else each for each in self.state.tokens)
        self.change(tokens=tokens)
        return token

    def put(self, token: Token) -> Token:
        """Write a token as it is now, and ask whoever has an open seat that nobody was asked for yet."""
        new = [seat for seat in token.seats if seat.state == "open" and seat.round == 0]
        if not new:
            return self.write(token)
        known = self.state.find_token(token.round)
        round = self.next_round() if known is not None and known.seats else token.round
        seats = tuple(replace(s, round=round) if s in new else s for s in token.seats)
        self.effects += [Ask(token.at, round, seat.person, seat.why) for seat in new]
        return self.write(replace(token, seats=seats))

    def next_round(self) -> int:
        """A number no task of this case has yet."""
        self.change(round=self.state.round + 1)
        return self.state.round

    def go(self, at: str | None, like: Token = _NOWHERE) -> None:
        """Let a way begin at a step, with what `like` has around it, in mind and parked."""
        self._ahead.append((at, like))

    def _enter(self, at: str | None, like: Token) -> None:
        if at is None:
            self.finish("approved", self.workflow.states["approved"])
            return
        if at.startswith("/"):
            self._arrive(like.parent)
            return
        step = self.workflow.steps[at]
        round = self.state.round + 1
        token = Token(round, at, like.parent, memory=like.memory, loop=like.loop, parked=like.parked)
        self.change(round=round, tokens=(*self.state.tokens, token))
        self._effort.left -= 1 + len(step.expressions) + len(step.branches)
        if self._effort.spent:
            self.apply(token, Entry(stuck=TOO_MANY))
        else:
            self.apply(token, step.node.enter(Visit(step, self.state, token), self.world))

    def _arrive(self, parent: int) -> None:
        """A way inside a block has come to its end."""
        found = self.state.find_token(parent)
        if found is None:
            return
        token = self.put(replace(found, inside=found.inside - 1))
        step = self.workflow.steps[token.at]
        self.apply(token, step.node.back(Visit(step, self.state, token), self.world))

    def apply(self, token: Token, entry: Entry) -> None:
        """Do to a token what its step makes of something."""
        step = self.workflow.steps[token.at]
        self.effects += entry.effects
        self._effort.left -= WORK * sum(isinstance(each, Work) for each in entry.effects)
        if entry.variables:
            self.change(variables={**self.state.variables, **entry.variables})
        if entry.seats is not None:
            token = replace(token, seats=entry.seats)
        if entry.memory is not None:
            token = replace(token, memory=entry.memory)
        if entry.agreed:
            self._agree(step, token)
        if entry.returns:
            self.write(token)
            self.give_back(token, "again")
        elif entry.rejected:
            self._reject(step, token, entry)
        elif entry.ends is not None:
            self.finish("approved", entry.ends, token)
        elif entry.stuck is not None:
            self._stop(token, entry.stuck)
        elif entry.inside:
            self._go_inside(token, entry.inside)
        elif entry.stays:
            self.put(token)
        else:
            self.leave(token, entry.next)

    def _agree(self, step: Step, token: Token) -> None:
        agreed = tuple(s.person for s in token.seats if s.state == "done")
        passed = (*(each for each in self.state.passed if each != step.id), step.id)
        self.change(passed=passed, hands={**self.state.hands, step.id: agreed})

    def _reject(self, step: Step, token: Token, entry: Entry) -> None:
        then = step.document.get("rejected", "end")
        self.write(token)
        if then == "pass":
            self.leave(token, entry.next)
        elif then == "return":
            self.give_back(token, "again")
        else:
            self.end("rejected", self.workflow.states["rejected"])

    def _stop(self, token: Token, reason: str | Message) -> None:
        self.effects.append(Note("stuck", token.at, token.round, detail=reasons.detail_of(reason)))
        self.put(replace(token, stuck=True))

    def _go_inside(self, token: Token, children: Sequence[Child]) -> None:
        self.put(replace(token, inside=token.inside + len(children), stuck=False))
        for child in reversed(children):
            loop = token.loop if child.loop is None else child.loop
            self.go(child.first, Token(0, "", token.round, loop=loop))

    def leave(self, token: Token, next: str | None) -> None:
        """A token's step is done: go on behind it, or straight back to where it was returned from."""
        self.remove([token])
        if token.parked:
            self.restore(token.parked)
        else:
            self.go(next, Token(0, "", token.parent, loop=token.loop))

    def remove(self, tokens: Sequence[Token]) -> None:
        """Take tokens away as they are by now; whoever was asked there is asked no more."""
        rounds = {each.round for each in tokens}
        seats = [seat for each in tokens for seat in each.seats]
        asked = sorted({s.round for s in seats if s.state == "open" and s.round})
        self.change(tokens=tuple(each for each in self.state.tokens if each.round not in rounds))
        if any(round < 0 for round in asked) or (asked and not any(t.seats for t in self.state.tokens)):
            self.effects.append(CancelOpen())
        elif asked:
            self.effects.append(CancelOpen(tuple(asked)))

    def restore(self, parked: Sequence[Token]) -> None:
        """Let tokens stand again where they stood; people are asked anew, other steps begin anew."""
        for token in parked:
            if token.inside:
                self.change(tokens=(*self.state.tokens, token))
            elif token.seats:
                seats = tuple(replace(s, round=0) if s.state == "open" else s for s in token.seats)
                fresh = replace(token, round=self.next_round(), seats=seats)
                self.change(tokens=(*self.state.tokens, fresh))
                self.call(fresh)
            else:
                self.go(token.at, token)

    def call(self, token: Token) -> None:
        """Ask who sits at a token, or who is asked in their place by now; without anybody it goes on."""
        step = self.workflow.steps[token.at]
        seats = call(Visit(step, self.state, token), token.seats, self.world)
        waits = replace(token, seats=seats)
        if not token.stuck and any(s.state == "gone" for s in seats):
            self._stop(waits, GONE)
        elif not token.stuck and not any(s.state in WAITS for s in seats):
            self.apply(waits, Entry((Note("passed", step.id, token.round),), next=step.next))
            return
        else:
            self.put(waits)
        waits = self.state.find_token(token.round) or waits
        armed = step.node.arm(Visit(step, self.state, waits), self.world, self.world.now())
        self.effects += armed or ()

    def give_back(self, token: Token, how: str) -> None:
        """Back to the initiator; `back`: submitted again it comes straight back to where everybody stood."""
        state = self.state
        parked = state.tokens if how == "back" else ()
        self.remove(state.tokens)
        if how != "back":
            self.change(passed=(), hands={})
        self.go_home(parked)
        self.effects.append(SetState(self.workflow.states["returned"]))

    def go_home(self, parked: tuple[Token, ...]) -> None:
        """Ask the initiator to correct it; one who has left cannot, so somebody else is to be asked."""
        initiator = self.state.initiator
        home = Token(self.next_round(), "", seats=(Seat(initiator, {"rule": "returned"}),), parked=parked)
        self.change(tokens=(*self.state.tokens, home))
        if self.world.is_here(initiator):
            self.put(home)
        else:
            self._stop(home, LEFT)

    def finish(self, status: str, record_state: str, token: Token | None = None) -> None:
        """The case is over, approved."""
        self.end(status, record_state)
        at, round = (token.at, token.round) if token else ("", self.state.round)
        self.effects.append(Note("finished", at, round))

    def end(self, status: str, record_state: str) -> None:
        """The case is over: nobody is asked any more, and the record gets its state."""
        self.remove(self.state.tokens)
        self._ahead.clear()
        self.change(status=status, tokens=())
        self.effects.append(SetState(record_state))
