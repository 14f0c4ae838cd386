"""The buttons of an import pressed again: at one moment, on a page that was kept open, while it runs, when it is done."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from formloop.access.actor import SYSTEM, Actor
from formloop.core.errors import Conflict
from formloop.db import reading
from formloop.events import jobs
from formloop.forms import importing, staging
from formloop.settings import Settings
from forms.imports.bringing import Write, records, stopped
from forms.specimens import publish_all
from workflows.at_once import begun_while

NAMES = [[f"P{n}"] for n in range(5)]


def checked(write: Write, monkeypatch: pytest.MonkeyPatch, actor: Actor = SYSTEM) -> int:
    """Five partners that can be imported, two in each chunk."""
    monkeypatch.setattr(importing, "CHUNK", 2)
    path = write(["Name"], *NAMES)
    batch = importing.begin(actor, "partner", path.name, path, {"columns": {"Name": "name"}})
    jobs.run(importing.start(actor, batch, "import_check", now=True))
    return batch


def one_of_each() -> bool:
    return sorted(record["name"] for record in records("partner")) == [name for (name,) in NAMES]


def test_who_presses_at_the_same_moment_begins_nothing(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = checked(write, monkeypatch)

    def press() -> str:
        try:
            importing.start(SYSTEM, batch, "import_run", now=True)
        except Conflict as error:
            return error.message.render()
        return "begun"

    assert begun_while(press, press) == "This import is under way. Wait until it has ended."
    with reading() as conn:
        begun = select(func.count()).where(jobs.table.c.kind == "import_run")
        assert conn.execute(begun).scalar() == 1


def test_two_workers_with_one_job_write_every_row_once(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = checked(write, monkeypatch)
    job = importing.start(SYSTEM, batch, "import_run", now=True)
    jobs.step(jobs.get_job(job))
    begun_while(lambda: jobs.step(jobs.get_job(job)), lambda: jobs.step(jobs.get_job(job)))
    jobs.run(job)
    assert staging.counts(batch) == {"created": 5} and one_of_each()


def test_a_worker_that_was_given_up_for_lost_writes_nothing_more(
    site: Settings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = stopped(site, write, monkeypatch)
    lost = jobs.get_job(staging.get_batch(batch).job or 0)
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True))
    jobs.step(lost)
    assert staging.get_batch(batch).state == "undone" and records("partner") == []


@pytest.fixture
def pressing(app: Flask, client: FlaskClient) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    publish_all()
    return client


def run(batch: int) -> None:
    jobs.run(staging.get_batch(batch).job or 0).require_done()


def begun(client: FlaskClient, write: Write) -> tuple[str, int]:
    """The address of an import that was checked and pressed to run, and its number."""
    answer = client.post("/f/partner/import", data={"file": write(["Name"], *NAMES).open("rb")})
    at = answer.headers["Location"]
    batch = int(at.rpartition("/")[2])
    client.post(f"{at}/check", data={"column.0": "name"})
    run(batch)
    assert client.post(f"{at}/run").status_code == 303
    return at, batch


def refusal(client: FlaskClient, path: str, **data: str) -> str:
    answer = client.post(path, data=data)
    assert answer.status_code == 409
    return re.sub(r"<[^>]+>", "", unescape(answer.get_data(as_text=True)))


def test_what_was_written_is_not_checked_again_and_can_still_be_taken_back(
    pressing: FlaskClient, write: Write
) -> None:
    at, batch = begun(pressing, write)
    run(batch)
    said = "This import has been written. Take it back first, or begin a new import."
    refused = refusal(pressing, f"{at}/check", **{"column.0": "name"})
    assert said in refused and "Take this import back" in refused and "Choose another file" in refused
    assert said in refusal(pressing, f"{at}/sheet", sheet="")
    assert "Check them again, or begin a new import." in refusal(pressing, f"{at}/run")
    assert staging.counts(batch) == {"created": 5} and one_of_each()
    pressing.post(f"{at}/undo")
    run(batch)
    assert staging.counts(batch) == {"undone": 5} and records("partner") == []
    assert "There is nothing to take back" in refusal(pressing, f"{at}/undo")
    assert pressing.post(f"{at}/check", data={"column.0": "name"}).status_code == 303


def test_while_rows_are_written_nothing_else_begins(
    pressing: FlaskClient, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 2)
    at, batch = begun(pressing, write)
    jobs.step(jobs.get_job(staging.get_batch(batch).job or 0))
    for path in ("check", "sheet", "undo"):
        said = refusal(pressing, f"{at}/{path}", **{"column.0": "name", "sheet": ""})
        assert "This import is under way. Wait until it has ended." in said
    assert pressing.post(f"{at}/run").status_code == 303  # the same again shows how far it is
    run(batch)
    assert staging.counts(batch) == {"created": 5} and one_of_each()
