"""Changes of approved records over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from api.conftest import Client
from databases import Begun, Build
from formloop.access import sessions
from workflows.amending import Desk, set_desk


@pytest.fixture
def app(build: Build) -> Iterator[Flask]:
    app = build()
    with app.app_context():
        yield app


@pytest.fixture
def desk(app: Flask, begun: Begun) -> Desk:
    return begun(set_desk)


def client_of(app: Flask, desk: Desk, who: str) -> Client:
    return Client(app, sessions.add_token(desk.actors[who], "test"))


def match_of(desk: Desk, record: int) -> str:
    return f'"{desk.now(record)["revision"]}"'


def test_a_locked_record_is_refused_and_its_change_proposed(app: Flask, desk: Desk) -> None:
    record, ann = desk.booking(), client_of(app, desk, "ann")
    match = match_of(desk, record)
    assert ann.ask("PATCH", f"/booking/{record}", {"day": "2026-12-24"}, If_Match=match).status_code == 403
    body = {"values": {"day": "2026-12-24"}, "reason": "They asked"}
    made = ann.ask("POST", f"/booking/{record}/amendments", body, If_Match=match, Idempotency_Key="once")
    assert (made.status_code, made.json["status"]) == (201, "open")
    again = ann.ask("POST", f"/booking/{record}/amendments", body, If_Match=match, Idempotency_Key="once")
    assert again.json == made.json
    assert ann.ask("POST", f"/booking/{record}/amendments", body, If_Match=match).status_code == 409
    (listed,) = ann.ask("GET", f"/booking/{record}/amendments").json["amendments"]
    assert (listed["id"], listed["status"], listed["reason"]) == (made.json["id"], "open", "They asked")
    assert listed["differences"] == [{"field": "Day", "old": "2026-12-01", "new": "2026-12-24"}]
    assert desk.decide("bob", made.json["id"]).status == "approved"
    assert ann.ask("GET", f"/booking/{record}").json["day"] == "2026-12-24"


def test_cancelling_is_proposed_too(app: Flask, desk: Desk) -> None:
    record, ann = desk.booking(), client_of(app, desk, "ann")
    body = {"cancel": True, "reason": "Gone"}
    made = ann.ask("POST", f"/booking/{record}/amendments", body, If_Match=match_of(desk, record))
    assert made.status_code == 201
    desk.decide("bob", made.json["id"])
    assert ann.ask("GET", f"/booking/{record}").json["state"] == "cancelled"


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "x"},
        {"values": {"day": "2026-12-24"}, "cancel": True, "reason": "x"},
        {"values": {"day": "2026-12-24"}},
        {"values": {"day": "2026-12-24"}, "reason": 7},
        {"values": {"nothing": 1}, "reason": "x"},
        {"values": {"day": "2026-12-24"}, "reason": "x", "more": 1},
        {"values": 7, "reason": "x"},
        {"cancel": "yes", "reason": "x"},
    ],
)
def test_a_proposal_that_says_nothing_sensible_is_refused(app: Flask, desk: Desk, body: Any) -> None:
    record, ann = desk.booking(), client_of(app, desk, "ann")
    answer = ann.ask("POST", f"/booking/{record}/amendments", body, If_Match=match_of(desk, record))
    assert answer.status_code == 422
    assert ann.ask("GET", f"/booking/{record}/amendments").json == {"amendments": []}


def test_whoever_read_an_older_revision_is_told_what_differs(app: Flask, desk: Desk) -> None:
    record, ann = desk.booking(), client_of(app, desk, "ann")
    body = {"values": {"day": "2026-12-24"}, "reason": "x"}
    assert ann.ask("POST", f"/booking/{record}/amendments", body).status_code == 428
    stale = ann.ask("POST", f"/booking/{record}/amendments", body, If_Match='"1"')
    assert (stale.status_code, stale.json["error"]["current"]["id"]) == (409, record)


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("dee", 403), ("eve", 403)])
def test_who_may_not_propose_is_refused(app: Flask, desk: Desk, who: str, status: int) -> None:
    record = desk.booking()
    body = {"values": {"day": "2026-12-24"}, "reason": "x"}
    client = client_of(app, desk, who)
    answer = client.ask("POST", f"/booking/{record}/amendments", body, If_Match=match_of(desk, record))
    assert answer.status_code == status


def test_who_sees_no_price_reads_none(app: Flask, desk: Desk) -> None:
    record = desk.booking()
    desk.propose(record, {"rows": desk.lines(record, price="12345")})
    texts = {
        who: client_of(app, desk, who).ask("GET", f"/booking/{record}/amendments").get_data(as_text=True)
        for who in ("bob", "dee")
    }
    assert "12,345" in texts["bob"]
    assert "12,345" not in texts["dee"] and "12345" not in texts["dee"]
    assert client_of(app, desk, "eve").ask("GET", f"/booking/{record}/amendments").status_code == 403


def test_the_description_names_it_where_there_are_changes(app: Flask, desk: Desk) -> None:
    paths = client_of(app, desk, "ann").ask("GET", "/openapi.json").json["paths"]
    assert set(paths["/booking/{record}/amendments"]) == {"parameters", "get", "post"}
    paths = client_of(app, desk, "bob").ask("GET", "/openapi.json").json["paths"]
    assert set(paths["/booking/{record}/amendments"]) == {"parameters", "get"}
    assert not [path for path in paths if path.startswith("/need") and "amendments" in path]
