"""Records that an import brings in are sent into their workflow when its mapping says so."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from formloop.access import people, sessions
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.access.signing import COOKIE
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.definitions import service as definitions
from formloop.events import jobs
from formloop.forms import importing, staging, submitting
from formloop.forms.importing import import_file
from formloop.forms.kind import get_form
from formloop.forms.listing import Query, list_records
from forms.conftest import form, text
from forms.imports.bringing import mapping
from workflows.specimens import REQUEST
from workflows.stage import END, Stage, approval

SAID = {"columns": {"Subject": "subject", "Amount": "amount"}, "by": "subject", "submit": True}
Bring = Callable[..., importing.Result]


@pytest.fixture
def bring(stage: Stage, tmp_path: Path) -> Bring:
    """Import these rows of requests, for Ann unless said."""
    stage.publish(approval("look", "bob"), END)

    def bring_in(*rows: tuple[str, str], owner: str = "ann", **more: Any) -> importing.Result:
        path = tmp_path / "requests.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("Subject", "Amount"), *rows])
        return import_file("request", path, mapping(tmp_path, **SAID, **more), owner=owner)

    return bring_in


def states() -> list[tuple[str, str]]:
    query = Query(sort=("subject",), columns=("subject",), limit=50)
    return [(row["subject"], row["state"]) for row in list_records(SYSTEM, get_form("request"), query).rows]


def test_new_records_wait_for_their_approver_and_the_same_file_again_changes_nothing(bring: Bring) -> None:
    assert bring(("Chair", "1"), ("Desk", "2")).counts == {"created": 2}
    assert states() == [("Chair", "review"), ("Desk", "review")]
    assert bring(("Chair", "1"), ("Desk", "3"), ("Lamp", "4")).counts == {
        "unchanged": 1,
        "bad": 1,
        "created": 1,
    }
    assert len(states()) == 3


def test_what_a_submitted_record_lacks_is_found_before_anything_is_written(bring: Bring) -> None:
    wanted = {**REQUEST["properties"]["amount"], "x-required": 'state <> "draft"'}
    definitions.publish_many(
        SYSTEM, [{**REQUEST, "properties": {**REQUEST["properties"], "amount": wanted}}], "stricter"
    )
    result = bring(("Chair", ""), ("Desk", "2"))
    assert result.counts == {"bad": 1, "created": 1}
    assert result.problems == ["Row 2, Amount: This must be filled in."]


def test_what_the_workflow_refuses_is_not_imported_and_the_others_are(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = submitting._ways[0]

    def send(actor: Any, form: str, record: int) -> object:
        found = list_records(SYSTEM, get_form(form), Query(columns=("subject",))).rows
        if next(row for row in found if row["id"] == record)["subject"] == "Desk":
            raise Invalid([Problem("dear", "amount", M("Too dear."))])
        return way.send(actor, form, record)

    monkeypatch.setattr(submitting, "_ways", [submitting.Way(send, way.state)])
    result = bring(("Chair", "1"), ("Desk", "2"), ("Lamp", "3"))
    assert result.counts == {"created": 2, "failed": 1}
    assert result.problems == ["Row 3, Amount: Too dear."]
    assert states() == [("Chair", "review"), ("Lamp", "review")]


def test_who_submits_is_said_and_may(bring: Bring) -> None:
    for owner, said in (
        ("", "Only a person can submit a record. Say whose the new records are (--owner ACCOUNT)."),
        ("bob", "“bob” may not submit records of this form."),
        ("nobody", "There is nobody with the account “nobody”."),
    ):
        with pytest.raises(Invalid) as refused:
            bring(("Chair", "1"), owner=owner)
        assert [p.message.render() for p in refused.value.problems] == [said]
    assert states() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_form_without_a_workflow_submits_nothing(stage: Stage, tmp_path: Path) -> None:
    definitions.publish_many(SYSTEM, [form("note", {"subject": text("Subject")})], "test")
    (tmp_path / "notes.csv").write_text("Subject\nOne\n")
    said = mapping(tmp_path, columns={"Subject": "subject"}, submit=True)
    with pytest.raises(Invalid, match="it has no workflow"):
        import_file("note", tmp_path / "notes.csv", said, owner="ann")
    said = mapping(tmp_path, columns={"Subject": "subject"}, submit="yes")
    with pytest.raises(Invalid, match="true or false"):
        import_file("note", tmp_path / "notes.csv", said)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_page_lets_people_choose_it(app: Flask, stage: Stage, tmp_path: Path) -> None:
    stage.publish(approval("look", "bob"), END)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.set_cookie(COOKIE, sessions.open_session(stage.actors["adm"].person_id or 0))
    (tmp_path / "requests.csv").write_text("Subject,Kind\nChair,a\nDesk,b\n")
    said = mapping(tmp_path, columns={"Subject": "subject"}, skip={"Kind": ["b"]})
    with (tmp_path / "requests.csv").open("rb") as file, said.open("rb") as chosen:
        answer = client.post("/f/request/import", data={"file": file, "mapping": chosen})
    batch = answer.headers["Location"]
    shown = client.get(batch).text
    assert re.search(r'name="submit" value="1">', shown)
    assert "Left out are rows where Kind is: b" in shown
    client.post(f"{batch}/check", data={"column.0": "subject", "submit": "1"})
    number = int(batch.rpartition("/")[2])
    jobs.run(staging.get_batch(number).job or 0).require_done()
    assert "Each new one is submitted." in client.get(batch).text
    assert client.get(f"{batch}/mapping").get_json() == {
        "columns": {"Subject": "subject"},
        "submit": True,
        "skip": {"Kind": ["b"]},
    }
    client.post(f"{batch}/run")
    jobs.run(staging.get_batch(number).job or 0).require_done()
    assert states() == [("Chair", "review")]


@pytest.fixture
def checked(stage: Stage, tmp_path: Path) -> int:
    """Requests of Ann that were checked and are to be submitted; the administrator brings them in."""
    stage.publish(approval("look", "bob"), END)
    path = tmp_path / "requests.csv"
    path.write_text("Subject,Amount\nChair,1\nDesk,2\n")
    return begun(stage.actors["adm"], path)


def begun(actor: Actor, path: Path) -> int:
    batch = importing.begin(actor, "request", path.name, path, {**SAID, "owner": "ann"})
    jobs.run(importing.start(actor, batch, "import_check", now=True)).require_done()
    return batch


def goes_on(actor: Actor, batch: int) -> str:
    """Why the rows are not written, in words; nothing was."""
    job = jobs.run(importing.start(actor, batch, "import_run", now=True))
    assert job.state == "failed" and states() == [] and staging.counts(batch) == {"good": 2}
    assert staging.get_batch(batch).state == "checked"  # its columns can be changed
    return job.reason("en")


OTHER_ACCOUNT = (
    "The account “ann” is not that of whom the records were to belong to any more. "
    "Begin a new import that names their account of now."
)
LEFT = "The account “ann” is not active, so nothing is submitted in its name. Activate it, or name another owner."


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"account": "ann.li"}, OTHER_ACCOUNT),
        ({"active": False}, LEFT),
        ({"roles": []}, "“ann” may not submit records of this form."),
    ],
    ids=["renamed", "left", "without the right"],
)
def test_an_owner_who_cannot_submit_any_more_stops_the_import(
    stage: Stage, checked: int, changed: dict[str, Any], said: str
) -> None:
    people.change_person(SYSTEM, stage.actors["ann"].person_id or 0, **changed)
    assert goes_on(stage.actors["adm"], checked) == said


def test_who_has_the_account_of_the_owner_now_is_not_taken_for_them(stage: Stage, checked: int) -> None:
    people.change_person(SYSTEM, stage.actors["ann"].person_id or 0, account="ann.li")
    people.change_person(SYSTEM, stage.actors["bob"].person_id or 0, account="ann")
    assert goes_on(stage.actors["adm"], checked) == OTHER_ACCOUNT


def test_who_administrates_no_more_brings_in_nothing_for_others(
    stage: Stage, checked: int, tmp_path: Path
) -> None:
    grant = {"id": "all", "form": "request", "may": ["view", "create", "edit", "import"]}
    definitions.publish_many(
        SYSTEM,
        [{"x-kind": "role", "x-id": "000000b9", "x-key": "bringer", "title": "B", "grants": [grant]}],
        "x",
    )
    boss = people.add_person(SYSTEM, "boss", "Boss", administrator=True, roles=["bringer"])
    batch = begun(get_actor(boss), tmp_path / "requests.csv")
    people.change_person(SYSTEM, boss, administrator=False)
    assert goes_on(get_actor(boss), batch) == "Only an administrator may import for somebody else."


def test_a_workflow_that_is_taken_out_meanwhile_leaves_no_drafts(
    stage: Stage, checked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = definitions.find_by_key("workflow", "request_approval")
    assert found
    definitions.archive(SYSTEM, found.id)
    adm = stage.actors["adm"]
    assert "it has no workflow" in goes_on(adm, checked)
    monkeypatch.setattr(
        "formloop.forms.import_owner._check_submitting", lambda *_: []
    )  # just after it was asked
    jobs.run(importing.start(adm, checked, "import_run", now=True)).require_done()
    assert states() == [] and staging.counts(checked) == {"failed": 2}
    assert importing.list_reasons(checked)[0] == (
        "Row 2: It cannot be submitted: this form has no workflow any more."
    )
