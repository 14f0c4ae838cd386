"""Moments and durations, and which days are worked on: Monday to Friday, but for the days that say otherwise."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select

from formloop.access import audit, gate
from formloop.access.actor import Actor
from formloop.db import connection, kept, reading, transactional
from formloop.workflows.tables import special_day

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
FARTHEST = 3_660  # days that are looked through for a working one


def later(moment: datetime, duration: str, zone: str | None = None) -> datetime:
    """A moment an ISO duration later. With a zone only working days count, by the calendar there.

    Hours of a working day are all its 24: eight hours from Friday at 20:00 are Monday at 4:00. What lies beyond all
    calendars is never.
    """
    try:
        return min(_later(moment, duration, zone), NEVER)
    except OverflowError:
        return NEVER


def _later(moment: datetime, duration: str, zone: str | None) -> datetime:
    days, hours, minutes = (int(part or 0) for part in _parts(duration))
    if zone is None:
        return moment + timedelta(days=days, hours=hours, minutes=minutes)
    special = kept("workflows.days", list_days)
    place = moment.astimezone(ZoneInfo(zone))
    left = timedelta(days=days, hours=hours, minutes=minutes)
    for _ in range(FARTHEST):
        midnight = datetime.combine(place.date() + timedelta(days=1), datetime.min.time(), place.tzinfo)
        if is_working(place.date(), special):
            if place + left < midnight:
                break
            left -= midnight - place
        place = midnight
    return (place + left).astimezone(moment.tzinfo)


def _parts(duration: str) -> tuple[str | None, ...]:
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"not a duration: {duration}")
    return found.groups()


def is_working(day: date, special: Mapping[date, bool]) -> bool:
    """Whether a day is worked on."""
    return special.get(day, day.weekday() < 5)


def list_days() -> dict[date, bool]:
    """The days that are not as their weekday says: holidays (False), and weekends that are worked on (True)."""
    with reading() as conn:
        return {row.day: row.works for row in conn.execute(select(special_day))}


@transactional
def set_day(actor: Actor, day: date, works: bool | None) -> None:
    """Say whether a day is worked on; None: as its weekday says."""
    gate.require(actor, "manage", "site")
    connection().execute(delete(special_day).where(special_day.c.day == day))
    if works is not None:
        connection().execute(insert(special_day).values(day=day, works=works))
    audit.note(actor, "calendar.day", f"day:{day.isoformat()}", works=works)
