"""The page of a form's examples."""

import re

import pytest

from formloop.access.actor import SYSTEM
from formloop.definitions import service as definitions
from formloop.forms import service as records
from studio.conftest import PAPER
from studio.test_pages import HTMX

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

PRICE = {"type": "number", "title": "Price"}
TOTAL = {"type": "number", "title": "Total", "x-scale": 2, "x-formula": "quantity * price"}
WHY = {"type": "string", "title": "Why", "x-visible": "total > 100", "x-required": "total > 100"}


@pytest.fixture
def client(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    return studio.client(studio.mei)


@pytest.fixture
def at(studio):
    studio.edit(properties={**PAPER["properties"], "price": PRICE, "total": TOTAL, "why": WHY})
    return f"/studio/{studio.id}/examples"


def add(studio, client, at, **values):
    data = {"revision": studio.desk().revision, "on": "2026-03-02", **values}
    return client.post(f"{at}/new", data=data, follow_redirects=True)


def kept(studio):
    return studio.desk().doc.get("x-examples", [])


def test_an_example_is_typed_expects_what_comes_and_can_be_undone(studio, client, at):
    assert "No example yet" in client.get(at).text
    answer = add(studio, client, at, title="Large order", item="Saw", quantity="30", price="5")
    assert "Holds" in answer.text and "This must be filled in." in answer.text
    (example,) = kept(studio)
    assert example["id"] == "large_order" and example["given"] == {"item": "Saw", "quantity": 30, "price": 5}
    assert example["expect"] == {"values": {"total": 150}, "shown": ["why"], "problems": {"why": "required"}}
    client.post(f"/studio/{studio.id}/do/undo", data={"revision": studio.desk().revision}, headers=HTMX)
    assert kept(studio) == []


def test_an_expected_value_is_typed_and_what_is_left_empty_is_not_looked_at(studio, client, at):
    add(studio, client, at, title="Small", item="Saw", quantity="3", price="5")
    save = {"on": "2026-03-02", "title": "Small", "item": "Saw", "quantity": "3", "price": "5"}
    revision = {"revision": studio.desk().revision}
    answer = client.post(f"{at}/small", data={**save, **revision, "e.total": "16"}, follow_redirects=True)
    assert "Does not hold" in answer.text and "expected 16" in answer.text
    assert kept(studio)[0]["expect"] == {"values": {"total": 16}}
    revision = {"revision": studio.desk().revision}
    client.post(f"{at}/small", data={**save, **revision, "e.total": "", "part": "problems"})
    assert kept(studio)[0]["expect"] == {"values": {}, "problems": {}}
    answer = client.post(f"{at}/small", data={**save, **revision, "e.total": "many"})
    assert answer.status_code == 422 and "is not a number" in answer.text


def test_a_change_that_breaks_it_is_told_at_check_and_before_publishing_and_taken_over(studio, client, at):
    add(studio, client, at, title="Small", item="Saw", quantity="3", price="5")
    fields = studio.desk().doc["properties"]
    studio.edit(properties={**fields, "total": {**TOTAL, "x-formula": "quantity * price * 2"}})
    told = "The example “Small” no longer holds. Total: expected 15, found 30."
    assert told in client.get(f"/studio/{studio.id}").text
    impact = client.get(f"/definitions/{studio.id}/publish").text
    assert told in impact and f'href="{at}"' in impact and "data-fl-confirm" in impact
    assert "corrected first" not in impact and not re.search(r"<button[^>]* disabled", impact)
    assert "<strong>30</strong>" in client.get(at).text
    client.post(f"{at}/take", data={"revision": studio.desk().revision})
    assert kept(studio)[0]["expect"]["values"] == {"total": 30}
    assert told not in client.get(f"/definitions/{studio.id}/publish").text


def test_an_example_is_made_of_a_record_and_deleted(studio, client, at):
    record = records.create(SYSTEM, "request", {"item": "Saw", "lines": [{"part": "Blade"}]})
    assert "Saw" in client.get(at).text
    data = {"record": record["id"], "title": "With lines", "revision": studio.desk().revision}
    assert client.post(f"{at}/record", data=data, follow_redirects=True).status_code == 200
    (example,) = kept(studio)
    assert (
        example["given"] == {"item": "Saw", "lines": [{"part": "Blade"}]} and example["title"] == "With lines"
    )
    client.post(f"{at}/with_lines/remove", data={"revision": studio.desk().revision})
    assert "x-examples" not in studio.desk().doc


def test_a_stale_page_changes_nothing_and_says_so(studio, client, at):
    old = studio.desk().revision
    studio.edit(title="Changed")
    answer = client.post(f"{at}/new", data={"revision": old, "on": "2026-03-02", "title": "A", "item": "Saw"})
    assert answer.status_code == 422 and "changed meanwhile" in answer.text and kept(studio) == []


def test_a_draft_that_cannot_run_says_what_is_to_be_put_right(studio, client, at):
    studio.edit(required=["nowhere"])
    answer = client.get(at)
    assert answer.status_code == 200 and "nowhere" in answer.text
    assert client.get("/studio/00000fff/examples").status_code == 404


def test_no_example_is_needed_to_publish(studio, at):
    assert definitions.publish(studio.mei, studio.id).version == 2
