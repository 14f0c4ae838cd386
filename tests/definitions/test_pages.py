"""The pages about definitions, in both languages."""

from pathlib import Path

import pytest
from flask import Flask, g, request
from jinja2 import FileSystemLoader, PrefixLoader

import formloop
from definitions.cards import card
from formloop.access.actor import Actor
from formloop.core.errors import Forbidden
from formloop.definitions import service, views
from formloop.web import routes, viewer, wiring

PACKAGE = Path(formloop.__file__).parent


@pytest.fixture
def site(database, builder, monkeypatch):
    """The shell and this room, with somebody signed in who may design."""
    app = Flask("formloop", static_folder=None, root_path=str(PACKAGE))
    app.secret_key = database.secret_key
    app.config["WTF_CSRF_ENABLED"] = False
    rooms = {room: FileSystemLoader(PACKAGE / room / "templates") for room in ("web", "definitions")}
    app.jinja_loader = PrefixLoader(rooms)
    wiring.init_app(app, database)
    views.init_app(app)

    @app.before_request
    def sign_in():
        g.actor = Actor(None, "Nobody") if "X-Nobody" in request.headers else builder
        locale = request.headers.get("X-Locale", "en")
        viewer.see_as(viewer.Guest(person_id=7, name="Wang Fang", locale=locale))

    def judge(permission, _arguments):
        if isinstance(permission, tuple) and not g.actor.administrator:
            raise Forbidden

    monkeypatch.setattr(routes, "_check", judge)
    wiring.require_declared(app)
    return app.test_client()


def _page(site, path, **headers):
    response = site.get(path, headers=headers)
    assert response.status_code == 200, response.text
    return response.text


def _post(site, path, **values):
    return site.post(path, data=values, headers={"Origin": "http://localhost"})


def test_the_list_shows_definitions_by_kind_with_their_status(site, stock, builder):
    service.save_draft(builder, "card", card("order"))
    page = _page(site, "/definitions")
    assert "Stock" in page and "Version 1" in page
    assert "Order" in page and "Draft" in page
    assert "Stock" not in _page(site, "/definitions?q=ord")
    assert "版本 1" in _page(site, "/definitions", **{"X-Locale": "zh-CN"})


def test_the_list_answers_htmx_with_its_part(site, stock):
    part = _page(site, "/definitions?q=stock", **{"HX-Request": "true"})
    assert part.lstrip().startswith('<div id="definitions">')


def test_the_history_tells_what_changed(site, stock, builder):
    service.publish_many(builder, [card(columns=["name", "size"])], "sizes, too")
    page = _page(site, f"/definitions/{stock.id}")
    assert "sizes, too" in page
    assert "Columns: “size” was added." in page
    assert "Columns: “size” was removed." in _page(site, f"/definitions/{stock.id}?old=2&new=1")
    service.save_draft(builder, "card", card(columns=["name", "size", "unit"]))
    assert "Columns: “unit” was added." in _page(site, f"/definitions/{stock.id}")


def test_a_draft_that_says_what_is_published_is_discarded_and_not_published(site, stock, builder):
    service.save_draft(builder, "card", card(columns=["name", "size"]))
    assert f"/definitions/{stock.id}/discard" not in _page(site, f"/definitions/{stock.id}/publish")
    service.save_draft(builder, "card", card(), service.get_definition(stock.id).draft_revision)
    page = _page(site, f"/definitions/{stock.id}/publish")
    assert "there is nothing to publish" in page and f"/definitions/{stock.id}/discard" in page
    assert f'action="/definitions/{stock.id}/publish"' not in page
    assert _post(site, f"/definitions/{stock.id}/discard").status_code in (302, 303)
    assert not service.get_definition(stock.id).has_draft


def test_the_impact_is_shown_before_publishing(site, stock, builder):
    service.publish_many(builder, [card("order", uses="stock")])
    service.save_draft(builder, "card", card(columns=["size"]))
    page = _page(site, f"/definitions/{stock.id}/publish")
    assert "Nothing has been changed yet." in page
    assert "name was removed." in page and "Order" in page
    assert _post(site, f"/definitions/{stock.id}/publish", note="go").status_code == 303
    assert service.get_definition(stock.id).version == 2


def test_a_wrong_draft_is_shown_with_its_problems(site, stock, builder):
    wrong = {"colums" if key == "columns" else key: value for key, value in card().items()}
    service.save_draft(builder, "card", wrong)
    assert "Did you mean “columns”?" in _page(site, f"/definitions/{stock.id}/publish")
    response = _post(site, f"/definitions/{stock.id}/publish")
    assert response.status_code == 422
    assert "This must be corrected first" in response.text


def test_publishing_what_somebody_else_changed_is_a_conflict(site, stock, builder):
    draft = service.save_draft(builder, "card", card(columns=["a"]))
    service.save_draft(builder, "card", card(columns=["b"]))
    response = _post(site, f"/definitions/{stock.id}/publish", revision=draft.draft_revision)
    assert response.status_code == 409


def test_going_back_shows_its_impact_first(site, stock, builder):
    service.publish_many(builder, [card(columns=["size"])])
    assert "size was removed." in _page(site, f"/definitions/{stock.id}/back/1")
    assert _post(site, f"/definitions/{stock.id}/back/1").status_code == 303
    assert service.get_definition(stock.id).version == 3


def test_the_text_can_be_downloaded(site, stock):
    response = site.get(f"/definitions/{stock.id}/text?version=1")
    assert response.text == service.get_text(stock.id, 1)
    assert response.headers["Content-Disposition"] == "attachment; filename=stock.card.json"


def test_a_draft_is_discarded_and_a_definition_taken_out_of_use_and_back(site, stock, builder):
    service.save_draft(builder, "card", card(columns=["a"]))
    for verb in ("discard", "archive", "take-back"):
        assert _post(site, f"/definitions/{stock.id}/{verb}").status_code == 303
    found = service.get_definition(stock.id)
    assert (found.has_draft, found.archived) == (False, False)


def test_who_may_not_design_sees_none_of_it(site, stock):
    for path in ("", f"/{stock.id}", f"/{stock.id}/publish", f"/{stock.id}/back/1", f"/{stock.id}/text"):
        assert site.get(f"/definitions{path}", headers={"X-Nobody": "1"}).status_code == 403
