"""A small site made of the shell and a few pages, so that the room can be tested without those above it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Blueprint, Flask, Response, request
from flask.testing import FlaskClient
from jinja2 import DictLoader, FileSystemLoader, PrefixLoader

import formloop
from formloop.core.errors import Conflict, Forbidden, Invalid, Problem, SignInNeeded
from formloop.core.text import M, load_catalogues
from formloop.settings import Settings, read_settings
from formloop.web import faults, page, routes, viewer, wiring
from formloop.web.routes import route

PACKAGE = Path(formloop.__file__).parent
PAGES = {
    "list.html": "{% extends 'web/layout.html' %}{% block content %}{% include 'site/_rows.html' %}{% endblock %}",
    "_rows.html": "<div id='rows'>{{ rows }}</div>",
}


def little_site() -> Blueprint:
    """Pages that answer well, and pages that fail in each way."""
    blueprint = Blueprint("site", __name__)
    failures = {
        "forbidden": Forbidden(),
        "conflict": Conflict(),
        "invalid": Invalid([Problem("required", "name", M("Please sign in."))]),
        "crash": ZeroDivisionError(),
        "sign-in": SignInNeeded(),
    }

    @route(blueprint, "/list", permission="public")
    def rows() -> Response:
        return page.render("site/list.html", "site/_rows.html", rows="one & two")

    @route(blueprint, "/save", permission="public", methods=["POST"])
    def save() -> Response:
        return page.redirect("/list", M("Please sign in."))

    @route(blueprint, "/secret", permission=("view", "form:secret"))
    def secret() -> str:
        return "the secret"

    @route(blueprint, "/fail/<how>", permission="public", methods=["GET", "POST"])
    def fail(how: str) -> str:
        raise failures[how]

    return blueprint


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(read_settings({"FORMLOOP_INSTANCE": str(tmp_path)}), zone="Asia/Shanghai")


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    load_catalogues(PACKAGE)
    monkeypatch.setattr(routes, "_check", lambda permission, arguments: judge(permission))
    monkeypatch.setattr(faults, "_sign_in_url", lambda target: f"/sign-in?next={target}")
    app = Flask("little site", static_folder=None)
    app.testing = False
    app.jinja_loader = PrefixLoader(
        {"web": FileSystemLoader(PACKAGE / "web" / "templates"), "site": DictLoader(PAGES)}
    )
    app.register_blueprint(little_site())
    wiring.init_app(app, settings)
    app.before_request(sign_in_by_header)
    wiring.require_declared(app)
    yield app


def sign_in_by_header() -> None:
    """Who the test says is looking."""
    if name := request.headers.get("X-Person"):
        viewer.recognise(7, name)


def judge(permission: routes.Permission) -> None:
    """The rights of the little site: whoever is signed in may do all but look at secrets."""
    if viewer.viewer().person_id is None:
        raise SignInNeeded
    if permission == ("view", "form:secret"):
        raise Forbidden


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
