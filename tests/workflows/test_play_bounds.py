"""A play finds what it made itself, whatever ids others have, and takes only so long."""

import time
from collections.abc import Callable

import pytest

from formloop.core import clock
from formloop.workflows import cases, hearing, playing, simulation, walk
from workflows.specimens import approval
from workflows.stage import END, Stage


@pytest.fixture(autouse=True)
def listening() -> None:
    hearing.start()


@pytest.fixture
def another_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Go on as a process that has another number, and whose clock begins anew."""

    def become(node: int) -> None:
        monkeypatch.setattr(clock, "_node", node)
        monkeypatch.setattr(clock, "_last", 0)

    return become


def test_a_play_finds_what_it_made_beside_larger_ids_of_others(
    stage: Stage, another_process: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.publish(approval("one", "bob"), END)
    record, real = stage.record(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + 86_400)  # a process whose clock is ahead
    another_process(900)
    stage.submit(subject="Ahead")
    monkeypatch.setattr(time, "time", real)
    another_process(5)
    played = simulation.play(
        stage.actors["adm"], "request", stage.actors["ann"].person_id or 0, record=record
    )
    assert (played.status, [a.step for a in played.asked]) == ("approved", ["one"])
    assert [action for _, action, _ in played.path] == ["submit", "approve", "finished"]
    assert {which for _, which, _ in played.changes} == {record}


def test_a_history_is_in_the_order_of_what_happened_whichever_process_wrote_it(
    stage: Stage, another_process: Callable[[int], None]
) -> None:
    stage.publish(approval("one", "bob"), END)
    another_process(950)
    case = stage.submit().case
    another_process(50)
    stage.do("bob", "approve", case)
    assert [note.action for note in cases.list_notes(case)] == ["submit", "approve", "finished"]


def test_a_play_takes_only_so_long_and_says_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho"), END)
    record, adm, ann = stage.record(), stage.actors["adm"], stage.actors["ann"].person_id or 0
    monkeypatch.setattr(playing, "SECONDS", -1.0)
    played = simulation.play(adm, "request", ann, record=record)
    assert played.status == "stuck"
    assert [each.render() for each in played.problems] == ["The play takes too long; it stops here."]


def test_all_events_of_a_play_share_their_steps(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = {"id": "turns", "node": "loop", "while": "amount > 1", "most": 20}
    rest, one = {"id": "rest", "node": "wait", "after": "P1D"}, {"id": "x", "node": "calculate"}
    work = [{**one, "id": f"x{n}", "values": {"v": "amount"}} for n in range(5)]
    stage.publish({**turns, "steps": [rest, *work]}, END)
    record, adm, ann = stage.record(), stage.actors["adm"], stage.actors["ann"].person_id or 0
    monkeypatch.setattr(walk, "MOST_STEPS", 100)  # enough for each turn, and not for all
    played = simulation.play(adm, "request", ann, record=record)
    assert [each.render() for each in played.problems] == ["The play takes too long; it stops here."]
    assert len(played.path) < 100
