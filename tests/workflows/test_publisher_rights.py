"""Nobody publishes a workflow that shows, writes or sends what they may not see or do themselves."""

from typing import Any

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.workflows import publisher_rights
from workflows.specimens import approval, workflow_doc
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
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(builder, [workflow_doc(step, END)], "mine")
    assert {p.code for p in refused.value.problems} <= {"shows_hidden", "reads_hidden", "writes_forbidden"}
    definitions.publish_many(SYSTEM, [workflow_doc(step, END)], "theirs")


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
