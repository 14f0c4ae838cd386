"""Who comes in, and what is turned away at the door."""

from typing import Any

import pytest
from flask import Flask

from api.conftest import Client
from formloop.access import people, sessions
from formloop.access.actor import get_actor
from formloop.api import tokens


def test_without_a_token_nobody_comes_in(site: Flask, bolt: Any) -> None:
    refused = Client(site, None).ask("GET", "/item")
    assert (refused.status_code, refused.json["error"]["code"]) == (401, "sign_in")


@pytest.mark.parametrize("token", ["", "fl_wrong", "Ünïcode"])
def test_a_token_nobody_made_does_not_fit(site: Flask, token: str) -> None:
    answer = site.test_client().get(
        "/api/v1/item", headers={"Authorization": f"Bearer {token}".encode("latin-1")}
    )
    assert answer.status_code == 401


def test_the_session_of_a_browser_does_not_open_this_door(site: Flask, client: Client) -> None:
    with site.app_context():
        boss = people.find_person("boss")
        assert boss is not None
        secret = sessions.open_session(boss.id)
    browser = site.test_client()
    browser.set_cookie("formloop", secret)
    assert browser.get("/me/tokens").status_code == 200
    assert browser.get("/api/v1/item").status_code == 401
    assert browser.post("/api/v1/item", json={"name": "Nut"}).status_code == 401


def test_a_revoked_token_stops_at_the_next_request(site: Flask, client: Client) -> None:
    with site.app_context():
        boss = people.find_person("boss")
        assert boss is not None
        (token,) = tokens.list_tokens(get_actor(boss.id))
        sessions.revoke_token(get_actor(boss.id), token.id)
    assert client.ask("GET", "/item").status_code == 401


def test_a_large_record_is_judged_by_its_lines(client: Client) -> None:
    body = {"name": "Set", "parts": [{"what": "a", "count": 1}] * 10_001}
    answer = client.ask("POST", "/item", body)
    assert answer.status_code == 422
    assert [p["message"] for p in answer.json["error"]["problems"]] == ["At most 10000 lines."]


@pytest.mark.parametrize(
    "body",
    ['{"name": NaN}', '{"name": "a", "name": "b"}', "[" * 40 + "]" * 40, '{"name": ', "7", '{"price": 1' + "0" * 5000 + "}", b"\xff"],
    ids=["NaN", "twice", "deep", "broken", "no object", "5,000 digits", "no text"],
)  # fmt: skip
def test_a_body_that_is_no_honest_object_is_turned_away(client: Client, body: str | bytes) -> None:
    refused = client.ask("POST", "/item", body)
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "malformed")


def test_a_body_of_more_than_a_megabyte_is_turned_away(client: Client) -> None:
    assert client.ask("POST", "/item", b'{"name": "' + b"a" * 1_000_001 + b'"}').status_code == 413


def test_errors_are_told_in_the_persons_language(site: Flask, client: Client) -> None:
    with site.app_context():
        boss = people.find_person("boss")
        assert boss is not None
        people.change_person(get_actor(boss.id), boss.id, locale="zh-CN")
    assert client.ask("PATCH", "/item/1", {}).json["error"]["message"].startswith("请在")


def test_a_person_makes_sees_and_revokes_tokens(site: Flask, client: Client) -> None:
    with site.app_context():
        boss = people.find_person("boss")
        assert boss is not None
        secret = sessions.open_session(boss.id)
    site.config["WTF_CSRF_ENABLED"] = False
    browser = site.test_client()
    browser.set_cookie("formloop", secret)
    assert browser.post("/me/tokens", data={"name": " "}).status_code == 422
    made = browser.post("/me/tokens", data={"name": "Shop", "days": "30"})
    assert made.status_code == 201
    shown = made.text.split('id="secret" value="')[1].split('"')[0]
    assert Client(site, shown).ask("GET", "/item").status_code == 200
    page = browser.get("/me/tokens").text
    assert "Shop" in page and shown not in page
