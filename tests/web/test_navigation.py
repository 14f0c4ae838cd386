"""Menus show what a person may open."""

from collections.abc import Sequence

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from formloop.core.registry import Registry
from formloop.core.text import M
from formloop.db.counting import VIEWER
from formloop.settings import Settings
from formloop.web import navigation
from formloop.web.navigation import APPS, Entry, Slot, Source

ENTRIES: Sequence[Entry] = (
    Entry(M("Menu"), "apps", "start.menu", order=2, group=APPS),
    Entry(
        M("Account"), "list", "site.rows", order=1, permission="public", badge=select(VIEWER - 3), urgent=True
    ),
    Entry(M("Notes"), "bell", "site.parts", order=3, permission="public", badge=select(VIEWER * 0)),
    Entry(M("Keys"), "lock", "site.secret", permission=("view", "form:secret")),
)


@pytest.fixture
def menu(monkeypatch: pytest.MonkeyPatch, database: Settings) -> Registry[Entry | Source]:
    registry: Registry[Entry | Source] = Registry("menu entry")
    for number, entry in enumerate(ENTRIES):
        registry.add(str(number), entry)
    registry.add(
        "apps", lambda: [Entry("订单", "file", "site.fail", order=9, group=APPS, values={"how": "crash"})]
    )
    monkeypatch.setattr(navigation.list_shown, "__defaults__", (registry,))
    return registry


def test_a_person_sees_what_they_may_open_in_order(app: Flask, menu: Registry[Entry | Source]) -> None:
    with app.test_request_context("/list/of/today", headers={"X-Person": "Ann"}):
        app.preprocess_request()
        shown = navigation.list_shown(menu)
    assert [str(entry.title) for entry in shown] == ["Account", "Notes", "Menu", "订单"]
    assert [entry.current for entry in shown] == [True, False, False, False]
    assert [entry.count for entry in shown] == [4, 0, 0, 0]


def test_the_page_shows_the_count_and_marks_the_present_entry(
    client: FlaskClient, menu: Registry[Entry | Source]
) -> None:
    page = client.get("/list", headers={"X-Person": "Ann"}).text
    assert 'aria-current="page"' in page
    assert '<span class="badge fl-count fl-urgent">4</span>' in page


def test_the_start_page_has_the_parts_that_have_something_to_say(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    home: Registry[Slot] = Registry("part of the start page")
    home.add("tasks", Slot("site/_rows.html", lambda: {"rows": "late"}, order=2))
    home.add("nothing", Slot("site/_rows.html", lambda: None))
    home.add("secret", Slot("site/_rows.html", lambda: {}, permission=("view", "form:secret")))
    monkeypatch.setattr(navigation, "home", home)
    with app.test_request_context("/", headers={"X-Person": "Ann"}):
        app.preprocess_request()
        assert [slot.order for slot, _ in navigation.list_slots(navigation.home)] == [2]
    assert "Hello, Ann" in client.get("/", headers={"X-Person": "Ann"}).text


def test_the_menu_page_of_phones_lists_everything(
    client: FlaskClient, menu: Registry[Entry | Source]
) -> None:
    page = client.get("/menu", headers={"X-Person": "Ann"}).text
    assert page.count("fl-menu-row") == 4
