"""Who may do what with a form, changed on one page."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from formloop.access import gate, people
from formloop.access.actor import SYSTEM, get_actor
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms.kind import get_form
from formloop.studio import rights
from studio.conftest import PAPER

CLERK = {
    "x-kind": "role",
    "x-id": "0000002b",
    "x-key": "clerk",
    "title": "Clerk",
    "grants": [
        {"id": "papers", "form": "request", "may": ["print", "view"], "except": ["lines.part"]},
        {"id": "people", "on": "people", "may": ["manage"]},
    ],
}


@pytest.fixture
def client(studio: Any) -> FlaskClient:
    studio.app.config["WTF_CSRF_ENABLED"] = False
    definitions.publish_many(SYSTEM, [CLERK], "test")
    return studio.client(studio.mei)


def sent(page: str) -> dict[str, list[str]]:
    """What the page would send unchanged."""
    values: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        ticked = attributes.get("type") != "checkbox" or " checked" in tag
        if (
            "name" in attributes
            and ticked
            and attributes["name"].partition(".")[0] in ("line", "role", "grant", "name", "may", "field")
        ):
            values.setdefault(attributes["name"], []).append(attributes.get("value", ""))
    for name, options in re.findall(r'<select[^>]*name="(scope\.\d+)"[^>]*>(.*?)</select>', page):
        values[name] = re.findall(r'value="([^"]*)" selected', options)
    return values


def confirm(client: FlaskClient, studio: Any, values: dict[str, Any]) -> Any:
    """Look at what would change, and let it count."""
    told = client.post(address(studio), data={**values, "do": "check"}).text
    seen = re.findall(r'name="seen" value="(\w+)"', told)
    return client.post(address(studio), data={**values, "seen": seen, "do": "publish"})


def address(studio: Any) -> str:
    return f"/studio/rights/{PAPER['x-id']}"


def test_the_page_shows_each_role_and_changes_nothing_unasked(studio: Any, client: FlaskClient) -> None:
    page = client.get(address(studio)).text
    assert "Clerk" in page and "4 / 5" in page
    answer = client.post(address(studio), data={**sent(page), "do": "check"}).text
    assert "Nothing is changed." in answer
    with studio.app.app_context():
        spec = get_form("request")
        assert rights.changed(spec, rights.lines_of(spec)) == ([], [])


def test_a_change_is_told_first_and_counts_once_it_is_published(studio: Any, client: FlaskClient) -> None:
    people.add_person(SYSTEM, "cleo", "Cleo", roles=["clerk"])
    values = sent(client.get(address(studio)).text)
    values["may.0"].append("edit")
    values["scope.0"] = [rights.OWN]
    told = client.post(address(studio), data={**values, "do": "check"}).text
    assert "This would change:" in told and "their own records" in told and "without Lines · Part" in told
    with studio.app.app_context():
        person = people.find_person("cleo")
        assert person is not None
        cleo = get_actor(person.id)
        assert not gate.allows(cleo, "edit", "form:request")
        assert confirm(client, studio, values).status_code == 303
        assert gate.allows(cleo, "edit", "form:request")
        doc = library.find_document("role", "clerk") or {}
        assert doc["grants"][0] == {
            "id": "papers", "form": "request", "may": ["view", "edit", "print"],
            "where": rights.OWN, "except": ["lines.part"],
        }  # fmt: skip
        assert doc["grants"][1] == CLERK["grants"][1]


def test_a_preset_ticks_the_boxes_and_a_new_role_begins_with_one(studio: Any, client: FlaskClient) -> None:
    values = sent(client.get(address(studio)).text)
    page = client.post(
        address(studio), data={**values, "preset.0": "manage"}, headers={"HX-Request": "true"}
    ).text
    assert "<html" not in page and sent(page)["may.0"] == list(gate.RECORD_ACTIONS)
    page = client.post(address(studio), data={**values, "do": "add", "name": "看板"}).text
    assert sent(page)["may.1"] == ["view", "print", "comment"]
    confirm(client, studio, sent(page))
    with studio.app.app_context():
        made = library.find_document("role", "kan_ban") or {}
        assert made["title"] == "看板" and made["grants"][0]["may"] == ["view", "print", "comment"]


def test_a_line_is_taken_away_and_fields_are_hidden(studio: Any, client: FlaskClient) -> None:
    values = sent(client.get(address(studio)).text)
    values["field.0"] = ["item", "quantity", "lines.part"]
    confirm(client, studio, values)
    with studio.app.app_context():
        assert (library.find_document("role", "clerk") or {})["grants"][0]["except"] == ["wanted", "lines"]
    confirm(client, studio, {**values, "gone.0": "1"})
    with studio.app.app_context():
        assert [each["id"] for each in (library.find_document("role", "clerk") or {})["grants"]] == ["people"]


def test_nobody_gives_more_than_they_have_and_no_draft_is_lost(studio: Any, client: FlaskClient) -> None:
    values = sent(client.get(address(studio)).text)
    values["may.0"].append("purge")
    designer = {**CLERK, "x-id": "0000003c", "x-key": "designer", "title": "Designer"}
    designer["grants"] = [{"id": "design", "on": "definition", "may": ["design"]}]
    definitions.publish_many(SYSTEM, [designer], "test")
    dora = get_actor(people.add_person(SYSTEM, "dora", "Dora", roles=["designer"]))
    refused = confirm(studio.client(dora), studio, values)
    assert refused.status_code == 422 and "it gives more than you may do yourself" in refused.text
    with studio.app.app_context():
        definitions.save_draft(SYSTEM, "role", {**CLERK, "title": "Clerks"})
    refused = client.post(address(studio), data={**values, "do": "publish"})
    assert refused.status_code == 422 and "Somebody is changing the role" in refused.text


def test_what_one_person_sees_is_shown(studio: Any, client: FlaskClient) -> None:
    people.add_person(SYSTEM, "cleo", "Cleo", roles=["clerk"])
    part = client.get(f"{address(studio)}/as?person=cleo").text
    assert "Cleo may:" in part and "Lines · Part" in part and "<html" not in part
    assert client.get(f"{address(studio)}/as?person=77").status_code == 404
    people.add_person(SYSTEM, "nora", "Nora")
    assert "nothing at all" in client.get(f"{address(studio)}/as?person=nora").text
    assert "As it counts now" in client.get(address(studio)).text  # not as it is being changed above


def test_what_one_person_may_is_said_in_words_and_counts_nobody_twice(
    studio: Any, client: FlaskClient
) -> None:
    own = {"id": "own", "form": "request", "may": ["view", "create"], "where": "owner = USER()"}
    doc = {**CLERK, "x-id": "0000003d", "x-key": "asker", "title": "Askers", "grants": [own]}
    with studio.app.app_context():
        definitions.publish_many(SYSTEM, [doc], "test")
    people.add_person(SYSTEM, "ada", "Ada", roles=["asker"])
    part = client.get(f"{address(studio)}/as?person=ada").text
    assert part.count("their own records") == 1 and "USER()" not in part
    said = client.get(f"{address(studio)}/as?person=ada", headers={"Accept-Language": "zh-CN"}).text
    assert "本人" in said or "自己" in said


def test_a_form_without_a_version_has_no_rights_yet(studio: Any, client: FlaskClient) -> None:
    with studio.app.app_context():
        made = definitions.save_draft(SYSTEM, "form", {**PAPER, "x-id": "0000004d", "x-key": "other"})
    assert client.get(f"/studio/rights/{made.id}").status_code == 404


def test_nothing_counts_that_was_not_shown_as_it_is_now(studio: Any, client: FlaskClient) -> None:
    values = sent(client.get(address(studio)).text)
    values["may.0"].append("edit")
    seen = re.findall(
        r'name="seen" value="(\w+)"', client.post(address(studio), data={**values, "do": "check"}).text
    )
    with studio.app.app_context():
        grants = [{**CLERK["grants"][0], "may": ["print", "view", "comment"]}, CLERK["grants"][1]]
        definitions.publish_many(SYSTEM, [{**CLERK, "grants": grants}], "meanwhile")
    answer = client.post(address(studio), data={**values, "seen": seen, "do": "publish"})
    assert answer.status_code == 422 and "look at it once more" in answer.text
    assert "(until now: see, print, comment" in answer.text
    with studio.app.app_context():
        assert "comment" in (library.find_document("role", "clerk") or {})["grants"][0]["may"]
    assert client.post(address(studio), data={**values, "do": "publish"}).status_code == 422


def test_the_page_of_a_role_has_the_words_of_the_page_of_rights(studio: Any, client: FlaskClient) -> None:
    own = {"id": "own", "form": "request", "may": ["view"], "where": rights.OWN}
    with studio.app.app_context():
        definitions.publish_many(SYSTEM, [{**CLERK, "grants": [own]}], "test")
    page = client.get(f"/studio/{CLERK['x-id']}").text
    assert "<span>their own records</span>" in page and f"<span>{rights.OWN}</span>" not in page
    assert page.index('<details class="fl-props-more" data-more><summary>') < page.index('name="v-id"')
    words = client.get(f"/studio/{CLERK['x-id']}", headers={"Accept-Language": "zh-CN"}).text
    assert f"<span>{rights.SCOPES[rights.OWN].render('zh-CN')}</span>" in words
