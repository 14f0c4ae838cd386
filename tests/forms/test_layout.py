"""Tabs and sections of a form on its pages."""

import re

import pytest

from formloop.access.actor import SYSTEM
from formloop.definitions import service as definitions
from formloop.forms import service
from forms.conftest import ORDER, form, publish, text

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

LAYOUT = [
    ["number", "customer"],
    {"id": "hint", "is": "text", "title": "One line an item.", "x-title": {"zh-CN": "每个物料一行。"}},
    ["lines"],
    {"id": "money", "is": "tab", "title": "Money", "x-title": {"zh-CN": "金额"}},
    ["total"],
    {"id": "more", "is": "section", "title": "More", "closed": True},
    ["reason"],
    {"id": "cut", "is": "divider"},
    ["note", "day"],
]


@pytest.fixture
def laid_out(shop, app):
    app.config["WTF_CSRF_ENABLED"] = False
    publish({**ORDER, "x-layout": LAYOUT})


def test_the_form_shows_tabs_sections_dividers_and_texts(laid_out, client):
    page = client.get("/f/order/new").text
    assert re.findall(r'role="tab" [^>]*>([^<]+)<', page) == ["General", "Money"]
    assert "One line an item." in page and 'class="fl-divider" role="separator"' in page
    assert re.search(r'<details class="fl-section"><summary>.*?More', page)
    assert page.index('name="note"') > page.index("fl-divider")


def test_what_is_wrong_opens_its_section_and_is_counted_on_its_tab(shop, laid_out, client):
    data = {
        "customer": shop.customer("Rich"),
        "lines.lines": "1",
        "lines.0.item": shop.item("Gold", price="2000"),
        "lines.0.quantity": "1",
    }
    answer = client.post("/f/order/new", data=data)
    assert answer.status_code == 422
    assert '<details class="fl-section" open>' in answer.text
    assert re.search(r'aria-controls="tabpanel-2"[^>]* data-fl-wrong>Money <span[^>]*>1<', answer.text)


def test_a_record_leaves_out_sections_in_which_nothing_is_shown(shop, laid_out, client):
    publish(
        {
            **ORDER,
            "x-layout": [
                *LAYOUT[:6],
                ["note", "day"],
                {"id": "why", "is": "section", "title": "Why"},
                ["reason"],
            ],
        }
    )
    order = shop.order()
    page = client.get(f"/f/order/{order['id']}").text
    assert "More" in page and "Why" not in page


def test_a_reader_without_the_fields_of_a_tab_sees_no_tab(shop, laid_out, app):
    from formloop.access import sessions, signing

    kim = shop.person("kim", {"form": "order", "may": ["view"], "fields": ["number", "note"]})
    order = shop.order()
    browser = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(kim.person_id))
    page = browser.get(f"/f/order/{order['id']}").text
    assert "One line an item." in page and 'role="tab"' in page
    publish({**ORDER, "x-layout": [["number", "note"], *LAYOUT[3:5]]})
    assert "Money" not in browser.get(f"/f/order/{order['id']}").text


def test_mistakes_of_a_layout_are_told_with_their_path(shop):
    twice = [
        ["number"],
        ["nowhere", "number"],
        {"id": "a", "is": "divider"},
        {"id": "a", "is": "tab", "title": "A"},
    ]
    saved = definitions.save_draft(SYSTEM, "form", {**ORDER, "x-layout": twice})
    told = [(each.at, each.code) for each in definitions.check_draft(SYSTEM, saved.id)]
    assert told == [("x-layout.1.0", "no_field"), ("x-layout.1.1", "twice"), ("x-layout.3.id", "twice")]
    odd = definitions.save_draft(
        SYSTEM, "form", {**ORDER, "x-layout": [{"id": "b", "is": "curtain"}]}, saved.draft_revision
    )
    assert definitions.check_draft(SYSTEM, odd.id)[0].at.startswith("x-layout.0")


def test_a_column_that_no_line_shows_is_not_shown(shop, client):
    parts = {
        "kind": text("Kind"),
        "size": text("Size", **{"x-visible": 'kind = "large"'}),
    }
    lines = {"type": "array", "title": "Parts", "items": {"type": "object", "properties": parts}}
    publish(form("kit", {"lines": lines}))
    pages = {}
    for kinds in (("small", "small"), ("small", "large")):
        given = {"lines": [{"kind": kind, "size": f"of {kind}"} for kind in kinds]}
        record = service.create(SYSTEM, "kit", given)["id"]
        pages[kinds[1]] = client.get(f"/f/kit/{record}").get_data(as_text=True)
        edit = client.get(f"/f/kit/{record}/edit").get_data(as_text=True)
        assert ('<th scope="col" data-fl-out' in edit) is (kinds[1] == "small")
    assert "position" not in pages["small"]  # lines do not name a record
    assert ">Size<" not in pages["small"] and "of small" not in pages["small"]
    assert ">Size<" in pages["large"] and "of large" in pages["large"] and "of small" not in pages["large"]
