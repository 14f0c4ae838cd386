"""No formula can use up time, memory or the stack."""

from decimal import Decimal as D

import pytest

from formloop.core.expression import NUMBER, TEXT, Context, EvaluationError, ListType, RecordType, parse
from formloop.core.expression.proof import bombs, prove

NAMES = {
    "note": TEXT,
    "lines": ListType(RecordType("lines", lambda: {"q": NUMBER})),
}


def test_random_formulas_and_bombs_end_soundly_and_quickly() -> None:
    found = prove(seed=7, count=300, limit_ms=2_000)  # a busy machine is no endless formula
    assert found["ok"]
    assert found["failures"] == []
    assert found["formulas"] == 300 + len(bombs())


def test_there_are_two_hundred_bombs() -> None:
    assert len(set(bombs())) == 200


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("SUM(" + " + ".join(["lines.q"] * 8) + ")", "too many steps"),
        ("IFERROR(SUM(" + " + ".join(["lines.q"] * 8) + "), 0)", "too many steps"),
        ("note & note", "too long"),
        ("SUBSTITUTE(note, 'x', note)", "too long"),
        ("SPLIT(note, 'x')", "too long"),
        ("10^18 * 10", "too large"),
        ("9^65", "power"),
    ],
)
def test_limit(source: str, says: str, context: Context) -> None:
    env = {"note": "x" * 60_000, "lines": [{"q": D(1)}] * 9_000}
    with pytest.raises(EvaluationError) as caught:
        parse(source, NAMES).evaluate(env, context)
    assert says in str(caught.value.message)


def test_too_many_lines_are_refused(context: Context) -> None:
    with pytest.raises(EvaluationError, match="10,000"):
        parse("COUNT(lines.q)", NAMES).evaluate({"lines": [{"q": D(1)}] * 10_001}, context)
