"""Running cases and newer versions of their workflow."""

from datetime import timedelta
from typing import Any

import pytest

from formloop.core import clock
from formloop.core.errors import Forbidden
from formloop.db import reading
from formloop.events import outbox
from formloop.workflows import administration, cases, hearing, moving, watching
from formloop.workflows.kind import WORKFLOW
from formloop.workflows.standing import count_running
from workflows.specimens import approval, workflow_doc
from workflows.stage import END, Stage


def version_of(case: int) -> int:
    found = cases.get_case(case)
    assert found is not None
    return int(found.version)


def test_publishing_says_how_many_wait_where(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho"), END)
    old = workflow_doc(approval("one", "bob"), approval("two", "cho"), END)

    def told() -> list[tuple[int | None, str]]:
        with reading() as conn:
            return [(row.count, str(row.message)) for row in WORKFLOW.impact(conn, old, old)]

    some = [stage.submit().case]
    assert told()[0] == (1, "1 running approval goes on by the version it began with.")
    some += [stage.submit().case for _ in range(2)]
    stage.do("bob", "approve", some[0])
    stage.do("bob", "return", some[1], "fix it", to="initiator")
    assert told() == [
        (3, "3 running approvals go on by the version they began with."),
        (1, "1 of them is with the initiator."),
        (1, "1 of them waits at “One”."),
        (1, "1 of them waits at “Two”."),
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_running_cases_are_counted_without_reading_one(stage: Stage, statements: list[str]) -> None:
    stage.publish(approval("one", "bob"), END)
    for _ in range(3):
        stage.submit()
    stage.publish(approval("two", "bob"), END)
    stage.submit()
    statements.clear()
    assert moving.count_older("request_approval") == 3
    assert count_running("request_approval") == 4
    assert not any("fl_case.state" in each for each in statements)


def test_cases_move_to_the_new_version_where_they_fit_and_keep_their_history(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho"), END)
    first, second = stage.submit().case, stage.submit().case
    stage.do("bob", "approve", second)
    stage.publish(approval("first", "bob"), approval("extra", "dee"), END)
    tried = moving.try_move(stage.actors["adm"], "request_approval", {"one": "first"})
    assert [(each.case, bool(each.problems)) for each in tried] == [(first, False), (second, True)]
    assert version_of(first) == 1
    moved = moving.move_cases(stage.actors["adm"], "request_approval", {"one": "first"})
    assert [bool(each.problems) for each in moved] == [False, True]
    assert (version_of(first), version_of(second)) == (2, 1)
    stage.do("bob", "approve", first)
    assert stage.do("dee", "approve", first).status == "approved"
    assert [n.action for n in cases.list_notes(first)] == [
        "submit",
        "moved",
        "approve",
        "approve",
        "finished",
    ]
    assert stage.do("cho", "approve", second).status == "approved"


def test_a_case_inside_branches_moves_only_into_the_same_branches(stage: Stage) -> None:
    def fork(*names: str) -> dict[str, Any]:
        ways = [{"id": f"way_{n}", "steps": [approval(n, "bob")]} for n in names]
        return {"id": "fork", "node": "parallel", "branches": ways}

    stage.publish(fork("left", "right"), END)
    case = stage.submit().case
    stage.publish(approval("left", "bob"), fork("right", "other"), END)
    (tried,) = moving.try_move(stage.actors["adm"], "request_approval", {})
    assert tried.problems
    stage.publish(fork("left", "right", "third"), approval("more", "cho"), END)
    (moved,) = moving.move_cases(stage.actors["adm"], "request_approval", {})
    assert not moved.problems
    for _ in range(2):
        stage.do("bob", "approve", case)
    assert stage.do("cho", "approve", case).status == "approved"


def test_a_case_begins_again_by_the_new_version(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho"), END)
    case = stage.submit().case
    stage.do("bob", "approve", case)
    stage.publish(approval("fresh", "dee"), END)
    moving.restart(stage.actors["adm"], case, "other rules")
    assert version_of(case) == 2
    assert not stage.is_asked("cho", case)
    assert stage.do("dee", "approve", case).status == "approved"


def due(after: str, *do: str) -> dict[str, Any]:
    return {"after": after, "then": [{"do": each} for each in do]}


def after(days: float, begun: Any) -> int:
    """Let time pass and every moment that has come be heard of; returns how many came."""
    with clock.stopped_at(begun + timedelta(days=days)):
        came = watching.run_due()
        outbox.drain("workflow")
        return came


def test_the_times_of_a_moved_case_are_those_of_the_new_version_from_when_it_was_asked(stage: Stage) -> None:
    hearing.start()
    stage.publish(approval("one", "bob", due=due("P1D", "remind")), END)
    case, begun = stage.submit().case, clock.now()
    stage.publish(approval("one", "bob", due=due("P30D", "approve")), END)
    moving.move_cases(stage.actors["adm"], "request_approval", {})
    assert after(2, begun) == 0
    assert stage.is_asked("bob", case)
    assert after(31, begun) == 1
    found = cases.get_case(case)
    assert found is not None and found.status == "approved"


def test_a_time_that_only_the_new_version_has_comes_too(stage: Stage) -> None:
    hearing.start()
    stage.publish(approval("one", "bob"), END)
    case, begun = stage.submit().case, clock.now()
    stage.publish(approval("one", "bob", due=due("P2D", "escalate")), END)
    with clock.stopped_at(begun + timedelta(days=1)):
        moving.move_cases(stage.actors["adm"], "request_approval", {})
    assert after(1.5, begun) == 0
    assert after(2.1, begun) == 1
    assert stage.is_asked("dee", case)
    stage.publish(approval("one", "bob", due=due("P1D", "escalate")), approval("two", "cho"), END)
    with clock.stopped_at(begun + timedelta(days=2.5)):
        moving.move_cases(stage.actors["adm"], "request_approval", {})
    assert after(3, begun) == 0  # the heads are asked already


def test_a_time_that_was_under_way_when_the_case_moved_counts_no_more(stage: Stage) -> None:
    hearing.start()
    stage.publish(approval("one", "bob", due=due("P1D", "remind")), END)
    case, begun = stage.submit().case, clock.now()
    stage.publish(approval("one", "bob", due=due("P30D", "approve")), END)
    with clock.stopped_at(begun + timedelta(days=2)):
        assert watching.run_due() == 1  # promised, not yet heard
        moving.move_cases(stage.actors["adm"], "request_approval", {})
        outbox.drain("workflow")
    assert stage.is_asked("bob", case)
    assert after(31, begun) == 1


def test_a_case_that_waits_for_a_time_waits_as_long_as_the_new_version_says(stage: Stage) -> None:
    hearing.start()
    stage.publish({"id": "rest", "node": "wait", "after": "P9D"}, approval("one", "bob"), END)
    case, begun = stage.submit().case, clock.now()
    stage.publish({"id": "rest", "node": "wait", "after": "P3D"}, approval("one", "bob"), END)
    with clock.stopped_at(begun + timedelta(days=2)):
        moving.move_cases(stage.actors["adm"], "request_approval", {})
    assert after(2.5, begun) == 0
    assert after(3.1, begun) == 1
    assert stage.is_asked("bob", case)
    assert after(10, begun) == 0


def test_only_who_repairs_moves_cases(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    with pytest.raises(Forbidden):
        moving.move_cases(stage.actors["bob"], "request_approval", {})
    with pytest.raises(Forbidden):
        moving.restart(stage.actors["ann"], case, "because")
    assert [each.count for each in moving.list_waiting("request_approval")] == [1]
    assert administration.list_open_tasks(stage.actors["bob"].person_id or 0)


def test_two_ways_of_a_case_are_never_laid_on_one_step(stage: Stage) -> None:
    def fork(*names: str) -> dict[str, Any]:
        ways = [{"id": f"way_{n}", "steps": [approval(n, "bob"), approval(f"{n}_2", "cho")]} for n in names]
        return {"id": "fork", "node": "parallel", "branches": ways}

    stage.publish(fork("left", "right"), END)
    case = stage.submit().case
    stage.publish(fork("both", "other"), END)
    onto = {"left": "both", "right": "both", "way_left": "way_both", "way_right": "way_both"}
    for mapping in (onto, {**onto, "right": "both_2"}):
        (tried,) = moving.try_move(stage.actors["adm"], "request_approval", mapping)
        said = [str(each) for each in tried.problems]
        assert "“Left” and “Right” would stand at the same place." in said
    (moved,) = moving.move_cases(stage.actors["adm"], "request_approval", onto)
    assert moved.problems and version_of(case) == 1
    apart = {**onto, "right": "other", "way_right": "way_other"}
    (moved,) = moving.move_cases(stage.actors["adm"], "request_approval", apart)
    assert not moved.problems and version_of(case) == 2


def test_everything_a_case_needs_is_offered_to_be_mapped(stage: Stage) -> None:
    """Every place of a case, the branches around it, and where it goes straight back to."""

    def fork(name: str, *ways: str) -> dict[str, Any]:
        return {
            "id": name,
            "node": "parallel",
            "branches": [
                {"id": f"way_{n}", "steps": [approval(n, "bob" if n < "m" else "cho")]} for n in ways
            ],
        }

    stage.publish(approval("first", "dee"), fork("fork", "left", "right"), END)
    first, second = stage.submit().case, stage.submit().case
    for case in (first, second):
        stage.do("dee", "approve", case)
    stage.do("cho", "return", second, "look", to="first", how="back")
    stage.publish(approval("begin", "dee"), fork("split", "links", "rechts"), END)
    adm = stage.actors["adm"]
    places = {(each.step, each.count) for each in moving.list_waiting("request_approval")}
    assert places == {("left", 1), ("right", 1), ("first", 1)}
    offered = moving.list_lost("request_approval")
    assert {each.id for each in offered if each.branch} == {"way_left", "way_right"}
    assert {each.id for each in offered if not each.branch} == {"first", "fork", "left", "right"}
    like = {"left": "links", "way_left": "way_links", "right": "rechts", "way_right": "way_rechts"}
    moved = moving.move_cases(adm, "request_approval", {**like, "first": "begin", "fork": "split"})
    assert [each.problems for each in moved] == [(), ()]
    stage.do("dee", "approve", second)
    assert stage.is_asked("bob", second) and stage.is_asked("cho", second)
    assert moving.list_lost("request_approval") == []
