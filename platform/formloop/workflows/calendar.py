"""Moments and durations, and which days are worked on: Monday to Friday, but for the days that say otherwise."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
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

    Days come first, to the same time of day by the clock on the wall; then hours, as they pass. Hours of a working
    day are all it has: eight hours from Friday at 20:00 are Monday at 4:00. What lies beyond all calendars is never.
    """
    days, hours, minutes = (int(part or 0) for part in _parts(duration))
    left = timedelta(hours=hours, minutes=minutes)
    try:
        if zone is None:
            found = (moment + timedelta(days=days)).astimezone(UTC) + left
        else:
            found = _on_working_days(moment, days, left, ZoneInfo(zone))
        return min(found.astimezone(moment.tzinfo), NEVER)
    except OverflowError:
        return NEVER


def _on_working_days(moment: datetime, days: int, left: timedelta, zone: ZoneInfo) -> datetime:
    special = kept("workflows.days", list_days)
    place = _pass(moment, timedelta(), zone, special).astimezone(zone)
    for _ in range(FARTHEST):
        if not days:
            break
        place += timedelta(days=1)
        days -= is_working(place.date(), special)
    return _pass(place + timedelta(days=days), left, zone, special)


def _pass(moment: datetime, left: timedelta, zone: ZoneInfo, special: Mapping[date, bool]) -> datetime:
    """Let some hours of working days pass, as long as those days are: one has 23 or 25 where clocks are changed."""
    place = moment.astimezone(UTC)
    for _ in range(FARTHEST):
        today = place.astimezone(zone).date()
        midnight = datetime.combine(today + timedelta(days=1), time(), zone).astimezone(UTC)
        if is_working(today, special):
            if place + left < midnight:
                break
            left -= midnight - place
        place = midnight
    return place + left


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
