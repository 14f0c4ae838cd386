"""Plays that leave nothing behind, and past cases played again by a draft."""

from typing import Any

import pytest
from sqlalchemy import func, select

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.core.errors import Forbidden
from formloop.db import metadata, reading
from formloop.definitions import library
from formloop.forms import service as records
from formloop.workflows import cases, hearing, replaying, service, simulation
from formloop.workflows.simulation import Deed
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
    answers = {"bank": {"limit": 7}}
    played = simulation.play(
        stage.actors["adm"], "request", person(stage, "ann"), record=stage.record(), answers=answers
    )
    assert [a.step for a in played.asked] == ["boss"]
    assert [topic for topic, _ in played.messages] == ["workflow-http"]


def test_past_cases_are_played_again_by_a_draft_and_every_difference_is_listed(stage: Stage) -> None:
    stage.publish(approval("one", "bob"), END)
    small, large = stage.submit(amount="10").case, stage.submit(amount="100").case
    for case in (small, large):
        stage.do("bob", "approve", case)
    draft = {**workflow_doc(approval("one", "bob"), FORK, END)}
    before = counts()
    (difference,) = replaying.replay(stage.actors["adm"], "request_approval", draft)
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
    assert replaying.replay(stage.actors["adm"], "request_approval", draft) == []
    stricter = {**FORK, "branches": [{**LARGE, "when": "amount > 5"}]}
    draft = {**workflow_doc(approval("one", "bob", fields={"reason": "require"}), stricter, END)}
    (difference,) = replaying.replay(stage.actors["adm"], "request_approval", draft)
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
    assert replaying.replay(stage.actors["adm"], "request_approval", draft) == []


def test_a_replay_lists_people_rights_records_and_notices_that_would_differ(stage: Stage) -> None:
    tell = {"id": "tell", "node": "copy", "who": [{"rule": "people", "people": ["cho"]}]}
    stage.publish(approval("one", "bob", fields={"amount": "view"}), tell, END)
    case = stage.submit().case
    stage.do("bob", "approve", case)
    wipe = {"id": "wipe", "node": "data", "do": "update", "values": {"reason": '"done"'}}
    end = {"id": "done", "node": "end", "state": "rejected"}
    draft = {**workflow_doc(approval("one", "bob", fields={"amount": "hide"}), wipe, end)}
    (found,) = replaying.replay(stage.actors["adm"], "request_approval", draft)
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
    (found,) = replaying.replay(stage.actors["adm"], "request_approval", draft)
    assert found.problems == (replaying.OTHERWISE,)
    assert (found.less, found.more) == ({}, {})
