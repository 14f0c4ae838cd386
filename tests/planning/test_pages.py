"""Plans in the browser: who may run one sees it, tries it, runs it, and is told what became of it."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun
from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM
from formloop.events import jobs
from forms.conftest import publish, role
from planning.works import Works


@pytest.fixture
def made(app: Flask, begun: Begun) -> Works:
    app.config["WTF_CSRF_ENABLED"] = False
    works = begun(Works)
    works.wish(works.lamp, "3")
    return works


def test_a_plan_is_listed_tried_and_run(made: Works, client: FlaskClient) -> None:
    assert "What is needed" in client.get("/plans").get_data(as_text=True)
    shown = client.get("/plans/needs").get_data(as_text=True)
    assert 'name="scrap_rule"' in shown and 'name="wish"' in shown and "/datasets/bill_lines" in shown
    tried = client.post("/plans/needs", data={"try": "1"}).get_data(as_text=True)
    assert "nothing was written" in tried and made.needs() == {}
    begun = client.post("/plans/needs", data={"scrap_rule": "multiply"})
    assert begun.status_code == 303
    waiting = client.get(begun.location).get_data(as_text=True)
    assert "poll=1" in waiting
    jobs.run(int(begun.location.rsplit("/", 1)[1]))
    done = client.get(f"{begun.location}?poll=1", headers={"HX-Request": "true"})
    assert done.status_code == 286 and re.search(r"New <strong[^>]*>3", done.get_data(as_text=True))
    assert len(made.needs()) == 3
    assert "Run finished" in client.get("/plans/needs").get_data(as_text=True)


def test_a_wrong_parameter_and_a_failed_run_are_told(made: Works, client: FlaskClient) -> None:
    wrong = client.post("/plans/needs", data={"on_date": "soon"})
    assert wrong.status_code == 422 and "is not a date" in wrong.get_data(as_text=True)
    made.bill(made.brass, (made.lamp, "1"))
    tried = client.post("/plans/needs", data={"try": "1"})
    assert tried.status_code == 422 and "Lamp → Foot → Brass → Lamp" in tried.get_data(as_text=True)
    begun = client.post("/plans/needs")
    jobs.run(int(begun.location.rsplit("/", 1)[1]))
    assert "Lamp → Foot" in client.get(begun.location).get_data(as_text=True)
    assert "Lamp → Foot" in client.get("/plans/needs").get_data(as_text=True)


def test_choices_of_a_parameter_are_found(made: Works, client: FlaskClient) -> None:
    assert len(client.get("/plans/needs/choices/wish").json or []) == 1
    assert client.get("/plans/needs/choices/nothing").status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_whoever_may_not_write_the_results_is_turned_away(made: Works, app: Flask, method: str) -> None:
    publish(role("reader", {"form": "need", "may": ["view"]}))
    person = people.add_person(SYSTEM, "reader", "Reader", roles=["reader"])
    browser: Any = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(person))
    assert getattr(browser, method)("/plans/needs").status_code == 403
    assert "/plans" not in browser.get("/").get_data(as_text=True)
    assert "What is needed" not in browser.get("/plans").get_data(as_text=True)
