"""Choices that are too many for a page are asked of the server."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from formloop.access.tables import person
from formloop.core import clock
from formloop.db import connection, transactional
from formloop.definitions import service as definitions
from formloop.studio import drafting
from studio.conftest import PAPER

FLOW = {
    "x-kind": "workflow",
    "x-id": "0000003a",
    "x-key": "flow",
    "title": "Flow",
    "form": "request",
    "steps": [{"id": "boss", "node": "approval", "who": [{"rule": "people", "people": ["p599", "gone"]}]}],
}
PEOPLE = 600
WHO = "steps/boss/who/0"


@transactional
def hire() -> None:
    """Six hundred people."""
    rows = [
        {"id": clock.new_id(), "account": f"p{n:03}", "name": f"Worker {n:03}", "made_at": clock.now()}
        for n in range(PEOPLE)
    ]
    connection().execute(insert(person), rows)


@pytest.fixture
def client(studio: Any) -> FlaskClient:
    studio.app.config["WTF_CSRF_ENABLED"] = False
    hire()
    definitions.save_draft(studio.mei, "workflow", FLOW)
    return studio.client(studio.mei)


def test_whoever_is_behind_all_the_others_is_found_by_name_and_by_account(client: FlaskClient) -> None:
    last = {"value": "p598", "text": "Worker 598", "hint": "p598"}
    for text in ("worker 598", "p598"):
        assert client.get("/studio/choices/person", query_string={"q": text}).json == [last]
    assert len(client.get("/studio/choices/person").json) == 30
    assert client.get("/studio/choices/person?q=nobody").json == []
    assert client.get("/studio/choices/nothing").status_code == 404


def test_a_panel_shows_those_who_are_chosen_and_takes_whom_it_did_not_show(
    studio: Any, client: FlaskClient
) -> None:
    page = client.get(f"/studio/{FLOW['x-id']}?at=steps/boss").text
    assert '<option value="p599" selected>Worker 599</option>' in page
    assert "People: Worker 599, gone" in page  # on the card of the step
    assert '<option value="gone" selected>gone</option>' in page
    assert 'data-fl-choices="/studio/choices/person"' in page and "Worker 001" not in page
    desk = drafting.open_desk(studio.mei, FLOW["x-id"])
    posted = {"revision": desk.revision, "at": WHO, "v-people": ["p599", "gone", "p598"]}
    assert client.post(f"/studio/{FLOW['x-id']}/do/fill", data=posted).status_code == 200
    kept = drafting.open_desk(studio.mei, FLOW["x-id"]).doc["steps"][0]["who"]
    assert kept == [{"rule": "people", "people": ["p599", "gone", "p598"]}]


def test_rights_are_seen_as_anybody(client: FlaskClient) -> None:
    address = f"/studio/rights/{PAPER['x-id']}"
    assert 'data-fl-choices="/studio/choices/person"' in client.get(address).text
    shown = client.get(f"{address}/as?person=p598").text
    assert "Worker 598 may:" in shown and "nothing at all" in shown
    assert "may:" not in client.get(f"{address}/as?person=").text
