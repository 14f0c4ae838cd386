"""What can be wrong with a plan is said with its path; nobody publishes more than they may do themselves."""

import json
from pathlib import Path
from typing import Any

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.definitions import check_schema_of, kinds
from formloop.core.errors import Invalid
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.planning import publisher_rights
from formloop.planning.kind import references
from forms.conftest import publish, role
from planning.works import BILLS, EXPLODE, Works, dataset, plan

SHARED = Path(__file__).resolve().parents[3] / "shared" / "examples" / "mrp.plan.json"
PORTS = EXPLODE["ports"]


def out(**changes: Any) -> dict[str, Any]:
    return {"outputs": {"requirements": {**EXPLODE["outputs"]["requirements"], **changes}}}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize(
    ("changes", "code", "at"),
    [
        ({"operator": "mrp.guess"}, "no_operator", "operator"),
        ({"ports": {"demand": "open_wishes"}}, "no_port", "ports.bills"),
        ({"ports": {**PORTS, "stock": "bill_lines"}}, "unknown_name", "ports.stock"),
        ({"ports": {**PORTS, "bills": "nothing"}}, "no_dataset", "ports.bills"),
        ({"ports": {**PORTS, "bills": "open_wishes"}}, "no_column", "ports.bills"),
        ({"ports": {**PORTS, "demand": "texts"}}, "column_type", "ports.demand"),
        ({"parameters": {"scrap": 1}}, "unknown_name", "parameters.scrap"),
        ({"parameters": {"scrap_rule": "add"}}, "unreadable", "parameters.scrap_rule"),
        ({"parameters": {"on_date": "soon"}}, "unreadable", "parameters.on_date"),
        ({"outputs": {"orders": {"form": "need", "replace": True}}}, "unknown_name", "outputs.orders"),
        (out(form="nothing"), "no_form", "outputs.requirements.form"),
        (out(replace=True), "by", "outputs.requirements"),
        (out(by=["firm"]), "no_value", "outputs.requirements.by.0"),
        (out(keep="frm"), "unknown_name", "outputs.requirements.keep"),
        (out(map={"nothing": "item"}), "no_field", "outputs.requirements.map.nothing"),
        (out(map={"note": "bought"}), "result_type", "outputs.requirements.map.note"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_told_with_its_place(works: Works, changes: Any, code: str, at: str) -> None:
    publish(dataset("texts", "thing", {"item": "id", "quantity": "name"}))
    problems = kinds.get("plan").check(plan(**changes), library.VIEW)
    assert (code, at) in [(problem.code, problem.at) for problem in problems]


def test_a_plan_names_its_datasets_and_forms(works: Works) -> None:
    assert references(EXPLODE) == {("dataset", "open_wishes"), ("dataset", "bill_lines"), ("form", "need")}


def test_a_dataset_cannot_lose_a_column_that_a_plan_reads(works: Works) -> None:
    columns = {key: value for key, value in BILLS["columns"].items() if key != "quantity"}
    with pytest.raises(Invalid) as refused:
        publish({**BILLS, "columns": columns})
    assert "What is needed would no longer work" in str([str(p.message) for p in refused.value.problems])


def test_nobody_publishes_a_plan_beyond_their_own_rights(works: Works) -> None:
    publisher_rights.enroll()
    sees = [{"form": key, "may": ["view"]} for key in ("thing", "wish")]
    publish(
        role(
            "builder",
            {"on": "definition", "may": ["design"]},
            *sees,
            {"form": "bill", "may": ["view"], "except": ["batch"]},
            {"form": "need", "may": ["view", "create", "edit"], "except": ["level"]},
        )
    )
    builder = get_actor(people.add_person(SYSTEM, "builder", "Builder", roles=["builder"]))
    made = definitions.save_draft(builder, "plan", plan(title="Mine"))
    told = definitions.check_draft(builder, made.id)
    assert {(p.code, p.at) for p in told} == {
        ("reads_hidden", "ports.bills"),
        ("writes_forbidden", "outputs.requirements.map.level"),
        ("writes_forbidden", "outputs.requirements"),
    }
    assert "This plan writes Level of Need, which you may not do yourself." in [str(p.message) for p in told]
    with pytest.raises(Invalid) as refused:
        definitions.publish(builder, made.id)
    assert refused.value.problems == told


@pytest.mark.shared
def test_the_reference_example_has_the_shape_of_a_plan() -> None:
    if not SHARED.exists():
        pytest.skip("the reference examples are not here")
    assert check_schema_of(json.loads(SHARED.read_text("utf-8")), kinds.get("plan")) == []
