"""Definitions of one name can be told apart wherever one of them is picked."""

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds
from formloop.definitions import service as definitions
from formloop.studio.pickers import Around, offered
from studio.conftest import PAPER

APP = {"x-kind": "app", "x-id": "0000009a", "x-key": "buying", "title": "Buying"}


@pytest.fixture
def alike(studio):
    """“Request” in two applications, and twice in one of them."""
    definitions.publish_many(SYSTEM, [APP], "app")
    for number, app in (("2", "buying"), ("3", "buying"), ("4", "")):
        named = {"x-id": f"0000002{number}", "x-key": f"request_{number}"}
        made = definitions.save_draft(SYSTEM, "form", {**PAPER, **named}, app=app)
        definitions.publish(SYSTEM, made.id)
    return studio


WORDS = {
    "request": "Request (request)",
    "request_2": "Request (Buying) (request_2)",
    "request_3": "Request (Buying) (request_3)",
    "request_4": "Request (request_4)",
}


def test_forms_of_one_name_say_their_application_and_then_their_key_in_every_picker(alike):
    around = Around(kinds.get("bridge"), {}, "en", {})
    assert dict(offered("form", around, None)) == WORDS
    assert dict(offered("source", around, None)).items() >= WORDS.items()
    assert (
        dict(offered("app_page", around, None)).items() >= {f"form:{k}": v for k, v in WORDS.items()}.items()
    )
    chinese = Around(kinds.get("bridge"), {}, "zh-CN", {})
    assert dict(offered("form", chinese, None))["request_2"] == "Request（Buying）（request_2）"


@pytest.mark.parametrize("address", ["/studio/new?kind=workflow", "/studio/bridges/new"])
def test_the_pages_where_something_begins_tell_them_apart_too(alike, address):
    page = alike.client(alike.mei).get(address).text
    assert all(f">{words}</option>" in page for words in WORDS.values())


def test_a_name_that_only_one_has_stands_alone(studio):
    assert dict(offered("form", Around(kinds.get("bridge"), {}, "en", {}), None)) == {"request": "Request"}
