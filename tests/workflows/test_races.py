"""Two processes decide at the same moment."""

import pytest

from formloop.access.actor import get_actor
from formloop.db import transactional
from formloop.settings import Settings
from formloop.workflows import cases, races


def test_of_two_who_decide_at_once_exactly_one_does(database: Settings) -> None:
    found = races.prove_approve(database, rounds=30, seed=3)
    assert found["wrong"] == []
    assert found["ok"]
    assert len([name for name in found if ":" in name]) >= 3


def test_the_proof_notices_a_missing_guard(database: Settings) -> None:
    """The rows it counts are those that a second decision would leave."""
    starter, _ = races._prepare()
    undecided = races._submit(starter, 1).case
    faults = races._faults(undecided, ["conflict", "done"], False)
    assert {"0 history rows", "0 messages of the outbox"} <= set(faults)
    assert "answers ['done', 'done']" in races._faults(undecided, ["done", "done"], False)


def test_without_the_guards_a_second_decision_is_seen(
    database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two finds the case as the first one found it, and nothing holds it back."""
    starter, (one, two) = races._prepare()
    found = races._submit(starter, 1)
    seen, move = transactional(cases.lock_task)(found.asked[two], two), cases.move
    assert races._decide(get_actor(one), found.asked[one], "approve") == "done"
    monkeypatch.setattr(cases, "lock_task", lambda task, person: seen)
    monkeypatch.setattr(cases, "take", lambda task, person, decision: True)
    monkeypatch.setattr(cases, "move", lambda case, revision, *more: move(case, revision + 1, *more))
    second = races._decide(get_actor(two), found.asked[two], "approve")
    faults = races._faults(found.case, sorted(["done", second]), False)
    assert {"2 history rows", "2 notices of the outcome", "answers ['done', 'done']"} <= set(faults)
