"""Language and colours."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.web import start
from formloop.web.viewer import choose_locale


@pytest.fixture(autouse=True)
def without_tokens(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


@pytest.mark.parametrize(
    ("wished", "accepted", "locale"),
    [
        (None, ["zh-Hans-CN", "en"], "zh-CN"),
        (None, ["fr", "en-GB"], "en"),
        ("en", ["zh-CN"], "en"),
        (None, ["fr"], "zh-CN"),
        ("tlh", [], "zh-CN"),
    ],
)
def test_the_language_is_the_wished_one_then_the_browsers_then_the_sites(
    wished: str | None, accepted: list[str], locale: str
) -> None:
    assert choose_locale(wished, accepted, "zh-CN") == locale


def test_a_chosen_language_stays(client: FlaskClient) -> None:
    answer = client.post(
        "/preferences", data={"locale": "zh-CN"}, headers={"Referer": "http://localhost/list"}
    )
    assert (answer.status_code, answer.location) == (303, "/list")
    assert '<html lang="zh-CN"' in client.get("/list").text


def test_chosen_colours_stay_and_change_at_once(client: FlaskClient) -> None:
    answer = client.post("/preferences", data={"theme": "dark"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Trigger"] == '{"fl-theme": "dark"}'
    assert 'data-bs-theme="dark"' in client.get("/list").text


def test_a_choice_that_does_not_exist_is_refused(client: FlaskClient) -> None:
    assert client.post("/preferences", data={"theme": "pink"}).status_code == 422


def test_rooms_above_may_keep_the_choice(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[str, str]] = []
    monkeypatch.setattr(start, "_keepers", [lambda name, value: kept.append((name, value))])
    client.post("/preferences", data={"locale": "en"})
    assert kept == [("locale", "en")]
