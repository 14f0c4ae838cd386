"""What an expression may know besides the names: the moment, the person, the working days."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

WEEK = frozenset(range(1, 6))


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one evaluation.

    `departments` are the person's own and those below. `zone` turns moments into calendar days. A day is a
    working day if it is in `workdays` (moved-in days), or is Monday to Friday and not in `holidays`.
    """

    now: datetime
    person: int | None = None
    department: int | None = None
    departments: frozenset[int] = frozenset()
    roles: frozenset[str] = frozenset()
    zone: tzinfo = UTC
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = field(default=frozenset())

    @property
    def today(self) -> date:
        """The calendar day in the zone."""
        return self.local(self.now).date()

    def local(self, moment: datetime) -> datetime:
        """The moment on the wall clock of the zone; one without a zone is taken as UTC."""
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(self.zone)

    def is_working(self, day: date) -> bool:
        """Whether people work on `day`."""
        return day in self.workdays or (day.isoweekday() in WEEK and day not in self.holidays)

    def working_day(self, start: date, count: int) -> date:
        """The working day `count` working days after (or, if negative, before) `start`."""
        step = timedelta(days=1 if count > 0 else -1)
        for _ in range(abs(count)):
            start += step
            while not self.is_working(start):
                start += step
        return start
