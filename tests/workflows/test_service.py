"""Cases on a real database: one transaction a step, one decision a task, and records that are locked."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from formloop import db, events
from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.core.errors import Conflict, Forbidden, Invalid, NotFound
from formloop.db import connection, reading, transactional
from formloop.definitions import service as definitions
from formloop.events import Event
from formloop.forms import service as records
from formloop.workflows import administration, cases, service
from formloop.workflows.kind import find_workflow, get_version
from formloop.workflows.tables import case_log, task
from workflows.specimens import REQUEST, STRICTER
from workflows.stage import END, Stage, approval


def actions_of(case: int) -> list[str]:
    return [note.action for note in cases.list_notes(case)]


def test_a_record_goes_from_draft_through_review_to_confirmed(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho"), END)
    case = stage.submit().case
    assert stage.state_of(case) == "review"
    stage.do("bob", "approve", case, "fine")
    assert stage.do("cho", "approve", case).status == "approved"
    assert stage.state_of(case) == "confirmed"
    assert actions_of(case) == ["submit", "approve", "approve", "finished"]


def test_the_change_stream_hears_of_every_state(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Event] = []
    monkeypatch.setattr(events, "_subscribers", [*events._subscribers, (1, heard.append)])
    stage.publish(approval("one", "bob"), END)
    stage.do("bob", "approve", stage.submit().case)
    assert [e.name for e in heard] == ["created", "state:review", "state:confirmed"]
    assert heard[-1].cause.chain == ("ui", "workflow:request_approval")


def test_a_step_that_fails_leaves_nothing_behind(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case

    def crash(event: Event) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(events, "_subscribers", [(1, crash)])
    with pytest.raises(ZeroDivisionError):
        stage.do("bob", "approve", case)
    assert stage.is_asked("bob", case)
    assert actions_of(case) == ["submit"]


def test_the_same_decision_twice_is_answered_as_done(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    mine = stage.task_of("bob", case)
    assert not service.decide(stage.actors["bob"], mine, "approve").repeated
    assert service.decide(stage.actors["bob"], mine, "approve").repeated
    with pytest.raises(Conflict):
        service.decide(stage.actors["bob"], mine, "reject", "changed my mind")
    assert actions_of(case) == ["submit", "approve", "finished"]


def test_the_slower_of_two_is_told_so(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho"), END)
    case = stage.submit().case
    slower = stage.task_of("cho", case)
    stage.do("bob", "approve", case)
    with pytest.raises(Conflict):
        service.decide(stage.actors["cho"], slower, "approve")


@pytest.mark.parametrize("action", ["approve", "reject", "return", "transfer"])
def test_a_stranger_can_neither_see_nor_decide(stage: Stage, action: str) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    mine = stage.task_of("bob", case)
    for who in ("eve", "cho", "adm"):
        assert cases.find_task(mine, stage.actors[who].person_id) is None
        with pytest.raises(NotFound):
            service.decide(stage.actors[who], mine, action, "x", to="initiator")
    with pytest.raises(NotFound):
        service.add_comment(stage.actors["eve"], case, "hello")


def test_only_who_holds_the_right_may_submit(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    record = stage.record()
    with pytest.raises(Forbidden):
        service.submit(stage.actors["bob"], "request", record)
    others = records.create(stage.actors["adm"], "request", {"subject": "Not Ann's"})
    with pytest.raises(NotFound):
        service.submit(stage.actors["ann"], "request", others["id"])


def test_submitting_twice_makes_one_case(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    record = stage.record()
    first = service.submit(stage.actors["ann"], "request", record)
    second = service.submit(stage.actors["ann"], "request", record)
    assert second.case == first.case
    assert second.repeated


def test_a_record_under_approval_or_approved_is_locked(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    record = stage.record()
    case = service.submit(stage.actors["ann"], "request", record).case
    for decide in (True, False):
        with pytest.raises(Forbidden):
            records.change_record(stage.actors["ann"], "request", record, {"subject": "Sly"})
        with pytest.raises(Forbidden):
            records.delete_record(stage.actors["ann"], "request", record)
        if decide:
            stage.do("bob", "approve", case)


def test_a_rejected_record_can_be_corrected_and_submitted_again(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    record = stage.record()
    case = service.submit(stage.actors["ann"], "request", record).case
    stage.do("bob", "reject", case, "too dear")
    assert stage.state_of(case) == "rejected"
    records.change_record(stage.actors["ann"], "request", record, {"amount": "50"})
    assert service.submit(stage.actors["ann"], "request", record).case != case


def test_a_returned_record_goes_on_in_the_same_case(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    record = stage.record()
    case = service.submit(stage.actors["ann"], "request", record).case
    stage.do("bob", "return", case, "which room?", to="initiator")
    assert stage.state_of(case) == "draft"
    assert stage.is_asked("ann", case)
    records.change_record(stage.actors["ann"], "request", record, {"subject": "A desk for room 5"})
    assert service.submit(stage.actors["ann"], "request", record).case == case
    assert not stage.is_asked("ann", case)
    found = cases.get_case(case)
    assert found is not None
    assert found.title == "A desk for room 5"
    assert stage.is_asked("bob", case)


def test_withdrawing_gives_the_record_back(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    service.withdraw(stage.actors["ann"], case)
    assert stage.state_of(case) == "draft"
    assert not stage.is_asked("bob", case)
    assert service.withdraw(stage.actors["ann"], case).repeated


def test_a_transferred_task_can_come_back(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    stage.do("bob", "transfer", case, to=stage.actors["cho"].person_id)
    stage.do("cho", "transfer", case, "not mine", to=stage.actors["bob"].person_id)
    assert stage.do("bob", "approve", case).status == "approved"


def test_nobody_is_transferred_to_who_is_not_there(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    with pytest.raises(Invalid):
        stage.do("bob", "transfer", case, to=12345)
    assert stage.is_asked("bob", case)


RULES: list[tuple[dict[str, Any], str]] = [
    ({"rule": "people", "people": ["CHO"]}, "cho"),
    ({"rule": "role", "role": "request_approvers"}, "bob"),
    ({"rule": "department", "department": "request_office"}, "bob"),
    ({"rule": "head", "level": 1}, "dee"),
    ({"rule": "initiator"}, "ann"),
    ({"rule": "member_field", "field": "reviewer"}, "cho"),
    ({"rule": "head", "level": 1, "of": "reviewer"}, "dee"),
]


@pytest.mark.parametrize(("rule", "asked"), RULES, ids=[str(rule) for rule, _ in RULES])
def test_each_rule_chooses_people_and_is_kept_as_the_reason(
    stage: Stage, rule: dict[str, Any], asked: str
) -> None:
    stage.publish(approval("one", who=[rule]), END)
    case = stage.submit(reviewer=str(stage.actors["cho"].person_id)).case
    found = cases.find_task(stage.task_of(asked, case), stage.actors[asked].person_id)
    assert found is not None
    assert found.why == rule


def test_who_has_left_is_not_asked(stage: Stage) -> None:
    people.change_person(SYSTEM, stage.actors["bob"].person_id or 0, active=False)
    stage.publish(approval("one", who=[{"rule": "people", "people": ["bob"]}], nobody={"person": "dee"}), END)
    assert stage.is_asked("dee", stage.submit().case)


def test_a_stuck_case_is_resumed_by_an_administrator(stage: Stage) -> None:
    stage.publish(approval("one", "zoe"), END)
    case = stage.submit().case
    assert stage.state_of(case) == "review"
    zoe = people.add_person(SYSTEM, "zoe", "Zoe")
    with pytest.raises(Forbidden):
        administration.resume(stage.actors["ann"], case)
    assert administration.resume(stage.actors["adm"], case).status == "open"
    assert cases.find_own_task(case, zoe) is not None


def test_conditions_read_the_record_as_it_is_now(stage: Stage) -> None:
    large = {"id": "large", "when": "amount >= 50000", "steps": [approval("boss", "dee")]}
    fork = {"id": "size", "node": "condition", "branches": [large]}
    stage.publish(approval("one", "bob", fields={"amount": "edit"}), fork, END)
    case = stage.submit(amount="100").case
    stage.do("bob", "approve", case, raw={"amount": "60000"})
    assert stage.is_asked("dee", case)


def test_a_step_lets_its_people_fill_in_some_fields_and_insists_on_others(stage: Stage) -> None:
    stage.publish(approval("one", "bob", fields={"reason": "require"}), END)
    case = stage.submit().case
    with pytest.raises(Invalid) as refused:
        stage.do("bob", "approve", case)
    assert [p.at for p in refused.value.problems] == ["reason"]
    with pytest.raises(Invalid):
        stage.do("bob", "approve", case, raw={"reason": "ok", "amount": "1"})
    assert stage.do("bob", "approve", case, raw={"reason": "because"}).status == "approved"


def test_an_approval_of_something_that_has_changed_meanwhile_is_refused(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho", mode="all", fields={"amount": "edit"}), END)
    case = stage.submit().case
    stage.do("bob", "approve", case, raw={"amount": "7"}, revision=2)
    with pytest.raises(Conflict):
        stage.do("cho", "approve", case, revision=2)
    assert stage.do("cho", "approve", case, revision=3).status == "approved"


def test_a_case_keeps_the_version_it_began_with(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho"), END)
    old = stage.submit().case
    stage.publish(approval("one", "bob"), END)
    workflow = find_workflow("request")
    assert workflow is not None
    assert workflow.version == 2
    assert stage.do("bob", "approve", stage.submit().case).status == "approved"
    assert stage.do("bob", "approve", old).status == "open"
    assert stage.do("cho", "approve", old).status == "approved"


def test_several_tasks_are_approved_at_once_and_the_refused_ones_are_named(stage: Stage) -> None:
    stage.publish(approval("one", "bob", fields={"reason": "require"}), END)
    good, bad = stage.submit(reason="yes").case, stage.submit().case
    tasks = [stage.task_of("bob", good), stage.task_of("bob", bad), 99]
    batch = service.approve_many(stage.actors["bob"], tasks)
    assert batch.done == 1
    assert [task for task, _ in batch.refused] == tasks[1:]


def test_a_copy_is_read_by_its_person_only(stage: Stage) -> None:
    stage.publish({"id": "tell", "node": "copy", "who": [{"rule": "people", "people": ["cho"]}]}, END)
    case = stage.submit().case
    with reading() as conn:
        copy = conn.execute(select(task).where(task.c.case == case)).one()
    service.mark_seen(stage.actors["bob"], copy.id)
    assert _state_of_task(copy.id) == "open"
    service.mark_seen(stage.actors["cho"], copy.id)
    assert _state_of_task(copy.id) == "read"


def _state_of_task(task_id: int) -> str:
    with reading() as conn:
        return str(conn.execute(select(task.c.state).where(task.c.id == task_id)).scalar_one())


def test_the_history_cannot_be_rewritten(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    stage.submit()

    @transactional
    def rewrite() -> None:
        connection().execute(case_log.update().values(comment="never said"))

    with pytest.raises(DatabaseError):
        rewrite()


def test_a_workflow_that_is_only_tried_is_forgotten_again(stage: Stage) -> None:
    assert find_workflow("request") is None

    def tried() -> object:
        stage.publish(approval("one", "bob"), END)
        return find_workflow("request")

    assert db.undone(tried) is not None
    assert find_workflow("request") is None
    stage.publish(approval("one", "bob"), END)
    assert find_workflow("request") is not None


def test_an_earlier_version_is_prepared_once_for_all_its_cases(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    stage.publish(approval("one", "cho"), END)
    first = db.transactional(get_version)("request_approval", 1)
    assert stage.do("bob", "approve", case).status == "approved"
    assert db.transactional(get_version)("request_approval", 1) is first


def test_what_no_longer_holds_since_it_was_saved_is_told_when_it_is_submitted(stage: Stage) -> None:
    stage.publish(approval("one", "bob"))
    record = stage.record(amount="100")
    definitions.publish_many(SYSTEM, [STRICTER], "stricter")
    with pytest.raises(Invalid) as refused:
        stage.submit_record(record)
    assert [(p.code, p.at) for p in refused.value.problems] == [("check:small", "amount")]
    records.change_record(SYSTEM, "request", record, {"amount": "40"})
    assert stage.submit_record(record).status == "open"


def test_a_draft_may_lack_what_must_be_there_when_it_is_submitted(stage: Stage) -> None:
    fields = {
        **REQUEST["properties"],
        "why": {"type": "string", "title": "Why", "x-required": 'state <> "draft"'},
    }
    definitions.publish_many(SYSTEM, [{**REQUEST, "properties": fields}], "asks why")
    stage.publish(approval("one", "bob"))
    record = stage.record()
    with pytest.raises(Invalid) as refused:
        stage.submit_record(record)
    assert [(p.code, p.at) for p in refused.value.problems] == [("required", "why")]
    records.change_record(SYSTEM, "request", record, {"why": "Old one broke"})
    assert stage.submit_record(record).status == "open"
