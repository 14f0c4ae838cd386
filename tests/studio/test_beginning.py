"""New definitions of every kind begin in a designer, those about a form with it."""

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds
from formloop.datasets.kind import get_dataset
from formloop.definitions import service as definitions
from formloop.definitions.designers import designers
from formloop.forms import service as records
from formloop.studio import drafting
from formloop.studio.dataset_designer import FIRST
from studio.conftest import PAPER

OWN = {"Origin": "http://localhost"}


@pytest.fixture
def client(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    return studio.client(studio.mei)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_kind_begins_and_is_edited_in_a_designer_with_its_text_behind_a_button(studio, client):
    for kind in kinds:
        assert designers.get(kind.name) == "studio.design"
        if kind.name in ("app", "bridge"):
            continue  # which have beginnings of their own
        page = client.get(f"/studio/new?kind={kind.name}").text
        assert f"New: {kind.title.render('en')}" in page or kind.name == "form"
        given = {
            "kind": kind.name,
            "name": f"My {kind.name}",
            "form": PAPER["x-key"],
            "operator": "bom.explode",
        }
        begun = client.post("/studio/new", data=given, headers=OWN)
        shown = client.get(begun.headers["Location"])
        assert shown.status_code == 200 and 'aria-label="Text"' in shown.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_new_dataset_says_its_source_and_can_be_published_as_it_is(studio, client):
    refused = client.post("/studio/new", data={"kind": "dataset"}, headers=OWN)
    assert refused.status_code == 422 and "Choose a form." in refused.text
    client.post("/studio/new", data={"kind": "dataset", "form": PAPER["x-key"]}, headers=OWN)
    (made,) = definitions.list_definitions("dataset")
    assert (made.title, made.title_zh) == ("Request list", "Request明细")
    definitions.publish(studio.mei, made.id)
    assert list(get_dataset(made.key).fields) == ["item", "quantity", "wanted"]
    page = client.get(f"/studio/{made.id}").text
    assert "<strong>Wanted by</strong>" in page  # a column is called like the field it shows
    assert "Link to the document" in page


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_column_of_a_dataset_is_named_and_calculated_and_one_without_a_name_stays_short(studio, client):
    client.post("/studio/new", data={"kind": "dataset", "form": PAPER["x-key"]}, headers=OWN)
    (made,) = definitions.list_definitions("dataset")
    assert 'data-formula="columns/quantity/value"' in client.get(f"/studio/{made.id}").text
    for at, name, value in (
        ("columns/quantity/value", "set", '"quantity * 2"'),
        ("columns/item/title", "set", '"Thing"'),
    ):
        sent = {"revision": drafting.open_desk(studio.mei, made.id).revision, "at": at, "value": value}
        assert client.post(f"/studio/{made.id}/do/{name}", data=sent, headers=OWN).status_code == 200
    doc = drafting.open_desk(studio.mei, made.id).doc
    assert doc["columns"] == {
        "item": {"value": "item", "title": "Thing"},
        "quantity": "quantity * 2",
        "wanted": "wanted",
    }
    asked = client.get(f"/studio/{made.id}/formula?at=columns/quantity/value").text
    assert "quantity * 2" in asked and 'data-insert="item"' in asked
    measured = {"measures": {"sum": "SUM(quantity)"}, "group": ["item"]}
    revision = drafting.open_desk(studio.mei, made.id).revision
    drafting.edit(studio.mei, made.id, revision, lambda doc: doc | measured)
    asked = client.get(f"/studio/{made.id}/formula?at=measures/sum/value").text
    assert "This is understood." in asked and 'data-insert="item"' in asked


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_dataset_shows_its_first_rows_as_the_builder_may_see_them_or_why_not(studio, client):
    client.post("/studio/new", data={"kind": "dataset", "form": PAPER["x-key"]}, headers=OWN)
    (made,) = definitions.list_definitions("dataset")
    assert f'hx-get="/studio/{made.id}/rows"' in client.get(f"/studio/{made.id}").text
    assert "There is no record" in client.get(f"/studio/{made.id}/rows").text
    for number in range(FIRST + 1):
        records.create(SYSTEM, PAPER["x-key"], {"item": f"Desk {number:02}", "quantity": "2"})
    doubled = {"columns": {"item": "item", "twice": {"value": "quantity * 2", "title": "Twice"}}}
    revision = drafting.open_desk(studio.mei, made.id).revision
    drafting.edit(studio.mei, made.id, revision, lambda doc: doc | doubled)
    shown = client.get(f"/studio/{made.id}/rows").text
    assert "Twice" in shown and "Desk 09" in shown and shown.count("<tr") == FIRST + 1
    revision = drafting.open_desk(studio.mei, made.id).revision
    drafting.edit(studio.mei, made.id, revision, lambda doc: doc | {"columns": {"item": "nothing"}})
    assert "nothing" in client.get(f"/studio/{made.id}/rows").text
    assert client.get(f"/studio/{PAPER['x-id']}/rows").status_code == 404


CHINESE = {**PAPER, "x-id": "0000002a", "x-key": "caigou", "title": "采购申请"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["workflow", "posting", "dataset"])
def test_what_is_called_after_a_form_with_one_name_has_one_name_and_leaves_its_translation_empty(
    studio, client, kind
):
    definitions.publish_many(SYSTEM, [CHINESE], "first")
    client.set_cookie("locale", "zh-CN")
    client.post("/studio/new", data={"kind": kind, "form": "caigou"}, headers=OWN)
    (made,) = definitions.list_definitions(kind)
    doc = drafting.open_desk(studio.mei, made.id).doc
    assert doc["title"].startswith("采购申请") and "x-title" not in doc


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_bridge_between_forms_with_one_name_has_one_name(studio, client):
    definitions.publish_many(SYSTEM, [CHINESE, CHINESE | {"x-id": "0000003a", "x-key": "dinghuo"}], "first")
    client.post("/studio/bridges/new", data={"from": "caigou", "to": "dinghuo"}, headers=OWN)
    (made,) = definitions.list_definitions("bridge")
    doc = drafting.open_desk(studio.mei, made.id).doc
    assert doc["title"] == "采购申请 → 采购申请" and "x-title" not in doc


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_form_from_a_list_of_labels_goes_on_in_its_designer(studio, client):
    given = {"kind": "form", "name": "Loans", "lines": "Tool\nDays"}
    begun = client.post("/definitions/new", data=given, headers=OWN)
    page = client.get(begun.headers["Location"])
    assert begun.headers["Location"].startswith("/studio/") and "Days" in page.text
    text = client.get(begun.headers["Location"].replace("/studio/", "/definitions/") + "/edit").text
    assert f'href="{begun.headers["Location"]}"' in text
