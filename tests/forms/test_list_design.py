"""What a list begins with and which buttons it has is the form's; what somebody chooses instead stands above it."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun
from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import service

from .conftest import Shop, form, only, publish, relation, text

COLOURS = {
    "red": {"title": "Red", "x-title": {"zh-CN": "红"}},
    "blue": {"title": "Blue"},
    "green": {"title": "Green"},
}
FIELDS = {
    "name": text("Name"),
    "colour": {"type": "string", "title": "Colour", "enum": list(COLOURS), "x-titles": COLOURS},
    "urgent": {"type": "boolean", "title": "Urgent"},
    "pieces": {"type": "number", "title": "Pieces"},
    "item": relation("Item", "item"),
}


@pytest.fixture
def shop(app: Flask, begun: Begun) -> Shop:
    return begun(Shop)


def listed(client: FlaskClient, address: str = "/f/wish") -> set[str]:
    page = client.get(address).text
    return {name for name in ("Chair", "Table", "Lamp") if name in page}


def wishes(**said: Any) -> None:
    publish(only(form("wish", FIELDS, **{"x-list": {"columns": ["name", "colour"], **said}})))
    for name, colour, urgent, pieces in (
        ("Chair", "red", True, 1),
        ("Table", "blue", False, 5),
        ("Lamp", "green", False, 9),
    ):
        service.create(
            SYSTEM, "wish", {"name": name, "colour": colour, "urgent": urgent, "pieces": str(pieces)}
        )


@pytest.mark.parametrize(
    ("begins", "shown"),
    [
        ({"colour": "红, blue"}, {"Chair", "Table"}),
        ({"colour": "Green"}, {"Lamp"}),
        ({"urgent": "yes"}, {"Chair"}),
        ({"pieces": "5~"}, {"Table", "Lamp"}),
        ({"name": "a"}, {"Chair", "Table", "Lamp"}),
        ({"state": "draft", "colour": "red"}, {"Chair"}),
    ],
)
def test_a_list_begins_as_its_form_says_until_somebody_chooses(
    client: FlaskClient, shop: Shop, begins: dict[str, str], shown: set[str]
) -> None:
    wishes(begins=begins)
    assert listed(client) == shown
    assert listed(client, "/f/wish?q=") == {"Chair", "Table", "Lamp"}
    assert listed(client, "/f/wish?f.colour.is=green") == {"Lamp"}
    assert "/f/wish?q=" in client.get("/f/wish").text  # where *Clear* leads


@pytest.mark.parametrize("key", ["item", "nowhere"])
def test_a_list_cannot_begin_with_a_record_or_with_what_is_not_there(shop: Shop, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        wishes(begins={key: "1"})
    assert [each.at for each in refused.value.problems] == ["x-list.begins"]


def test_the_filters_of_a_list_stand_above_it_in_words_each_with_the_list_without_it(
    client: FlaskClient, shop: Shop
) -> None:
    wishes(begins={"colour": "red, blue", "state": "review"})
    page = client.get("/f/wish").text
    assert "Colour is one of Red, Blue<a" in page and "State is In approval<a" in page
    assert "A filter is on, and no record fits it." in page and "/f/wish?q=" in page
    without = re.search(r'State is In approval<a href="([^"]*)"', page)
    assert without and listed(client, without[1].replace("&amp;", "&")) == {"Chair", "Table"}
    alone = client.get("/f/wish?f.colour.is=red").text
    bare = re.search(r'Colour is Red<a href="([^"]*)"', alone)
    assert bare and listed(client, bare[1]) == {"Chair", "Table", "Lamp"}  # it does not begin anew


@pytest.mark.parametrize(
    ("columns", "heads"),
    [
        (["name", "state", "colour"], ["Name", "State", "Colour"]),
        (["state", "name"], ["State", "Name"]),
        (["name", "colour", "created_at", "state"], ["Name", "Colour", "Created", "State"]),
    ],
)
def test_columns_stand_in_their_order_the_state_too(
    client: FlaskClient, shop: Shop, columns: list[str], heads: list[str]
) -> None:
    wishes(columns=columns)
    page = client.get("/f/wish").text
    told = re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([A-Z]\w*)', page.partition("</thead>")[0])
    assert [each for each in told if each != "Choose"] == heads
    row = next(each for each in page.split("<tr>") if "Chair" in each and "<td" in each)
    assert re.findall(r'data-label="(\w+)"', row) == heads and row.count("Draft") == 1
    assert 'aria-label="Choose <' not in page


@pytest.mark.parametrize(
    ("begins", "wrong"), [({"colour": "Zebra, red"}, "Zebra"), ({"state": "nowhere"}, "nowhere")]
)
def test_a_list_cannot_begin_with_an_option_or_a_state_that_there_is_not(
    shop: Shop, begins: dict[str, str], wrong: str
) -> None:
    with pytest.raises(Invalid) as refused:
        wishes(begins=begins)
    (problem,) = refused.value.problems
    assert problem.at == "x-list.begins" and f"“{wrong}”" in problem.message.render("en")
    assert "Possible: " in problem.message.render("en") and "可选" in problem.message.render("zh-CN")


def test_a_list_has_the_buttons_that_its_form_says(client: FlaskClient, shop: Shop) -> None:
    wishes(buttons=["export"])
    page = client.get("/f/wish").text
    assert "/f/wish/export" in page
    assert not any(each in page for each in ("/f/wish/new", "/f/wish/import", "data-fl-batch", "deleted=1"))
    wishes()
    page = client.get("/f/wish").text
    assert all(each in page for each in ("/f/wish/new", "/f/wish/import", "data-fl-batch", "deleted=1"))
