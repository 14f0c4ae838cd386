"""What was never published and is needed is seen as if it were, and is published with what needs it."""

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Conflict, Invalid
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.definitions.needed import list_needed
from studio.test_pages import HTMX
from studio.test_unpublished import ASKED, LINKED, SHOP

BOSS = {"id": "boss", "node": "approval", "who": [{"rule": "initiator"}]}
SOUND = {**ASKED, "steps": [BOSS, ASKED["steps"][1]]}


@pytest.fixture
def client(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    return studio.client(studio.mei)


def draft(studio, *docs):
    for doc in docs:
        definitions.save_draft(studio.mei, doc["x-kind"], doc)


def test_a_new_workflow_beside_a_new_form_is_checked_as_if_the_form_were_published(studio, client):
    draft(studio, LINKED, SHOP, SOUND)
    assert definitions.check_draft(studio.mei, SOUND["x-id"]) == []
    page = client.get(f"/studio/{SOUND['x-id']}").text
    assert "has not been published yet" not in page
    draft(studio, {**SOUND, "steps": [{**SOUND["steps"][1], "values": {"name": "nothing"}}]})
    told = [each.message.render("en") for each in definitions.check_draft(studio.mei, SOUND["x-id"])]
    assert len(told) == 1 and "nothing" in told[0]  # what is wrong with it itself is no longer hidden
    draft(
        studio, SOUND, {**SHOP, "properties": {"name": {"type": "string", "title": "N", "x-formula": "1 +"}}}
    )
    told = definitions.check_draft(studio.mei, SOUND["x-id"])
    assert [each.code for each in told] == ["needed"] and "“Shop”" in told[0].message.render("en")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_it_is_published_with_what_needs_it_and_the_page_says_so(studio, client):
    draft(studio, LINKED, SHOP, SOUND)
    page = client.get(f"/definitions/{SOUND['x-id']}/publish").text
    assert "Published with it" in page and "Wish" in page and "Shop" in page
    of_form = client.get(f"/definitions/{LINKED['x-id']}/publish").text
    assert (
        "Drafts that need it" in of_form
        and SOUND["title"] in of_form
        and "Nothing depends on it" not in of_form
    )
    revisions = {each.definition.id: each.revision for each in list_needed("workflow", SOUND)}
    assert set(revisions) == {LINKED["x-id"], SHOP["x-id"]}
    draft(studio, {**SHOP, "title": "Shops"})  # somebody goes on editing what goes along
    said = {"revision": "1", "together": [f"{key}:{number}" for key, number in revisions.items()]}
    answer = client.post(f"/definitions/{SOUND['x-id']}/publish", data=said, headers=HTMX)
    assert answer.status_code == 409 and library.find_published("workflow", "wish_flow") is None
    with pytest.raises(Conflict):
        definitions.publish(studio.mei, SOUND["x-id"], "", None, revisions)
    definitions.publish(studio.mei, SOUND["x-id"])
    found = [definitions.find_by_key(*name).version for name in (("workflow", "wish_flow"), ("form", "wish"))]
    assert found == [1, 1] and library.find_document("form", "shop")["title"] == "Shops"


def test_forms_that_need_each_other_come_together_and_a_wrong_one_stops_all(studio):
    back = {"type": "integer", "x-type": "relation", "title": "Wish", "x-relation": {"form": "wish"}}
    shop = {**SHOP, "properties": {**SHOP["properties"], "wish": back}}
    draft(studio, LINKED, {**shop, "properties": {**shop["properties"], "bad": {"type": "x"}}})
    with pytest.raises(Invalid):
        definitions.publish(studio.mei, LINKED["x-id"])
    assert definitions.find_by_key("form", "wish").version is None
    draft(studio, shop)
    assert definitions.publish(studio.mei, LINKED["x-id"]).key == "wish"
    assert definitions.find_by_key("form", "shop").version == 1


def test_what_runs_already_may_need_something_new(studio):
    draft(studio, SHOP)
    definitions.publish(SYSTEM, SHOP["x-id"])
    wish = {"type": "integer", "x-type": "relation", "title": "Wish", "x-relation": {"form": "wish"}}
    draft(studio, LINKED, {**SHOP, "properties": {**SHOP["properties"], "wish": wish}})
    assert definitions.publish(studio.mei, SHOP["x-id"]).version == 2
    assert definitions.find_by_key("form", "wish").version == 1
