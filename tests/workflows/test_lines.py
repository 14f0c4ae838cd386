"""A workflow that begins itself after a wait: one after the other it may, more and more of them it may not."""

from datetime import timedelta
from typing import Any

import pytest

from formloop.core import clock
from formloop.db import reading
from formloop.events import outbox
from formloop.workflows import cases, hearing, lines, watching
from formloop.workflows.tables import case
from workflows.stage import END, Stage

MOST = 6


def again(name: str) -> list[dict[str, Any]]:
    """A new request is made and sent into its approval."""
    values = {"subject": "subject", "amount": "amount"}
    return [
        {"id": f"make_{name}", "node": "data", "do": "create", "form": "request", "values": values},
        {
            "id": f"go_{name}",
            "node": "subflow",
            "form": "request",
            "record": f"flow.make_{name}",
            "wait": False,
        },
    ]


def live(stage: Stage, days: int) -> None:
    """Let days pass, each with what it brings."""
    begun = clock.now()
    for day in range(1, days + 1):
        with clock.stopped_at(begun + timedelta(days=day, hours=1)):
            watching.run_due()
            outbox.drain("workflow")


def count(*of: Any) -> int:
    with reading() as conn:
        return len(conn.execute(case.select().where(*of)).all())


def test_a_workflow_that_begins_itself_twice_each_time_is_stopped_with_its_reason(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MOST_RUNNING", MOST)
    hearing.start()
    stage.publish({"id": "rest", "node": "wait", "after": "P1D"}, *again("one"), *again("two"), END)
    stage.submit()
    live(stage, 6)
    assert count(case.c.ended_at.is_(None)) <= MOST + 2
    assert count() < 20
    with reading() as conn:
        stuck = conn.execute(case.select().where(case.c.status == "stuck")).first()
    assert stuck is not None
    reason = next(note.detail["reason"] for note in cases.list_notes(stuck.id) if note.action == "stuck")
    assert "begins itself again and again" in str(reason)


def test_one_that_begins_the_next_when_it_is_done_goes_on_for_ever(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MOST_RUNNING", 2)
    hearing.start()
    stage.publish({"id": "rest", "node": "wait", "after": "P1D"}, *again("next"), END)
    stage.submit()
    live(stage, 5)
    assert (count(), count(case.c.ended_at.is_(None)), count(case.c.status == "stuck")) == (6, 1, 0)
