from datetime import UTC, datetime

import pytest

from formloop.core.expression import Context

MOMENT = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)


@pytest.fixture
def context() -> Context:
    return Context(MOMENT, 7, 3, frozenset({3, 4}), frozenset({"planner"}))
