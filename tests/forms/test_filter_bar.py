"""Searching a list or using a box above it leaves the other filters alone, in lists of forms and of datasets."""

from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from databases import Begun
from datasets.conftest import dataset
from formloop.forms.kind import get_form
from formloop.forms.list_query import address_args, read_query

from .conftest import ORDER, Shop, publish

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the same page on both
STATES = {"x-states": {"draft": {"title": "Draft"}, "sent": {"title": "Sent"}}}
LISTED = {"x-list": {**ORDER["x-list"], "filters": ["customer", "day", "number", "state"]}}
SALES = dataset("sales", {"form": "order"}, {"customer": "customer", "day": "day"}, filters=["day"])


@pytest.fixture
def shop(app: Flask, begun: Begun) -> Shop:
    shop = begun(Shop)
    publish({**ORDER, **STATES, **LISTED}, SALES)
    shop.order()
    return shop


class Inputs(HTMLParser):
    """What the form of this class would send, and the texts and links of the filters that are on."""

    def __init__(self, page: str, form: str) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self.chips: list[str] = []
        self.links: list[str] = []
        self._form, self._inside, self._select, self._chip = form, False, "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = self._form in given.get("class", "")
        elif tag == "li":
            self._chip = "fl-blue" in given.get("class", "")
        elif tag == "a" and self._chip:
            self.links.append(given["href"])
            self._chip = False
        elif self._inside and tag == "input" and given.get("name") and given.get("type") != "checkbox":
            self.sent.append((given["name"], given.get("value", "")))
        elif self._inside and tag == "select":
            self._select = given["name"]
        elif self._inside and tag == "option" and "selected" in given:
            self.sent.append((self._select, given.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._chip:
            self.chips.append(data)


KINDS = (
    "f.customer.is_not=1",
    "f.customer.is=1",
    "f.customer.empty=1",
    "f.day.this_month=1",
    "f.day.at_least=2026-03-01",
    "f.day.between=2026-03-01~2026-03-31",
    "f.number.contains=SO",
    "f.number.is_not=SO",
    "f.total.at_least=100",
    "f.note.contains=a&f.note.contains=b",
    "f.number.contains=a&f.number.contains=b",
    "f.state.is_not=draft",
    "f.state.any_of=draft&f.state.any_of=sent",
    "f.state.any_of=draft&f.state.any_of=sent&o.state=any_of&v.state=sent",
    "f.day.between=2026-03-01~2026-03-31&f.day.at_least=2026-03-05&f.day.filled=1",
)


@pytest.mark.parametrize("asked", KINDS)
@pytest.mark.parametrize("form", ["fl-filters", "card-body"], ids=["bar", "panel"])
def test_a_search_leaves_the_filters_as_they_are(
    client: FlaskClient, shop: Shop, asked: str, form: str
) -> None:
    before = Inputs(client.get(f"/f/order?{asked}").text, form)
    page = client.get(f"/f/order{'/panel' if form == 'card-body' else ''}?{asked}").text
    sent = [(name, "x" if name == "q" else value) for name, value in Inputs(page, form).sent]
    after = Inputs(client.get("/f/order?" + urlencode(sent)).text, form)
    assert sorted(after.chips) == sorted(before.chips) != []


def test_a_box_sets_its_own_filter_beside_the_others(client: FlaskClient, shop: Shop) -> None:
    page = client.get("/f/order?f.number.is_not=SO1&f.state.is_not=draft").text
    sent = dict(Inputs(page, "fl-filters").sent)
    box = next(name for name in sent if name.startswith("f.number.") and not name.endswith("is_not"))
    page = client.get("/f/order?" + urlencode({**sent, box: "SO2", "f.state.is": "sent"})).text
    assert len(Inputs(page, "fl-filters").chips) == 4


@pytest.mark.parametrize("asked", KINDS)
def test_taking_one_filter_off_leaves_all_others(client: FlaskClient, shop: Shop, asked: str) -> None:
    page = Inputs(client.get(f"/f/order?{asked}&f.total.at_most=9").text, "")
    for link in page.links:
        assert len(Inputs(client.get(link).text, "").chips) == len(page.chips) - 1


@pytest.mark.parametrize("asked", KINDS)
def test_an_address_says_all_that_it_was_read_from(shop: Shop, asked: str) -> None:
    spec = get_form("order")
    query = read_query(spec, MultiDict(part.split("=") for part in asked.split("&")))
    again = read_query(spec, MultiDict(address_args(query)))
    assert again == query


def test_a_search_of_a_dataset_leaves_the_filters_that_brought_here(client: FlaskClient, shop: Shop) -> None:
    page = client.get("/datasets/sales?f.customer.is_not=1&f.day.this_month=1").text
    sent = [(name, value) for name, value in Inputs(page, "fl-filters").sent if value]
    assert {("f.customer.is_not", "1"), ("f.day.this_month", "1")} <= set(sent)


@pytest.mark.parametrize("path", ["", "/panel"])
@pytest.mark.parametrize("asked", ["f.lines.is=1", "o.lines=has&v.lines=1"])
def test_a_filter_by_lines_as_one_is_no_failure(
    client: FlaskClient, shop: Shop, path: str, asked: str
) -> None:
    assert client.get(f"/f/order{path}?{asked}").status_code == 200


def test_a_list_of_nothing_but_the_state_names_its_rows_by_its_word(client: FlaskClient, shop: Shop) -> None:
    assert 'aria-label="Choose Draft"' in client.get("/f/order?c=state").text
