"""Cases as earlier formats saved them finish today. A format is only ever added to this list."""

import json
from typing import Any

import pytest
from sqlalchemy import update

from formloop.db import connection, transactional
from formloop.workflows import administration, cases
from formloop.workflows.plain import Found
from formloop.workflows.state import State
from formloop.workflows.tables import case as cases_table
from workflows.specimens import Paper, Play, approval, prepared
from workflows.stage import END, Stage

STEPS = (approval("one", "bob", "cho", mode="in_turn"), approval("two", "dee"), END)


def saved(stage: Stage, status: str, at: str | None, seats: list[Any], passed: list[str]) -> dict[str, Any]:
    """A state as format 1 wrote it."""
    numbered = [
        [stage.actors[who].person_id, {"rule": "people", "people": [who]}, state] for who, state in seats
    ]
    return {
        "initiator": stage.actors["ann"].person_id, "status": status, "at": at, "round": 1,
        "decided": len(passed), "seats": numbered, "passed": passed,
    }  # fmt: skip


@transactional
def put(case: int, state: dict[str, Any]) -> None:
    values = {"state": state, "status": state["status"], "step": state["at"] or ""}
    connection().execute(update(cases_table).where(cases_table.c.id == case).values(**values))


@pytest.fixture
def case(stage: Stage) -> int:
    stage.publish(*STEPS)
    return stage.submit().case


def test_format_1_in_turn(stage: Stage, case: int) -> None:
    put(case, saved(stage, "open", "one", [("bob", "open"), ("cho", "waiting")], []))
    for who in ("bob", "cho"):
        assert stage.do(who, "approve", case).status == "open"
    assert stage.do("dee", "approve", case).status == "approved"


def test_format_1_with_one_who_has_decided_returns(stage: Stage, case: int) -> None:
    stage.do("bob", "approve", case)
    put(case, saved(stage, "open", "one", [("bob", "done"), ("cho", "open")], []))
    stage.do("cho", "return", case, "fix it", to="initiator")
    assert stage.state_of(case) == "draft"
    assert not stage.is_asked("cho", case)


def test_format_1_stuck(stage: Stage, case: int) -> None:
    put(case, saved(stage, "stuck", "two", [], ["one"]))
    assert administration.resume(stage.actors["adm"], case).status == "open"
    assert stage.do("dee", "approve", case).status == "approved"


def test_format_1_returned(stage: Stage, case: int) -> None:
    stage.do("bob", "return", case, "fix it", to="initiator")
    put(case, saved(stage, "returned", None, [], []))
    found = cases.get_case(case)
    assert found is not None
    from formloop.workflows import service

    assert service.submit(stage.actors["ann"], "request", found.record).case == case
    assert stage.is_asked("bob", case)


@pytest.mark.parametrize("status", ["approved", "rejected", "withdrawn"])
def test_format_1_ended(stage: Stage, case: int, status: str) -> None:
    state = State.from_json(saved(stage, status, None, [], ["one", "two"]))
    assert (state.status, state.tokens, state.passed) == (status, (), ("one", "two"))


LOOP = """{"format": 2, "initiator": 1, "status": "open", "round": 3, "decided": 1, "passed": ["one"],
"hands": {"one": [2]}, "variables": {"all": {"~found": ["errand", [7], true]}}, "tokens": [
{"round": 1, "at": "each", "inside": 1, "memory": {"items": ["a", "b"], "index": 0}},
{"round": 3, "at": "one", "parent": 1, "seats": [[2, {"rule": "people"}, "open", 3, null]],
"loop": {"item": "a", "index": 1}}]}"""
PARKED = """{"format": 2, "initiator": 1, "status": "returned", "round": 3, "decided": 0, "passed": [], "hands": {},
"tokens": [{"round": 3, "at": "", "seats": [[1, {"rule": "returned"}, "open", 3, null]], "parked": [
{"round": 1, "at": "one", "seats": [[2, {"rule": "people"}, "open", 1, null]]}]}]}"""


def test_format_2_inside_a_loop_goes_on_with_the_next_item() -> None:
    each = {"id": "each", "node": "loop", "over": "items", "steps": [approval("one", "bob")]}
    play = Play(prepared(each), Paper({"items": ["a", "b"]}), State.from_json(json.loads(LOOP)))
    (here,) = play.do("approve", "bob").state.leaves
    assert here.loop == {"item": "b", "index": 2}
    assert play.state.variables == {"all": Found("errand", (7,), many=True)}
    assert play.do("approve", "bob").state.status == "approved"


def test_format_2_returned_comes_straight_back() -> None:
    play = Play(prepared(approval("one", "bob")), state=State.from_json(json.loads(PARKED)))
    assert play.do("submit").places() == ["one"]
    assert play.do("approve", "bob").state.status == "approved"
