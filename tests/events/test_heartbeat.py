"""People learn when no worker is alive."""

from datetime import timedelta
from typing import Any

from formloop.core import clock
from formloop.events import heartbeat


def test_a_site_without_a_worker_misses_one(database: Any) -> None:
    assert heartbeat.is_missing()


def test_a_worker_that_reports_is_not_missed_until_it_is_silent_for_a_minute(database: Any) -> None:
    now = clock.now()
    with clock.stopped_at(now):
        heartbeat.beat()
        heartbeat.beat()
    with clock.stopped_at(now + timedelta(seconds=59)):
        assert not heartbeat.is_missing()
    with clock.stopped_at(now + timedelta(seconds=61)):
        assert heartbeat.is_missing()


def test_a_worker_that_stopped_as_told_is_missed_at_once(database: Any) -> None:
    heartbeat.beat()
    heartbeat.end()
    assert heartbeat.is_missing()
