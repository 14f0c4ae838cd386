"""Who is asked: every rule, nobody found, people who agreed before, deputies, and people who leave."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from formloop.access import audit, people
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import Conflict, Forbidden, Invalid
from formloop.db import reading
from formloop.events import outbox
from formloop.forms.fields.datetime import site_zone
from formloop.workflows import (
    administration,
    cases,
    delegations,
    desk,
    hearing,
    moving,
    service,
    timeline,
    watching,
)
from formloop.workflows.tables import watch
from workflows.stage import END, Stage, approval


def asked(stage: Stage, case: int) -> list[str]:
    names = {actor.person_id: name for name, actor in stage.actors.items()}
    return [names[each.person] for each in cases.list_waiting(case)]


def number(stage: Stage, who: str) -> int:
    found = stage.actors[who].person_id
    assert found is not None
    return found


@pytest.fixture
def board(stage: Stage) -> Stage:
    """Ann's office stands below a house that Eve is the head of."""
    house = people.add_department(SYSTEM, "house", "House", head=number(stage, "eve"))
    office = people.find_department(stage.actors["ann"].department)
    assert office is not None
    people.change_department(SYSTEM, office.id, parent=house)
    return stage


def test_the_line_is_asked_step_by_step_up_to_a_level_or_to_the_top(board: Stage) -> None:
    board.publish(approval("one", who=[{"rule": "line"}]), END)
    case = board.submit().case
    assert asked(board, case) == ["dee"]
    assert board.do("dee", "approve", case).status == "open"
    assert asked(board, case) == ["eve"]
    assert board.do("eve", "approve", case).status == "approved"
    board.publish(approval("one", who=[{"rule": "line", "to": 1}]), END)
    assert board.do("dee", "approve", board.submit().case).status == "approved"


def test_the_initiator_chooses(stage: Stage) -> None:
    stage.publish(approval("one", who=[{"rule": "chosen", "by": "initiator"}], nobody={"person": "dee"}), END)
    record = stage.record()
    chosen = {"one": [number(stage, "cho")]}
    case = service.submit(stage.actors["ann"], "request", record, chosen=chosen).case
    assert asked(stage, case) == ["cho"]
    assert asked(stage, stage.submit().case) == ["dee"]


def test_whoever_decides_before_chooses(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", who=[{"rule": "chosen", "by": "previous"}]), END)
    case = stage.submit().case
    stage.do("bob", "approve", case, chosen={"two": [number(stage, "dee")]})
    assert asked(stage, case) == ["dee"]


def test_a_department_field_chooses_its_people(stage: Stage) -> None:
    office = stage.actors["ann"].department
    stage.publish(approval("one", who=[{"rule": "department_field", "field": "team"}], nobody="pass"), END)
    assert sorted(asked(stage, stage.submit(team=str(office)).case)) == ["ann", "bob", "cho", "dee"]
    assert stage.submit().status == "approved"


def test_an_expression_chooses_by_account_or_by_person(stage: Stage) -> None:
    stage.publish(approval("one", who=[{"rule": "expression", "value": 'LOWER("DEE")'}]), END)
    assert asked(stage, stage.submit().case) == ["dee"]
    stage.publish(approval("one", who=[{"rule": "expression", "value": "reviewer"}]), END)
    assert asked(stage, stage.submit(reviewer=str(number(stage, "cho"))).case) == ["cho"]


def test_the_same_people_as_at_another_step(stage: Stage) -> None:
    same = approval("two", who=[{"rule": "same", "step": "one"}])
    stage.publish(approval("one", "bob", "cho"), same, END)
    case = stage.submit().case
    stage.do("cho", "approve", case)
    assert asked(stage, case) == ["cho"]


@pytest.mark.parametrize(("repeated", "waits"), [("ask", ["bob"]), ("before", ["bob"]), ("any", [])])
def test_whoever_agreed_before_is_asked_again_or_not(stage: Stage, repeated: str, waits: list[str]) -> None:
    stage.publish(
        approval("one", "bob"), approval("two", "cho"), approval("three", "bob"), END, repeated=repeated
    )
    case = stage.submit().case
    stage.do("bob", "approve", case)
    stage.do("cho", "approve", case)
    assert asked(stage, case) == waits


def test_whoever_agreed_just_before_is_passed(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "bob", "cho", mode="all"), END, repeated="before")
    case = stage.submit().case
    stage.do("bob", "approve", case)
    assert asked(stage, case) == ["cho"]
    assert [n.action for n in cases.list_notes(case)] == ["submit", "approve", "repeated"]


NOBODY_YET = [{"rule": "member_field", "field": "reviewer"}]


def test_where_nobody_was_found_somebody_is_named_with_a_reason_and_the_times_begin(stage: Stage) -> None:
    due = {"after": "P1D", "then": [{"do": "remind"}]}
    stage.publish(approval("one", who=NOBODY_YET, due=due), END)
    case, cho = stage.submit().case, number(stage, "cho")
    with pytest.raises(Forbidden):
        administration.assign(stage.actors["ann"], case, cho, "she knows")
    with pytest.raises(Invalid):
        administration.assign(stage.actors["adm"], case, cho, " ")
    with pytest.raises(Invalid):
        administration.assign(stage.actors["adm"], case, 0, "she knows")
    administration.assign(stage.actors["adm"], case, cho, "she knows")
    assert asked(stage, case) == ["cho"]
    with pytest.raises(Conflict):
        administration.assign(stage.actors["adm"], case, number(stage, "bob"), "he too")
    (noted,) = audit.list_rows(f"case:{case}")
    assert (noted.action, noted.detail["to"], noted.detail["reason"]) == ("case.assigned", cho, "she knows")
    with reading() as conn:
        assert len(conn.execute(select(watch.c.at).where(watch.c.case == case)).all()) == 1
    assert stage.do("cho", "approve", case).status == "approved"
    assert [note.action for note in cases.list_notes(case)][:3] == ["submit", "stuck", "assign"]


def test_a_deputy_decides_in_the_name_of_somebody(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    away(stage, "bob", "cho")
    case = stage.submit().case
    waits, found = timeline.build(require(case), "en")[-1], timeline.build(require(case), "zh-CN")[-1]
    assert (waits.who, found.who) == ("Cho for Bob", "Cho（代 Bob）")
    stage.do("cho", "approve", case)
    assert "Cho for Bob" in [each.who for each in timeline.build(require(case), "en")]


def require(case: int) -> Any:
    found = cases.get_case(case)
    assert found is not None
    return found


def away(stage: Stage, who: str, deputy: str, first: int = 0, last: int = 1) -> int:
    today = clock.today("Asia/Shanghai")
    return delegations.add(
        stage.actors[who],
        number(stage, who),
        number(stage, deputy),
        today + timedelta(days=first),
        today + timedelta(days=last),
    )


def test_a_deputy_is_asked_from_day_to_day_and_knows_why(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    wanted = away(stage, "bob", "cho")
    case = stage.submit().case
    assert asked(stage, case) == ["cho"]
    found = cases.find_task(stage.task_of("cho", case), number(stage, "cho"))
    assert found is not None
    assert found.why == {"rule": "delegated", "of": number(stage, "bob")}
    delegations.remove(stage.actors["bob"], wanted)
    away(stage, "bob", "cho", first=1)
    assert asked(stage, stage.submit().case) == ["bob"]


def test_a_deputy_who_is_away_has_a_deputy_but_nobody_goes_in_a_circle(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    away(stage, "bob", "cho")
    away(stage, "cho", "dee")
    assert asked(stage, stage.submit().case) == ["dee"]
    away(stage, "dee", "bob")
    assert asked(stage, stage.submit().case) == ["bob"], "all are away, so it stays where it belongs"


def test_whoever_is_asked_because_nobody_was_found_has_a_deputy_too(stage: Stage) -> None:
    gone = [{"rule": "member_field", "field": "reviewer"}]
    stage.publish(approval("one", who=gone, nobody={"person": "bob"}), END)
    away(stage, "bob", "cho")
    assert asked(stage, stage.submit().case) == ["cho"]


def test_what_is_due_passes_to_the_deputy_of_a_head_who_is_away(stage: Stage) -> None:
    hearing.start()
    due = {"after": "P1D", "then": [{"do": "escalate"}]}
    stage.publish(approval("one", "bob", due=due), END)
    case, tomorrow = stage.submit().case, clock.now() + timedelta(days=2)
    away(stage, "dee", "cho", last=3)  # the head of Bob's department
    with clock.stopped_at(tomorrow):
        assert watching.run_due() == 1
        outbox.drain("workflow")
    assert asked(stage, case) == ["cho"]
    assert stage.do("cho", "approve", case).status == "approved"


def test_only_oneself_or_an_administrator_names_a_deputy(stage: Stage) -> None:
    today = clock.today(site_zone())
    with pytest.raises(Forbidden):
        delegations.add(stage.actors["cho"], number(stage, "bob"), number(stage, "cho"), today, today)
    with pytest.raises(Invalid):
        away(stage, "bob", "bob")
    with pytest.raises(Invalid):
        away(stage, "bob", "cho", first=2, last=1)
    delegations.add(stage.actors["adm"], number(stage, "bob"), number(stage, "cho"), today, today)
    assert [row.deputy for row in delegations.list_of(number(stage, "bob"))] == [number(stage, "cho")]


def test_whoever_leaves_hands_over_every_open_task(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    some = [stage.submit().case for _ in range(3)]
    batch = administration.hand_over(stage.actors["adm"], number(stage, "bob"), number(stage, "dee"), "left")
    assert batch.done == 3
    assert batch.refused == []
    assert [asked(stage, case) for case in some] == [["dee"]] * 3
    assert administration.list_open_tasks(number(stage, "bob")) == []
    with pytest.raises(Forbidden):
        administration.hand_over(stage.actors["bob"], number(stage, "dee"), number(stage, "bob"))


def test_what_is_given_to_somebody_else_is_decided_by_them_alone(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho", mode="all"), END)
    case = stage.submit().case
    administration.reassign(stage.actors["adm"], stage.task_of("bob", case), number(stage, "dee"))
    assert sorted(asked(stage, case)) == ["cho", "dee"]
    with pytest.raises(Invalid):
        administration.reassign(stage.actors["adm"], stage.task_of("cho", case), number(stage, "dee"))


def leave(stage: Stage, who: str) -> None:
    people.change_person(SYSTEM, number(stage, who), active=False)


def test_a_condition_about_whoever_submitted_holds_after_they_have_left(stage: Stage) -> None:
    own = {"id": "own", "when": "owner = USER()", "steps": [approval("boss", "dee")]}
    stage.publish(approval("one", "bob"), {"id": "whose", "node": "condition", "branches": [own]}, END)
    case = stage.submit().case
    leave(stage, "ann")
    stage.do("bob", "approve", case)
    assert asked(stage, case) == ["dee"]


def test_what_returns_to_somebody_who_has_left_is_stuck_until_it_is_given_to_somebody(stage: Stage) -> None:
    stage.publish(approval("one", "bob", returned="back"), END)
    case, adm = stage.submit().case, stage.actors["adm"]
    leave(stage, "ann")
    assert stage.do("bob", "return", case, "which room?", to="initiator").status == "stuck"
    items, _ = desk.list_items(adm, "stuck", "en")
    assert [item.reason for item in items] == [
        "It was returned, and whoever submitted it has left. Give it to somebody else."
    ]
    with pytest.raises(Conflict):
        administration.skip(adm, case, "on it goes")
    assert administration.resume(adm, case).status == "stuck"
    (waiting,) = administration.list_open_tasks(number(stage, "ann"))
    assert administration.reassign(adm, waiting, number(stage, "eve")).status == "returned"
    found = cases.get_case(case)
    assert found is not None
    with pytest.raises(Forbidden):
        service.submit(stage.actors["cho"], "request", found.record)
    assert service.submit(stage.actors["eve"], "request", found.record).status == "open"
    assert stage.do("bob", "approve", case).status == "approved"


def test_a_returned_record_that_is_handed_over_is_submitted_by_whoever_has_it_now(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    stage.do("bob", "return", case, "which room?", to="initiator")
    leave(stage, "ann")
    assert administration.hand_over(stage.actors["adm"], number(stage, "ann"), number(stage, "cho")).done == 1
    found = cases.get_case(case)
    assert found is not None
    assert service.submit(stage.actors["cho"], "request", found.record).status == "open"
    assert asked(stage, case) == ["bob"]


@pytest.mark.parametrize("begin", ["resume", "restart"])
def test_what_is_taken_up_from_somebody_who_has_left_is_under_approval_again(
    stage: Stage, begin: str
) -> None:
    stage.publish(approval("one", "bob"), END)
    case, adm = stage.submit().case, stage.actors["adm"]
    under = stage.state_of(case)
    leave(stage, "ann")
    stage.do("bob", "return", case, "which room?", to="initiator")
    assert stage.state_of(case) != under
    if begin == "resume":
        administration.resume(adm, case, "one")
    else:
        moving.restart(adm, case, "they have left")
    assert stage.state_of(case) == under
    assert asked(stage, case) == ["bob"]


def test_people_are_picked_only_for_steps_whose_turn_it_is(stage: Stage) -> None:
    by_initiator = {"rule": "chosen", "by": "initiator"}
    by_previous = {"rule": "chosen", "by": "previous"}
    bob, dee, ann = (stage.actors[who].person_id or 0 for who in ("bob", "dee", "ann"))
    stage.publish(approval("one", "bob"), approval("boss", who=[by_initiator]), END)
    case = service.submit(stage.actors["ann"], "request", stage.record(), chosen={"boss": [dee]}).case
    stage.do("bob", "approve", case, chosen={"boss": [bob]})
    assert stage.is_asked("dee", case) and not stage.is_asked("bob", case)
    stage.publish(approval("one", "bob"), approval("boss", who=[by_previous]), END)
    case = service.submit(stage.actors["ann"], "request", stage.record(), chosen={"boss": [ann]}).case
    stage.do("bob", "approve", case, chosen={"boss": [dee]})
    assert stage.is_asked("dee", case) and not stage.is_asked("ann", case)


def test_what_agreed_by_itself_when_it_was_due_cannot_be_withdrawn_any_more(stage: Stage) -> None:
    hearing.start()
    due = {"after": "P1D", "then": [{"do": "approve"}]}
    stage.publish(approval("one", "bob", due=due), approval("two", "dee"), END)
    case = stage.submit().case
    with clock.stopped_at(clock.now() + timedelta(days=2)):
        watching.run_due()
        while outbox.drain():
            pass
    assert stage.is_asked("dee", case)
    with pytest.raises(Conflict):
        service.withdraw(stage.actors["ann"], case)
