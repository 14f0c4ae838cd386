"""A small site made of the shell and a few pages, so that it can be tested without the rooms above."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Blueprint, Flask, Response, request
from jinja2 import DictLoader, FileSystemLoader, PrefixLoader

import formloop
from formloop.core.errors import Conflict, Forbidden, Invalid, Problem, SignInNeeded, Unavailable
from formloop.core.text import M, load_catalogues
from formloop.settings import Settings
from formloop.web import faults, navigation, page, routes, start, viewer, wiring
from formloop.web.routes import route

PACKAGE = Path(formloop.__file__).parent
PAGES = {
    "list.html": "{% extends 'web/layout.html' %}{% block content %}{% include 'site/_rows.html' %}{% endblock %}",
    "_rows.html": "<div id='rows'>{{ rows }}</div>",
    "parts.html": """
{% extends "web/layout.html" %}
{% from "web/macros.html" import page_header, button, dropdown, menu_item, field, keys, icon, modal %}
{% block content %}
{% call page_header("Parts") %}
  {{ button("Crash", attrs={"hx-get": "/fail/crash", "hx-swap": "none"}) }}
  {{ button("Flaky", attrs={"hx-get": "/flaky", "hx-target": "#rows", "hx-swap": "innerHTML"}) }}
  {{ button("Remove", attrs={"hx-get": "/list", "hx-target": "#rows", "hx-swap": "outerHTML", "hx-confirm": "Really remove?"}) }}
  {{ button("Open", attrs={"hx-get": "/dialog", "hx-target": "#fl-dialog", "hx-swap": "innerHTML", "data-fl-key": "o"}) }}
  {% call dropdown("More") %}{{ menu_item("Copy", "copy", href="#copied") }}{{ menu_item("Delete", "trash") }}{% endcall %}
{% endcall %}
{% include "site/_form.html" %}
<form action="/save" method="post" data-fl-confirm="Send it all?">{{ keys() }}{{ button("Send", type="submit") }}</form>
<input id="live" aria-label="Live" name="q" hx-get="/heard" hx-trigger="input" hx-target="#rows" hx-swap="innerHTML">
<div id="rows"></div>
{% endblock %}""",
    "_form.html": """
{% from "web/macros.html" import button, field, keys %}
<form action="/echo" method="post" data-fl-guard hx-post="/echo" hx-target="this" hx-swap="outerHTML" hx-disabled-elt="find button">
{{ keys() }}
{% call(attributes) field("name", "Name", problem=problem, required=true, help="As on the paper") %}<input class="form-control" {{ attributes }}>{% endcall %}
{{ button("Save", type="submit", primary=true) }}
</form>""",
    "dialog.html": "{% from 'web/macros.html' import modal %}{% call modal('A question') %}<div class='fl-dialog-body'>Inside</div>{% endcall %}",
}


def stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the rooms above: other tests of this run may have made the whole application before."""
    monkeypatch.setattr(routes, "_check", lambda permission, arguments: judge(permission))
    monkeypatch.setattr(faults, "_sign_in_url", lambda target: f"/sign-in?next={target}")
    monkeypatch.setattr(start, "_keepers", [])
    for registry in (
        navigation.navigation,
        navigation.person_menu,
        navigation.home,
        navigation.searches,
        navigation.companions,
    ):
        monkeypatch.setattr(registry, "_things", {})


def little_site() -> Blueprint:
    """Pages that answer well, and pages that fail in each way."""
    blueprint = Blueprint("site", __name__)
    tries: list[int] = []
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

    @route(blueprint, "/parts", permission="public")
    def parts() -> Response:
        return page.render("site/parts.html")

    @route(blueprint, "/echo", permission="public", methods=["POST"])
    def echo() -> Response:
        return page.render("site/parts.html", "site/_form.html", status=422, problem=M("Please correct this"))

    @route(blueprint, "/flaky", permission="public")
    def flaky() -> str:
        tries.append(1)
        if len(tries) % 2:
            raise Unavailable(M("Try again in a moment. Nothing was lost."))
        return "it worked"

    @route(blueprint, "/dialog", permission="public")
    def dialog() -> Response:
        return page.render_part("site/dialog.html")

    @route(blueprint, "/heard", permission="public")
    def heard() -> str:
        return f"heard {request.args['q']}"

    @route(blueprint, "/secret", permission=("view", "form:secret"))
    def secret() -> str:
        return "the secret"

    @route(blueprint, "/fail/<how>", permission="public", methods=["GET", "POST"])
    def fail(how: str) -> str:
        raise failures[how]

    return blueprint


def make_site(settings: Settings) -> Flask:
    """The small site as an application; whoever judges rights is set by the test."""
    load_catalogues(PACKAGE)
    app = Flask("little site", static_folder=None)
    app.jinja_loader = PrefixLoader(
        {"web": FileSystemLoader(PACKAGE / "web" / "templates"), "site": DictLoader(PAGES)}
    )
    app.register_blueprint(little_site())
    wiring.init_app(app, settings)
    app.before_request(sign_in_by_header)
    wiring.require_declared(app)
    return app


def sign_in_by_header() -> None:
    """Who the test says is looking."""
    if name := request.headers.get("X-Person"):
        viewer.see_as(replace(viewer.viewer(), person_id=7, name=name))


def judge(permission: routes.Permission) -> None:
    """The rights of the little site: whoever is signed in may do all but look at secrets."""
    if viewer.viewer().person_id is None:
        raise SignInNeeded
    if permission == ("view", "form:secret"):
        raise Forbidden
