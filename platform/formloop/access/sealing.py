"""The seals of the audit trail: each is a hash over its row and the seal before it.

Nothing can be changed, left out or slipped in later without breaking the chain. SQLite has one writer, which
seals what it writes at once; on PostgreSQL writers would wait for each other, so a message that is due every
minute seals what was written since.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Select, Table, Text, func, insert, select
from sqlalchemy.engine import Row

from formloop.access.tables import audit
from formloop.core import clock
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.db import connection, is_sqlite, metadata, never_changed, reading, transactional
from formloop.events import outbox, schedule
from formloop.events.outbox import Delivery, Topic

TOPIC, LOCK, CHUNK = "audit", 7263003, 500
AN_HOUR = 3600 << 22  # as a distance between ids; a row may be committed later than rows with larger ids

seal = never_changed(
    Table(
        "fl_audit_seal",
        metadata,
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("row", BigInteger, nullable=False, unique=True),
        Column("prev", Text, nullable=False),
        Column("hash", Text, nullable=False),
    )
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the whole trail found. `head` is the last seal: keep it elsewhere to notice a cut end."""

    rows: int
    sealed: int
    head: str
    problems: list[Problem]


def digest(prev: str, row: Row[Any]) -> str:
    """The seal of a row after the seal `prev`."""
    written = [prev, row.id, row.at.isoformat(), row.person, row.action, row.object, row.detail]
    text = json.dumps(written, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def seal_written(ids: Iterable[int]) -> None:
    """Seal rows of the open transaction where there is one writer; elsewhere they wait for `seal_pending`."""
    if not is_sqlite():
        return
    if _last()[0] == 0:  # a trail that is older than its seals
        _seal(_pending(0))
    else:
        _seal(select(audit).where(audit.c.id.in_(list(ids))).order_by(audit.c.id))


@transactional
def seal_pending() -> int:
    """Seal every row that has no seal yet; returns how many."""
    if not is_sqlite():
        connection().execute(select(func.pg_advisory_xact_lock(LOCK)))
    return _seal(_pending(_last()[2]))


def _pending(largest: int) -> Select[Any]:
    return (
        select(audit)
        .outerjoin(seal, seal.c.row == audit.c.id)
        .where(seal.c.row.is_(None), audit.c.id > largest - AN_HOUR)
        .order_by(audit.c.id)
    )


def _last() -> tuple[int, str, int]:
    """Number and hash of the last seal, and the id of its row."""
    query = select(seal.c.number, seal.c.hash, seal.c.row).order_by(seal.c.number.desc()).limit(1)
    row = connection().execute(query).one_or_none()
    return (row.number, row.hash, row.row) if row else (0, "", 0)


def _seal(query: Select[Any]) -> int:
    number, prev, _ = _last()
    seals = []
    for row in connection().execute(query):
        number, found = number + 1, digest(prev, row)
        seals.append({"number": number, "row": row.id, "prev": prev, "hash": found})
        prev = found
    for start in range(0, len(seals), CHUNK):
        connection().execute(insert(seal), seals[start : start + CHUNK])
    return len(seals)


def verify_audit() -> Verdict:
    """Recompute the whole chain; the problems name the rows that were changed, removed or slipped in."""
    problems: list[Problem] = []
    number, prev, sealed = 0, "", 0
    recent = clock.new_id() - AN_HOUR
    joined = select(seal.c.number, seal.c.row, seal.c.prev, seal.c.hash, *audit.c).select_from(
        seal.outerjoin(audit, audit.c.id == seal.c.row)
    )
    with reading() as conn:
        for row in conn.execute(joined.order_by(seal.c.number)):
            sealed += 1
            at = f"row:{row.row}"
            if row.number != number + 1 or row.prev != prev:
                problems.append(
                    Problem("broken", at, M("The chain is broken before row {row}.", row=row.row))
                )
            if row.id is None:
                problems.append(Problem("removed", at, M("Row {row} was removed.", row=row.row)))
            elif digest(row.prev, row) != row.hash:
                problems.append(Problem("changed", at, M("Row {row} was changed.", row=row.row)))
            number, prev = row.number, row.hash
        count = conn.execute(select(func.count()).select_from(audit)).scalar_one()
        for left in conn.execute(_pending(AN_HOUR - 1).where(audit.c.id < recent).limit(100)):
            text = M("Row {row} has no seal although it is old enough.", row=left.id)
            problems.append(Problem("unsealed", f"row:{left.id}", text))
    return Verdict(count, sealed, prev, problems)


def _deliver(_: Delivery) -> None:
    seal_pending()


def plan_sealing() -> None:
    """Have the trail sealed every minute, where it is not sealed while it is written."""
    if not is_sqlite():
        schedule.plan_once("audit-seal", "* * * * *", TOPIC, {})


if outbox.topics.find(TOPIC) is None:
    outbox.topics.add(TOPIC, Topic(_deliver, title=M("Sealing of the audit trail")))
