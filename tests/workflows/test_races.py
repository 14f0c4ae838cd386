"""Two processes decide at the same moment."""

from formloop.settings import Settings
from formloop.workflows import races


def test_of_two_who_decide_at_once_exactly_one_does(database: Settings) -> None:
    found = races.prove_approve(database, rounds=30, seed=3)
    assert found["wrong"] == []
    assert found["ok"]
    assert len([name for name in found if ":" in name]) >= 3


def test_the_proof_notices_a_missing_guard(database: Settings) -> None:
    """The rows it counts are those that a second decision would leave."""
    starter, _ = races._prepare()
    undecided = races._submit(starter, 1).case
    assert "0 history rows" in races._faults(undecided, ["conflict", "done"], False)
    assert "answers ['done', 'done']" in races._faults(undecided, ["done", "done"], False)
