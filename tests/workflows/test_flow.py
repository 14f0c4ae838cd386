"""Steps without people on a real database: branches, records, sub-flows, times, answers of other systems."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.bridges.notices.tables import notice
from formloop.core import clock
from formloop.core.errors import Invalid
from formloop.db import reading, transactional
from formloop.definitions import service as definitions
from formloop.forms import service as records
from formloop.workflows import (
    administration,
    cases,
    desk,
    inbox,
    service,
    timeline,
    walk,
    watching,
)
from workflows.errands import OTHER, drained, errands, listening, make, status_of
from workflows.specimens import workflow_doc
from workflows.stage import END, Stage, approval

__all__ = ["listening"]


def test_each_of_parallel_steps_fills_in_what_is_its_own(stage: Stage) -> None:
    ways = [
        {"id": "a", "steps": [approval("left", "bob", fields={"reason": "view", "amount": "edit"})]},
        {"id": "b", "steps": [approval("right", "cho", fields={"reason": "require", "amount": "view"})]},
    ]
    stage.publish({"id": "fork", "node": "parallel", "branches": ways}, END)
    case = stage.submit().case
    with pytest.raises(Invalid):
        stage.do("cho", "approve", case)
    with pytest.raises(Invalid):
        stage.do("cho", "approve", case, raw={"reason": "Needed", "amount": "5"})
    stage.do("cho", "approve", case, raw={"reason": "Needed"})
    stage.do("bob", "approve", case, raw={"amount": "90"})
    assert stage.state_of(case) == "confirmed"


def test_parallel_heads_decide_side_by_side(stage: Stage) -> None:
    ways = [{"id": "a", "steps": [approval("left", "bob")]}, {"id": "b", "steps": [approval("right", "cho")]}]
    stage.publish({"id": "fork", "node": "parallel", "branches": ways}, approval("last", "dee"), END)
    case = stage.submit().case
    assert stage.is_asked("bob", case)
    assert stage.is_asked("cho", case)
    stage.do("cho", "approve", case)
    assert not stage.is_asked("dee", case)
    stage.do("bob", "approve", case)
    assert stage.do("dee", "approve", case).status == "approved"


def test_a_case_waits_for_its_sub_flow(stage: Stage) -> None:
    sub = {"id": "sub", "node": "subflow", "form": "errand", "record": "flow.make"}
    second = {
        **workflow_doc(approval("check", "cho"), END),
        "x-id": "0000002f",
        "x-key": "errand_check",
        "form": "errand",
    }
    definitions.publish_many(SYSTEM, [second], "first")
    stage.publish(make(), sub, approval("last", "dee"), END)
    case = stage.submit().case
    (made,) = errands()
    inner = cases.find_open("errand", made["id"])
    assert inner is not None
    assert not stage.is_asked("dee", case)
    stage.do("cho", "approve", inner.id)
    drained()
    assert stage.is_asked("dee", case)


def test_a_wait_ends_when_its_time_has_come_even_after_a_days_outage(stage: Stage) -> None:
    stage.publish({"id": "rest", "node": "wait", "after": "PT2H"}, approval("one", "bob"), END)
    case = stage.submit().case
    assert watching.run_due() == 0
    with clock.stopped_at(clock.now() + timedelta(days=1)):
        assert watching.run_due() == 1
        assert watching.run_due() == 0
        drained()
    assert stage.is_asked("bob", case)


def test_a_wait_until_something_holds_sees_the_change_of_the_record(stage: Stage) -> None:
    stage.publish({"id": "ready", "node": "wait", "until": 'reason = "go"'}, approval("one", "bob"), END)
    record = stage.record()
    from formloop.workflows import service

    case = service.submit(stage.actors["ann"], "request", record).case
    how = records.How(trusted=True, unlocked=True)
    for reason, asked in (("wait", False), ("go", True)):
        records.change_record(SYSTEM, "request", record, {"reason": reason}, how=how)
        drained()
        assert stage.is_asked("bob", case) is asked


def test_a_wait_for_an_event_knows_its_record(stage: Stage) -> None:
    wait = {"id": "paid", "node": "wait", "event": {"form": "errand", "on": "created"}}
    fork = {"id": "size", "node": "condition", "branches": [
        {"id": "large", "when": "flow.paid.amount = 5", "steps": [approval("boss", "dee")]}]}  # fmt: skip
    stage.publish(wait, fork, END)
    case = stage.submit().case
    records.create(stage.actors["adm"], "errand", {"subject": "Paid", "amount": "5"})
    drained()
    assert stage.is_asked("dee", case)


def test_a_wait_hears_what_happens_in_the_very_transaction_that_began_it(stage: Stage) -> None:
    wait = {"id": "paid", "node": "wait", "event": {"form": "errand", "on": "created"}}
    stage.publish(wait, approval("one", "bob"), END)

    @transactional
    def submit_and_pay() -> int:
        records.create(stage.actors["adm"], "errand", {"subject": "Too early", "amount": "1"})
        case = stage.submit().case
        records.create(stage.actors["adm"], "errand", {"subject": "Paid", "amount": "5"})
        return case

    case = submit_and_pay()
    drained()
    assert stage.is_asked("bob", case)


DUE = {"after": "P1D", "then": [{"do": "remind", "every": "PT4H"}, {"do": "escalate", "after": "P1D"}]}


def test_what_is_due_reminds_again_and_again_and_is_passed_to_the_head(stage: Stage) -> None:
    stage.publish(approval("one", "bob", due=DUE), END)
    case, begun = stage.submit().case, clock.now()
    for days, due in ((0.5, 0), (1.1, 1), (1.2, 0), (2.2, 2)):
        with clock.stopped_at(begun + timedelta(days=days)):
            assert watching.run_due() == due
            drained()
    assert not stage.is_asked("bob", case)
    assert stage.is_asked("dee", case)  # the head of Bob's department
    assert [n.action for n in cases.list_notes(case)] == [
        "submit",
        "due_remind",
        "due_remind",
        "due_escalate",
    ]
    assert stage.do("dee", "approve", case).status == "approved"


def due_of(stage: Stage, who: str) -> Any:
    (row,) = inbox.list_tab(stage.actors[who], "todo", "en").rows
    return row.due_at


def test_a_step_that_comes_back_from_an_added_signer_is_due_anew(stage: Stage) -> None:
    then = [{"do": "remind", "every": "PT4H"}, {"do": "return", "after": "P1D"}]
    stage.publish(
        approval("one", "bob", due={"after": "P1D", "then": then}, actions=["approve", "add_signer"]), END
    )
    begun, day = clock.now(), timedelta(days=1)
    with clock.stopped_at(begun):
        case = stage.submit().case
        stage.do("bob", "add_signer", case, to=stage.actors["cho"].person_id, how="before")
        assert due_of(stage, "cho") == begun + day, "the signer is due like Bob"
    back = begun + 1.5 * day
    with clock.stopped_at(back):
        assert watching.run_due() == 1
        drained()
        stage.do("cho", "approve", case)
        assert due_of(stage, "bob") == back + day
    for days, due in ((2.4, 0), (2.6, 1), (3.6, 2)):
        with clock.stopped_at(begun + days * day):
            assert watching.run_due() == due, days
            drained()
    assert stage.state_of(case) == "draft"


def overdue(stage: Stage) -> int:
    return len(desk.list_items(stage.actors["adm"], "overdue", "en")[0])


def test_the_desk_lists_what_is_due_of_the_tasks_that_wait_now(stage: Stage) -> None:
    due = {"after": "P1D", "then": [{"do": "remind"}]}
    right = {"id": "b", "steps": [approval("right", "cho", due=due)]}
    left = {"id": "a", "steps": [approval("left", "bob")]}
    stage.publish({"id": "both", "node": "parallel", "branches": [left, right]}, END)
    case, begun = stage.submit().case, clock.now()
    assert overdue(stage) == 0
    with clock.stopped_at(begun + timedelta(days=2)):
        watching.run_due()
        drained()
        assert overdue(stage) == 1
    with clock.stopped_at(begun + timedelta(days=3)):
        stage.do("cho", "return", case, "which room?", to="initiator")
        assert overdue(stage) == 0
        service.submit(stage.actors["ann"], "request", stage.record_of(case))
        assert overdue(stage) == 0


def test_what_was_passed_to_the_head_stays_overdue(stage: Stage) -> None:
    due = {"after": "P1D", "then": [{"do": "escalate"}]}
    stage.publish(approval("one", "bob", "cho", mode="in_turn", due=due), END)
    case = stage.submit().case
    with clock.stopped_at(clock.now() + timedelta(days=2)):
        watching.run_due()
        drained()
        assert stage.is_asked("dee", case)
        assert overdue(stage) == 1
        stage.do("dee", "approve", case)
        assert overdue(stage) == 0


def test_what_is_due_counts_as_approved_or_goes_back(stage: Stage) -> None:
    for do, status in (("approve", "approved"), ("return", "returned")):
        stage.publish(approval("one", "bob", due={"after": "PT1H", "then": [{"do": do}]}), END)
        case = stage.submit().case
        with clock.stopped_at(clock.now() + timedelta(hours=2)):
            watching.run_due()
            drained()
        assert status_of(case) == status
        assert not stage.is_asked("bob", case)


def test_a_message_is_written_to_people(stage: Stage) -> None:
    who = [{"rule": "people", "people": ["cho"]}]
    stage.publish({"id": "say", "node": "message", "who": who, "text": '"Look at " & subject'}, END)
    case = stage.submit().case
    assert cases.list_notes(case)[1].comment == "Look at A desk"


def test_a_sub_flow_of_the_record_that_is_just_submitted_is_stuck_and_says_so(stage: Stage) -> None:
    stage.publish({"id": "again", "node": "subflow", "form": "request", "record": "id"}, END)
    found = stage.submit()
    assert found.status == "stuck"
    assert "begin one another without end" in str(cases.list_notes(found.case)[-1].detail)


def test_a_time_beyond_all_calendars_is_waited_for(stage: Stage) -> None:
    stage.publish({"id": "rest", "node": "wait", "after": "P9999D"}, approval("one", "bob"), END)
    with clock.stopped_at(datetime(9990, 1, 1, tzinfo=UTC)):
        case = stage.submit().case
    assert status_of(case) == "open"


def test_work_and_sub_flows_of_one_event_share_its_limit_of_steps(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "MOST_STEPS", 100)
    made = make(id="made", values={"subject": "subject"})
    own = workflow_doc(
        {"id": "often", "node": "loop", "while": "loop.index <= 8", "most": 8, "steps": [made]},
        **{"x-key": "errand_approval", "x-id": "0000002f", "title": "Errands", "form": "errand"},
    )
    definitions.publish_many(SYSTEM, [own], "second")
    first = make(failed="pass")
    begun = {"id": "sub", "node": "subflow", "form": "errand", "record": "flow.make", "wait": False}
    stage.publish(approval("one", "bob"), first, begun, {**first, "id": "again"}, END)
    case = stage.submit().case
    assert stage.do("bob", "approve", case).status == "stuck"
    assert 3 < len(errands()) < 9
    assert "Too many steps in one go." in cases.list_notes(case)[-1].detail["reason"]
    monkeypatch.undo()
    assert administration.resume(stage.actors["adm"], case).status == "approved"


@pytest.mark.parametrize("failed", ["stop", "pass"])
def test_why_a_case_is_stuck_quotes_no_value_that_others_may_not_see(stage: Stage, failed: str) -> None:
    secret = make(values={"subject": "subject", "amount": "VALUE(secret)"}, failed=failed)
    unique = {**OTHER["properties"], "code": {"type": "string", "title": "Code", "x-unique": True}}
    definitions.publish_many(SYSTEM, [{**OTHER, "properties": unique}], "second")
    twice = make(values={"subject": "subject", "code": "secret"}, failed=failed)
    for made, often in ((secret, 1), (twice, 2)):
        stage.publish(approval("one", "bob"), made, END)
        for _ in range(often):
            case = stage.submit(secret="Hush-hush").case
            stage.do("bob", "approve", case)
        told = [row.said for row in _notices()]
        kept = [note.detail for note in cases.list_notes(case) if "reason" in note.detail]
        assert kept
        assert "Hush" not in f"{told} {[each['reason'] for each in kept]}"
        assert "Hush" not in f"{timeline.build(_row(case), 'en')}"


def test_an_administrator_reads_the_values_that_a_case_is_stuck_with_and_other_repairers_do_not(
    stage: Stage,
) -> None:
    stage.publish(make(values={"subject": "subject", "amount": "VALUE(secret)"}), END)
    found = _row(stage.submit(secret="Hush-hush").case)
    (shown,) = desk.describe(stage.actors["adm"], [found], "en")
    assert shown.reason == "“Hush-hush” is not a number."
    (shown,) = desk.describe(stage.actors["cho"], [found], "en")
    assert shown.reason == "“…” is not a number."


def _row(case: int) -> Any:
    found = cases.get_case(case)
    assert found is not None
    return found


def _notices() -> list[Any]:
    with reading() as conn:
        return list(conn.execute(select(notice)))
