"""Messages that wait or failed, for the repair desk: looked at, tried again, or given up.

Every move is a compare-and-set; a message keeps its id, so that what it did already is not done twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, select, text, update
from sqlalchemy.engine import Row

from formloop.core import clock
from formloop.core.text import M
from formloop.db import after_commit, connection, reading, transactional
from formloop.db.counting import count_up_to
from formloop.events.outbox import announce
from formloop.events.reasons import written
from formloop.events.tables import outbox

# the partial indexes only serve queries that say the state in the indexes' own words
_OPEN = text("fl_outbox.state IN ('ready', 'leased')")
_STUCK = text("fl_outbox.state IN ('dead', 'unknown')")
_LIVE = text("fl_outbox.state IN ('ready', 'leased', 'dead', 'unknown')")

MOST_COUNTED = 1_000
COUNT_STUCK, _COUNT_OPEN = (count_up_to(outbox, which, most=MOST_COUNTED) for which in (_STUCK, _OPEN))


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message as the repair desk shows it."""

    id: int
    topic: str
    key: str
    msg_id: str
    payload: Any
    state: str
    attempts: int
    not_before: datetime
    made_at: datetime
    last_error: str | None


def list_stuck(
    topic: str | None = None, key: str = "", before: int | None = None, limit: int = 50
) -> list[Waiting]:
    """Messages that nobody tries any more, newest first; `key` is how their keys begin."""
    return _list(_STUCK, topic, key, before, limit)


def list_waiting(
    topic: str | None = None, key: str = "", before: int | None = None, limit: int = 50
) -> list[Waiting]:
    """Messages that wait for their turn or their next try, newest first."""
    return _list(_OPEN, topic, key, before, limit)


def list_of_keys(keys: Sequence[str]) -> list[Waiting]:
    """The messages of these keys (`<topic>:<key>`) that are not done, oldest first."""
    query = select(outbox).where(_LIVE, outbox.c.key.in_(keys)).order_by(outbox.c.id).limit(200)
    with reading() as conn:
        return [_waiting(row) for row in conn.execute(query)]


def find_message(message: int) -> Waiting | None:
    """One message, whatever its state."""
    with reading() as conn:
        row = conn.execute(select(outbox).where(outbox.c.id == message)).one_or_none()
        return _waiting(row) if row else None


def count_stuck() -> int:
    """How many messages nobody tries any more; 1,000 means that many or more."""
    with reading() as conn:
        return conn.execute(COUNT_STUCK).scalar_one()


def count_waiting() -> int:
    """How many messages wait for their turn or their next try; 1,000 means that many or more."""
    with reading() as conn:
        return conn.execute(_COUNT_OPEN).scalar_one()


@transactional
def retry(message: int) -> bool:
    """Let a message be tried again at once; False when it is under way, done or given up."""
    moved = (
        connection()
        .execute(
            update(outbox)
            .where(outbox.c.id == message, outbox.c.state.in_(("dead", "unknown", "ready")))
            .values(state="ready", attempts=0, not_before=clock.now())
            .returning(outbox.c.topic)
        )
        .scalar()
    )
    if moved:
        after_commit(lambda: announce(moved))
    return moved is not None


@transactional
def retry_all(topic: str, key: str = "") -> int:
    """Let all dead messages of a topic whose keys begin with `key` be tried again; what is unknown stays so."""
    condition = and_(_STUCK, outbox.c.state == "dead", outbox.c.topic == topic, *_begins(topic, key))
    moved = connection().execute(
        update(outbox).where(condition).values(state="ready", attempts=0, not_before=clock.now())
    )
    if moved.rowcount:
        after_commit(lambda: announce(topic))
    return moved.rowcount


@transactional
def change_payload(message: int, payload: Mapping[str, Any]) -> None:
    """Let a message that nobody is delivering say something else; it keeps its id."""
    idle = outbox.c.state.in_(("dead", "unknown", "ready"))
    connection().execute(update(outbox).where(outbox.c.id == message, idle).values(payload=dict(payload)))


@transactional
def cancel(message: int, reason: str) -> bool:
    """Give a message up, so that later ones of its key can go on; False when it is under way or done."""
    moved = (
        connection()
        .execute(
            update(outbox)
            .where(outbox.c.id == message, outbox.c.state.in_(("dead", "unknown", "ready")))
            .values(
                state="cancelled",
                done_at=clock.now(),
                last_error=written(M("Given up: {reason}", reason=reason)),
            )
            .returning(outbox.c.topic)
        )
        .scalar()
    )
    if moved:
        after_commit(lambda: announce(moved))
    return moved is not None


def _begins(topic: str, key: str) -> list[ColumnElement[bool]]:
    return [outbox.c.key.startswith(f"{topic}:{key}:", autoescape=True)] if key else []


def _list(state: Any, topic: str | None, key: str, before: int | None, limit: int) -> list[Waiting]:
    query = select(outbox).where(state).order_by(outbox.c.id.desc()).limit(limit)
    if topic:
        query = query.where(outbox.c.topic == topic, *_begins(topic, key))
    if before is not None:
        query = query.where(outbox.c.id < before)
    with reading() as conn:
        return [_waiting(row) for row in conn.execute(query)]


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(
        row.id,
        row.topic,
        row.key,
        row.msg_id,
        row.payload,
        row.state,
        row.attempts,
        row.not_before,
        row.made_at,
        row.last_error,
    )
