"""One record submitted by two requests at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from formloop.core.errors import Conflict
from formloop.workflows import beginning, service
from formloop.workflows.turning import Turn
from workflows.stage import END, Stage, approval

# on SQLite writers take turns, so two can never be at this place together
pytestmark = [
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
    pytest.mark.postgres,
]


def submitted_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, second: str
) -> tuple[service.Result, service.Result]:
    """Ann's request is held just before it writes its case; meanwhile `second` submits the same record."""
    stage.publish(approval("one", "bob"), END)
    record, add_case = stage.record(), beginning.add_case
    held, go_on = threading.Event(), threading.Event()

    def add_held(turn: Turn) -> None:
        if not held.is_set():
            held.set()
            go_on.wait(20)
        add_case(turn)

    monkeypatch.setattr(beginning, "add_case", add_held)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(service.submit, stage.actors["ann"], "request", record)
        held.wait(20)
        try:
            faster = service.submit(stage.actors[second], "request", record)
        finally:
            go_on.set()
        return faster, first.result(20)


def test_both_requests_of_one_person_are_told_of_the_one_case(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster, slower = submitted_at_once(stage, monkeypatch, "ann")
    assert (slower.case, slower.repeated, faster.repeated) == (faster.case, True, False)


def test_of_two_people_the_second_is_told_that_it_is_under_approval(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Conflict):
        submitted_at_once(stage, monkeypatch, "adm")
