"""A change is applied while others move what its lock stages look at: each waits for the other, nothing slips by."""

from collections.abc import Callable
from typing import Any

from formloop.access.actor import SYSTEM
from formloop.definitions import service as definitions
from formloop.forms import service as records
from workflows.amending import CHANGE, Desk, desk
from workflows.at_once import begun_while

__all__ = ["desk"]


def _decided_while(desk: Desk, case: int, move: Callable[[], Any]) -> str:
    """What Bob's approval comes to that begins while `move` is done but not yet committed."""
    return begun_while(move, lambda: desk.decide("bob", case).status)


def test_what_is_issued_meanwhile_sends_the_change_back(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, count=5)}).case
    assert _decided_while(desk, case, desk.issue) == "returned"
    assert desk.needs() == [("cabin", 2, "issued")]


def test_a_record_that_comes_meanwhile_and_locks_everything_sends_the_change_back(desk: Desk) -> None:
    record = desk.booking()
    case = desk.propose(record, {"rows": desk.lines(record, count=5)}).case
    assert _decided_while(desk, case, lambda: desk.leave(record)) == "returned"
    assert desk.now(record)["rows"][0]["count"] == 2


def test_what_a_stage_reads_through_relations_stays_too(desk: Desk) -> None:
    first, record = desk.booking(), desk.booking()
    stages = [
        {"id": "late", "title": "Late", "when": 'original.guest = "Li"'},
        CHANGE["amends"]["stages"][-1],
    ]
    definitions.publish_many(SYSTEM, [{**CHANGE, "amends": {**CHANGE["amends"], "stages": stages}}], "third")
    told = desk.propose(record, {"original": first}).case
    desk.decide("bob", told)
    case = desk.propose(record, {"day": "2026-12-24"}).case

    def rename() -> None:
        how = records.How(trusted=True, unlocked=True)
        records.change_record(SYSTEM, "booking", first, {"guest": "Li"}, how=how)

    assert _decided_while(desk, case, rename) == "returned"


def test_nothing_that_happens_elsewhere_holds_a_change_up(desk: Desk) -> None:
    record, other = desk.booking(), desk.booking()
    case = desk.propose(record, {"day": "2026-12-24"}).case
    trip = records.create(SYSTEM, "trip", {"booking": other})
    assert (
        _decided_while(desk, case, lambda: records.set_state(SYSTEM, "trip", trip["id"], "gone"))
        == "approved"
    )
