"""What the demo's people have done so far: it plays to its end, on whatever day, and the books agree."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.errors import Invalid
from formloop.datasets import service as datasets
from formloop.forms.names import context_of
from formloop.ledgers.verifying import verify
from formloop.packs import demonstration
from formloop.packs.finding import Resolver
from formloop.workflows import inbox


def test_the_demo_begins_with_a_month_of_trade_and_something_to_decide(demo: Flask) -> None:
    demonstration.play()
    assert verify() == []
    assert {row["difference"] for row in datasets.read_all(SYSTEM, "stock_and_books", {})} == {Decimal(0)}
    earned = datasets.read_all(SYSTEM, "income_statement", {})
    assert any(row["year"] for row in earned)
    chief = people.find_person("approver")
    assert chief is not None
    assert inbox.count_todo(get_actor(chief.id)) == 2


def test_a_day_is_said_by_its_distance_from_today(demo: Flask) -> None:
    said = {"day": {"$day": -3}, "lines": [{"due": {"$day": 30}}]}
    today = context_of(SYSTEM).today
    found = Resolver({"": said})(said)
    assert found == {
        "day": (today - timedelta(days=3)).isoformat(),
        "lines": [{"due": (today + timedelta(days=30)).isoformat()}],
    }


@pytest.mark.parametrize("days", [True, "3", 1.5, 10**12, None])
def test_what_is_no_such_distance_is_told_with_its_place(demo: Flask, days: object) -> None:
    with pytest.raises(Invalid) as error:
        Resolver({"records.0": {"day": {"$day": days}}})
    assert [(p.code, p.at) for p in error.value.problems] == [("day", "records.0.day")]


def test_a_demo_that_is_there_is_filled_again_but_not_told_again(demo: Flask) -> None:
    assert demonstration.fill() is False  # what `formloop demo` asks before it plays the story
