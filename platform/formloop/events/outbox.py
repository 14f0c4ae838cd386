"""The outbox: work that was promised inside a transaction and is done after it.

The database row is the truth. A message is ready → leased → done | ready again after a back-off | dead |
unknown; every move is a compare-and-set, so a worker that lost its lease changes nothing.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby, takewhile
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from formloop.core import clock
from formloop.core.errors import Conflict, FormloopError
from formloop.core.registry import Registry
from formloop.core.text import M, Message
from formloop.db import after_commit, connection, is_sqlite, reading, transactional
from formloop.events.claims import ATTEMPTS, LEASE, Delivery, bury_lost, claim, owner, release_dead
from formloop.events.reasons import written
from formloop.events.tables import inbox, outbox

__all__ = [
    "ATTEMPTS",
    "LEASE",
    "Delivery",
    "DeliveryError",
    "Topic",
    "announce",
    "back_off",
    "claim",
    "deliver",
    "drain",
    "fail",
    "find_received",
    "finish",
    "keep_lease",
    "keep_leases",
    "on_put",
    "owner",
    "put",
    "put_many",
    "receive",
    "release_dead",
    "stopping",
    "topics",
]

HEARTBEAT = 20
LONGEST_WAIT = 6 * 3600.0
BATCH = 16
_PUT = insert(outbox)
_KEYS = func.unnest(bindparam("keys", type_=ARRAY(Text))).column_valued("key")
_HOLD_KEYS = select(
    func.pg_advisory_xact_lock(func.hashtextextended(_KEYS, 0))
)  # in the order they are given
SLICE = (
    0.02  # seconds for which a transaction takes further messages on SQLite: others wait to write meanwhile
)


class DeliveryError(Exception):
    """A delivery that failed. `permanent`: no try will ever work; `unknown`: nobody knows whether it arrived."""

    def __init__(
        self,
        text: str | Message,
        permanent: bool = False,
        unknown: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(str(text))
        self.text = text
        self.permanent = permanent
        self.unknown = unknown
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Topic:
    """What a topic does with a message, and whether messages of one key keep their order.

    `atomic`: the effect lies in this database alone, so message and effect end in one transaction, and several
    messages may share it. `gather` is called before several do, to read at once what each will need.
    """

    deliver: Callable[[Delivery], None]
    gather: Callable[[Sequence[Delivery]], None] | None = None
    ordered: bool = True
    atomic: bool = False
    title: Message | None = None


_FINISH = (
    update(outbox)
    .where(
        tuple_(outbox.c.id, outbox.c.lease_epoch).in_(bindparam("held", expanding=True)),
        outbox.c.state == "leased",
        outbox.c.lease_owner == bindparam("owner"),
    )
    .values(state="done", done_at=bindparam("now"), last_error=None)
)
_RECEIVED = select(inbox.c.result).where(
    inbox.c.source == bindparam("from"), inbox.c.msg_id == bindparam("id")
)
_RECEIVE = insert(inbox)
topics: Registry[Topic] = Registry("topic")
_wake: list[Callable[[str], None]] = []
_held: set[int] = set()  # what this process works on now
stopping = threading.Event()  # set: every drain of this process ends after the message under way


def on_put(wake: Callable[[str], None]) -> None:
    """Let `wake(topic)` be called after a transaction that put messages was committed."""
    _wake[:] = [wake]


def put(
    topic: str,
    key: str,
    payload: Mapping[str, Any],
    msg_id: str | None = None,
    not_before: datetime | None = None,
) -> str:
    """Promise a message inside the open transaction; returns its id, which stays the same for ever."""
    msg_id = msg_id or f"{topic}-{clock.new_id()}"
    _promise(topic, [(key, msg_id, payload)], not_before)
    return msg_id


def put_many(topic: str, messages: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Promise messages, each with its key, inside the open transaction: two statements, however many they are."""
    wanted = list(messages)
    if wanted:
        ids = clock.new_ids(len(wanted))
        _promise(topic, [(key, f"{topic}-{id}", said) for id, (key, said) in zip(ids, wanted, strict=True)])


def _promise(
    topic: str, messages: Sequence[tuple[str, str, Mapping[str, Any]]], not_before: datetime | None = None
) -> None:
    conn, now = connection(), clock.now()
    ready = {"topic": topic, "state": "ready", "ordered": int(topics.get(topic).ordered), "made_at": now}
    rows: list[dict[str, Any]] = [
        {"key": f"{topic}:{key}", "msg_id": msg_id, "payload": dict(said), "not_before": not_before or now}
        for key, msg_id, said in messages
    ]
    if not is_sqlite():
        # without it two transactions of one key may commit in another order than their ids
        conn.execute(_HOLD_KEYS, {"keys": sorted({row["key"] for row in rows})})
    conn.execute(_PUT, [{**ready, **row} for row in rows])
    after_commit(partial(announce, topic))


def announce(topic: str) -> None:
    """Wake whoever delivers `topic`; only ever a hint."""
    for wake in _wake:
        wake(topic)


@transactional
def finish(*deliveries: Delivery) -> bool:
    """Mark messages done; False when the lease of one of them had gone to somebody else."""
    held = [(each.id, each.lease_epoch) for each in deliveries]
    values = {"held": held, "owner": owner(), "now": clock.now()}
    return connection().execute(_FINISH, values).rowcount == len(held)


@transactional
def fail(delivery: Delivery, error: Exception) -> str:
    """Decide what becomes of a message whose delivery failed; returns its new state."""
    known = error if isinstance(error, DeliveryError) else DeliveryError(f"{type(error).__name__}: {error}")
    if known.unknown:
        state = "unknown"
    elif known.permanent or delivery.attempts >= ATTEMPTS:
        state = "dead"
    else:
        state = "ready"
    asked = known.wait if known.wait is not None else back_off(delivery.attempts)
    wait = min(max(asked, 0.0), LONGEST_WAIT)  # another system may ask for any time
    moved = _move(delivery, state=state, not_before=clock.later(seconds=wait), last_error=written(known.text))
    return state if moved else "lost"


@transactional
def keep_lease(delivery: Delivery) -> bool:
    """Prolong the lease of a message that takes long; False when it was lost."""
    return _move(delivery, lease_until=clock.later(seconds=LEASE))


@transactional
def keep_leases() -> int:
    """Prolong the leases this process works under: the heartbeat of a worker; returns how many there were."""
    held = outbox.c.state == "leased", outbox.c.lease_owner == owner(), outbox.c.id.in_(list(_held))
    return (
        connection()
        .execute(update(outbox).where(*held).values(lease_until=clock.later(seconds=LEASE)))
        .rowcount
    )


def _move(delivery: Delivery, **values: Any) -> bool:
    moved = connection().execute(
        update(outbox)
        .where(
            outbox.c.id == delivery.id,
            outbox.c.state == "leased",
            outbox.c.lease_owner == owner(),
            outbox.c.lease_epoch == delivery.lease_epoch,
        )
        .values(**values)
    )
    return moved.rowcount == 1


def back_off(attempts: int) -> float:
    """Seconds until the next try: 5 s doubling with each one, at most 6 h, ±20 %."""
    jitter = random.SystemRandom().uniform(0.8, 1.2)
    return float(min(LONGEST_WAIT, 5.0 * 2 ** (attempts - 1)) * jitter)


class _LeaseLost(Exception):
    """Somebody else has the message; what was done for it must not stand."""


def deliver(delivery: Delivery) -> str:
    """Carry out one claimed message and record the outcome; returns the new state, or "lost"."""
    try:
        if _aged(delivery) and not keep_lease(delivery):
            return "lost"
        topic = topics.get(delivery.topic)
        if topic.atomic:
            _deliver_and_finish(topic, delivery)
            return "done"
        topic.deliver(delivery)
    except _LeaseLost:
        return "lost"
    except Exception as error:  # whatever a deliverer raises must end in the repair desk, not in a log
        return fail(delivery, error)
    return "done" if finish(delivery) else "lost"


def _try_together(batch: list[Delivery]) -> int:
    """Carry out the first messages of a batch in one transaction; 0, and nothing is done, when one of them fails."""
    shared = list(takewhile(_may_share, batch))
    if len(shared) < 2:
        return 0
    try:
        return _deliver_together(shared)
    except Exception:  # which one it was, and why, shows when each has a transaction of its own
        return 0


def _may_share(delivery: Delivery) -> bool:
    topic = topics.find(delivery.topic)
    return topic is not None and topic.atomic and not _aged(delivery)


@transactional
def _deliver_together(batch: list[Delivery]) -> int:
    until = time.monotonic() + SLICE
    done: list[Delivery] = []
    for name, of_topic in groupby(batch, key=lambda each: each.topic):
        if gather := topics.get(name).gather:
            gather(list(of_topic))
    for delivery in batch:
        topics.get(delivery.topic).deliver(delivery)
        done.append(delivery)
        if is_sqlite() and time.monotonic() > until:
            break
    if not finish(*done):
        raise _LeaseLost
    return len(done)


def _aged(delivery: Delivery) -> bool:
    return (clock.now() - delivery.claimed_at).total_seconds() > HEARTBEAT


@transactional
def _deliver_and_finish(topic: Topic, delivery: Delivery) -> None:
    topic.deliver(delivery)
    if not finish(delivery):
        raise _LeaseLost


def drain(topic: str | None = None, most: int = 10_000, seconds: float = 3600.0) -> int:
    """Deliver what is due until nothing is left, `most` were tried or the time is up; returns how many were tried."""
    tried, until = 0, time.monotonic() + seconds
    bury_lost()
    while tried < most and time.monotonic() < until and not stopping.is_set():
        batch = claim(topic, min(BATCH, most - tried))
        if not batch:
            break
        tried += _deliver_all(batch)
    return tried


def _deliver_all(batch: list[Delivery]) -> int:
    """Deliver claimed messages in turn; those that it does not come to are given back. Returns how many were tried."""
    _held.update(each.id for each in batch)
    tried = 0
    well = True
    try:
        while batch[tried:] and not stopping.is_set():
            together = _try_together(batch[tried:]) if well else 0
            tried += together or 1
            if not together:
                well = deliver(batch[tried - 1]) == "done"
        return tried
    finally:
        _held.difference_update(each.id for each in batch)  # a lease nobody works under must run out
        if batch[tried:]:
            with suppress(FormloopError):
                _give_back(batch[tried:])


@transactional
def _give_back(batch: list[Delivery]) -> None:
    for delivery in batch:
        _move(delivery, state="ready", attempts=delivery.attempts - 1)


def find_received(source: str, msg_id: str) -> str | None:
    """What was made of a message that came in before, "" if nothing was kept; None when it is new."""
    with reading() as conn:
        return conn.execute(_RECEIVED, {"from": source, "id": msg_id}).scalar()


def receive(source: str, msg_id: str, result: str = "") -> None:
    """Note, inside the transaction of its effect, that a message has come in; a second time is Conflict."""
    row = {"source": source, "msg_id": msg_id, "result": result, "at": clock.now()}
    try:
        connection().execute(_RECEIVE, row)
    except IntegrityError as error:
        raise Conflict(M("This was received already.")) from error
