"""What people and administrators do to a case: each in its place, and refused clearly out of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from formloop.core import clock
from formloop.core.errors import Conflict, Forbidden, Invalid, NotFound
from formloop.db import reading
from formloop.forms import files
from formloop.forms import service as records
from formloop.workflows import administration, cases, service, stashes
from formloop.workflows.tables import reminder, task
from workflows.stage import END, Stage, approval

SIGNERS = {"actions": ["approve", "reject", "return", "transfer", "add_signer"]}


def person(stage: Stage, who: str) -> Any:
    return stage.actors[who].person_id


@pytest.mark.parametrize(
    ("how", "order"),
    [
        ("before", ["cho", "bob"]),
        ("after", ["bob", "cho"]),
        ("beside", ["bob", "cho"]),
        ("beside", ["cho", "bob"]),
    ],
)
def test_a_further_signer_signs_before_after_or_beside(stage: Stage, how: str, order: list[str]) -> None:
    stage.publish(approval("one", "bob", mode="all", **SIGNERS), END)
    case = stage.submit().case
    stage.do("bob", "add_signer", case, "please", to=person(stage, "cho"), how=how)
    first, second = order
    if how != "beside":
        assert not stage.is_asked(second, case)
    assert stage.do(first, "approve", case).status == "open"
    assert stage.do(second, "approve", case).status == "approved"


def test_a_further_signer_is_refused_where_the_step_does_not_offer_it(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    with pytest.raises(Forbidden):
        stage.do("bob", "add_signer", case, to=person(stage, "cho"), how="before")
    stage.publish(approval("one", "bob", **SIGNERS), END)
    case = stage.submit().case
    for to, how in ((person(stage, "cho"), "under"), (12345, "before"), (person(stage, "bob"), "before")):
        with pytest.raises(Invalid):
            stage.do("bob", "add_signer", case, to=to, how=how)
    assert stage.is_asked("bob", case)


@pytest.mark.parametrize("how", ["again", "back"])
def test_a_returned_record_runs_again_or_comes_straight_back(stage: Stage, how: str) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho"), approval("three", "dee"), END)
    record = stage.record(reason="kept")
    case = service.submit(stage.actors["ann"], "request", record).case
    stage.do("bob", "approve", case)
    stage.do("cho", "approve", case)
    stage.do("dee", "return", case, "which room?", to="initiator", how=how)
    saved = records.change_record(stage.actors["ann"], "request", record, {"subject": "A desk for room 5"})
    assert saved["reason"] == "kept"
    service.submit(stage.actors["ann"], "request", record)
    assert stage.is_asked("dee" if how == "back" else "bob", case)


def test_a_return_to_an_earlier_step_comes_straight_back_where_it_says_so(stage: Stage) -> None:
    stage.publish(
        approval("one", "bob"), approval("two", "cho"), approval("three", "dee", returned="back"), END
    )
    case = stage.submit().case
    stage.do("bob", "approve", case)
    stage.do("cho", "approve", case)
    stage.do("dee", "return", case, "fix it", to="one")
    stage.do("bob", "approve", case)
    assert stage.is_asked("dee", case)
    assert stage.do("dee", "approve", case).status == "approved"


def test_the_initiator_reminds_and_sends_copies(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    service.urge(stage.actors["ann"], case, "please")
    with pytest.raises(Conflict, match="again in 60 minutes"):
        service.urge(stage.actors["ann"], case)
    with clock.stopped_at(clock.now() + timedelta(hours=1)):
        service.urge(stage.actors["ann"], case)
    with reading() as conn:
        assert conn.execute(select(reminder.c.task, reminder.c.count)).all() == [
            (stage.task_of("bob", case), 2)
        ]
    with pytest.raises(Forbidden):
        service.urge(stage.actors["bob"], case)
    service.copy_to(stage.actors["ann"], case, [person(stage, "eve")], "for you")
    with reading() as conn:
        copies = conn.execute(select(task.c.person).where(task.c.kind == "copy")).scalars().all()
    assert copies == [person(stage, "eve")]
    with pytest.raises(Invalid):
        service.copy_to(stage.actors["ann"], case, [])
    with pytest.raises(NotFound):
        service.copy_to(stage.actors["cho"], 1, [person(stage, "eve")])
    stage.do("bob", "approve", case)
    with pytest.raises(Conflict):
        service.urge(stage.actors["ann"], case)


def test_an_approval_is_taken_back_until_the_next_decision(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho", "dee", mode="all"), END)
    case = stage.submit().case
    with pytest.raises(Conflict):
        service.take_back(stage.actors["bob"], case)
    stage.do("bob", "approve", case)
    with pytest.raises(Conflict):
        service.take_back(stage.actors["cho"], case)
    service.take_back(stage.actors["bob"], case, "wrong button")
    assert [each.step for each in cases.list_waiting(case)] == ["one"]
    stage.do("bob", "approve", case)
    stage.do("cho", "approve", case)
    with pytest.raises(Conflict):
        service.take_back(stage.actors["bob"], case)
    assert stage.do("dee", "approve", case).status == "approved"


def test_a_copy_after_the_end_does_not_make_it_end_later(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    stage.do("bob", "approve", case)
    before = cases.get_case(case)
    service.copy_to(stage.actors["bob"], case, [person(stage, "eve")])
    after = cases.get_case(case)
    assert before is not None
    assert after is not None
    assert (after.ended_at, after.status) == (before.ended_at, "approved")


def test_what_is_put_by_is_there_until_it_is_decided(stage: Stage) -> None:
    stage.publish(approval("one", "bob", fields={"reason": "edit"}), END)
    case = stage.submit().case
    mine = stage.task_of("bob", case)
    service.put_by(stage.actors["bob"], mine, "half a thought", {"reason": "because"})
    service.put_by(stage.actors["bob"], mine, "a thought", {"reason": "because"})
    kept = stashes.find(mine)
    assert kept is not None
    assert (kept.comment, kept.raw) == ("a thought", {"reason": "because"})
    with pytest.raises(NotFound):
        service.put_by(stage.actors["cho"], mine, "not mine", {})
    stage.do("bob", "approve", case)
    assert stashes.find(mine) is None
    with pytest.raises(Conflict):
        service.put_by(stage.actors["bob"], mine, "too late", {})


def test_a_comment_carries_files(stage: Stage, tmp_path: Any) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    files.use_folder(tmp_path)
    path = tmp_path / "note.txt"
    path.write_text("hello")
    kept = files.keep(stage.actors["ann"], "note.txt", path)
    service.add_comment(stage.actors["ann"], case, "", attached=[kept.key])
    assert cases.list_notes(case)[-1].detail == {"files": [kept.key]}
    with pytest.raises(NotFound):
        service.add_comment(stage.actors["ann"], case, "", attached=["nothing"])


def test_several_are_rejected_at_once(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    tasks = [stage.task_of("bob", stage.submit().case) for _ in range(2)]
    batch = service.decide_many(stage.actors["bob"], [*tasks, 99], "reject", "not now")
    assert (batch.done, [each for each, _ in batch.refused]) == (2, [99])


@pytest.mark.parametrize(("does", "state"), [("end", "confirmed"), ("void", "rejected")])
def test_an_administrator_ends_or_voids_a_case_with_a_reason(stage: Stage, does: str, state: str) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    act = getattr(administration, does)
    with pytest.raises(Forbidden):
        act(stage.actors["bob"], case, "because")
    with pytest.raises(Invalid):
        act(stage.actors["adm"], case, " ")
    act(stage.actors["adm"], case, "because")
    assert stage.state_of(case) == state
    assert not stage.is_asked("bob", case)
    with pytest.raises(Conflict):
        act(stage.actors["adm"], case, "again")


def test_an_ended_case_is_taken_up_again_at_a_step(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho"), END)
    case = stage.submit().case
    with pytest.raises(Conflict):
        administration.reactivate(stage.actors["adm"], case)
    stage.do("bob", "reject", case, "no")
    with pytest.raises(Invalid):
        administration.reactivate(stage.actors["adm"], case, "nowhere")
    administration.reactivate(stage.actors["adm"], case, "two", "a mistake")
    assert stage.state_of(case) == "review"
    assert stage.do("cho", "approve", case).status == "approved"


@pytest.mark.parametrize("does", [administration.void, administration.reactivate])
def test_an_old_case_is_left_alone_once_its_record_is_in_approval_again(stage: Stage, does: Any) -> None:
    stage.publish(approval("one", "bob"), END)
    record, adm = stage.record(), stage.actors["adm"]
    old = service.submit(stage.actors["ann"], "request", record).case
    service.withdraw(stage.actors["ann"], old)
    newer = service.submit(stage.actors["ann"], "request", record).case
    with pytest.raises(Conflict, match="End that one first"):
        does(adm, old, comment="a mistake")
    assert stage.state_of(newer) == "review"
    stage.do("bob", "approve", newer)
    with pytest.raises(Conflict, match="Only its newest"):
        does(adm, old, comment="a mistake")
    assert stage.state_of(newer) == "confirmed"
    administration.void(adm, newer, "a mistake")
    assert stage.state_of(newer) == "rejected"


def test_an_administrator_lets_a_case_stand_at_another_step(stage: Stage) -> None:
    ways = [{"id": "a", "steps": [approval("left", "bob")]}, {"id": "b", "steps": [approval("right", "cho")]}]
    stage.publish({"id": "fork", "node": "parallel", "branches": ways}, approval("last", "dee"), END)
    case = stage.submit().case
    with pytest.raises(Invalid):
        administration.resume(stage.actors["adm"], case, "left")
    administration.resume(stage.actors["adm"], case, "last", "they are ill")
    assert [each.step for each in cases.list_waiting(case)] == ["last"]


def test_a_vote_counts_those_for_and_against(stage: Stage) -> None:
    stage.publish(approval("one", "bob", "cho", "dee", mode="vote", percent=60), END)
    case = stage.submit().case
    stage.do("bob", "reject", case, "no")
    assert stage.do("cho", "approve", case).status == "open"
    assert stage.do("dee", "approve", case).status == "approved"
    case = stage.submit().case
    stage.do("bob", "reject", case, "no")
    assert stage.do("cho", "reject", case, "no").status == "rejected"
