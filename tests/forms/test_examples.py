"""Examples as tests: run on no data, told before publishing what no longer holds."""

from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.definitions import parse
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms import examples, reads
from formloop.forms.kind import build, get_form
from formloop.forms.snapshots import given_of
from forms.conftest import CUSTOMER, ITEM, ORDER, publish

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

GIVEN = {
    "customer": {"name": "Imagined", "limit": 5000},
    "lines": [{"item": {"name": "Gear", "price": 600}, "quantity": 2}],
}
EXPECT = {
    "values": {"total": 1200, "lines.0.amount": 1200, "lines.0.price": 600},
    "shown": ["reason"],
    "problems": {"reason": "required"},
}


def example(**more: Any) -> dict[str, Any]:
    return {"id": "large", "title": "Large", "on": "2026-03-02", "given": GIVEN, "expect": EXPECT, **more}


def order_with(*cases: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {**ORDER, "properties": {**ORDER["properties"], **changed}, "x-examples": list(cases)}


def run(doc: dict[str, Any]) -> list[examples.Result]:
    spec = build(doc, 1, lambda key: {"customer": CUSTOMER, "item": ITEM}.get(key))[0]
    return examples.run_all(spec, library.VIEW)


def test_an_example_holds_with_records_that_no_table_has(shop):
    (result,) = run(order_with(example()))
    assert result.differences == []
    assert result.found["values"]["day"] == "2026-03-02"
    assert result.found["values"]["lines.0.price"] == 600


def test_what_comes_otherwise_is_said_in_words(shop):
    total = {**ORDER["properties"]["total"], "x-formula": "SUM(lines.amount) * 2"}
    wrong = run(order_with(example(given={**GIVEN, "reason": "asked"}), total=total))[0].differences
    told = [(each.what.render(), each.expected.render(), each.found.render()) for each in wrong]
    assert told == [
        ("Total", "1,200.00", "2,400.00"),
        ("Reason", "This must be filled in.", "no problem"),
    ]
    assert wrong[1].found.render("zh-CN") == "没有问题"


def test_a_broken_rule_is_told_in_the_words_of_the_form(shop):
    over = example(given={**GIVEN, "customer": {"limit": 10}, "reason": "asked"}, expect={"problems": {}})
    (difference,) = run(order_with(over))[0].differences
    assert difference.what.render() == "Customer" and difference.found.render("zh-CN") == "超过额度。"


def test_a_field_that_is_gone_and_one_hidden_by_mistake_are_told(shop):
    gone = example(expect={"values": {"lines.0.weight": 3, "nowhere": 1}, "hidden": ["reason"]})
    told = [each.what.render() for each in run(order_with(gone))[0].differences]
    assert told == ["lines.0.weight", "nowhere", "Reason"]


def test_publishing_shows_what_no_longer_holds_and_goes_on_knowingly(shop):
    doubled = {**ORDER["properties"]["total"], "x-formula": "SUM(lines.amount) * 2"}
    saved = definitions.save_draft(SYSTEM, "form", order_with(example(), total=doubled))
    found = definitions.impact(SYSTEM, saved.id)
    assert found.possible and {each.severity for each in found.problems} == {"warning"}
    assert "The example “Large” no longer holds. Total: expected 1,200.00, found 2,400.00." in [
        each.message.render() for each in found.problems
    ]
    assert found.problems[0].line is not None
    definitions.publish(SYSTEM, saved.id)
    assert get_form("order").document["x-examples"][0]["id"] == "large"


def test_an_example_made_of_a_record_keeps_what_is_read_and_nothing_of_the_site(shop):
    order = shop.order((shop.bolt, "4"), note="fragile")
    given = given_of(SYSTEM, get_form("order"), reads.get_record(SYSTEM, "order", order["id"]))
    assert given["customer"] == {"name": "Acme", "limit": 5000, "active": True}
    assert given["note"] == "fragile" and "number" not in given and "total" not in given
    assert given["lines"] == [
        {"item": {"name": "Bolt", "price": parse("1.5").doc}, "quantity": 4, "price": parse("1.5").doc}
    ]
    (result,) = run(order_with(example(given=given, expect={"values": {"total": 6}})))
    assert result.differences == []


def test_what_its_maker_may_not_see_of_a_related_record_is_not_in_it(shop):
    order = shop.order()
    sees_orders = {"form": "order", "may": ["view"]}
    actor = shop.person("kim", sees_orders, {"form": "customer", "may": ["view"], "except": ["limit"]})
    given = given_of(actor, get_form("order"), reads.get_record(actor, "order", order["id"]))
    assert given["customer"] == {"name": "Acme", "active": True} and "item" not in given["lines"][0]


@pytest.mark.parametrize(
    "given",
    [
        {"lines": [5, None, {"quantity": "many"}]},
        {"lines": "x"},
        {"customer": "Acme"},
        {"nothing": {"a": [1]}},
    ],
)
def test_examples_that_make_no_sense_are_refused_in_the_result_not_by_an_error(shop, given):
    (result,) = run(order_with(example(given=given, expect={"problems": {}})))
    assert result.differences


def test_examples_travel_with_the_form_and_their_shape_is_checked(shop):
    publish(order_with(example()))
    entry = library.find_entry("form", "order")
    assert '"expect"' in definitions.get_text(entry.id, entry.version)
    saved = definitions.save_draft(SYSTEM, "form", order_with({**example(), "wants": 1}))
    assert [each.at for each in definitions.check_draft(SYSTEM, saved.id)] == ["x-examples.0.wants"]
