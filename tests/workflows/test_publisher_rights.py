"""Nobody publishes a workflow that shows, writes or sends what they may not see or do themselves."""

from typing import Any

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.forms import service as records
from formloop.workflows import publisher_rights, replaying, service, simulation
from formloop.workflows.kind import prepare
from formloop.workflows.played import Played
from workflows.specimens import REQUEST, SMALL, approval, workflow_doc
from workflows.stage import END, Stage

BUILDER: Doc = {
    "x-kind": "role",
    "x-id": "000000b3",
    "x-key": "request_builder",
    "title": "Builder",
    "grants": [
        {"id": "site", "on": "definition", "may": ["design"]},
        {"id": "all", "form": "request", "may": ["view", "create", "edit"], "except": ["secret"]},
    ],
}


@pytest.fixture
def builder(stage: Stage) -> Actor:
    publisher_rights.enroll()
    definitions.publish_many(SYSTEM, [BUILDER], "first")
    return get_actor(people.add_person(SYSTEM, "uma", "Uma", roles=["request_builder"]))


def fork(when: str) -> Doc:
    return {"id": "size", "node": "condition", "branches": [{"id": "yes", "when": when, "steps": []}]}


def data(do: str, **more: Any) -> Doc:
    return {"id": "work", "node": "data", "do": do, **more}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize(
    "step",
    [
        approval("one", "bob", fields={"secret": "view"}),
        approval("one", "bob", fields={"*": "view"}),
        fork('secret = "x"'),
        data("update", values={"secret": '"x"'}),
        data("delete", form="request", record="id"),
        {"id": "say", "node": "message", "who": [{"rule": "initiator"}], "text": "secret"},
        {"id": "bank", "node": "http", "url": "https://bank.invalid", "values": {"x": "secret"}},
        {"id": "sub", "node": "subflow", "form": "request", "record": "id"},
    ],
    ids=["shows", "shows all", "reads", "writes", "deletes", "writes to people", "sends", "submits"],
)
def test_what_the_builder_may_not_do_is_refused(builder: Actor, step: Doc) -> None:
    made = definitions.save_draft(builder, "workflow", workflow_doc(step, END))
    told = definitions.check_draft(builder, made.id)
    assert {p.code for p in told} <= {"shows_hidden", "reads_hidden", "writes_forbidden"}
    assert not any("secret" in str(p.message) for p in told)  # but its title
    with pytest.raises(Invalid) as refused:
        definitions.publish(builder, made.id)
    assert [p.message for p in refused.value.problems] == [p.message for p in told] != []
    definitions.publish_many(SYSTEM, [workflow_doc(step, END)], "theirs")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_of_a_pack_a_builder_answers_for_what_is_new_and_not_for_what_stood_there(builder: Actor) -> None:
    shows = approval("one", "bob", fields={"secret": "view"})
    definitions.publish_many(SYSTEM, [workflow_doc(shows, END)], "installed", app="pack")
    renamed = {**workflow_doc(shows, END), "title": "Another name"}
    definitions.publish_many(builder, [renamed], "mine")
    says = {"id": "say", "node": "message", "who": [{"rule": "initiator"}], "text": "secret"}
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(builder, [workflow_doc(shows, says, END)], "mine")
    assert {p.code for p in refused.value.problems} == {"reads_hidden"}
    with pytest.raises(Invalid):
        publisher_rights.require_rights(builder, prepare(workflow_doc(shows, says, END), 9))
    publisher_rights.require_rights(builder, prepare(renamed, 9))


def test_what_the_builder_may_do_is_published(builder: Actor) -> None:
    steps = (
        approval("one", "bob", fields={"amount": "edit", "secret": "hide"}),
        fork("amount > 5"),
        data("update", values={"reason": '"x"'}),
    )
    definitions.publish_many(builder, [workflow_doc(*steps, END)], "mine")


@pytest.mark.parametrize(
    ("step", "lock"),
    [
        (approval("one", "bob"), {"id": "far", "when": 'secret = "x"'}),
        (fork('amendment.was.secret = "x"'), {"id": "far"}),
        (approval("one", "bob"), {"id": "far", "when": '"x" IN dependents.request.secret'}),
    ],
    ids=["the record", "as it was", "what depends on it"],
)
def test_lock_stages_and_steps_about_changes_read_only_what_the_builder_sees(
    builder: Actor, step: Doc, lock: Doc
) -> None:
    named = {"x-id": "0000002f", "x-key": "request_change"}
    doc = workflow_doc(step, amends={"stages": [lock], "dependents": ["request"]}, **named)
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(builder, [doc], "mine")
    assert {p.code for p in refused.value.problems} == {"reads_hidden"}
    definitions.publish_many(SYSTEM, [doc], "theirs")


TELL: Doc = {"id": "say", "node": "message", "who": [{"rule": "initiator"}], "text": '"It is " & secret'}
SALARY: Doc = {
    "x-kind": "form",
    "x-id": "000000fa",
    "x-key": "salary",
    "title": "Salary",
    "type": "object",
    "properties": {"who": {"type": "string", "title": "Who"}, "pay": {"type": "string", "title": "Pay"}},
}
LOOK_UP = data("query", form="salary", by={"who": '"boss"'})


def told(played: Played) -> list[str]:
    return [said for _, said in played.told if "waits for you" not in said]


@pytest.mark.parametrize(
    "steps",
    [(TELL,), (fork('secret = "x"'),), (LOOK_UP, {**TELL, "text": "flow.work.pay"})],
    ids=["tells", "reads", "looks up"],
)
def test_a_draft_that_its_builder_may_not_publish_is_not_played(
    stage: Stage, builder: Actor, steps: tuple[Doc, ...]
) -> None:
    definitions.publish_many(SYSTEM, [SALARY], "salary")
    stage.publish(approval("one", "bob"), END)
    stage.do("bob", "approve", stage.submit(secret="S3CRET").case)
    record, draft = stage.record(secret="S3CRET"), workflow_doc(*steps, END)
    ann = stage.actors["ann"].person_id or 0
    with pytest.raises(Invalid):
        simulation.play(builder, "request", ann, record=record, draft=draft)
    with pytest.raises(Invalid):
        replaying.replay(builder, "request_approval", draft)
    assert (
        simulation.play(stage.actors["adm"], "request", ann, record=record, draft=draft).status == "approved"
    )


def test_a_play_of_what_runs_says_no_more_than_the_player_sees(stage: Stage, builder: Actor) -> None:
    stage.publish(TELL, {**TELL, "id": "open", "text": '"It is called " & subject'}, END)
    record, ann = stage.record(secret="S3CRET"), stage.actors["ann"].person_id or 0
    shown = told(simulation.play(builder, "request", ann, record=record))
    assert ("…" in shown, "It is called A desk" in shown, "It is S3CRET" in shown) == (True, True, False)
    assert "It is S3CRET" in told(simulation.play(stage.actors["adm"], "request", ann, record=record))


def test_what_a_step_computed_of_hidden_fields_is_kept_back_too(stage: Stage, builder: Actor) -> None:
    found = {"id": "sum", "node": "calculate", "values": {"x": "secret"}}
    stage.publish(found, {**TELL, "text": '"It is " & flow.sum.x'}, END)
    record, ann = stage.record(secret="S3CRET"), stage.actors["ann"].person_id or 0
    assert "It is S3CRET" not in told(simulation.play(builder, "request", ann, record=record))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_rule_that_reads_hidden_fields_refuses_a_play_without_its_words(
    stage: Stage, builder: Actor
) -> None:
    stage.publish(approval("one", "bob"), END)
    record, ann = stage.record(secret="S3CRET"), stage.actors["ann"].person_id or 0
    tells = {"word": "secret"}
    rule = {"id": "r", "holds": 'secret = ""', "at": "subject", "says": "Not {word}.", "tells": tells}
    definitions.publish_many(SYSTEM, [{**REQUEST, "x-checks": [rule, SMALL]}], "rules")

    def refusals(actor: Actor, **values: str) -> str:
        return str(simulation.play(actor, "request", ann, record=record, values=values).problems)

    assert "S3CRET" in refusals(stage.actors["adm"], subject="x")
    assert "S3CRET" not in refusals(builder, subject="x", amount="60")
    shown = [
        str(each)
        for each in simulation.play(builder, "request", ann, record=record, values={"amount": "60"}).problems
    ]
    assert any("A rule of “Request” refuses it." in each for each in shown)
    assert any("Too much." in each for each in shown), "what it sees is told"


def test_only_cases_of_records_that_the_player_may_see_are_played_again(stage: Stage) -> None:
    own = {"id": "own", "form": "request", "may": ["view", "create", "submit"], "where": "owner = USER()"}
    grants = [{"id": "site", "on": "definition", "may": ["design"]}, own]
    role = {**BUILDER, "x-id": "000000b4", "x-key": "own_builder", "grants": grants}
    definitions.publish_many(SYSTEM, [role], "first")
    uma = get_actor(people.add_person(SYSTEM, "uma", "Uma", roles=["own_builder"]))
    stage.publish(approval("one", "bob"), END)
    stage.do("bob", "approve", stage.submit().case)
    mine = service.submit(uma, "request", int(records.create(uma, "request", {"subject": "Mine"})["id"])).case
    stage.do("bob", "approve", mine)
    draft = workflow_doc(approval("one", "bob"), approval("two", "cho"), END)
    assert [each.case for each in replaying.replay(uma, "request_approval", draft).differences] == [mine]
    assert len(replaying.replay(stage.actors["adm"], "request_approval", draft).differences) == 2
