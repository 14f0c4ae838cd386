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


BERLIN, CAIRO = ZoneInfo("Europe/Berlin"), ZoneInfo("Africa/Cairo")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("begins", "duration", "ends"),
    [
        # the night to Sunday 29 March 2026 has an hour less, that to 25 October one more
        (datetime(2026, 3, 27, 16, tzinfo=BERLIN), "P1D", datetime(2026, 3, 30, 16, tzinfo=BERLIN)),
        (datetime(2026, 3, 27, 20, tzinfo=BERLIN), "PT8H", datetime(2026, 3, 30, 4, tzinfo=BERLIN)),
        (datetime(2026, 10, 23, 20, tzinfo=BERLIN), "PT8H", datetime(2026, 10, 26, 4, tzinfo=BERLIN)),
        # Friday 24 April 2026 begins at one o'clock in Cairo, Thursday 29 October ends with an hour twice
        (datetime(2026, 4, 23, 20, tzinfo=CAIRO), "PT8H", datetime(2026, 4, 24, 5, tzinfo=CAIRO)),
        (datetime(2026, 4, 23, 20, tzinfo=CAIRO), "P1D", datetime(2026, 4, 24, 20, tzinfo=CAIRO)),
        (datetime(2026, 10, 29, 20, tzinfo=CAIRO), "PT8H", datetime(2026, 10, 30, 3, tzinfo=CAIRO)),
        (datetime(2026, 10, 29, 20, tzinfo=CAIRO), "P1DT1H", datetime(2026, 10, 30, 21, tzinfo=CAIRO)),
    ],
)
def test_where_clocks_are_changed_days_keep_the_time_of_day_and_hours_are_as_long_as_they_are(
    stage: Stage, begins: datetime, duration: str, ends: datetime
) -> None:
    found = calendar.later(begins.astimezone(UTC), duration, str(begins.tzinfo))
    assert found.astimezone(ends.tzinfo) == ends


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_on_a_sunday_that_is_worked_on_the_missing_hour_does_not_count(stage: Stage) -> None:
    calendar.set_day(stage.actors["adm"], date(2026, 3, 29), works=True)
    begins = datetime(2026, 3, 27, 23, tzinfo=BERLIN)
    assert calendar.later(begins, "PT6H", "Europe/Berlin") == datetime(2026, 3, 29, 6, tzinfo=BERLIN)
    assert calendar.later(begins, "P2DT1H", "Europe/Berlin") == datetime(2026, 3, 31, 0, tzinfo=BERLIN)


def test_on_all_days_hours_are_as_long_as_they_are_too() -> None:
    begins = datetime(2026, 3, 28, 20, tzinfo=BERLIN)
    assert calendar.later(begins, "PT8H") == datetime(2026, 3, 29, 5, tzinfo=BERLIN)
    assert calendar.later(begins, "P1DT1H") == datetime(2026, 3, 29, 21, tzinfo=BERLIN)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_lies_beyond_all_calendars_is_never(stage: Stage) -> None:
    for duration, zone in (("P9999DT99999H", None), ("P9999DT99999H", "Europe/Berlin")):
        assert calendar.later(datetime(8999, 1, 1, tzinfo=UTC), duration, zone) == calendar.NEVER


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
