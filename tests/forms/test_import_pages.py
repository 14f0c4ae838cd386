"""Pages of imports and exports: what is offered when a job failed half-way, and what a file will not hold."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun
from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.errors import Unavailable
from formloop.events import jobs
from formloop.forms import importing, staging
from forms.specimens import publish_all

from .conftest import form, publish, text


@pytest.fixture
def app(app: Flask, begun: Begun) -> Flask:
    begun(publish_all)
    return app


@pytest.fixture
def person(app: Flask) -> int:
    return people.add_person(SYSTEM, "ann", "Ann", administrator=True)


@pytest.fixture
def client(app: Flask, person: int) -> FlaskClient:
    browser = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(person))
    return browser


@pytest.fixture
def stopped(person: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """An import whose job failed after the first of three rows."""
    path = tmp_path / "rows.csv"
    path.write_text("Name\nAcme\nBolt\nCog\n")
    actor = get_actor(person)
    batch = importing.begin(actor, "partner", path.name, path, {"columns": {"Name": "name"}})
    jobs.run(importing.start(actor, batch, "import_check", now=True))
    with monkeypatch.context() as broken:
        broken.setattr(importing, "CHUNK", 1)
        job = importing.start(actor, batch, "import_run", now=True)
        jobs.step(jobs.get_job(job))
        broken.setattr(importing, "_write_rows", _unavailable)
        jobs.run(job)
    return batch


def _unavailable(*_: object) -> None:
    raise Unavailable


def test_an_import_that_failed_half_way_goes_on_or_is_taken_back(client: FlaskClient, stopped: int) -> None:
    shown = client.get(f"/f/partner/import/{stopped}").get_data(as_text=True)
    assert "Import 2 records" in shown and "Take this import back" in shown
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', shown)
    assert token
    given = {"csrf_token": token[1], "idempotency_key": "k"}
    headers = {"Origin": "http://localhost"}
    assert client.post(f"/f/partner/import/{stopped}/run", data=given, headers=headers).status_code == 303
    job = staging.get_batch(stopped).job
    client.post(f"/f/partner/import/{stopped}/undo", data=given, headers=headers)
    assert staging.get_batch(stopped).job == job, "nothing else begins while it runs"
    assert jobs.run(job or 0).state == "done" and staging.counts(stopped) == {"created": 3}


def test_the_page_of_an_export_says_what_csv_has_no_place_for(client: FlaskClient) -> None:
    lines = {"type": "array", "items": {"type": "object", "properties": {"part": text("Part")}}}
    publish(form("kit", {"parts": {**lines, "title": "Parts"}, "tools": {**lines, "title": "Tools"}}))
    assert "for: Tools. CSV" in client.get("/f/kit/export").get_data(as_text=True)
    assert "columns chosen there" in client.get("/f/partner/export?c=name").get_data(as_text=True)


def test_the_check_names_the_columns_that_are_left_out(
    client: FlaskClient, person: int, tmp_path: Path
) -> None:
    path = tmp_path / "partners.csv"
    path.write_text("Name,Code,Hint\nAcme,1,x\n")
    batch = importing.begin(get_actor(person), "partner", path.name, path, {"columns": {"Name": "name"}})
    jobs.run(importing.start(get_actor(person), batch, "import_check", now=True))
    shown = client.get(f"/f/partner/import/{batch}").get_data(as_text=True)
    assert "2 columns are not imported: Code, Hint." in shown
