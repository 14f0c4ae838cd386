"""Who is asked once a running case goes on by a newer version of its workflow."""

from typing import Any

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.db import reading
from formloop.workflows import administration, cases, hearing, moving, service
from formloop.workflows.state import State
from formloop.workflows.tables import task
from workflows.specimens import approval
from workflows.stage import END, Stage
from workflows.test_moving import after, due

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # moving itself is tested on both


def move(stage: Stage, **mapping: str) -> moving.Move:
    """Try it, do it, and see that what was tried came to be; the one case."""
    adm = stage.actors["adm"]
    (tried,) = moving.try_move(adm, "request_approval", mapping)
    (moved,) = moving.move_cases(adm, "request_approval", mapping)
    assert moved == tried
    return moved


def named(stage: Stage, move: moving.Move) -> tuple[list[str], list[str]]:
    names = {actor.person_id: who for who, actor in stage.actors.items()}
    return sorted(names[p] for p in move.asked), sorted(names[p] for p in move.left)


def asked(stage: Stage, case: int) -> set[str]:
    return {who for who in stage.actors if stage.is_asked(who, case)}


def test_a_moved_case_asks_whom_its_step_names_now_and_says_so_before(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho"), END)
    case = stage.submit().case
    kept = stage.task_of("cho", case)
    stage.publish(approval("first", "cho", "dee"), END)
    assert named(stage, move(stage, one="first")) == (["dee"], ["bob"])
    assert asked(stage, case) == {"cho", "dee"}
    assert stage.task_of("cho", case) == kept
    assert stage.do("dee", "approve", case).status == "approved"


def test_who_agreed_already_has_agreed_where_the_new_version_names_them_too(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho", mode="all"), END)
    case = stage.submit().case
    stage.do("bob", "approve", case)
    stage.publish(approval("one", "bob", "dee", mode="all"), END)
    assert named(stage, move(stage)) == (["dee"], ["cho"])
    assert asked(stage, case) == {"dee"}
    assert stage.do("dee", "approve", case).status == "approved"


def test_it_goes_on_where_nobody_is_left_to_decide(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho", mode="all"), approval("two", "dee"), END)
    case = stage.submit().case
    stage.do("bob", "approve", case)
    stage.publish(approval("one", "bob", "cho"), approval("two", "dee"), END)
    assert named(stage, move(stage)) == (["dee"], ["cho"])
    assert asked(stage, case) == {"dee"}


def test_all_at_once_become_one_after_the_other_and_back(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho", "dee", mode="all"), END)
    case = stage.submit().case
    stage.publish(approval("one", "dee", "bob", "cho", mode="in_turn"), END)
    assert named(stage, move(stage)) == ([], ["bob", "cho"])
    assert asked(stage, case) == {"dee"}
    stage.do("dee", "approve", case)
    assert asked(stage, case) == {"bob"}
    stage.publish(approval("one", "dee", "bob", "cho", mode="all"), END)
    assert named(stage, move(stage)) == (["cho"], [])
    stage.do("bob", "approve", case)
    assert stage.do("cho", "approve", case).status == "approved"


def test_what_was_handed_on_or_asked_for_stays_while_its_giver_is_named(stage: Stage) -> None:
    stage.publish(
        approval("one", "bob", "cho", mode="all", actions=["approve", "transfer", "add_signer"]), END
    )
    case = stage.submit().case
    eve, adm = (stage.actors[who].person_id for who in ("eve", "adm"))
    stage.do("bob", "transfer", case, to=eve)
    stage.do("cho", "add_signer", case, to=adm, how="before")
    stage.publish(approval("one", "bob", "cho", "dee", mode="all"), END)
    assert named(stage, move(stage)) == (["dee"], [])
    assert asked(stage, case) == {"eve", "adm", "dee"}
    stage.publish(approval("one", "dee", mode="all"), END)
    assert named(stage, move(stage)) == ([], ["adm", "eve"])
    assert stage.do("dee", "approve", case).status == "approved"


def test_what_an_administrator_gave_to_somebody_stays_theirs_while_who_had_it_is_named(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    administration.reassign(
        stage.actors["adm"], stage.task_of("bob", case), stage.actors["eve"].person_id or 0
    )
    stage.publish(approval("one", "bob", "cho"), END)
    assert named(stage, move(stage)) == (["cho"], [])
    assert asked(stage, case) == {"eve", "cho"}


def test_where_nobody_was_found_who_is_named_now_is_asked(stage: Stage) -> None:
    stage.publish(approval("one", who=[{"rule": "member_field", "field": "reviewer"}]), END)
    case = stage.submit().case
    stage.publish(approval("one", "bob"), END)
    assert named(stage, move(stage)) == (["bob"], [])
    assert stage.do("bob", "approve", case).status == "approved"


def test_a_case_for_which_the_new_version_finds_nobody_stays_as_it_is(stage: Stage) -> None:
    lost: dict[str, Any] = {"who": [{"rule": "member_field", "field": "reviewer"}]}
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    stage.publish(approval("one", **lost), END)
    assert [str(each) for each in move(stage).problems] == ["The new version finds nobody to ask at “One”."]
    assert stage.is_asked("bob", case)
    stage.publish(approval("one", **lost, nobody={"person": "dee"}), END)
    assert named(stage, move(stage)) == (["dee"], ["bob"])
    stage.publish(approval("one", **lost, nobody="pass"), approval("two", "cho"), END)
    assert named(stage, move(stage)) == (["cho"], ["dee"])


def test_who_has_left_is_asked_no_more(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho", mode="all"), END)
    case = stage.submit().case
    people.change_person(SYSTEM, stage.actors["bob"].person_id or 0, active=False)
    stage.publish(approval("one", "bob", "cho", "dee", mode="all"), END)
    assert named(stage, move(stage)) == (["dee"], ["bob"])
    assert asked(stage, case) == {"cho", "dee"}


def test_votes_count_again_by_the_new_share(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho", "dee", mode="vote", percent=100), END)
    case = stage.submit().case
    stage.do("bob", "approve", case)
    stage.publish(approval("one", "bob", "cho", "dee", mode="vote", percent=30), END)
    assert named(stage, move(stage)) == ([], ["cho", "dee"])
    found = cases.get_case(case)
    assert found is not None and found.status == "approved"


def test_who_is_to_have_it_back_is_named_when_it_comes_back(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho", returned="back"), END)
    case = stage.submit().case
    stage.do("bob", "approve", case)
    stage.do("cho", "return", case, "look again", to="initiator")
    stage.publish(approval("one", "bob"), approval("two", "dee"), END)
    assert named(stage, move(stage)) == ([], [])
    found = cases.get_case(case)
    assert found is not None
    service.submit(stage.actors["ann"], "request", found.record)
    assert asked(stage, case) == {"dee"}


def test_the_times_of_a_step_go_on_for_who_is_asked_newly(stage: Stage) -> None:
    hearing.start()
    stage.publish(approval("one", "bob", due=due("P1D", "remind")), END)
    case, begun = stage.submit().case, clock.now()
    stage.publish(approval("one", "cho", due=due("P2D", "escalate")), END)
    move(stage)
    assert after(1.5, begun) == 0
    assert after(2.1, begun) == 1
    assert asked(stage, case) == {"dee"}


def test_every_open_task_has_a_seat_and_every_open_seat_a_task_after_any_move(stage: Stage) -> None:
    ways: list[dict[str, Any]] = [
        {"mode": mode, **more}
        for mode in ("any", "all", "in_turn", "vote")
        for more in ({}, {"nobody": "pass"})
    ]
    for way in ways:
        stage.publish(approval("one", "bob", "cho", mode="all"), END)
        case = stage.submit().case
        stage.do("cho", "approve", case)
        stage.publish(approval("one", "dee", "bob", **way), END)
        moving.move_cases(stage.actors["adm"], "request_approval", {})
        found = cases.get_case(case)
        assert found is not None
        seats = {(s.person, s.round) for s in State.from_json(found.state).seats if s.state == "open"}
        with reading() as conn:
            rows = conn.execute(task.select().where(task.c.case == case, task.c.state == "open")).all()
        assert {(row.person, row.round) for row in rows} == seats


def test_who_is_still_asked_but_by_another_rule_reads_that_one(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    by_role = {"rule": "role", "role": "request_approvers"}
    stage.publish(approval("one", who=[by_role]), END)
    assert named(stage, move(stage)) == (["cho", "dee"], [])
    found = cases.find_own_task(case, stage.actors["bob"].person_id)
    assert found is not None and found.why == by_role


def test_a_step_that_asks_as_before_is_left_alone(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho", mode="in_turn"), END)
    case = stage.submit().case
    stage.do("bob", "transfer", case, to=stage.actors["eve"].person_id)
    stage.publish(approval("one", "bob", "cho", mode="in_turn"), approval("two", "dee"), END)
    assert named(stage, move(stage)) == ([], [])
    assert asked(stage, case) == {"eve"}
