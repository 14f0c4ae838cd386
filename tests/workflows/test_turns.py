"""Whose turn comes late: they may have left by then, be away, or have handed over what is still to come."""

from typing import Any

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.forms.fields.datetime import site_zone
from formloop.workflows import administration, cases, delegations, desk, service
from workflows.stage import END, Stage, approval

SIGNERS = {"actions": ["approve", "reject", "return", "transfer", "add_signer"]}
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def number(stage: Stage, who: str) -> int:
    return stage.actors[who].person_id or 0


def leave(stage: Stage, who: str, active: bool = False) -> None:
    people.change_person(SYSTEM, number(stage, who), active=active)


def away(stage: Stage, who: str, deputy: str) -> None:
    today = clock.today(site_zone())
    delegations.add(stage.actors[who], number(stage, who), number(stage, deputy), today, today)


def asked(stage: Stage, case: int) -> list[str]:
    names = {actor.person_id: who for who, actor in stage.actors.items()}
    return [names[row.person] for row in cases.list_waiting(case)]


def in_turn(stage: Stage, *who: str, **more: Any) -> int:
    stage.publish(approval("one", *who, mode="in_turn", **SIGNERS, **more), approval("two", "adm"), END)
    return stage.submit().case


def test_who_left_before_their_turn_stops_the_case_until_somebody_is_named(stage: Stage) -> None:
    case = in_turn(stage, "bob", "cho", "dee")
    leave(stage, "cho")
    assert stage.do("bob", "approve", case).status == "stuck"
    assert (asked(stage, case), cases.list_notes(case)[-1].action) == ([], "stuck")
    administration.assign(stage.actors["adm"], case, number(stage, "eve"), "in place of Cho")
    assert asked(stage, case) == ["eve"]
    stage.do("eve", "approve", case)
    assert asked(stage, case) == ["dee"]


def test_tried_again_once_they_are_back_they_are_asked_and_nobody_else_again(stage: Stage) -> None:
    case = in_turn(stage, "bob", "cho")
    leave(stage, "cho")
    stage.do("bob", "approve", case)
    assert administration.resume(stage.actors["adm"], case).status == "stuck"
    leave(stage, "cho", active=True)
    assert administration.resume(stage.actors["adm"], case).status == "open"
    assert asked(stage, case) == ["cho"]


@pytest.mark.parametrize(("nobody", "next_one"), [("pass", "dee"), ({"person": "eve"}, "eve")])
def test_who_left_before_their_turn_is_passed_over_or_stood_in_for(
    stage: Stage, nobody: Any, next_one: str
) -> None:
    case = in_turn(stage, "bob", "cho", "dee", nobody=nobody)
    leave(stage, "cho")
    stage.do("bob", "approve", case)
    assert asked(stage, case) == [next_one]


def test_an_added_signer_who_left_does_not_keep_the_last_step_from_being_decided(stage: Stage) -> None:
    case = in_turn(stage, "bob", nobody="pass")
    stage.do("bob", "add_signer", case, "look", to=number(stage, "cho"), how="after")
    leave(stage, "cho")
    stage.do("bob", "approve", case)
    assert asked(stage, case) == ["adm"]
    assert "passed" in [note.action for note in cases.list_notes(case)]


def test_straight_back_to_somebody_who_has_left_stops_too(stage: Stage) -> None:
    case = in_turn(stage, "bob")
    stage.do("bob", "return", case, "why", to="initiator", how="back")
    leave(stage, "bob")
    record = stage.record_of(case)
    assert service.submit(stage.actors["ann"], "request", record).status == "stuck"
    administration.assign(stage.actors["adm"], case, number(stage, "dee"), "left")
    assert asked(stage, case) == ["dee"]


def test_turns_still_to_come_are_handed_over_too(stage: Stage) -> None:
    case = in_turn(stage, "bob", "cho", "dee")
    leave(stage, "cho")
    assert administration.hand_over(stage.actors["adm"], number(stage, "cho"), number(stage, "eve")).done == 1
    assert asked(stage, case) == ["bob"]
    for who in ("bob", "eve", "dee"):
        stage.do(who, "approve", case)
    assert asked(stage, case) == ["adm"]


def test_the_deputy_is_asked_when_the_turn_of_somebody_away_comes(stage: Stage) -> None:
    case = in_turn(stage, "bob", "cho")
    away(stage, "cho", "dee")
    stage.do("bob", "approve", case)
    assert asked(stage, case) == ["dee"]


def test_a_deputy_who_has_a_seat_at_the_step_signs_once(stage: Stage) -> None:
    case = in_turn(stage, "bob", "cho", "dee")
    away(stage, "cho", "dee")
    stage.do("bob", "approve", case)
    assert asked(stage, case) == ["dee"]
    stage.do("dee", "approve", case)
    assert asked(stage, case) == ["adm"]


@pytest.mark.parametrize("more", [{"action": "transfer"}, {"action": "add_signer", "how": "before"}])
def test_what_is_passed_to_somebody_away_goes_to_their_deputy(stage: Stage, more: dict[str, str]) -> None:
    away(stage, "cho", "dee")
    case = in_turn(stage, "bob")
    stage.do("bob", case=case, comment="please", to=number(stage, "cho"), **more)
    assert asked(stage, case) == ["dee"]
    stage.do("dee", "approve", case)
    assert asked(stage, case) == (["adm"] if more["action"] == "transfer" else ["bob"])


def test_the_desk_lists_as_stuck_what_waits_for_somebody_who_has_left(stage: Stage) -> None:
    case = in_turn(stage, "bob")
    assert desk.list_items(stage.actors["adm"], "stuck", "en")[0] == []
    leave(stage, "bob")
    (item,) = desk.list_items(stage.actors["adm"], "stuck", "en")[0]
    assert (item.id, item.reason) == (case, "Waits for somebody who has left: Bob")
    administration.hand_over(stage.actors["adm"], number(stage, "bob"), number(stage, "dee"))
    assert desk.list_items(stage.actors["adm"], "stuck", "en")[0] == []
