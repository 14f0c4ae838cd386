"""What somebody wrote at a task that was taken from them before they sent it."""

import io
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.core import clock
from formloop.db import transactional
from formloop.workflows import administration, stashes
from workflows.site import app, browser, play, text_of
from workflows.stage import Stage

__all__ = ["app", "play"]


def upload(client: FlaskClient, task: int, name: str, content: bytes, status: int = 200) -> str:
    answer = client.post(f"/inbox/{task}/file", data={"file": (io.BytesIO(content), name)})
    assert answer.status_code == status
    said = answer.get_json()
    return str(said["files"][0]["key"] if status == 200 else said["message"])


@pytest.mark.parametrize("action", ["approve", "comment", "reject"])
def test_what_was_written_at_a_task_that_was_taken_away_meanwhile_is_kept_and_shown(
    app: Flask, play: Stage, action: str
) -> None:
    case = play.submit().case
    task, bob = play.task_of("bob", case), browser(app, play, "bob")
    key = upload(bob, task, "offer.txt", b"cheaper")
    administration.reassign(play.actors["adm"], task, play.actors["eve"].person_id or 0)
    sent = {"action": action, "comment": "Take the cheaper one", "attached": key}
    page = bob.post(f"/inbox/{task}/decide", data=sent)
    assert page.status_code == 409
    for text in (page.get_data(as_text=True), text_of(bob, f"/inbox/{task}")):
        assert "This task has gone to Eve." in text
        assert (
            "What you wrote was not sent" in text and "Take the cheaper one" in text and "offer.txt" in text
        )
    assert bob.get(f"/inbox/{task}/file/{key}").data == b"cheaper"
    assert play.is_asked("eve", case)
    assert browser(app, play, "eve").get(f"/inbox/{task}/file/{key}").status_code == 404
    said = upload(bob, task, "late.txt", b"late", 422)
    assert said == "This step does not wait for you any more; the file was not kept."


def test_what_came_too_late_is_forgotten_after_a_week(app: Flask, play: Stage) -> None:
    case = play.submit().case
    task, bob = play.task_of("bob", case), browser(app, play, "bob")
    administration.reassign(play.actors["adm"], task, play.actors["eve"].person_id or 0)
    bob.post(f"/inbox/{task}/decide", data={"action": "approve", "comment": "Take the cheaper one"})
    for days, kept in ((6, True), (8, False)):
        with clock.stopped_at(clock.now() + timedelta(days=days)):
            transactional(stashes.sweep)()
        assert ("Take the cheaper one" in text_of(bob, f"/inbox/{task}")) is kept


def test_what_was_put_by_long_ago_is_there_for_a_week_after_the_task_was_taken_away(
    app: Flask, play: Stage
) -> None:
    task, bob = play.task_of("bob", play.submit().case), browser(app, play, "bob")
    bob.post(f"/inbox/{task}/decide", data={"action": "stash", "comment": "Half a thought"})
    taken = clock.now() + timedelta(days=30)
    with clock.stopped_at(taken):
        transactional(stashes.sweep)()
        assert stashes.find(task) is not None
        administration.reassign(play.actors["adm"], task, play.actors["eve"].person_id or 0)
    for days, kept in ((6, True), (8, False)):
        with clock.stopped_at(taken + timedelta(days=days)):
            transactional(stashes.sweep)()
        assert (stashes.find_unsent(task) is not None) is kept


def test_from_a_dialog_the_way_leads_to_what_was_not_sent(app: Flask, play: Stage) -> None:
    case = play.submit().case
    task, bob = play.task_of("bob", case), browser(app, play, "bob")
    administration.reassign(play.actors["adm"], task, play.actors["eve"].person_id or 0)
    part = {"HX-Request": "true", "HX-Target": "fl-dialog"}
    answer = bob.post(f"/inbox/{task}/decide", data={"action": "reject", "comment": "Too dear"}, headers=part)
    assert answer.headers["HX-Redirect"].endswith(f"/inbox/{task}")
    page = text_of(bob, f"/inbox/{task}")
    assert "Too dear" in page and "What you wrote was not sent." in page
