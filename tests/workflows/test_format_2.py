"""Cases of the second format in blocks within blocks, and a proposal as it was kept then, finish today."""

import json
from decimal import Decimal

import pytest
from sqlalchemy import text

from formloop.db import connection, transactional
from formloop.workflows.state import State
from workflows.amending import Desk, desk
from workflows.specimens import Paper, Play, approval, prepared

__all__ = ["desk"]
BLOCKS = """{"format": 2, "initiator": 1, "status": "open", "round": 7, "decided": 3, "tokens": [
{"round": 1, "at": "fork", "inside": 2},
{"round": 3, "at": "each", "parent": 1, "inside": 1, "memory": {"items": ["x", "y"], "index": 1}},
{"round": 6, "at": "one", "parent": 3, "seats": [[4, {"rule": "people", "people": ["dee"]}, "open", 6, null]],
"loop": {"item": "y", "index": 2}},
{"round": 7, "at": "a", "parent": 1, "seats": [[2, {"rule": "people", "people": ["bob"]}, "open", 7, null]],
"parked": [{"round": 5, "at": "b", "parent": 1,
"seats": [[3, {"rule": "people", "people": ["cho"]}, "open", 5, null]]}]}],
"passed": ["a", "one"], "hands": {"a": [2], "one": [4]}}"""
PROPOSED = """{"format": 2, "initiator": ANN, "status": "open", "round": 2, "decided": 0, "tokens": [
{"round": 2, "at": "head", "seats": [[BOB, {"rule": "people", "people": ["bob"]}, "open", 2, null]]}],
"passed": [], "hands": {}}"""
OLD = """{"day":"2026-12-01","total":210,"rows":{"FIRST":{"count":2},
"SECOND":{"what":"dog","count":1,"price":10},"-2":null}}"""
NEW = """{"day":"2026-12-24","total":520,"rows":{"FIRST":{"count":5},"SECOND":null,
"-2":{"what":"cat","count":1,"price":20}}}"""
PLACES, IMPACT = '{"FIRST":1,"SECOND":2,"-2":3}', '[["need",{"open":2}]]'


def test_in_parallel_branches_with_a_loop_and_what_is_to_come_straight_back() -> None:
    again = {"id": "each", "node": "loop", "over": "items", "steps": [approval("one", "dee")]}
    branches = [
        {"id": "left", "steps": [approval("a", "bob"), approval("b", "cho")]},
        {"id": "right", "steps": [again]},
    ]
    fork = {"id": "fork", "node": "parallel", "branches": branches}
    workflow, world = prepared(fork, approval("last", "eve")), Paper({"items": ["x", "y"]})
    play = Play(workflow, world, State.from_json(json.loads(BLOCKS)))
    assert play.do("approve", "bob").places() == ["one", "b"]  # straight back, not through the steps between
    assert play.do("approve", "dee").places() == ["b"]
    assert play.do("approve", "cho").places() == ["last"]
    assert play.do("approve", "eve").state.status == "approved"


@pytest.mark.parametrize("agrees", [True, False])
def test_a_proposal(desk: Desk, agrees: bool) -> None:
    record = desk.booking(("cabin", 2, "100"), ("dog", 1, "10"))
    case = desk.propose(record, {"rows": desk.lines(record, count=50)}).case
    first, second = (str(line["id"]) for line in desk.now(record)["rows"])
    named = {"FIRST": first, "SECOND": second}
    named |= {who.upper(): str(desk.actors[who].person_id) for who in ("ann", "bob")}
    _put(case, named)
    desk.decide("bob", case)
    said = "approve" if agrees else "reject"
    assert desk.decide("cho", case, said, "as it was proposed").status == (
        "approved" if agrees else "rejected"
    )
    found = desk.now(record)
    lines = [(line["what"], line["count"], line["price"]) for line in found["rows"]]
    if agrees:
        assert (str(found["day"]), found["total"]) == ("2026-12-24", Decimal(520))
        assert lines == [("cabin", 5, 100), ("cat", 1, 20)]
    else:
        assert lines == [("cabin", 2, 100), ("dog", 1, 10)]


@transactional
def _put(case: int, named: dict[str, str]) -> None:
    """The texts as they stood in the database, with the ids of today."""

    def filled(kept: str) -> str:
        for name, number in named.items():
            kept = kept.replace(name, number)
        return kept

    told = {"old": OLD, "new": NEW, "places": PLACES, "impact": IMPACT}
    proposal = text(
        'UPDATE fl_proposal SET old = :old, new = :new, places = :places, impact = :impact WHERE "case" = :case'
    )
    kept = {key: filled(each) for key, each in told.items()}
    assert connection().execute(proposal, {**kept, "case": case}).rowcount == 1
    moved = text("UPDATE fl_case SET state = :state WHERE id = :case")
    assert connection().execute(moved, {"state": filled(PROPOSED), "case": case}).rowcount == 1
