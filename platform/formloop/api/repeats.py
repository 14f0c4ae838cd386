"""Requests that carry an `Idempotency-Key` have their effect once, however often they are sent.

The answer is kept in the transaction of the effect: either both are there or neither.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select

from formloop.access.actor import Actor
from formloop.api.tables import answer
from formloop.core import clock, json_text
from formloop.core.errors import Conflict, Invalid, Problem
from formloop.core.text import M
from formloop.db import connection, is_sqlite, transactional

KEPT = timedelta(days=7)
LONGEST_KEY = 200
_running: set[tuple[int | None, str, str]] = set()
_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was or is answered with."""

    status: int
    body: str
    revision: int | None
    repeated: bool = False


def once(actor: Actor, route: str, key: str, request: Any, work: Callable[[], Answer]) -> Answer:
    """The answer of `work`, or the one it gave when this person sent this key to this route before.

    Invalid when the key came with another request; Conflict while the first one is still running.
    """
    if not key:
        return work()
    if len(key) > LONGEST_KEY:
        text = M("An Idempotency-Key has at most {most} characters.", most=LONGEST_KEY)
        raise Invalid([Problem("key", "Idempotency-Key", text)])
    with _alone((actor.person_id, route, key)):
        return _once(actor, route, key, hashlib.sha256(json_text.dumps(request).encode()).hexdigest(), work)


@transactional
def _once(actor: Actor, route: str, key: str, request_hash: str, work: Callable[[], Answer]) -> Answer:
    conn = connection()
    name = (actor.person_id or 0, route, key)
    if not is_sqlite():
        free = select(
            func.pg_try_advisory_xact_lock(func.hashtextextended("api:" + "|".join(map(str, name)), 0))
        )
        if not conn.execute(free).scalar():
            raise _still_running()
    row = conn.execute(
        select(answer).where(answer.c.person == name[0], answer.c.route == route, answer.c.key == key)
    ).one_or_none()
    if row is not None and row.at < clock.now() - KEPT:
        row = None
    if row is not None:
        if row.request_hash != request_hash:
            text = M("This Idempotency-Key was used for another request. Use a new one.")
            raise Invalid([Problem("key_reused", "Idempotency-Key", text)])
        return Answer(row.status, row.body, row.revision, repeated=True)
    found = work()
    conn.execute(delete(answer).where(answer.c.at < clock.now() - KEPT))
    conn.execute(
        insert(answer).values(
            person=name[0],
            route=route,
            key=key,
            request_hash=request_hash,
            status=found.status,
            body=found.body,
            revision=found.revision,
            at=clock.now(),
        )
    )
    return found


@contextmanager
def _alone(name: tuple[int | None, str, str]) -> Iterator[None]:
    with _guard:
        if name in _running:
            raise _still_running()
        _running.add(name)
    try:
        yield
    finally:
        with _guard:
            _running.discard(name)


def _still_running() -> Conflict:
    return Conflict(M("The first request with this Idempotency-Key is still running. Ask again in a moment."))
