"""A site with the stage on it, as a browser without JavaScript uses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import States
from formloop.access import people, sessions
from formloop.access.signing import COOKIE
from workflows.stage import END, Stage, approval, set_stage


@pytest.fixture
def app(on_sqlite: States, tmp_path: Path) -> Iterator[Flask]:
    """Pages go through services that are tested on both databases: one is enough for them."""
    with on_sqlite.started(tmp_path) as settings:
        app = on_sqlite.build(settings)
        app.config["WTF_CSRF_ENABLED"] = False
        with app.app_context():
            yield app


@pytest.fixture
def play(app: Flask, on_sqlite: States) -> Stage:
    return on_sqlite.begin(set_play)


def set_play() -> Stage:
    """The stage with a play of two approvals."""
    stage = set_stage()
    stage.publish(
        approval("one", "bob", "cho", mode="all", fields={"reason": "edit"}), approval("two", "dee"), END
    )
    return stage


def browser(app: Flask, play: Stage, who: str, locale: str = "en") -> FlaskClient:
    person = play.actors[who].person_id or 0
    people.prefer(person, "locale", locale)
    client = app.test_client()
    client.set_cookie(COOKIE, sessions.open_session(person))
    return client


def text_of(client: FlaskClient, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    return answer.get_data(as_text=True)
