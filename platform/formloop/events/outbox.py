"""The outbox: work that was promised inside a transaction and is done after it.

The database row is the truth. A message is ready → leased → done | ready again after a back-off | dead |
unknown; every move is a compare-and-set, so a worker that lost its lease changes nothing.
"""

import random
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from os import getpid
from typing import Any

from sqlalchemy import and_, exists, func, insert, or_, select, text, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from formloop.core import clock
from formloop.core.errors import Conflict
from formloop.core.registry import Registry
from formloop.core.text import M
from formloop.db import after_commit, connection, is_sqlite, reading, transactional
from formloop.events.tables import inbox, outbox

LEASE = 60
ATTEMPTS = 12
_OPEN = ("ready", "leased")
_BLOCKING = ("ready", "leased", "dead", "unknown")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message under way, as the topic's deliverer sees it."""

    id: int
    topic: str
    key: str
    msg_id: str
    payload: Mapping[str, Any]
    attempts: int
    lease_epoch: int


class DeliveryError(Exception):
    """A delivery that failed. `permanent`: no try will ever work; `unknown`: nobody knows whether it arrived."""

    def __init__(
        self, text: str, permanent: bool = False, unknown: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(text)
        self.permanent = permanent
        self.unknown = unknown
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Topic:
    """What a topic does with a message, and whether messages of one key keep their order."""

    deliver: Callable[[Delivery], None]
    ordered: bool = True


topics: Registry[Topic] = Registry("topic")
_wake: list[Callable[[str], None]] = []


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
    conn = connection()
    if not is_sqlite():
        # without it two transactions of one key may commit in another order than their ids
        conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{topic}:{key}", 0))))
    msg_id = msg_id or f"{topic}-{clock.new_id()}"
    conn.execute(
        insert(outbox).values(
            topic=topic,
            key=f"{topic}:{key}",
            msg_id=msg_id,
            payload=dict(payload),
            state="ready",
            ordered=int(topics.get(topic).ordered),
            not_before=not_before or clock.now(),
            made_at=clock.now(),
        )
    )
    after_commit(partial(_announce, topic))
    return msg_id


def _announce(topic: str) -> None:
    for wake in _wake:
        wake(topic)


def owner() -> str:
    """The name of this process as the holder of leases."""
    return f"{socket.gethostname()}:{getpid()}"


@transactional
def claim(topic: str | None = None, limit: int = 1) -> list[Delivery]:
    """Lease up to `limit` messages that are due, the oldest first, never overtaking one of the same key."""
    now = clock.now()
    earlier = outbox.alias("earlier")
    blocked = exists().where(
        earlier.c.key == outbox.c.key,
        earlier.c.id < outbox.c.id,
        earlier.c.state.in_(_BLOCKING),
        outbox.c.ordered == 1,
    )
    due = or_(
        and_(outbox.c.state == "ready", outbox.c.not_before <= now),
        and_(outbox.c.state == "leased", outbox.c.lease_until < now),
    )
    # the partial index only serves a query that says the state in the index's own words
    wanted = select(outbox.c.id).where(text("fl_outbox.state IN ('ready', 'leased')"), due, ~blocked)
    if topic:
        wanted = wanted.where(outbox.c.topic == topic)
    wanted = wanted.order_by(outbox.c.id).limit(limit)
    if not is_sqlite():
        wanted = wanted.with_for_update(skip_locked=True)
    claimed = connection().execute(
        update(outbox)
        .where(outbox.c.id.in_(wanted.scalar_subquery() if limit == 1 else wanted))
        .values(
            state="leased",
            attempts=outbox.c.attempts + 1,  # counted now, so that a message which kills its worker also ends
            lease_owner=owner(),
            lease_until=now + timedelta(seconds=LEASE),
            lease_epoch=outbox.c.lease_epoch + 1,
        )
        .returning(outbox)
    )
    return sorted((_delivery(row) for row in claimed), key=lambda each: each.id)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(row.id, row.topic, row.key, row.msg_id, row.payload, row.attempts, row.lease_epoch)


@transactional
def finish(delivery: Delivery) -> bool:
    """Mark a message done; False when the lease had gone to somebody else."""
    return _move(delivery, state="done", done_at=clock.now(), last_error=None)


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
    wait = known.wait if known.wait is not None else back_off(delivery.attempts)
    _move(delivery, state=state, not_before=clock.later(seconds=wait), last_error=str(known)[:2000])
    return state


@transactional
def keep_lease(delivery: Delivery) -> bool:
    """Prolong the lease of a message that takes long; False when it was lost."""
    return _move(delivery, lease_until=clock.later(seconds=LEASE))


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
    return float(min(6 * 3600.0, 5.0 * 2 ** (attempts - 1)) * jitter)


def deliver(delivery: Delivery) -> str:
    """Carry out one claimed message and record the outcome; returns the new state."""
    try:
        topics.get(delivery.topic).deliver(delivery)
    except Exception as error:  # whatever a deliverer raises must end in the repair desk, not in a log
        return fail(delivery, error)
    return "done" if finish(delivery) else "lost"


def drain(topic: str | None = None, most: int = 10_000) -> int:
    """Deliver what is due until nothing is left or `most` were tried; returns how many were tried."""
    tried = 0
    while tried < most:
        batch = claim(topic)
        if not batch:
            break
        for delivery in batch:
            deliver(delivery)
            tried += 1
    return tried


def find_received(source: str, msg_id: str) -> str | None:
    """What was made of a message that came in before, "" if nothing was kept; None when it is new."""
    with reading() as conn:
        query = select(inbox.c.result).where(inbox.c.source == source, inbox.c.msg_id == msg_id)
        return conn.execute(query).scalar()


def receive(source: str, msg_id: str, result: str = "") -> None:
    """Note, inside the transaction of its effect, that a message has come in; a second time is Conflict."""
    try:
        connection().execute(
            insert(inbox).values(source=source, msg_id=msg_id, result=result, at=clock.now())
        )
    except IntegrityError as error:
        raise Conflict(M("This was received already.")) from error
