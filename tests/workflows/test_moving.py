"""Running cases and newer versions of their workflow."""

from typing import Any

import pytest

from formloop.core.errors import Forbidden
from formloop.db import reading
from formloop.workflows import administration, cases, moving
from formloop.workflows.kind import WORKFLOW
from workflows.specimens import approval, workflow_doc
from workflows.stage import END, Stage


def version_of(case: int) -> int:
    found = cases.get_case(case)
    assert found is not None
    return int(found.version)


def test_publishing_says_how_many_wait_where(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho"), END)
    some = [stage.submit().case for _ in range(3)]
    stage.do("bob", "approve", some[0])
    stage.do("bob", "return", some[1], "fix it", to="initiator")
    old = workflow_doc(approval("one", "bob"), approval("two", "cho"), END)
    with reading() as conn:
        told = [(row.count, str(row.message)) for row in WORKFLOW.impact(conn, old, old)]
    assert told == [
        (3, "3 running approvals go on by the version they began with."),
        (1, "1 of them are with the initiator."),
        (1, "1 of them wait at “One”."),
        (1, "1 of them wait at “Two”."),
    ]


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


def test_only_who_repairs_moves_cases(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    with pytest.raises(Forbidden):
        moving.move_cases(stage.actors["bob"], "request_approval", {})
    with pytest.raises(Forbidden):
        moving.restart(stage.actors["ann"], case, "because")
    assert [each.count for each in moving.list_waiting("request_approval")] == [1]
    assert administration.list_open_tasks(stage.actors["bob"].person_id or 0)
