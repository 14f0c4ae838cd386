"""Things that are due at a time: a schedule puts a message into the outbox whenever its moment has come."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from formloop.core import clock
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.events import outbox
from formloop.events.tables import schedule


@transactional
def plan(name: str, cron: str, topic: str, payload: Mapping[str, Any], zone: str = "UTC") -> None:
    """Put a message on `topic` whenever `cron` (five fields, in `zone`) says so; replaces a plan of that name."""
    if not croniter.is_valid(cron):
        raise Invalid(
            [Problem("cron", "cron", M("“{cron}” is not a time plan. Example: 0 6 * * 1-5", cron=cron))]
        )
    conn = connection()
    conn.execute(delete(schedule).where(schedule.c.name == name))
    kept = {**payload, "zone": zone}
    conn.execute(
        insert(schedule).values(name=name, cron=cron, topic=topic, payload=kept, next_at=_next(cron, zone))
    )


def plan_once(name: str, cron: str, topic: str, payload: Mapping[str, Any], zone: str = "UTC") -> None:
    """The plan of that name, as a part of the program wants it at every start; kept when it is there already."""
    with reading() as conn:
        there = conn.execute(select(schedule).where(schedule.c.name == name)).one_or_none()
    if there is not None and (there.cron, there.topic, there.payload) == (
        cron,
        topic,
        {**payload, "zone": zone},
    ):
        return
    with suppress(IntegrityError):  # another process was faster
        plan(name, cron, topic, payload, zone)


@transactional
def forget(name: str) -> None:
    """Drop the plan called `name`, if there is one."""
    connection().execute(delete(schedule).where(schedule.c.name == name))


@transactional
def run_due() -> int:
    """Put the messages of all plans whose moment has come; several missed moments count as one."""
    conn, now, count = connection(), clock.now(), 0
    for row in conn.execute(select(schedule).where(schedule.c.next_at <= now)).all():
        taken = conn.execute(
            update(schedule)
            .where(schedule.c.name == row.name, schedule.c.next_at == row.next_at)
            .values(next_at=_next(row.cron, row.payload.get("zone", "UTC")))
        )
        if taken.rowcount:
            outbox.put(row.topic, row.name, row.payload, msg_id=f"{row.name}@{row.next_at.isoformat()}")
            count += 1
    return count


def _next(cron: str, zone: str) -> Any:
    return croniter(cron, clock.now().astimezone(ZoneInfo(zone))).get_next(type(clock.now()))
