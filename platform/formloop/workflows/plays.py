"""What is played: who submits what, what people do and fill in, and what steps without people hear."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from formloop.core.definitions import Doc


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does in a play."""

    person: int
    action: str = "approve"
    comment: str = "simulation"
    to: Any = None
    how: str = ""
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a step hears that waits for no person: the status and body of an address, or that a wait is over.

    Without `comes` the address does not answer, and the wait goes on.
    """

    comes: bool = True
    status: int = 200
    body: Any = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Open:
    """A decision that a play waits for."""

    task: int
    step: str
    person: int
    case: int
    form: str
    record: int
    corrects: bool  # it was returned: its initiator is to submit it again


Next = Callable[[Sequence[Open]], Deed | None]  # from the open tasks to what happens next


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: a record, or values that are not saved, submitted by `initiator`.

    `follow` says what people do, `fills` what they fill in, by step; `answers` are what steps without people hear,
    by step; `draft` is a workflow document to try instead of the published one. `since`: the record is given back
    the values it had when that row of a history was written, but for what came from its own workflow; `besides`
    are records of sub-flows and that row of each, which are given back theirs. With a `reason` the values are proposed
    as a change of the record, which is approved. `needed` are definitions that were never published: they are first, by
    the player.
    """

    form: str
    initiator: int
    follow: Next
    record: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    fills: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    draft: Doc | None = None
    since: int | None = None
    besides: Sequence[tuple[str, int, int]] = ()
    reason: str = ""
    needed: Sequence[str] = ()
