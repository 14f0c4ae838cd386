"""What was never published tells nothing that somebody may not see, has no records, and keeps its warnings."""

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.errors import Invalid
from formloop.definitions import publications
from formloop.definitions import service as definitions
from formloop.forms import service as forms
from formloop.workflows import cases, service
from studio.test_needed import BOSS, SOUND, draft
from studio.test_pages import HTMX
from studio.test_unpublished import ASKED, LINKED, SHOP

SECRET = {
    "x-kind": "form",
    "x-id": "0000007a",
    "x-key": "secret",
    "title": "Secret",
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Name"},
        "cost": {"type": "number", "title": "Cost"},
    },
}
READS = {
    **SHOP,
    "properties": {
        "name": {"type": "string", "title": "Name"},
        "s": {"type": "integer", "x-type": "relation", "title": "S", "x-relation": {"form": "secret"}},
        "margin": {"type": "number", "title": "Hidden margin", "x-formula": "s.cost * 2"},
        "note": {"type": "string", "title": "Hidden note", "default": "not for all"},
    },
}
FLOW = {**ASKED, "form": "shop", "steps": [BOSS]}
SEES_NAMES = {"id": "names", "form": "secret", "may": ["view"], "fields": ["name"]}


@pytest.fixture
def site(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    return studio


def somebody(*grants):
    role = {"x-kind": "role", "x-id": "0000006d", "x-key": "own", "title": "Own", "grants": list(grants)}
    definitions.publish_many(SYSTEM, [role])
    return get_actor(people.add_person(SYSTEM, "bella", "Bella", roles=["own"]))


def test_what_a_new_form_would_read_beyond_somebodys_rights_is_told_before_and_is_not_played(site):
    definitions.publish_many(SYSTEM, [SECRET])
    bella = somebody({"id": "design", "on": "definition", "may": ["design"]}, SEES_NAMES)
    hidden = forms.create(SYSTEM, "secret", {"name": "A", "cost": "777.5"})["id"]
    for doc in (READS, FLOW):
        definitions.save_draft(bella, doc["x-kind"], doc)
    (told,) = definitions.check_draft(bella, FLOW["x-id"])
    assert told.code == "needed" and "“Shop”" in told.message.render("en")
    with pytest.raises(Invalid):
        definitions.publish(bella, FLOW["x-id"])
    client = site.client(bella)
    page = client.get(f"/definitions/{FLOW['x-id']}/publish").text
    assert "This must be corrected first" in page
    typed = {"s": str(hidden), "_changed": "s", "_action": "play"}
    answers = [client.post(f"/cases/play/wish_flow{part}", data=typed) for part in ("", "/answer")]
    assert [each.status_code for each in answers] == [422, 422]
    assert not any("777.5" in each.text or "1,555" in each.text for each in answers)
    assert client.get("/cases/play/wish_flow/choices/s").json == []


def test_the_play_of_a_published_form_shows_and_calculates_only_what_somebody_sees(site):
    definitions.publish_many(SYSTEM, [SECRET, READS, FLOW])
    own = {"id": "own", "form": "shop", "may": ["view", "create", "submit"], "fields": ["name", "s"]}
    rita = somebody({"id": "fix", "on": "site", "may": ["repair"]}, SEES_NAMES, own)
    hidden = forms.create(SYSTEM, "secret", {"name": "A", "cost": "777.5"})["id"]
    client, typed = site.client(rita), {"s": str(hidden), "name": "B", "_changed": "s"}
    page = client.get("/cases/play/wish_flow").text
    assert 'name="name"' in page and "Hidden" not in page and "not for all" not in page
    assert client.post("/cases/play/wish_flow/answer", data=typed).json["values"] == {}
    played = client.post("/cases/play/wish_flow", data={**typed, "_action": "play"}).text
    assert "How it would go" in played and "1,555" not in played
    assert client.get("/cases/play/wish_flow/choices/margin").json == []


LOOKS = {
    "relation": {},
    "linkage": {"x-linkage": {"form": "shop", "where": "name = this.what", "value": "name"}},
    "options": {"x-options": {"form": "shop", "field": "name"}},
    "list": {
        "x-type": "query",
        "x-query": {"form": "shop", "where": "name = this.what", "columns": ["name"]},
    },
    "formula": {"x-formula": "from_shop.name"},
}


@pytest.mark.parametrize("how", LOOKS)
def test_a_form_that_was_never_published_has_no_records_wherever_another_one_looks(site, how):
    looking = {**LINKED["properties"], "looks": {"type": "string", "title": "Looks", **LOOKS[how]}}
    again = {"type": "integer", "x-type": "relation", "title": "Again", "x-relation": {"form": "wish"}}
    if how == "relation":
        looking["looks"] = again  # at itself
    draft(site, {**LINKED, "properties": looking}, SHOP, {**SOUND, "steps": [BOSS]})
    client, typed = site.client(site.mei), {"what": "x", "amount": "3", "from_shop": "7"}
    if how == "relation":
        typed["looks"] = "7"
    play, preview = "/cases/play/wish_flow", f"/studio/{LINKED['x-id']}/preview"
    assert [client.get(each).status_code for each in (play, preview)] == [200, 200]
    for url in (f"{play}/answer", preview):
        told = client.post(url, data={**typed, "_changed": "what"})
        assert told.status_code == 200 and "does not exist" in told.json["problems"]["from_shop"]
    assert client.post(play, data={**typed, "_action": "play"}).status_code == 422
    assert client.post(play, data={"what": "x", "_action": "play"}).status_code == 200
    for path in ("from_shop", "looks"):
        assert client.get(f"{play}/choices/{path}").json == []
    assert client.get(f"/studio/{LINKED['x-id']}/examples").status_code == 200


def test_a_failing_example_of_what_goes_along_is_shown_before_publishing(site):
    given = {
        "id": "ten",
        "title": "Ten",
        "on": "2026-01-01",
        "given": {"amount": 10},
        "expect": {"values": {"total": 99}},
    }
    draft(site, {**LINKED, "x-examples": [given]}, SHOP, {**SOUND, "steps": [BOSS]})
    page = site.client(site.mei).get(f"/definitions/{SOUND['x-id']}/publish").text
    assert (
        "Look at this before publishing" in page
        and "“Wish”, which was never published" in page
        and "Ten" in page
    )
    assert site.client(site.mei).post("/cases/play/wish_flow", data={"_action": "play"}).status_code == 200


def test_what_is_prepared_by_a_job_is_prepared_alone(site, monkeypatch):
    draft(site, SHOP)
    definitions.publish(SYSTEM, SHOP["x-id"])
    wish = {"type": "integer", "x-type": "relation", "title": "Wish", "x-relation": {"form": "wish"}}
    draft(site, LINKED, {**SHOP, "properties": {**SHOP["properties"], "wish": wish}})
    monkeypatch.setattr(publications, "_is_long", lambda *_: True)
    with pytest.raises(Invalid) as refused:
        publications.begin(site.mei, SHOP["x-id"])
    assert "“Wish”" in refused.value.message.render("en")
    assert definitions.find_by_key("form", "wish").version is None


def test_finished_cases_are_played_again_with_what_the_draft_needs(site):
    flow = {**FLOW, "form": "request"}
    draft(site, flow)
    definitions.publish(site.mei, flow["x-id"])
    record = forms.create(site.mei, "request", {"item": "Drill", "quantity": "1"})["id"]
    service.submit(site.mei, "request", record)
    task = cases.find_own_task(cases.find_open("request", record).id, site.mei.person_id)
    service.decide(site.mei, task.id, "approve")
    noted = {"id": "noted", "node": "data", "do": "create", "form": "shop", "values": {"name": "item"}}
    draft(site, SHOP, {**flow, "steps": [BOSS, noted]})
    page = site.client(site.mei).post(
        "/cases/play/wish_flow", data={"_action": "replay", "_draft": "1"}, headers=HTMX
    )
    assert "1 of the 1 last finished would go another way" in page.text  # it makes a shop now
    assert "There is no" not in page.text and "Shop" in page.text


def test_the_draft_of_a_workflow_for_changes_is_not_the_workflow_of_a_form(site):
    changes = {**ASKED, "form": "request", "steps": [BOSS], "amends": {"stages": [{"id": "a", "title": "A"}]}}
    draft(site, changes)
    page = site.client(site.mei).get(f"/definitions/{definitions.find_by_key('form', 'request').id}").text
    assert "Nobody approves them." in page and "Their workflow is not published yet." not in page
