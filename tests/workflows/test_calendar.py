"""Durations, and days that are worked on."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from formloop.core.errors import Forbidden
from formloop.workflows import calendar
from workflows.stage import Stage

SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2026, 11, 20, 20, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("duration", "day", "hour"), [("P1D", 21, 20), ("PT4H", 21, 0), ("P1DT30M", 21, 20), ("P0D", 20, 20)]
)
def test_on_all_days_time_just_passes(duration: str, day: int, hour: int) -> None:
    found = calendar.later(FRIDAY, duration)
    assert (found.day, found.hour) == (day, hour)


@pytest.mark.parametrize(
    ("duration", "day", "hour"), [("P1D", 23, 20), ("PT4H", 23, 0), ("PT3H", 20, 23), ("P5D", 27, 20)]
)
def test_weekends_do_not_count(stage: Stage, duration: str, day: int, hour: int) -> None:
    found = calendar.later(FRIDAY, duration, "Asia/Shanghai")
    assert (found.day, found.hour) == (day, hour)


def test_a_holiday_does_not_count_and_a_weekend_that_is_worked_on_does(stage: Stage) -> None:
    adm = stage.actors["adm"]
    calendar.set_day(adm, date(2026, 11, 21), works=True)
    calendar.set_day(adm, date(2026, 11, 23), works=False)
    found = calendar.later(FRIDAY.astimezone(UTC), "P2D", "Asia/Shanghai")
    assert found == datetime(2026, 11, 24, 12, tzinfo=UTC)
    calendar.set_day(adm, date(2026, 11, 21), works=None)
    assert calendar.list_days() == {date(2026, 11, 23): False}


def test_only_who_manages_the_site_says_which_days_are_worked_on(stage: Stage) -> None:
    with pytest.raises(Forbidden):
        calendar.set_day(stage.actors["bob"], date(2026, 11, 21), works=True)


def test_what_is_no_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="tomorrow"):
        calendar.later(FRIDAY, "tomorrow")
