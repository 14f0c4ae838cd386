"""Things that are due at a time."""

from datetime import UTC, datetime

import pytest

from events.mail import Mail
from formloop.core import clock
from formloop.core.errors import Invalid
from formloop.events import outbox, schedule

SIX = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def test_a_plan_puts_a_message_when_its_moment_has_come(mail: Mail) -> None:
    with clock.stopped_at(SIX.replace(hour=5)):
        schedule.plan("daily", "0 6 * * *", "mail", {"say": "good morning"})
        assert schedule.run_due() == 0
    with clock.stopped_at(SIX):
        assert schedule.run_due() == 1
        assert schedule.run_due() == 0
    outbox.drain()
    assert mail.delivered == ["good morning"]


def test_several_missed_moments_count_as_one(mail: Mail) -> None:
    with clock.stopped_at(SIX.replace(day=1)):
        schedule.plan("daily", "0 6 * * *", "mail", {"say": 1})
    with clock.stopped_at(SIX.replace(day=20)):
        assert schedule.run_due() == 1
        assert schedule.run_due() == 0


def test_a_plan_knows_its_time_zone(mail: Mail) -> None:
    with clock.stopped_at(SIX.replace(hour=0)):
        schedule.plan("daily", "0 6 * * *", "mail", {"say": 1}, zone="Asia/Shanghai")
    with clock.stopped_at(SIX.replace(hour=21)):
        assert schedule.run_due() == 0
    with clock.stopped_at(SIX.replace(hour=22)):
        assert schedule.run_due() == 1


def test_a_plan_is_replaced_by_its_name_and_can_be_forgotten(mail: Mail) -> None:
    with clock.stopped_at(SIX.replace(hour=5)):
        schedule.plan("daily", "0 6 * * *", "mail", {"say": 1})
        schedule.plan("daily", "0 7 * * *", "mail", {"say": 2})
    with clock.stopped_at(SIX):
        assert schedule.run_due() == 0
    schedule.forget("daily")
    with clock.stopped_at(SIX.replace(hour=9)):
        assert schedule.run_due() == 0


def test_what_is_no_time_plan_is_refused(mail: Mail) -> None:
    with pytest.raises(Invalid):
        schedule.plan("odd", "every day", "mail", {})
