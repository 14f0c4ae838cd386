"""The designer of plans: what it offers, which results go where, and what a draft would read and make."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from databases import Begun
from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds
from formloop.definitions import service as definitions
from formloop.forms.kind import get_form
from formloop.studio import drafting, plan_design
from formloop.studio.designer import designer_of
from formloop.studio.formula import judge
from formloop.studio.pickers import Around
from forms.conftest import number, publish, role
from planning.works import EXPLODE, Works, dataset, plan
from studio.conftest import Studio

AT = f"/studio/{EXPLODE['x-id']}"


@pytest.fixture
def works(studio: Studio, begun: Begun) -> Works:
    return begun(Works)


@pytest.fixture
def client(studio: Studio, works: Works) -> Iterator[FlaskClient]:
    studio.app.config["WTF_CSRF_ENABLED"] = False
    with studio.app.app_context():
        yield studio.client(studio.mei)


def do(client: FlaskClient, act: str, **given: Any) -> str:
    revision = drafting.open_desk(SYSTEM, EXPLODE["x-id"]).revision
    answer = client.post(
        f"{AT}/do/{act}", data={"revision": revision, **given}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def draft() -> dict[str, Any]:
    return drafting.open_desk(SYSTEM, EXPLODE["x-id"]).doc


def test_a_port_offers_the_datasets_that_fit_first_and_says_what_others_lack(works: Works) -> None:
    publish(dataset("a_items", "thing", {"item": "id"}))
    said = plan_design.describe_ports(EXPLODE)["demand"]
    assert said["enum"][0] == "open_wishes"
    assert said["x-titles"]["a_items"]["title"] == "A_items (lacks: Quantity)"
    assert said["x-titles"]["a_items"]["x-title"] == {"zh-CN": "A_items（缺少：数量）"}
    assert said["description"] == "Needs Item, Quantity; reads Needed on, Source where it is there."


def test_where_one_dataset_fits_a_new_plan_begins_with_it(client: FlaskClient) -> None:
    assert client.post("/studio/new", data={"kind": "plan", "name": "Mine"}).status_code == 422
    made = client.post("/studio/new", data={"kind": "plan", "name": "Mine", "operator": "bom.explode"})
    assert made.status_code == 303
    (found,) = [each for each in definitions.list_definitions("plan") if each.title == "Mine"]
    assert drafting.open_desk(SYSTEM, found.id).doc["ports"] == {
        "bills": "bill_lines",
        "demand": "open_wishes",
    }
    assert client.get(made.location).status_code == 200


def test_ports_and_parameters_are_picked_in_the_panel(client: FlaskClient) -> None:
    do(client, "fill", at="ports", **{"v-demand": "open_wishes", "v-bills": ""})
    assert draft()["ports"] == {"demand": "open_wishes"}
    told = client.get(AT).text.split('id="p-ports-v-bills-problem">')[1].split("</div>")[0]
    assert "Say where “Lines of bills” is read from." in told  # also where a whole definition is one panel
    do(client, "fill", at="parameters", **{"v-scrap_rule": "", "v-on_date": "2026-03-01"})
    assert draft()["parameters"] == {"on_date": "2026-03-01"}


def test_an_output_is_added_by_its_name_and_paired_by_picking(client: FlaskClient) -> None:
    page = do(client, "add", at="outputs", name="by_products", value='{"form": ""}')
    assert "By-products" in page and draft()["outputs"]["by_products"] == {"form": ""}
    at = "outputs/by_products"
    do(client, "fill", at=at, **{"v-form": "need", "v-replace": ["0", "1"]})
    pairs = {"v-map.lines": "1", "v-map.0.name": "wish", "v-map.0.value": "source"}
    do(client, "fill", at=at, **{"v-form": "need", "v-replace": ["0", "1"]}, **pairs)
    assert draft()["outputs"]["by_products"] == {"form": "need", "replace": True, "map": {"wish": "source"}}
    assert drafting.check(SYSTEM, drafting.open_desk(SYSTEM, EXPLODE["x-id"])) == []


def test_what_goes_where_is_told_and_what_is_called_alike_is_suggested(
    client: FlaskClient, works: Works
) -> None:
    form = dict(get_form("need").document)
    form["properties"] = {**form["properties"], "depth": number("Level"), "day": number("Source")}
    form["required"] = ["day"]
    publish(form)
    doc = plan(outputs={"requirements": {"form": "need", "replace": True, "map": {"level": "0"}}})
    (target,) = plan_design.list_targets(doc, "en")
    assert [(each.title, each.said, each.by_name) for each in target.filled] == [
        ("Item", "Item", True),
        ("Quantity", "Quantity", True),
        ("Level", "0", False),
    ]
    assert target.suggested == {"depth": "level", "day": "source"} and target.lacking == []
    definitions.save_draft(SYSTEM, "plan", doc)
    assert "Suggested" in client.get(AT).text
    do(client, "plan-accept", at="outputs/requirements")
    assert draft()["outputs"]["requirements"]["map"] == {"level": "0", "depth": "level", "day": "source"}


def test_formulas_of_a_plan_see_the_results_and_conditions_the_form(works: Works) -> None:
    around, designer = Around(kinds.get("plan"), EXPLODE, "en", {}), designer_of("plan")
    note = designer.scope(around, ("outputs", "requirements", "map", "note"))
    assert judge(SYSTEM, note, 'IF(bought, "buy", "make")', "en").problems == []
    assert ("bought", "Bought") in note.fields
    keep = designer.scope(around, ("outputs", "requirements", "keep"))
    assert judge(SYSTEM, keep, "firm", "en").problems == []
    assert judge(SYSTEM, keep, "level", "en").problems != []


def test_the_first_rows_and_a_try_show_the_draft_and_leave_nothing(client: FlaskClient, works: Works) -> None:
    works.wish(works.lamp, "3")
    definitions.save_draft(SYSTEM, "plan", plan(parameters={"scrap_rule": "multiply"}))
    reads = client.get(f"{AT}/reads").text
    assert "Open_wishes" in reads and "Lamp" in reads and "Brass" in reads
    tried = client.get(f"{AT}/run").text
    assert "Brass" in tried and "make" in tried and works.needs() == {}
    definitions.save_draft(SYSTEM, "plan", plan(outputs={}))
    assert "alert-danger" in client.get(f"{AT}/run").text


def test_first_rows_stay_with_those_who_see_every_record(client: FlaskClient, works: Works) -> None:
    works.wish(works.lamp, "3")
    publish(role("runs", {"form": "need", "may": ["create", "view"], "where": "firm"}))
    person = people.add_person(SYSTEM, "ann", "Ann", roles=["runs"])
    client.set_cookie(signing.COOKIE, sessions.open_session(person))
    tried = client.post("/plans/needs", data={"try": "1"}).text
    assert "A run would do this" in tried and "Brass" not in tried


@pytest.mark.parametrize(
    "wrong", [{"ports": []}, {"operator": 3}, {"outputs": {"requirements": 7}}, {"parameters": "x"}]
)
def test_a_draft_that_is_wrong_in_every_way_is_still_drawn(works: Works, wrong: dict[str, Any]) -> None:
    around = Around(kinds.get("plan"), plan(**wrong), "en", {})
    designer = designer_of("plan")
    assert designer.shown(around)["parts"]
    designer.scope(around, ("outputs", "requirements", "map", "note"))
