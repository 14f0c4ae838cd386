"""A record on paper."""

import pytest

from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM
from formloop.definitions import service as definitions
from forms.conftest import ORDER, publish

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

PAPER = {
    "title": "Order confirmation",
    "x-title": {"zh-CN": "订单确认书"},
    "head": "Acme Works\n1 Mill Lane",
    "foot": "Thank you.",
    "fields": ["number", "customer", "lines"],
    "without": ["status"],
}


def test_a_record_prints_all_it_shows_where_the_form_says_nothing(shop, client):
    order = shop.order(note="fragile")
    page = client.get(f"/f/order/{order['id']}/print").text
    assert f"<h1>Order {order['number']}</h1>" in page and "fragile" in page and "Bolt" in page
    assert "Reason" not in page and "Draft" in page and "Printed" in page
    assert f'href="/f/order/{order["id"]}/print"' in client.get(f"/f/order/{order['id']}").text


def test_the_form_says_what_stands_on_paper_in_both_languages(shop, client, app):
    publish({**ORDER, "x-print": PAPER})
    order = shop.order(note="fragile")
    page = client.get(f"/f/order/{order['id']}/print").text
    assert "<h1>Order confirmation" in page and "1 Mill Lane" in page and "Thank you." in page
    assert "fragile" not in page and "Total" not in page and "Printed" not in page and "Acme</td>" in page
    chinese = app.test_client()
    lin = people.add_person(SYSTEM, "lin", "Lin", administrator=True)
    people.prefer(lin, "locale", "zh-CN")
    chinese.set_cookie(signing.COOKIE, sessions.open_session(lin))
    assert "<h1>订单确认书" in chinese.get(f"/f/order/{order['id']}/print").text


def test_paper_shows_nothing_that_its_reader_may_not_see(shop, app):
    publish({**ORDER, "x-print": PAPER})
    kim = shop.person("kim", {"form": "order", "may": ["view"], "fields": ["number", "note"]})
    order = shop.order()
    browser = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(kim.person_id))
    page = browser.get(f"/f/order/{order['id']}/print").text
    assert order["number"] in page and "Customer" not in page and "Bolt" not in page
    stranger = shop.person("joe", {"form": "item", "may": ["view"]})
    browser.set_cookie(signing.COOKIE, sessions.open_session(stranger.person_id))
    assert browser.get(f"/f/order/{order['id']}/print").status_code == 403


def test_a_field_on_paper_that_is_not_there_is_told_with_its_path(shop):
    saved = definitions.save_draft(SYSTEM, "form", {**ORDER, "x-print": {"fields": ["nowhere"]}})
    assert [each.at for each in definitions.check_draft(SYSTEM, saved.id)] == ["x-print.fields"]


def test_a_logo_stands_above_the_letterhead_and_is_nothing_but_a_picture(shop, client):
    logo = "data:image/png;base64,iVBORw0KGgo="
    publish({**ORDER, "x-print": {"logo": logo, "head": "Acme Works"}})
    page = client.get(f"/f/order/{shop.order()['id']}/print").text
    assert page.index(f'src="{logo}"') < page.index("Acme Works")
    for wrong in (
        "https://elsewhere.example/x.png",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:text/html,x",
    ):
        draft = definitions.save_draft(SYSTEM, "form", {**ORDER, "x-print": {"logo": wrong}})
        assert [each.at for each in definitions.check_draft(SYSTEM, draft.id)] == ["x-print.logo"]
