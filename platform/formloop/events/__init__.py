"""The change stream: what happened to which record, told inside the transaction it happened in.

Subscribers that need the network or time put a message into the outbox (`outbox.put`) and work later.
Never knows who listens.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from formloop.core.errors import Invalid, Problem
from formloop.core.text import M


class Doer(Protocol):
    """Who made a change, as far as an event needs to know."""

    @property
    def person_id(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Cause:
    """Where a change came from: `source` is a chain such as ("ui",) or ("ui", "bridge:order_to_demand")."""

    chain: tuple[str, ...] = ("ui",)
    form: str | None = None
    record: int | None = None
    message: str | None = None

    def then(self, step: str, form: str | None = None, record: int | None = None) -> "Cause":
        """The cause of what `step` does because of this one."""
        return Cause((*self.chain, step), form or self.form, record or self.record, self.message)


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `name` is created, updated, deleted, restored, purged or `state:<new state>`.

    `before` and `after` are the record's values with its lines; `changed` names the fields that differ.
    """

    name: str
    form: str
    record: int
    actor: Any
    after: Mapping[str, Any] | None = None
    before: Mapping[str, Any] | None = None
    changed: frozenset[str] = frozenset()
    cause: Cause = field(default_factory=Cause)
    version: int = 0

    @property
    def updates(self) -> bool:
        """Whether values changed, be it together with the state."""
        return self.name == "updated" or (self.name.startswith("state:") and bool(self.changed - {"state"}))


Subscriber = Callable[[Event], None]
SubscriberOfMany = Callable[[Sequence[Event]], None]
_subscribers: list[tuple[int, Any]] = []
_of_many: set[SubscriberOfMany] = set()

DEEPEST = 12  # changes that cause changes: a chain longer than this is a loop


def subscribe(subscriber: Subscriber, order: int = 100) -> Subscriber:
    """Let `subscriber` see every event, inside the transaction; lower `order` first. Adding twice counts once."""
    _add(subscriber, order)
    return subscriber


def subscribe_many(subscriber: SubscriberOfMany, order: int = 100) -> SubscriberOfMany:
    """Let `subscriber` see the events of one save together: for what is cheaper for many records at once."""
    _of_many.add(subscriber)
    _add(subscriber, order)
    return subscriber


def _add(subscriber: Any, order: int) -> None:
    if all(there is not subscriber for _, there in _subscribers):
        _subscribers.append((order, subscriber))
        _subscribers.sort(key=lambda pair: pair[0])


def emit(*events: Event) -> None:
    """Tell all subscribers, one after the other; what one of them raises undoes the whole transaction."""
    for event in events:
        _require_end(event)
    for _, subscriber in _subscribers if events else ():
        if subscriber in _of_many:
            subscriber(events)
        else:
            for event in events:
                subscriber(event)


def _require_end(event: Event) -> None:
    if len(event.cause.chain) > DEEPEST:
        chain = " → ".join(event.cause.chain[-4:])
        text = M("These rules call each other without end: {chain}. Nothing was saved.", chain=chain)
        raise Invalid([Problem("loop", event.form, text)])
