"""What is published next, or taken out of use, neither unlocks what went through before nor locks it for good."""

from typing import Any

import pytest

from formloop.core.errors import Conflict, Forbidden, Invalid, NotFound
from formloop.definitions import service as definitions
from formloop.forms import service as records
from formloop.workflows import service
from workflows.amending import set_desk
from workflows.specimens import REQUEST, approval, workflow_doc
from workflows.stage import END, SYSTEM, Stage

ACTIONS = ["approve", "reject", "return"]
ONE = approval("one", "bob", actions=ACTIONS)
ID = "0000001f"
STATES = {
    key: {"title": key} for key in ("draft", "review", "confirmed", "rejected", "declined", "todo", "ok")
}


def change(stage: Stage, record: int) -> None:
    records.change_record(stage.actors["ann"], "request", record, {"amount": "7"})


def is_locked(stage: Stage, record: int) -> bool:
    try:
        change(stage, record)
    except Forbidden:
        return True
    return False


def test_cases_of_a_workflow_out_of_use_go_on_to_their_end_and_no_new_ones_begin(stage: Stage) -> None:
    stage.publish(ONE, END)
    runs, returned, approved = (stage.submit().case for _ in range(3))
    stage.do("bob", "approve", approved)
    stage.do("bob", "return", returned, "why?", to="initiator")
    definitions.archive(stage.actors["adm"], ID)
    assert is_locked(stage, stage.record_of(runs))
    assert is_locked(stage, stage.record_of(approved))
    change(stage, stage.record_of(returned))
    service.submit(stage.actors["ann"], "request", stage.record_of(returned))
    assert stage.do("bob", "approve", returned).status == "approved"
    assert stage.do("bob", "approve", runs).status == "approved"
    assert stage.state_of(runs) == "confirmed"
    with pytest.raises(NotFound):
        service.submit(stage.actors["ann"], "request", stage.record())


def test_a_workflow_that_nothing_went_through_locks_nothing_once_it_is_out_of_use(stage: Stage) -> None:
    stage.publish(ONE, END)
    record = stage.record()
    definitions.archive(stage.actors["adm"], ID)
    change(stage, record)


def test_a_proposal_goes_on_when_its_workflow_is_out_of_use(database: Any) -> None:
    desk = set_desk()
    first, second = desk.booking(), desk.booking()
    returned, runs = desk.propose(first, {"guest": "New"}).case, desk.propose(second, {"guest": "Newer"}).case
    desk.decide("bob", returned, "return", "why?", to="initiator")
    definitions.archive(desk.actors["adm"], "00000e06")
    assert desk.propose(first, {"guest": "Better"}).case == returned
    assert desk.decide("bob", runs).status == "approved"
    with pytest.raises(Conflict):
        desk.propose(second, {"guest": "Again"})


@pytest.fixture
def renamed(stage: Stage) -> Stage:
    """A form with more states, and a rejected, a running and an approved record of its first workflow."""
    stage.publish(ONE, END)
    definitions.publish_many(SYSTEM, [{**REQUEST, "x-states": STATES}], "states")
    return stage


@pytest.mark.parametrize(
    "called",
    [
        {"returned": "review", "submitted": "todo"},
        {"returned": "confirmed", "approved": "todo"},
        {"approved": "rejected", "rejected": "declined"},
    ],
    ids=["running", "approved", "rejected"],
)
def test_states_that_would_unlock_or_lock_what_went_through_are_refused(
    renamed: Stage, called: dict[str, str]
) -> None:
    renamed.submit()
    doc = workflow_doc(ONE, states=called)
    definitions.save_draft(renamed.actors["adm"], "workflow", doc)
    found = definitions.impact(renamed.actors["adm"], ID)
    assert not found.possible
    assert "(1)" in found.rows[0].message.render() or "(0)" in found.rows[0].message.render()
    with pytest.raises(Invalid):
        definitions.publish(renamed.actors["adm"], ID)


def test_what_was_rejected_is_corrected_and_submitted_under_new_names(renamed: Stage) -> None:
    rejected, runs = renamed.submit().case, renamed.submit().case
    renamed.do("bob", "reject", rejected, "no")
    renamed.publish(ONE, states={"approved": "ok", "rejected": "declined"})
    record = renamed.record_of(rejected)
    change(renamed, record)
    again = service.submit(renamed.actors["ann"], "request", record).case
    assert renamed.do("bob", "approve", again).status == "approved"
    assert renamed.state_of(again) == "ok"
    renamed.do("bob", "approve", runs)
    assert is_locked(renamed, renamed.record_of(runs))
    assert is_locked(renamed, record)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize("called", [{"returned": "review"}, {"rejected": "confirmed"}])
def test_records_do_not_come_back_in_a_state_that_locks_them(stage: Stage, called: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        stage.publish(ONE, END, states=called)
