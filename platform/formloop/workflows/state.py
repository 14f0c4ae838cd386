"""Where one case stands, what happens to it, and what is to be done about it: plain immutable values.

A case is a tree of tokens. A token stands at one step; those inside a block (a parallel branch, a round of a
loop) have the token that waits at the block as their parent, whose `inside` counts them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from formloop.workflows import plain

ENDED = ("approved", "rejected", "withdrawn", "voided")
FORMAT = 2  # of a state as JSON; `from_json` reads every earlier one

Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seat:
    """One person at a step. `why` is the rule that chose them; state: waiting, open, done, against,
    or gone (they had left when their turn came).

    `round` is the one their task was made in: 0 none yet, below it one that is not known (the first format).
    `after` is the person they wait for.
    """

    person: int
    why: Rule = field(default_factory=dict, hash=False)
    state: str = "open"
    round: int = 0
    after: int | None = None

    def as_json(self) -> list[Any]:
        """Plain values; what is not said is left out."""
        return [self.person, dict(self.why), self.state, self.round, self.after]


@dataclass(frozen=True, slots=True)
class Token:
    """One place where a case stands. `round` is its own number in the case; it rises with each step entered.

    at "" is the initiator, who corrects. `memory` is what the step keeps while it waits; `loop` is the item and
    index of the round of a loop it belongs to. `parked` are tokens that take this one's place when its step is
    done, because it was returned here to come straight back.
    """

    round: int
    at: str
    parent: int = 0
    inside: int = 0
    seats: tuple[Seat, ...] = ()
    stuck: bool = False
    memory: Mapping[str, Any] = field(default_factory=dict, hash=False)
    loop: Mapping[str, Any] = field(default_factory=dict, hash=False)
    parked: tuple["Token", ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values; what is not said is left out."""
        found: dict[str, Any] = {"round": self.round, "at": self.at}
        if self.parent:
            found["parent"] = self.parent
        if self.inside:
            found["inside"] = self.inside
        if self.seats:
            found["seats"] = [seat.as_json() for seat in self.seats]
        if self.stuck:
            found["stuck"] = True
        if self.memory:
            found["memory"] = plain.write(self.memory)
        if self.loop:
            found["loop"] = plain.write(self.loop)
        if self.parked:
            found["parked"] = [each.as_json() for each in self.parked]
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Token":
        """The token that `as_json` wrote."""
        return cls(
            **{
                **found,
                "seats": tuple(Seat(*each) for each in found.get("seats", ())),
                "memory": plain.read(found.get("memory", {})),
                "loop": plain.read(found.get("loop", {})),
                "parked": tuple(cls.from_json(each) for each in found.get("parked", ())),
            }
        )


@dataclass(frozen=True, slots=True)
class State:
    """Where a case stands.

    status: new, open, stuck (a step needs an administrator), returned, or one of ENDED. `decided` counts
    decisions since it was submitted; `passed` are the steps people agreed in and `hands` who agreed there;
    `variables` is what steps found out, by step; `chosen` are people picked for later steps.
    `above` are the cases that it was begun by, one begun by the other: by workflow the first.
    """

    initiator: int
    status: str = "new"
    round: int = 0
    decided: int = 0
    tokens: tuple[Token, ...] = ()
    passed: tuple[str, ...] = ()
    hands: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    variables: Mapping[str, Any] = field(default_factory=dict, hash=False)
    chosen: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    above: Mapping[str, int] = field(default_factory=dict, hash=False)

    @property
    def leaves(self) -> tuple[Token, ...]:
        """The tokens that wait for something outside: people, a time, an answer."""
        return tuple(each for each in self.tokens if not each.inside)

    @property
    def at(self) -> str | None:
        """The step of the first place where it stands; None when it ended or the initiator has it."""
        return next((each.at or None for each in self.leaves), None)

    @property
    def home(self) -> Token | None:
        """The place with the initiator, where it has been returned."""
        return next((each for each in self.tokens if not each.at), None)

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Everybody who sits at a step now."""
        return tuple(seat for each in self.tokens for seat in each.seats)

    def find_token(self, round: int) -> Token | None:
        """The token with this number."""
        return next((each for each in self.tokens if each.round == round), None)

    def seat_of(self, person: int | None, round: int = 0) -> tuple[Token, Seat] | None:
        """The open seat of a person with its token; `round` is that of their task, 0 takes the first one."""
        for token in self.tokens:
            for seat in token.seats:
                fits = not round or seat.round <= 0 or seat.round == round
                if seat.person == person and seat.state == "open" and fits:
                    return token, seat
        return None

    def line_of(self, token: Token) -> tuple[Token, ...]:
        """The tokens around a token, outermost first, and the token itself."""
        line = [token]
        while line[0].parent:
            parent = self.find_token(line[0].parent)
            if parent is None:
                break
            line.insert(0, parent)
        return tuple(line)

    def under(self, token: Token) -> Iterator[Token]:
        """A token and all that stand inside it."""
        yield token
        for each in self.tokens:
            if each.parent == token.round:
                yield from self.under(each)

    def as_json(self) -> dict[str, Any]:
        """The state as plain values."""
        found: dict[str, Any] = {
            "format": FORMAT,
            "initiator": self.initiator,
            "status": self.status,
            "round": self.round,
            "decided": self.decided,
            "tokens": [each.as_json() for each in self.tokens],
            "passed": list(self.passed),
            "hands": {step: list(people) for step, people in self.hands.items()},
        }
        if self.variables:
            found["variables"] = plain.write(self.variables)
        if self.chosen:
            found["chosen"] = {step: list(people) for step, people in self.chosen.items()}
        if self.above:
            found["above"] = dict(self.above)
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "State":
        """The state that `as_json` of this version or of an earlier one wrote."""
        if "format" not in found:
            return _from_first_format(found)
        known = {key: value for key, value in found.items() if key != "format"}
        return cls(
            **{
                **known,
                "tokens": tuple(Token.from_json(each) for each in found["tokens"]),
                "passed": tuple(found["passed"]),
                "hands": {step: tuple(people) for step, people in found["hands"].items()},
                "variables": plain.read(found.get("variables", {})),
                "chosen": {step: tuple(people) for step, people in found.get("chosen", {}).items()},
            }
        )


def _from_first_format(found: Mapping[str, Any]) -> State:
    """Of the first format: one place only, and who decides in turn waits for the seat before."""
    seats: list[Seat] = []
    for person, why, status in found["seats"]:
        after = seats[-1].person if status == "waiting" and seats else None
        seats.append(Seat(person, why, status, -1, after))
    at, stuck = found["at"], found["status"] == "stuck"
    if found["status"] == "returned":
        at, seats = "", [Seat(found["initiator"], {"rule": "returned"}, "open", -1)]
    here = Token(found["round"], at, seats=tuple(seats), stuck=stuck) if at is not None else None
    return State(
        initiator=found["initiator"],
        status=found["status"],
        round=found["round"],
        decided=found["decided"],
        tokens=(here,) if here else (),
        passed=tuple(found["passed"]),
    )


@dataclass(frozen=True, slots=True)
class Event:
    """What happens to a case.

    `by` is None when a step itself hears of something (done, failed, due). `to` is a person (transfer, a
    further signer), people (copy), or a step id, previous or initiator (return, resume). `how`: before, after
    or beside (a further signer); again or back (return). `round` is that of the task or of the token.
    `values` is what a step hears; `chosen` are people picked for later steps.
    """

    action: str
    by: int | None
    comment: str = ""
    to: Any = None
    how: str = ""
    round: int = 0
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)
    chosen: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    files: tuple[str, ...] = ()
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A task for a person."""

    step: str
    round: int
    person: int
    why: Rule = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Tell:
    """A copy for a person, or with a text a message."""

    step: str
    round: int
    person: int
    why: Rule = field(default_factory=dict, hash=False)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Remind:
    """People who are asked already are reminded of it."""

    people: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CancelOpen:
    """Tasks that are still open are no longer needed: of these rounds and people, without them of the case."""

    rounds: tuple[int, ...] = ()
    people: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SetState:
    """The record moves to another state."""

    state: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """The token is to hear `due` at a moment; `what` says which of its times it is."""

    round: int
    at: datetime
    what: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """The token is to hear `done` when something happens: a change of records, or the end of another case."""

    round: int
    key: str


@dataclass(frozen=True, slots=True)
class Work:
    """Something only the service can do; the token hears `done` with what came of it, or `failed`."""

    round: int
    step: str
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Note:
    """A row of the case's history."""

    action: str
    step: str = ""
    round: int = 0
    person: int | None = None
    comment: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict, hash=False)


Effect = Ask | Tell | Remind | CancelOpen | SetState | Alarm | Watch | Work | Note
