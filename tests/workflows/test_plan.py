"""A step runs a plan for the case's record: in the same transaction, its counts known to the steps behind."""

from typing import Any

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.listing import Query, list_records
from formloop.planning import service as planning
from formloop.workflows import administration, cases, hearing, publisher_rights, simulation
from forms.conftest import form, number, publish, relation, role, text
from planning.works import dataset
from workflows.specimens import approval, workflow_doc
from workflows.stage import END, Stage

PART = form("part", {"made": text("Made"), "used": text("Used"), "quantity": number("Quantity")})
NEED = form(
    "need", {"item": text("Item"), "quantity": number("Quantity"), "source": relation("Source", "request")}
)
PARTS = dataset("parts", "part", {"item": "made", "component": "used", "quantity": "quantity"})
ASKED = dataset(
    "asked",
    "request",
    {"item": "subject", "quantity": "amount", "source": "id"},
    where="id = parameters.request",
    parameters={"request": relation("Request", "request")},
)
PLAN = {
    "x-kind": "plan", "x-id": "0000091a", "x-key": "needs", "title": "Needs", "operator": "bom.explode",
    "ports": {"demand": "asked", "bills": "parts"},
    "outputs": {"requirements": {"form": "need", "by": ["item", "source"]}},
}  # fmt: skip
EXPLODE = {"id": "explode", "node": "plan", "plan": "needs", "parameters": {"request": "id"}}
MANY = {"id": "many", "when": "flow.explode.requirements.created > 1", "steps": [approval("look", "dee")]}
FORK = {"id": "fork", "node": "condition", "branches": [MANY]}


@pytest.fixture
def works(stage: Stage) -> Stage:
    hearing.start()
    definitions.publish_many(SYSTEM, [PART, NEED, PARTS, ASKED, PLAN])
    for used, quantity in (("Top", "1"), ("Leg", "4")):
        records.create(SYSTEM, "part", {"made": "A desk", "used": used, "quantity": quantity})
    return stage


def needs() -> dict[str, Any]:
    spec = get_form("need")
    found = list_records(SYSTEM, spec, Query(columns=tuple(spec.fields))).rows
    return {row["item"]: row["quantity"] for row in found}


def test_the_plan_runs_for_the_record_and_later_steps_know_the_counts(works: Stage) -> None:
    works.publish(approval("one", "bob"), EXPLODE, FORK, END)
    case = works.submit(amount="2").case
    assert needs() == {}
    works.do("bob", "approve", case)
    assert needs() == {"Top": 2, "Leg": 8}
    assert works.is_asked("dee", case)
    works.do("dee", "approve", case)
    assert works.state_of(case) == "confirmed"


def test_few_results_take_the_other_branch(works: Stage) -> None:
    works.publish(EXPLODE, FORK, END)
    case = works.submit(subject="A lamp")
    assert (case.status, needs()) == ("approved", {})


def test_a_plan_that_fails_stops_the_case_with_its_reason_and_goes_on_when_mended(works: Stage) -> None:
    works.publish(EXPLODE, END)
    wrong = records.create(SYSTEM, "part", {"made": "Leg", "used": "A desk", "quantity": "1"})
    case = works.submit().case
    found = cases.get_case(case)
    assert found is not None and found.status == "stuck"
    assert needs() == {} and planning.list_runs(SYSTEM, "needs") == []
    assert "A desk → Leg → A desk" in str([note.detail for note in cases.list_notes(case)])
    records.delete_record(SYSTEM, "part", wrong["id"])
    administration.resume(works.actors["adm"], case)
    assert works.state_of(case) == "confirmed"
    assert needs() == {"Top": 100, "Leg": 400}


def test_a_failure_may_be_passed(works: Stage) -> None:
    works.publish({**EXPLODE, "failed": "pass"}, END)
    records.create(SYSTEM, "part", {"made": "Leg", "used": "A desk", "quantity": "1"})
    assert works.submit().status == "approved"
    assert needs() == {}


def test_a_play_shows_what_would_be_written_and_leaves_nothing(works: Stage) -> None:
    works.publish(EXPLODE, END)
    played = simulation.play(
        works.actors["adm"], "request", works.actors["ann"].person_id or 0, record=works.record()
    )
    assert played.status == "approved"
    assert [(form, action) for form, _, action in played.changes if form == "need"] == [
        ("need", "created")
    ] * 2
    assert needs() == {} and planning.list_runs(SYSTEM, "needs") == []


@pytest.mark.parametrize(
    ("step", "code", "at"),
    [
        ({**EXPLODE, "plan": "nothing"}, "no_plan", "steps.0.plan"),
        ({**EXPLODE, "parameters": {"order": "id"}}, "no_parameter", "steps.0.parameters.order"),
        ({**EXPLODE, "parameters": {"request": "subject"}}, "result_type", "steps.0.parameters.request"),
    ],
)
def test_a_step_that_does_not_fit_the_plan_is_refused(works: Stage, step: Any, code: str, at: str) -> None:
    with pytest.raises(Invalid) as refused:
        works.publish(step, END)
    assert (code, at) in [(problem.code, problem.at) for problem in refused.value.problems]


def test_nobody_publishes_a_step_with_a_plan_they_may_not_run(works: Stage) -> None:
    publisher_rights.enroll()

    publish(
        role("builder", {"on": "definition", "may": ["design"]}, {"form": "request", "may": ["view", "edit"]})
    )

    builder = get_actor(people.add_person(SYSTEM, "builder", "Builder", roles=["builder"]))
    with pytest.raises(Invalid) as refused:
        definitions.publish_many(builder, [workflow_doc(EXPLODE, END)])
    assert "may not run yourself" in str([str(p.message) for p in refused.value.problems])
