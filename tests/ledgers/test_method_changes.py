"""What is there when the method of its valuation changes: its value stays with its goods."""

from decimal import Decimal as D
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import service as publishing
from formloop.forms import service as records
from formloop.ledgers.verifying import verify
from ledgers.store import STOCK, Store


def change(store: Store, method: str, **more: Any) -> None:
    records.change_record(SYSTEM, "item", store.bolt, {"valuation": method, **more})


@pytest.mark.parametrize("first, then, issues", [
    ("moving_average", "fifo", ["-250", "-100"]),
    ("standard", "fifo", ["-220", "-100"]),
    ("fifo", "moving_average", ["-262.50", "-87.50"]),
    ("fifo", "standard", ["-180", "-90"]),
    ("standard", "moving_average", ["-240", "-80"]),
    ("moving_average", "standard", ["-180", "-90"]),
])  # fmt: skip
def test_what_is_there_goes_on_under_the_other_method(
    store: Store, first: str, then: str, issues: list[str]
) -> None:
    store.bolt = store.make("item", "nut", valuation=first, standard="12")
    store.buy("10", "15")
    change(store, then)
    store.buy("10", "20", day="2026-03-02")
    made = [store.worth(store.take(each, day="2026-03-03"))[0] for each in ("15", "5")]
    assert (made, store.there()) == ([D(each) for each in issues], (0, 0))
    assert verify() == []


def test_what_would_not_be_found_any_more_is_refused(store: Store) -> None:
    receipt = store.buy("10", "15")
    with pytest.raises(Invalid) as error:
        change(store, "specific")
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("there_is_some", "valuation")
    assert "“Valuation” stays as it is while there is any of “bolt” in “Stock”" in problem.message.render(
        "en"
    )
    issue = store.take("10")
    change(store, "specific")
    for form, document in (("issue", issue), ("receipt", receipt)):
        with pytest.raises(Invalid) as error:
            store.cancel(form, document)
        assert error.value.problems[0].code == "other_pool"
    store.do("customer_return", {"quantity": "2", "of": issue["lines"][0]["id"]})
    with pytest.raises(Invalid):
        change(store, "fifo")
    assert store.worth(store.take("2")) == [-30]
    assert (store.there(), verify()) == ((0, 0), [])


def publish_ledger(item: dict[str, Any]) -> None:
    doc = {**STOCK, "dimensions": {**STOCK["dimensions"], "item": item}}
    publishing.publish_many(SYSTEM, [doc], "another")


def test_what_quantities_are_counted_in_stays_once_there_were_any(store: Store) -> None:
    item = {**STOCK["dimensions"]["item"], "keeps": ["name"]}
    publish_ledger(item)
    store.buy("10", "15")
    with pytest.raises(Invalid) as error:
        records.change_record(SYSTEM, "item", store.bolt, {"name": "screw"})
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("there_is_some", "name")
    assert "are counted in it" in problem.message.render("en")
    records.change_record(SYSTEM, "item", store.bolt, {"name": "bolt", "valuation": "fifo"})
    store.take("10")  # what was taken out may come back
    with pytest.raises(Invalid):
        records.change_record(SYSTEM, "item", store.bolt, {"name": "screw"})
    records.change_record(SYSTEM, "item", store.make("item", "nut"), {"name": "screw"})
    with pytest.raises(Invalid) as wrong:
        publish_ledger({**item, "keeps": ["nothing"]})
    assert [each.at for each in wrong.value.problems] == ["dimensions.item.keeps"]


def test_of_many_records_those_with_goods_are_named(store: Store) -> None:
    others = [store.make("item", name) for name in ("nut", "washer")]
    store.buy("1", "1")
    store.bolt = others[0]
    store.buy("1", "1")
    drafts = [records.Draft({"valuation": "specific"}, each) for each in (store.named["bolt"], *others)]
    with pytest.raises(Invalid) as error:
        records.save_many(SYSTEM, "item", drafts)
    said = " ".join(problem.message.render("en") for problem in error.value.problems)
    assert ("“bolt”" in said, "“nut”" in said, "“washer”" in said) == (True, True, False)


@pytest.mark.parametrize("part, at", [
    ({"valuation": {**STOCK["valuation"], "method": '"specific"'}}, "valuation.method"),
    ({"dimensions": {**STOCK["dimensions"], "lot": {"form": "lot", "required": 'item.name = "bolt"'}}},
     "dimensions.lot.required"),
])  # fmt: skip
def test_a_version_of_the_ledger_finds_what_is_there(store: Store, part: dict[str, Any], at: str) -> None:
    also = {**STOCK, "valuation": {**STOCK["valuation"], "method": 'COALESCE(item.valuation, "fifo")'}}
    store.buy("10", "15")
    publishing.publish_many(SYSTEM, [also], "What is found by it, too")
    with pytest.raises(Invalid) as error:
        publishing.publish_many(SYSTEM, [{**STOCK, **part}], "What is not")
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("has_entries", at)
    assert problem.message.render("en").startswith("There is some of “bolt / main” in “Stock”")
    store.take("10")
    publishing.publish_many(SYSTEM, [{**STOCK, **part}], "Nothing is there")
