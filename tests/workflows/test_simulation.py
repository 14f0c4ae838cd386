"""Plays that leave nothing behind, and past cases played again by a draft."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, select

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.core.errors import Forbidden
from formloop.db import metadata, reading
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.events import outbox
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import administration, cases, hearing, play_words, replaying, service, simulation
from formloop.workflows.plays import Answer, Deed, Open, Play
from workflows.specimens import approval, workflow_doc
from workflows.stage import END, Stage


@pytest.fixture(autouse=True)
def listening() -> None:
    hearing.start()


def person(stage: Stage, who: str) -> Any:
    return stage.actors[who].person_id


def counts() -> dict[str, int]:
    """How many rows each of our tables has, but for counters."""
    with reading() as conn:
        return {
            t.name: conn.execute(select(func.count()).select_from(t)).scalar_one()
            for t in metadata.sorted_tables
        }


LARGE = {"id": "large", "when": "amount > 50", "steps": [approval("boss", "dee", fields={"amount": "view"})]}
FORK = {"id": "size", "node": "condition", "branches": [LARGE]}


def test_a_play_shows_the_way_the_people_and_the_changes_and_leaves_nothing(stage: Stage) -> None:
    tell = {"id": "tell", "node": "copy", "who": [{"rule": "people", "people": ["cho"]}]}
    stage.publish(approval("one", "bob"), FORK, tell, END)
    record, before = stage.record(), None
    before = counts()
    played = simulation.play(stage.actors["adm"], "request", person(stage, "ann"), record=record)
    assert counts() == before
    assert played.status == "approved"
    assert played.problems == []
    assert [(a.step, a.person, a.kind) for a in played.asked] == [
        ("one", person(stage, "bob"), "todo"),
        ("boss", person(stage, "dee"), "todo"),
        ("tell", person(stage, "cho"), "copy"),
    ]
    assert played.asked[1].fields == {"amount": "view"}
    assert [action for form, which, action in played.changes if which == record][-1] == "state:confirmed"


def test_a_play_of_values_that_are_not_saved(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), FORK, END)
    values = {"subject": "A chair", "amount": "10"}
    played = simulation.play(stage.actors["adm"], "request", person(stage, "ann"), values=values)
    assert [a.step for a in played.asked] == ["one"]


def test_a_play_with_decisions_of_ones_choice(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    no = [Deed(person(stage, "bob"), "reject")]
    played = simulation.play(
        stage.actors["adm"], "request", person(stage, "ann"), record=stage.record(), deeds=no
    )
    assert played.status == "rejected"
    with pytest.raises(Forbidden):
        simulation.play(stage.actors["bob"], "request", person(stage, "ann"), record=stage.record())


def test_waits_and_addresses_are_answered_without_waiting_or_calling(stage: Stage) -> None:
    bank = {
        "id": "bank",
        "node": "http",
        "url": "https://bank.invalid/x",
        "answer": {"limit": "answer.limit"},
    }
    way = {"id": "yes", "when": "flow.bank.limit > 5", "steps": [approval("boss", "dee")]}
    fork = {"id": "more", "node": "condition", "branches": [way]}
    stage.publish({"id": "rest", "node": "wait", "after": "P9D"}, bank, fork, END)
    answers = {"bank": Answer(body={"limit": 7})}
    played = simulation.play(
        stage.actors["adm"], "request", person(stage, "ann"), record=stage.record(), answers=answers
    )
    assert [a.step for a in played.asked] == ["boss"]
    assert [topic for topic, _ in played.messages] == ["workflow-http"]
    assert [
        (step, action) for step, action, _ in played.path if action in ("assumed", "given", "called")
    ] == [
        ("rest", "assumed"),
        ("bank", "given"),
        ("bank", "called"),
    ]
    answers = {"rest": Answer(comes=False)}
    waits = simulation.play(
        stage.actors["adm"], "request", person(stage, "ann"), record=stage.record(), answers=answers
    )
    assert (waits.status, waits.asked, [step for step, _ in waits.stays]) == ("open", [], ["rest"])


@pytest.mark.parametrize("answer", [Answer(comes=False), Answer(status=500)])
def test_an_address_that_refuses_stops_a_play_where_the_step_says_so(stage: Stage, answer: Answer) -> None:
    stage.publish(
        {"id": "bank", "node": "http", "url": "https://bank.invalid/x"}, approval("one", "bob"), END
    )
    played = simulation.play(
        stage.actors["adm"],
        "request",
        person(stage, "ann"),
        record=stage.record(),
        answers={"bank": answer},
    )
    assert (played.status, played.asked) == ("stuck", [])


def test_a_condition_that_is_waited_for_is_looked_at_and_not_assumed(stage: Stage) -> None:
    raised = {"id": "raise", "node": "data", "do": "update", "values": {"amount": "900"}}
    rich = {"id": "rich", "node": "wait", "title": "Rich", "until": "amount > 500"}
    both = {
        "id": "both",
        "node": "parallel",
        "branches": [
            {"id": "a", "steps": [rich, approval("one", "bob")]},
            {"id": "b", "steps": [approval("two", "cho"), raised]},
        ],
    }
    stage.publish(rich, approval("one", "bob"), END)
    record = stage.record(amount="10")
    played = simulation.play(stage.actors["adm"], "request", person(stage, "ann"), record=record)
    assert (played.status, played.asked) == ("open", [])
    assert [(step, because.render()) for step, because in played.stays] == [
        ("rich", "Waits until this holds: amount > 500")
    ]
    over = {"rich": Answer()}
    played = simulation.play(
        stage.actors["adm"], "request", person(stage, "ann"), record=record, answers=over
    )
    assert played.status == "approved"
    stage.publish(both, END)
    played = simulation.play(stage.actors["adm"], "request", person(stage, "ann"), record=record)
    assert [a.step for a in played.asked] == ["two", "one"]
    assert played.status == "approved"


OTHER = {
    "x-kind": "form",
    "x-id": "000000fa",
    "x-key": "other",
    "title": "Other",
    "type": "object",
    "properties": {"name": {"type": "string", "title": "Name"}},
}
SUB = (
    {"id": "mk", "node": "data", "do": "create", "form": "other", "values": {"name": "subject"}},
    {"id": "sub", "node": "subflow", "form": "other", "record": "flow.mk"},
    {
        "id": "well",
        "node": "condition",
        "branches": [
            {"id": "yes", "when": 'flow.sub.status = "approved"', "steps": [approval("one", "bob")]}
        ],
    },
    END,
)


def publish_other(*steps: Any) -> None:
    workflow = {
        "x-kind": "workflow",
        "x-id": "000000fb",
        "x-key": "other_wf",
        "title": "Other",
        "form": "other",
        "steps": list(steps),
    }
    definitions.publish_many(SYSTEM, [OTHER, workflow], "other")


def test_a_sub_flow_is_played_and_its_outcome_is_its_own(stage: Stage) -> None:
    publish_other(approval("first", "cho"), approval("last", "dee"), END)
    stage.publish(*SUB)
    record, ann, cho = stage.record(), person(stage, "ann"), person(stage, "cho")
    played = simulation.play(stage.actors["adm"], "request", ann, record=record)
    assert [a.step for a in played.asked] == ["other_wf/first", "other_wf/last", "one"]
    assert [step for step, action, _ in played.path if action == "approve"] == [a.step for a in played.asked]
    assert ("other", "state:confirmed") in {(form, action) for form, _, action in played.changes}
    assert played.status == "approved"
    no = [Deed(cho, "reject", step="other_wf/first")]
    played = simulation.play(stage.actors["adm"], "request", ann, record=record, deeds=no)
    assert [a.step for a in played.asked] == ["other_wf/first"]
    assert played.status == "approved"


def test_what_a_step_requires_is_filled_in_or_named(stage: Stage) -> None:
    stage.publish(approval("one", "bob", fields={"reason": "require"}), approval("two", "cho"), END)
    adm, ann, record = stage.actors["adm"], person(stage, "ann"), stage.record()
    played = simulation.play(adm, "request", ann, record=record)
    assert [each.render() for each in played.problems] == ["“One”, field “Reason”: This must be filled in."]
    assert played.waiting == [("one", person(stage, "bob"))]
    played = simulation.play(adm, "request", ann, record=record, fills={"one": {"reason": "seen"}})
    assert (played.status, played.problems) == ("approved", [])


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_others_do_meanwhile_is_no_part_of_a_play(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    record, others = stage.record(), []

    def follow(waiting: Sequence[Open]) -> Deed | None:
        if not others:
            thread = threading.Thread(target=lambda: others.append(stage.submit(subject="Another's")))
            thread.start()
            thread.join()
        return simulation.agree(waiting)

    played = simulation.try_out(stage.actors["adm"], Play("request", person(stage, "ann"), follow, record))
    assert len(others) == 1
    assert [(a.step, a.person) for a in played.asked] == [("one", person(stage, "bob"))]
    assert {which for form, which, _ in played.changes} == {record}
    assert [action for _, action, _ in played.path] == ["submit", "approve", "finished"]


def test_past_cases_are_played_again_by_a_draft_and_every_difference_is_listed(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    small, large = stage.submit(amount="10").case, stage.submit(amount="100").case
    for case in (small, large):
        stage.do("bob", "approve", case)
    draft = {**workflow_doc(approval("one", "bob"), FORK, END)}
    before = counts()
    (difference,) = replaying.replay(stage.actors["adm"], "request_approval", draft).differences
    assert counts() == before
    assert difference.case == large
    assert [step for step, action, _ in difference.would.path if action == "approve"] == ["one", "boss"]
    assert library.find_document("workflow", "request_approval") != draft


def test_a_record_is_played_again_with_the_values_it_was_submitted_with(stage: Stage) -> None:
    stage.publish(approval("one", "bob", fields={"reason": "require"}), FORK, END)
    case = stage.submit(amount="10").case
    stage.do("bob", "approve", case, raw={"reason": "seen"})
    found = cases.get_case(case)
    assert found is not None
    how = records.How(trusted=True, unlocked=True)
    records.change_record(SYSTEM, "request", found.record, {"amount": "100"}, how=how)
    draft = {**workflow_doc(approval("one", "bob", fields={"reason": "require"}), FORK, END)}
    assert replaying.replay(stage.actors["adm"], "request_approval", draft).differences == []
    stricter = {**FORK, "branches": [{**LARGE, "when": "amount > 5"}]}
    draft = {**workflow_doc(approval("one", "bob", fields={"reason": "require"}), stricter, END)}
    (difference,) = replaying.replay(stage.actors["adm"], "request_approval", draft).differences
    assert [step for step, action, _ in difference.would.path if action == "approve"] == ["one", "boss"]


def test_a_case_that_was_returned_is_played_from_its_last_submission(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), approval("two", "cho"), END)
    result = stage.submit(amount="10")
    stage.do("bob", "approve", result.case)
    stage.do("cho", "return", result.case, "dearer", to="initiator")
    found = cases.get_case(result.case)
    assert found is not None
    records.change_record(stage.actors["ann"], "request", found.record, {"amount": "100"})
    service.submit(stage.actors["ann"], "request", found.record)
    for who in ("bob", "cho"):
        stage.do(who, "approve", result.case)
    draft = {**workflow_doc(approval("one", "bob"), approval("two", "cho"), END)}
    assert replaying.replay(stage.actors["adm"], "request_approval", draft).differences == []


def test_a_replay_lists_people_rights_records_and_notices_that_would_differ(stage: Stage) -> None:
    tell = {"id": "tell", "node": "copy", "who": [{"rule": "people", "people": ["cho"]}]}
    stage.publish(approval("one", "bob", fields={"amount": "view"}), tell, END)
    case = stage.submit().case
    stage.do("bob", "approve", case)
    wipe = {"id": "wipe", "node": "data", "do": "update", "values": {"reason": '"done"'}}
    end = {"id": "done", "node": "end", "state": "rejected"}
    draft = {**workflow_doc(approval("one", "bob", fields={"amount": "hide"}), wipe, end)}
    (found,) = replaying.replay(stage.actors["adm"], "request_approval", draft).differences
    bob, cho = person(stage, "bob"), person(stage, "cho")
    assert found.problems == ()
    assert set(found.less["asked"]) == {
        ("one", bob, "todo", (("amount", "view"),)),
        ("tell", cho, "copy", ()),
    }
    assert set(found.more["asked"]) == {("one", bob, "todo", (("amount", "hide"),))}
    assert ("request", True, "state:confirmed") in found.less["changes"]
    assert {("request", True, "updated"), ("request", True, "state:rejected")} <= set(found.more["changes"])


def test_a_replay_says_when_the_past_cannot_be_played_any_more(stage: Stage) -> None:
    stage.publish(approval("one", who=[{"rule": "role", "role": "request_approvers"}], mode="all"), END)
    case = stage.submit().case
    asked = [who for who in ("bob", "cho", "dee") if stage.is_asked(who, case)]
    for who in asked:
        stage.do(who, "approve", case)
    people.change_person(SYSTEM, person(stage, asked[0]), active=False)
    draft = {
        **workflow_doc(approval("one", who=[{"rule": "role", "role": "request_approvers"}], mode="all"), END)
    }
    (found,) = replaying.replay(stage.actors["adm"], "request_approval", draft).differences
    assert found.problems == (replaying.OTHERWISE,)
    assert (found.less, found.more) == ({}, {})


def replayed(stage: Stage, *steps: Any) -> list[replaying.Difference]:
    return replaying.replay(stage.actors["adm"], "request_approval", workflow_doc(*steps)).differences


def test_what_was_handed_on_or_signed_by_others_too_is_played_again(stage: Stage) -> None:
    """A case that was handed on and rejected does not come out as approved."""
    steps = (approval("one", "bob", actions=["approve", "reject", "transfer", "add_signer", "return"]), END)
    stage.publish(*steps)
    case, cho, dee = stage.submit().case, person(stage, "cho"), person(stage, "dee")
    stage.do("bob", "transfer", case, to=cho)
    stage.do("cho", "reject", case, "too dear")
    assert replayed(stage, *steps) == []
    case = stage.submit().case
    stage.do("bob", "add_signer", case, to=dee, how="before")
    stage.do("dee", "approve", case)
    stage.do("bob", "approve", case)
    case = stage.submit().case
    administration.hand_over(stage.actors["adm"], person(stage, "bob"), cho)
    stage.do("cho", "reject", case, "no")
    assert replayed(stage, *steps) == []
    actions = ["approve", "reject", "transfer", "add_signer"]
    renamed = replayed(stage, approval("other", "bob", actions=actions), END)
    assert [each.would.status for each in renamed] == ["rejected", "approved", "rejected"]
    assert {each.problems for each in renamed} == {()}


def test_a_step_called_otherwise_does_not_turn_a_rejection_into_an_approval(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    case = stage.submit().case
    stage.do("bob", "reject", case, "no")
    (found,) = replayed(stage, approval("first", "bob"), END)
    assert (found.was.status, found.would.status) == ("rejected", "rejected")
    assert found.problems == ()


def test_going_back_and_taking_back_is_played_again(stage: Stage) -> None:
    steps = (approval("one", "bob"), approval("two", "cho"), END)
    stage.publish(*steps)
    case = stage.submit().case
    stage.do("bob", "approve", case)
    service.take_back(stage.actors["bob"], case)
    stage.do("bob", "approve", case)
    stage.do("cho", "return", case, "look again", to="one")
    stage.do("bob", "approve", case)
    stage.do("cho", "return", case, "the amount", to="initiator", how="back")
    service.submit(stage.actors["ann"], "request", stage.record_of(case))
    stage.do("cho", "approve", case)
    assert replayed(stage, *steps) == []


def test_sub_flows_are_played_again_with_what_was_decided_in_them(stage: Stage) -> None:
    publish_other(approval("first", "cho"), END)
    stage.publish(*SUB)
    case = stage.submit().case
    begun = next(note.detail["case"] for note in cases.list_notes(case) if note.action == "begun")
    stage.do("cho", "reject", begun, "no")
    outbox.drain(most=10)
    found = cases.get_case(case)
    assert found is not None
    assert found.status == "approved"
    assert replayed(stage, *SUB) == []


def test_a_replay_says_what_of_a_history_is_not_played_again(stage: Stage) -> None:
    stage.publish(
        approval("one", who=[{"rule": "people", "people": ["nobody"]}]), approval("two", "bob"), END
    )
    case = stage.submit().case
    administration.skip(stage.actors["adm"], case, "nobody is there")
    stage.do("bob", "approve", case)
    (found,) = replayed(
        stage, approval("one", who=[{"rule": "people", "people": ["nobody"]}]), approval("two", "bob"), END
    )
    assert [each.render() for each in found.problems] == [
        "Its history has what is not played again: Passed over"
    ]


def test_the_rights_on_all_other_fields_are_said_in_words(stage: Stage) -> None:
    spec = get_form("request")
    assert play_words._rights([("subject", "edit"), ("*", "view")], spec, "en").endswith(
        "All other fields: read only"
    )
    assert "其他所有字段: " in play_words._rights([("*", "view")], spec, "zh-CN")
