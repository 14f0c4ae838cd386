"""Every route says who may use it."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.web import routes
from formloop.web.wiring import require_declared


def test_a_route_without_permission_stops_the_start(app: Flask) -> None:
    app.add_url_rule("/silent", "silent", lambda: "anybody")
    with pytest.raises(RuntimeError, match="/silent"):
        require_declared(app)


def test_everybody_may_open_a_public_page(client: FlaskClient) -> None:
    assert client.get("/list").status_code == 200


def test_a_guest_is_asked_to_sign_in_and_comes_back(client: FlaskClient) -> None:
    answer = client.get("/secret?x=1")
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/secret?x=1")


def test_htmx_is_sent_to_the_sign_in_page_with_the_page_it_was_on(client: FlaskClient) -> None:
    on = {"HX-Request": "true", "HX-Current-URL": "http://localhost/list?page=2"}
    answer = client.get("/secret", headers=on)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in?next=/list?page=2")


def test_a_person_without_the_right_is_refused(client: FlaskClient) -> None:
    answer = client.get("/secret", headers={"X-Person": "Ann"})
    assert answer.status_code == 403
    assert "the secret" not in answer.text


def test_before_anybody_judges_everything_but_public_is_denied(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_check", routes._deny)
    assert client.get("/secret", headers={"X-Person": "Ann"}).status_code == 303
