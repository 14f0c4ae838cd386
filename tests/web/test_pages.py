"""One address, two forms; redirects and toasts."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.core.text import M
from formloop.web import page

HTMX = {"HX-Request": "true"}


def test_a_browser_gets_the_whole_page(client: FlaskClient) -> None:
    answer = client.get("/list")
    assert answer.text.startswith("<!doctype html>") or "<html" in answer.text
    assert "one &amp; two" in answer.text
    assert "HX-Request" in answer.headers["Vary"]


def test_htmx_gets_only_the_part_and_nobody_keeps_it(client: FlaskClient) -> None:
    answer = client.get("/list", headers=HTMX)
    assert answer.text == "<div id='rows'>one &amp; two</div>"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
def test_boosted_and_restored_pages_are_whole(client: FlaskClient, header: str) -> None:
    assert "<html" in client.get("/list", headers=HTMX | {header: "true"}).text


def test_a_redirect_takes_its_message_along(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    answer = client.post("/save")
    assert (answer.status_code, answer.location) == (303, "/list")
    assert 'data-kind="success"' in client.get("/list").text


def test_htmx_is_sent_on_by_header_even_to_chinese_addresses(app: Flask) -> None:
    with app.test_request_context(headers=HTMX):
        answer = page.redirect("/应用/订单?q=1%202")
    assert answer.headers["HX-Redirect"] == "/%E5%BA%94%E7%94%A8/%E8%AE%A2%E5%8D%95?q=1%202"


def test_a_toast_is_told_in_ascii_in_the_readers_language(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        app.preprocess_request()
        answer = page.reply(M("Please sign in"))
    assert answer.status_code == 204
    assert json.loads(answer.headers["HX-Trigger"])["fl-toast"]["text"] == "请先登录"
    assert answer.headers["HX-Trigger"].isascii()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/orders?state=open", "/orders?state=open"),
        ("http://evil.example/orders", "/orders"),
        ("//evil.example/x", "/x"),
        ("/\\evil.example", "/evil.example"),
        ("////evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_a_way_back_never_leaves_the_site(given: str | None, path: str) -> None:
    answer = page.local_path(given)
    assert answer.startswith("/")
    assert not answer.startswith("//")
    assert answer in (path, "/")
