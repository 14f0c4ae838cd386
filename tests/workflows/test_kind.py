"""Workflow definitions: the reference example is publishable as it is, and mistakes are told where they are."""

import json
from pathlib import Path
from typing import Any

import pytest

from formloop.access import people, role_kind
from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc, check_schema_of, write
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.definitions import library, service
from formloop.workflows.kind import WORKFLOW, find_workflow, get_version
from workflows.specimens import REQUEST, approval, workflow_doc
from workflows.stage import Stage

EXAMPLES = Path(__file__).parents[3] / "shared" / "examples"
assert role_kind  # the kind "role" is there


def role(key: str, title: str, chinese: str, *grants: Doc) -> Doc:
    ids = {"finance": "000000a1", "planner": "000000a2", "seller": "000000a3", "approver": "000000a4"}
    return {
        "x-kind": "role",
        "x-id": ids[key],
        "x-key": key,
        "title": title,
        "x-title": {"zh-CN": chinese},
        "grants": list(grants),
    }


def again_every(distance: str) -> Doc:
    return {"after": "P1D", "then": [{"do": "remind", "every": distance}]}


@pytest.mark.shared
def test_the_reference_workflow_is_publishable_as_it_is(database: Any) -> None:
    if not EXAMPLES.is_dir():
        pytest.skip("the reference examples are not here")
    order = json.loads((EXAMPLES / "sales_order.form.json").read_text("utf-8"))
    text = (EXAMPLES / "sales_order_approval.workflow.json").read_text("utf-8")
    others = [
        {
            **REQUEST,
            "x-id": "000000c1",
            "x-key": "customer",
            "properties": _properties("active", "currency", "tax_rate"),
        },
        {**REQUEST, "x-id": "000000c2", "x-key": "item", "properties": _properties("list_price", "unit")},
    ]
    roles = [role("finance", "Finance", "财务"), role("planner", "Planner", "计划员")]
    documents = [*others, *roles, order, json.loads(text)]
    service.publish_many(SYSTEM, documents, "first")
    workflow = find_workflow("sales_order")
    assert workflow is not None
    assert list(workflow.steps) == ["review", "size", "finance", "tell", "done"]
    assert workflow.steps["size"].branches[1].first == "tell"
    with reading() as conn:
        told = [row.at for row in WORKFLOW.impact(conn, None, json.loads(text)) if row.severity == "warning"]
    blind = ["steps.1.branches.0.steps.0.who", "steps.2.who"]  # roles without any grant
    assert told == blind


def _properties(*keys: str) -> Doc:
    kinds: dict[str, Doc] = {
        "active": {"type": "boolean"},
        "tax_rate": {"type": "number", "x-scale": 4},
        "list_price": {"type": "number", "x-type": "amount", "x-scale": 4},
    }
    found = {key: {"title": key, **kinds.get(key, {"type": "string"})} for key in keys}
    return {
        "subject": {"type": "string", "title": "Subject"},
        "amount": {"type": "number", "title": "A"},
        "secret": {"type": "string", "title": "S"},
        **found,
    }


def publish(*docs: Doc) -> None:
    service.publish_many(SYSTEM, list(docs), "first")


END = {"id": "done", "node": "end", "state": "confirmed"}
CHOSEN = {"rule": "chosen", "by": "previous"}
ROLE = {"rule": "role", "role": "nobody"}
MISTAKES: list[tuple[Doc, str]] = [
    (workflow_doc(approval("a", who=[ROLE])), "steps.0.who.0.role"),
    (workflow_doc(approval("a", who=[{"rule": "head", "level": 1, "of": "amount"}])), "steps.0.who.0.of"),
    (workflow_doc(approval("a", who=[{"rule": "member_field", "field": "amount"}])), "steps.0.who.0.field"),
    (workflow_doc(approval("a", "bob", fields={"nothing": "edit"})), "steps.0.fields.nothing"),
    (workflow_doc(approval("a", "bob", fields={"twice": "edit"})), "steps.0.fields.twice"),
    (workflow_doc({"id": "done", "node": "end", "state": "gone"}), "steps.0.state"),
    (workflow_doc(approval("a", "bob"), states={"submitted": "gone"}), "states.submitted"),
    (workflow_doc(approval("a", "bob"), approval("a", "bob")), "steps.1.id"),
    (workflow_doc(END, approval("a", "bob")), "steps.1"),
    (workflow_doc(approval("a", "bob"), summary=["nothing"]), "summary.0"),
    (workflow_doc(approval("a", "bob"), form="gone"), "form"),
    (
        workflow_doc(
            {"id": "c", "node": "condition", "branches": [{"id": "x", "when": "amont > 1", "steps": []}]}
        ),
        "steps.0.branches.0.when",
    ),
    (
        workflow_doc(
            {"id": "c", "node": "condition", "branches": [{"id": "x", "when": "amount", "steps": []}]}
        ),
        "steps.0.branches.0.when",
    ),
    (
        workflow_doc(
            {"id": "c", "node": "condition", "branches": [{"id": "x", "steps": []}, {"id": "y", "steps": []}]}
        ),
        "steps.0.branches.0",
    ),
    (workflow_doc(approval("a", "bob", due=again_every("P0DT0H"))), "steps.0.due.then.0.every"),
    (workflow_doc(approval("a", "bob", due=again_every("P00DT0M"))), "steps.0.due.then.0.every"),
    (workflow_doc(approval("a", who=[CHOSEN])), "steps.0.who.0.by"),
    (
        workflow_doc(
            {
                "id": "p",
                "node": "parallel",
                "branches": [
                    {"id": "x", "steps": [approval("a", "bob")]},
                    {"id": "y", "steps": [approval("b", who=[CHOSEN])]},
                ],
            }
        ),
        "steps.0.branches.1.steps.0.who.0.by",
    ),
]


@pytest.fixture
def form(database: Any) -> None:
    publish(REQUEST)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize(("doc", "at"), MISTAKES, ids=[at for _, at in MISTAKES])
def test_mistakes_are_told_where_they_are(form: None, doc: Doc, at: str) -> None:
    assert at in [p.at for p in WORKFLOW.check(doc, library.VIEW) if p.severity == "error"]


@pytest.mark.parametrize(
    ("step", "at"),
    [
        ({"id": "a", "node": "approval"}, "steps.0"),
        (approval("a", "bob", mode="most"), "steps.0.mode"),
        (approval("a", "bob", colour="red"), "steps.0.colour"),
        (approval("a", who=[{"rule": "role"}]), "steps.0.who.0"),
        (approval("a", "bob", actions=["reject"]), "steps.0.actions"),
        (approval("a", "bob", due={"after": "tomorrow"}), "steps.0.due.after"),
    ],
)
def test_the_schema_refuses(step: Doc, at: str) -> None:
    assert at in [p.at for p in check_schema_of(workflow_doc(step), WORKFLOW)]


def test_a_person_who_is_not_there_yet_is_only_a_warning(form: None) -> None:
    found = WORKFLOW.check(workflow_doc(approval("a", "bob")), library.VIEW)
    assert [p.severity for p in found] == ["warning"]


def test_a_form_has_one_workflow(form: None) -> None:
    publish(workflow_doc(approval("a", "bob")))
    with pytest.raises(Invalid):
        publish({**workflow_doc(approval("a", "bob")), "x-id": "0000002f", "x-key": "second"})


def test_older_versions_stay_runnable(form: None) -> None:
    publish(workflow_doc(approval("a", "bob")))
    publish(workflow_doc(approval("a", "bob"), approval("b", "bob")))
    assert list(get_version("request_approval", 1).steps) == ["a"]
    assert list(get_version("request_approval", 2).steps) == ["a", "b"]


def test_a_form_cannot_lose_a_field_its_workflow_needs(form: None) -> None:
    branch = {"id": "x", "when": "amount > 1", "steps": []}
    publish(workflow_doc({"id": "c", "node": "condition", "branches": [branch]}))
    fewer = {k: v for k, v in REQUEST["properties"].items() if k not in ("amount", "twice")}
    with pytest.raises(Invalid):
        publish({**REQUEST, "properties": fewer, "x-list": {"columns": ["subject"]}})


def test_the_text_of_a_workflow_is_canonical() -> None:
    doc = workflow_doc(approval("a", "bob", mode="all"), END)
    once = write(doc, WORKFLOW)
    assert write(json.loads(once), WORKFLOW) == once
    assert once.index('"id"') < once.index('"node"') < once.index('"who"')


def test_publishing_warns_of_whoever_is_asked_and_sees_nothing(stage: Stage) -> None:
    eve, people_rule = "eve", {"rule": "people", "people": ["bob", "eve"]}
    steps = [
        approval("named", eve, who=[people_rule]),
        approval("shown", eve, fields={"*": "view"}),
        approval("hidden", eve, fields={"secret": "hide"}),
        approval("lead", who=[{"rule": "head", "level": 1}]),
    ]
    with reading() as conn:
        told = WORKFLOW.impact(conn, None, workflow_doc(*steps))
    assert [row.at for row in told] == ["steps.0.who", "steps.2.who"], (
        "Dee, who leads the office, sees requests"
    )
    assert told[0].message.render("en") == (
        "Eve may be asked at “Named” but may not see any field of Request. Give the step field rights."
    )
    assert told[0].message.render("zh-CN").startswith("“Named”可能由 Eve 处理，但其看不到申请的任何字段。")


def test_a_length_of_time_that_is_none_is_told_with_examples() -> None:
    doc = workflow_doc(approval("a", "bob", due={"after": "2 days", "then": []}))
    told = [each.message.render("en") for each in check_schema_of(doc, WORKFLOW)]
    assert any("“2 days” is no length of time. Write P2D for two days" in each for each in told), told


def test_a_misspelt_role_account_department_or_field_is_told_with_the_near_one(stage: Stage) -> None:
    people.add_person(SYSTEM, "margaret", "Margaret")
    who = [
        {"rule": "role", "role": "request_aprovers"},
        {"rule": "people", "people": ["margret"]},
        {"rule": "department", "department": "request_ofice"},
    ]
    doc = workflow_doc(approval("a", who=who, fields={"ammount": "view"}), summary=["subjekt"])
    told = " ".join(each.message.render("en") for each in WORKFLOW.check(doc, library.VIEW))
    for near in ("request_approvers", "margaret", "request_office", "amount", "subject"):
        assert f"Did you mean “{near}”?" in told


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_agreeing_by_itself_what_needs_a_signature_is_warned_of(stage: Stage) -> None:
    due = {"after": "P1D", "then": [{"do": "remind"}, {"do": "approve"}]}
    doc = workflow_doc(approval("one", "bob", needs=["signature"], due=due))
    (problem,) = WORKFLOW.check(doc, library.VIEW)
    assert (problem.at, problem.severity) == ("steps.0.due.then.1.do", "warning")
    publish(doc)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_form_that_is_drawn_but_not_published_is_named_so(form: None) -> None:
    draft = {**REQUEST, "x-id": "00000abc", "x-key": "repair", "title": "Repair"}
    service.save_draft(SYSTEM, "form", draft)
    problem = WORKFLOW.check(workflow_doc(form="repair"), library.VIEW)[0]
    assert "Repair” has not been published yet" in problem.message.render("en")
