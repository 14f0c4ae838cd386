"""Bridges that run at set times: for every record that fits then, once each, and again without doubling."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bridges.trade import BRIDGE_DOC, Trade, bridge
from formloop import db
from formloop.access.actor import SYSTEM
from formloop.bridges import clocked, kind
from formloop.core import clock
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.events import outbox, schedule

NIGHTLY = bridge(**{"from": {"form": "sales_order", "on": ["clock"], "each": "lines"}}, run="after")


@pytest.fixture
def trade(database: Any) -> Trade:
    clocked.start()
    return Trade(NIGHTLY)


def pass_a_day(days: int) -> int:
    """Let so many days pass; how many clocks have struck, with all they promised done."""
    with clock.stopped_at(clock.now() + timedelta(days=days)):
        struck = schedule.run_due()
        for _ in range(5):
            outbox.drain(clocked.TOPIC)
            outbox.drain("bridge")
    return struck


def test_a_clock_makes_what_is_wanted_once_and_follows_changes(trade: Trade) -> None:
    order = trade.order((trade.bolt, "2"), (trade.advice, "1"))
    assert trade.demand() == []
    assert pass_a_day(1) == 1
    assert [each["quantity"] for each in trade.demand()] == [2]  # the condition leaves the other line out
    trade.change(order, [{"id": order["lines"][0]["id"], "item": trade.bolt, "quantity": "5"}])
    assert pass_a_day(2) == 1
    assert [each["quantity"] for each in trade.demand()] == [5]


def test_many_records_go_in_parts(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocked, "PART", 2)
    for quantity in range(1, 6):
        trade.order((trade.bolt, str(quantity)))
    pass_a_day(1)
    assert [each["quantity"] for each in trade.demand()] == [1, 2, 3, 4, 5]


def test_promises_cost_no_more_statements_for_many_records_than_for_one(trade: Trade) -> None:
    asked: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *given: asked.append(given[2]))
    counts = []
    for _ in range(2):
        trade.order((trade.bolt, "1"))
        asked.clear()
        clocked.promise(library.published("bridge", NIGHTLY["x-key"]))
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_condition_over_the_record_alone_is_asked_of_the_database(trade: Trade) -> None:
    old, new = trade.order((trade.bolt, "1")), trade.order((trade.bolt, "2"))
    wanted = {**NIGHTLY, "when": "order_date <= TODAY() AND customer.priority = 3"}
    definitions.publish_many(SYSTEM, [wanted], "narrower")
    for each, day in ((old, "2020-01-01"), (new, "2999-01-01")):
        trade.date(each, day)
    found = library.published("bridge", NIGHTLY["x-key"])
    assert clocked.promise(found) == 1
    definitions.publish_many(SYSTEM, [{**NIGHTLY, "when": "line.quantity > 1"}], "of lines")
    assert clocked.promise(library.published("bridge", NIGHTLY["x-key"])) == 2


def test_a_clock_stops_with_its_bridge_and_goes_on_with_it(trade: Trade) -> None:
    trade.order((trade.bolt, "1"))
    definitions.archive(SYSTEM, NIGHTLY["x-id"])
    pass_a_day(1)
    assert trade.demand() == []
    definitions.publish_many(SYSTEM, [{**NIGHTLY, "from": BRIDGE_DOC["from"]}], "by events")
    assert pass_a_day(2) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_clock_goes_with_its_event_and_runs_by_itself(trade: Trade) -> None:
    unasked = {"form": "sales_order", "on": ["created"], "each": "lines", "clock": {"every": "week"}}
    said = [
        kind.check(bridge(**each), library.VIEW)
        for each in ({"from": unasked}, {**NIGHTLY, "run": "together"})
    ]
    assert [[(each.code, each.at) for each in problems] for problems in said] == [
        [("clock", "from.clock")],
        [("clock", "run")],
    ]


@pytest.mark.parametrize(
    ("said", "cron"),
    [
        ({}, "0 6 * * *"),
        ({"every": "hour", "at": "09:05"}, "5 * * * *"),
        ({"every": "workday", "at": "18:30"}, "30 18 * * 1-5"),
        ({"every": "week"}, "0 6 * * 1"),
        ({"every": "month", "at": "00:00"}, "0 0 1 * *"),
    ],
)
def test_times_in_words_are_time_plans(said: dict[str, str], cron: str) -> None:
    assert clocked.cron_of(said) == cron
