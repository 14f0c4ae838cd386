"""What the packs' items allow to be changed while there is stock of them, and what becomes of it."""

from typing import Any

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import service as records
from formloop.ledgers.verifying import verify
from packs.trading import Trade, named


def change(trade: Trade, **values: Any) -> None:
    records.change_record(SYSTEM, "item", trade.item, values)


@pytest.mark.parametrize("first, then, left", [
    ("moving_average", "fifo", 200), ("standard", "fifo", 200), ("fifo", "moving_average", 175),
])  # fmt: skip
def test_goods_keep_their_value_when_the_method_changes(
    demo: Flask, first: str, then: str, left: int
) -> None:
    trade = Trade(first, ("10", "15"), standard_cost="2")
    change(trade, valuation=then)
    trade.receive("10", "20")
    trade.issue("10")
    assert trade.there() == (10, left)
    trade.issue("10")
    assert (trade.there(), verify()) == ((0, 0), [])


@pytest.mark.parametrize(
    "said, at", [({"valuation": "specific"}, "valuation"), ({"tracking": "lot"}, "tracking")]
)
def test_what_stock_is_kept_by_stays_while_there_is_some(demo: Flask, said: dict[str, str], at: str) -> None:
    trade = Trade("moving_average", ("10", "15"))
    with pytest.raises(Invalid) as error:
        change(trade, **said)
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("there_is_some", at)
    assert "“Nut”" in problem.message.render("en")
    line = {"item": trade.item, "quantity": "10"}
    issue = trade.do("stock_out", [line], warehouse=trade.place)
    change(trade, **said)
    with pytest.raises(Invalid) as error:
        trade.take_back("stock_out", issue)
    assert error.value.problems[0].code == "other_pool"
    assert (trade.there(), verify()) == ((0, 0), [])


def test_the_unit_of_stock_stays_once_there_was_some(demo: Flask) -> None:
    trade, kilogram = Trade("moving_average", ("10", "15")), named("unit", code="KG")
    for _ in range(2):
        with pytest.raises(Invalid) as error:
            change(trade, unit=kilogram)
        assert [(each.code, each.at) for each in error.value.problems] == [("there_is_some", "unit")]
        if trade.there()[0]:
            trade.issue("10")
    other = int(records.create(SYSTEM, "item", {"name": "Flux", "source": "buy"})["id"])
    records.change_record(SYSTEM, "item", other, {"unit": kilogram})


@pytest.mark.parametrize("units, code", [(("KG",), "another_unit"), (("G", "G"), "each_unit_once")])
def test_other_units_are_others_and_each_stands_once(demo: Flask, units: tuple[str, ...], code: str) -> None:
    trade = Trade("moving_average")
    lines = [{"unit": named("unit", code=each), "factor": place + 2} for place, each in enumerate(units)]
    with pytest.raises(Invalid) as error:
        change(trade, unit=named("unit", code="KG"), conversions=lines)
    assert {each.code for each in error.value.problems} == {f"check:{code}"}
