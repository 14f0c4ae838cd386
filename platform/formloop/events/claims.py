"""Who may deliver what: leases on messages, given to one worker at a time and never out of order."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, literal_column, or_, select, text, update
from sqlalchemy.engine import Row

from formloop.core import clock
from formloop.core.text import M
from formloop.db import connection, is_sqlite, transactional
from formloop.events.reasons import written
from formloop.events.tables import outbox

LEASE = 60
ATTEMPTS = 12
_SPARE = 4  # times as many as wanted are looked at first, since some may be held back or taken by others

# the partial indexes only serve queries that say the state in the indexes' own words
_OPEN = text("fl_outbox.state IN ('ready', 'leased')")
_BLOCKS: ColumnElement[bool] = literal_column("earlier.state IN ('ready', 'leased', 'dead', 'unknown')")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message under way, as the topic's deliverer sees it.

    `lost`: whoever had it before never said what became of it.
    """

    id: int
    topic: str
    key: str
    msg_id: str
    payload: Any
    attempts: int
    lease_epoch: int
    claimed_at: datetime
    lost: bool = False


@lru_cache(maxsize=1)
def _place() -> str:
    """The machine, and on Linux the world of process numbers, that this process lives in."""
    names = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()}/{names.readlink() if names.exists() else ''}"


def owner() -> str:
    """The name of this process as the holder of leases."""
    return f"{_place()}:{os.getpid()}"


@transactional
def claim(topic: str | None = None, limit: int = 1) -> list[Delivery]:
    """Lease up to `limit` messages that are due, the oldest first, never overtaking one of the same key.

    Only messages that nobody has tried yet come together: one that was tried may be what kills its worker,
    and must not take others with it.
    """
    now = clock.now()
    chosen = _choose(topic, limit, now)
    if not chosen:
        return []
    lost = {row.id for row in chosen if row.state == "leased"}
    claimed = connection().execute(
        update(outbox)
        .where(outbox.c.id.in_([row.id for row in chosen]))
        .values(
            state="leased",
            attempts=outbox.c.attempts + 1,  # counted now, so that a message which kills its worker also ends
            lease_owner=owner(),
            lease_until=now + timedelta(seconds=LEASE),
            lease_epoch=outbox.c.lease_epoch + 1,
        )
        .returning(outbox)
    )
    return sorted((_delivery(row, now, row.id in lost) for row in claimed), key=lambda each: each.id)


def _delivery(row: Row[Any], now: datetime, lost: bool) -> Delivery:
    return Delivery(
        row.id, row.topic, row.key, row.msg_id, row.payload, row.attempts, row.lease_epoch, now, lost
    )


def _due(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(outbox.c.state == "ready", outbox.c.not_before <= now),
        and_(outbox.c.state == "leased", outbox.c.lease_until < now, outbox.c.attempts < ATTEMPTS),
    )


def _choose(topic: str | None, limit: int, now: datetime) -> list[Any]:
    """The rows to lease. Looks through growing windows of due messages, so that neither a flood of one key nor
    thousands that wait behind a dead one make a claim slow."""
    after, window = 0, _SPARE * limit
    while True:
        due = select(outbox.c.id, outbox.c.key, outbox.c.ordered, outbox.c.attempts, outbox.c.state)
        due = due.where(_OPEN, outbox.c.id > after, _due(now))
        if topic:
            due = due.where(outbox.c.topic == topic)
        seen = connection().execute(due.order_by(outbox.c.id).limit(window)).all()
        free = _not_blocked(seen)
        chosen = _lock(free, limit, now)
        if chosen or len(seen) < window:
            return chosen
        after, window = seen[-1].id, min(window * 4, 16_384)


def _not_blocked(seen: Sequence[Any]) -> list[Any]:
    """Of due messages in the order of their ids, those that no earlier one of their key holds back."""
    first: dict[str, int] = {}
    for row in seen:
        first.setdefault(row.key, row.id)
    heads = [row.id for row in seen if row.ordered and first[row.key] == row.id]
    blocked = _blocked(heads)
    return [row for row in seen if not row.ordered or (first[row.key] == row.id and row.id not in blocked)]


def _blocked(heads: list[int]) -> set[int]:
    earlier = outbox.alias("earlier")
    found: set[int] = set()
    for start in range(0, len(heads), 500):
        query = select(outbox.c.id).where(
            outbox.c.id.in_(heads[start : start + 500]),
            exists().where(earlier.c.key == outbox.c.key, earlier.c.id < outbox.c.id, _BLOCKS),
        )
        found |= set(connection().execute(query).scalars())
    return found


def _lock(free: list[Any], limit: int, now: datetime) -> list[Any]:
    if free and not is_sqlite():
        free = _held_for_us(free, limit, now)
    if free and free[0].attempts:
        return free[:1]
    fresh = [row for row in free if not row.attempts]
    return fresh[:limit]


def _held_for_us(free: list[Any], limit: int, now: datetime) -> list[Any]:
    """The first of these rows that nobody else holds at this moment, locked; a few are asked for at a time."""
    for start in range(0, len(free), _SPARE * limit):
        few = free[start : start + _SPARE * limit]
        query = select(outbox.c.id).where(outbox.c.id.in_([row.id for row in few]), _due(now))
        query = query.order_by(outbox.c.id).limit(limit).with_for_update(skip_locked=True)
        locked = set(connection().execute(query).scalars())
        if locked:
            return [row for row in few if row.id in locked]
    return []


@transactional
def bury_lost() -> int:
    """Give up messages whose every worker died with them; returns how many."""
    lost = and_(outbox.c.state == "leased", outbox.c.lease_until < clock.now(), outbox.c.attempts >= ATTEMPTS)
    reason = written(M("Its worker ended unexpectedly each time."))
    return (
        connection()
        .execute(update(outbox).where(_OPEN, lost).values(state="dead", last_error=reason))
        .rowcount
    )


@transactional
def release_dead() -> int:
    """End the leases of processes of this machine that are no more, so that nobody waits for them to run out."""
    query = select(outbox.c.lease_owner).where(_OPEN, outbox.c.state == "leased").distinct()
    gone = [name for name in connection().execute(query).scalars() if _is_gone(name)]
    if not gone:
        return 0
    held = and_(outbox.c.state == "leased", outbox.c.lease_owner.in_(gone))
    ended = clock.later(seconds=-1)
    return (
        connection()
        .execute(update(outbox).where(_OPEN, held, outbox.c.lease_until > ended).values(lease_until=ended))
        .rowcount
    )


def _is_gone(name: str | None) -> bool:
    place, _, pid = (name or "").rpartition(":")
    if os.name == "nt" or place != _place() or not pid.isdecimal():  # Windows cannot ask without harm
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it is there, but belongs to somebody else
    return _is_unburied(int(pid))


def _is_unburied(pid: int) -> bool:
    """Whether the process has ended, and only its parent has not noticed yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
