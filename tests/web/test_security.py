"""What the browser is forbidden, and what changing requests must prove."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.core.text import load_catalogues
from formloop.web.security import POLICY
from web.catalogues import PACKAGE

TEMPLATES = sorted(PACKAGE.rglob("templates/**/*.html"))


def token_of(client: FlaskClient) -> str:
    found = re.search(r'"X-CSRFToken": "([^"]+)"', client.get("/list").text)
    assert found
    return found[1]


def test_only_our_own_scripts_and_styles_run(client: FlaskClient) -> None:
    answer = client.get("/list")
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_template_needs_what_the_policy_forbids(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=\"|javascript:", text)


def test_a_form_with_its_token_passes(client: FlaskClient) -> None:
    assert client.post("/save", data={"csrf_token": token_of(client)}).status_code == 303


def test_htmx_passes_with_the_token_in_its_header(client: FlaskClient) -> None:
    headers = {"X-CSRFToken": token_of(client), "HX-Request": "true"}
    assert client.post("/save", headers=headers).headers["HX-Redirect"] == "/list"


def test_a_stale_token_is_told_in_the_readers_language(client: FlaskClient) -> None:
    answer = client.post("/save", data={"csrf_token": "old"}, headers={"Accept-Language": "zh-CN"})
    assert answer.status_code == 400
    assert "没有保存任何内容" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example", "Authorization": "Basic YTpi"},
    ],
)
def test_another_site_cannot_send_changes_even_with_a_token(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    answer = client.post("/save", data={"csrf_token": token_of(client)}, headers=headers)
    assert answer.status_code == 403


def test_our_own_origin_passes(client: FlaskClient) -> None:
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/save", data={"csrf_token": token_of(client)}, headers=headers).status_code == 303


def test_pages_are_not_kept_by_caches_between(app: Flask, client: FlaskClient) -> None:
    load_catalogues(PACKAGE)
    assert client.get("/list").headers["Cache-Control"] == "private, no-cache"
