"""③ shows the list that is designed: as its readers will see it, with records the builder may see."""

import re

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.definitions import service as definitions
from formloop.forms import service as forms
from studio.conftest import PAPER

KIND = {
    "type": "string",
    "title": "Kind",
    "enum": ["raw", "part"],
    "x-titles": {"raw": {"title": "Raw", "x-title": {"zh-CN": "原料"}}, "part": {"title": "Part"}},
}
LIST = {
    "columns": ["quantity", "item", "owner"],
    "sort": ["-quantity"],
    "filters": ["item", "wanted"],
    "begins": {"item": "bolt", "wanted": "2026-01-01,2026-02-01"},
    "buttons": ["create", "export"],
}
BUILDER = {
    "x-kind": "role",
    "x-id": "0000009a",
    "x-key": "builder",
    "title": "Builder",
    "grants": [{"id": "design", "on": "definition", "may": ["design"]}],
}


@pytest.fixture
def client(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    return studio.client(studio.mei)


def _page(studio, client, at="x-list"):
    answer = client.get(f"/studio/{studio.id}?at={at}")
    assert answer.status_code == 200
    return answer.text


def _rows(page):
    body = page.partition('id="list-rows"')[2].partition("</tbody>")[0]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in body.split("<tr>")[1:]]


def _order(studio, *orders):
    for values in orders:
        forms.create(studio.mei, "request", values)


def test_the_list_stands_in_place_of_the_form_and_leads_back_to_it(studio, client):
    page = _page(studio, client)
    assert 'id="list-rows"' in page and "data-bricks" not in page and 'data-selected="x-list"' in page
    for at in ("", "properties/item"):
        form = _page(studio, client, at)
        assert "data-bricks" in form and 'id="list-rows"' not in form


def test_columns_order_buttons_and_filters_are_those_of_the_draft(studio, client):
    studio.edit(**{"x-list": LIST})
    page = _page(studio, client)
    heads = page.partition("<thead>")[2].partition("</thead>")[0]
    assert re.findall(r'<th scope="col"[^>]*>([^<]*\w)', heads) == ["Quantity", "Item", "Owner"]
    assert heads.count("#arrow-down") == 1 and 'aria-sort="descending">Quantity' in heads
    assert re.findall(r'data-button="(\w+)"', page) == ["create", "export"]
    chips = page.partition("data-begins>")[2].partition("</p>")[0]
    assert "Item contains bolt" in chips and "Wanted by between 2026-01-01 – 2026-02-01" in chips
    assert "Item · Wanted by" in page
    studio.edit(**{"x-list": {}})
    buttons = re.findall(r'data-button="(\w+)"', _page(studio, client))
    assert buttons == ["create", "import", "export", "edit", "delete"]


def test_the_state_stands_where_it_was_picked(studio, client):
    studio.edit(**{"x-list": {"columns": ["item", "state", "quantity"]}})
    heads = _page(studio, client).partition("<thead>")[2].partition("</thead>")[0]
    assert re.findall(r'<th scope="col"[^>]*>([^<]*\w)', heads) == ["Item", "State", "Quantity"]


def test_rows_are_the_first_records_as_the_draft_sorts_and_filters_them(studio, client):
    numbers = [{"item": f"Bolt {n}", "quantity": str(n), "wanted": "2026-01-15"} for n in range(1, 8)]
    _order(studio, *numbers, {"item": "Nut", "quantity": "99", "wanted": "2026-01-15"})
    studio.edit(**{"x-list": LIST})
    rows = _rows(_page(studio, client))
    assert [row[:2] for row in rows] == [[str(n), f"Bolt {n}"] for n in (7, 6, 5, 4, 3)]
    assert {row[2] for row in rows} == {"Mei"}


def test_a_column_that_is_not_published_yet_is_empty_and_its_choices_are_said_in_words(studio, client):
    _order(studio, {"item": "<b>Bolt</b>", "quantity": "1"})
    listed = {"columns": ["item", "kind"], "sort": ["kind"], "begins": {"kind": "raw,part"}}
    studio.edit(properties={**PAPER["properties"], "kind": KIND}, **{"x-list": listed})
    page = _page(studio, client)
    assert _rows(page) == [["&lt;b&gt;Bolt&lt;/b&gt;", ""]] and "invented" not in page
    assert "Kind is one of Raw, Part" in page


def test_where_there_is_no_record_two_rows_are_invented(studio, client):
    listed = {"columns": ["item", "quantity", "kind"]}
    studio.edit(properties={**PAPER["properties"], "kind": KIND}, **{"x-list": listed})
    page = _page(studio, client)
    assert _rows(page) == [["Item 1", "10", "Raw"], ["Item 2", "20", "Part"]] and "invented" in page


def test_who_may_design_but_not_see_the_records_gets_invented_rows(studio, client):
    _order(studio, {"item": "Secret bolt", "quantity": "5"})
    assert "Secret bolt" in _page(studio, client)
    definitions.publish_many(SYSTEM, [BUILDER], "test")
    bea = get_actor(people.add_person(SYSTEM, "bea", "Bea", roles=["builder"]))
    page = _page(studio, studio.client(bea))
    assert "Secret bolt" not in page and _rows(page)[0][0] == "Item 1"


@pytest.mark.parametrize(
    "said",
    [
        "none",
        7,
        {"columns": "item", "sort": [3], "begins": ["item"], "buttons": {}, "filters": None},
        {
            "columns": [["item"], "gone", "lines", "state"],
            "sort": ["-gone", "lines"],
            "begins": {"gone": "a"},
        },
        {"columns": [], "begins": {"quantity": "many", "wanted": 5, "state": "x", "created_at": "~"}},
    ],
)
def test_a_broken_list_is_drawn_as_far_as_it_goes(studio, client, said):
    _order(studio, {"item": "Bolt", "quantity": "1"})
    studio.edit(**{"x-list": said})
    _page(studio, client)


def test_a_draft_wrong_in_every_way_is_drawn(studio, client):
    wrong = {"a": 1, "b": {"enum": 3}, "c": {"type": "number", "title": []}, "item": {"type": "number"}}
    _order(studio, {"item": "Bolt", "quantity": "1"})
    studio.edit(properties=wrong, **{"x-states": [], "x-list": {"columns": ["a", "b", "c", "item"]}})
    assert _rows(_page(studio, client))


def test_the_list_of_a_form_that_was_never_published_is_drawn(studio, client):
    with studio.app.app_context():
        doc = {**studio.desk().doc, "x-id": "0000006d", "x-key": "unheard", "title": "Unheard"}
        made = definitions.save_draft(studio.mei, "form", doc)
    page = client.get(f"/studio/{made.id}?at=x-list")
    assert page.status_code == 200 and "data-button" in page.text
