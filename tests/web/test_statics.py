"""Static files are named by content and kept for a year."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.settings import Settings
from formloop.web import statics
from formloop.web.statics import static_url


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "page.css").write_text("plain")
    (tmp_path / "library.css").write_text("long")
    (tmp_path / "library.css.gz").write_bytes(b"zipped")
    return replace(settings, statics=tmp_path)


def test_the_address_changes_with_the_content(app: Flask, tmp_path: Path) -> None:
    with app.test_request_context():
        before = static_url("page.css")
        (tmp_path / "page.css").write_text("other")
        statics._address.cache_clear()  # as the next second does
        assert static_url("page.css") != before


def test_a_file_by_its_full_address_is_kept_for_a_year(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        url = static_url("page.css")
    kept = client.get(url).headers["Cache-Control"]
    assert "immutable" in kept
    assert "max-age=31536000" in kept
    assert "immutable" not in client.get("/static/page.css").headers["Cache-Control"]


def test_the_zipped_copy_goes_to_those_who_take_it(client: FlaskClient) -> None:
    zipped = client.get("/static/library.css", headers={"Accept-Encoding": "gzip, br"})
    assert (zipped.data, zipped.headers["Content-Encoding"], zipped.mimetype) == (
        b"zipped",
        "gzip",
        "text/css",
    )
    assert client.get("/static/library.css").data == b"long"


@pytest.mark.parametrize("path", ["../secret_key", "..%2fsecret_key", "%2e%2e/secret_key", "nothing.css"])
def test_nothing_outside_the_folder_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404
