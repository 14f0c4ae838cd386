"""Pages of what is posted: what the ledgers refuse is told at its line; what cannot be changed offers no change."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import live, reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import service as workflows
from packs.trading import Trade, actor_of, named


def test_what_is_not_there_is_told_at_its_line(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    trade, other = Trade(), Trade(goods=("3", "1"))
    lines = [{"item": trade.item, "quantity": "5"}, {"item": other.item, "quantity": "7"}]
    given = {"day": "2026-03-09", "warehouse": trade.place, "lines": lines}
    record = int(records.create(SYSTEM, "stock_out", given)["id"])
    answer = people_of_demo("keeper").post(
        f"/f/stock_out/{record}/submit", headers={"Origin": "http://localhost"}
    )
    assert answer.status_code == 422 and "Not submitted." in answer.text
    first, second = re.findall(r"<tr data-fl-line>.*?</tr>", answer.text, re.DOTALL)[:2]
    assert "Not enough" not in first
    assert "Not enough" in second and "fl-wrong" in second


@pytest.mark.parametrize("form", ["stock_out", "stock_in", "receipt", "delivery"])
def test_a_line_of_an_item_with_lots_asks_for_one_as_soon_as_it_is_chosen(demo: Flask, form: str) -> None:
    def asked(item: str) -> list[str]:
        raw = {"lines": [{"item": str(named("item", code=item)), "lot": ""}]}
        answer = live.answer(SYSTEM, get_form(form), raw, None, ["lines.0.item"], "en")
        assert "lines.0.lot" not in [*answer["required"], *answer["problems"]]
        return [name for name in answer["later"] if name == "lines.0.lot"]

    assert asked("BIRCH-01") == ["lines.0.lot"] and asked("LAMP-01") == []


def test_a_lot_is_made_from_the_line_that_needs_it(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    keeper, item = people_of_demo("keeper"), named("item", code="BIRCH-01")
    at = "/f/receipt/choices/lines.lot"
    assert f'data-fl-make-at="{at}"' in keeper.get("/f/receipt/new").text
    assert "data-fl-make-at" not in keeper.get("/f/stock_out/new").text
    assert "data-fl-make-at" not in people_of_demo("administrator").get("/f/stock_out/new").text

    def make(who: FlaskClient, code: str, at: str = at, **this: str) -> TestResponse:
        return who.post(at, data={"q": code, **this}, headers={"Origin": "http://localhost"})

    made = make(keeper, " L-77 ", **{"this.item": str(item)}).get_json()
    lot = reads.get_record(SYSTEM, "lot", int(made["value"]))
    assert (made["text"], lot["code"], lot["item"], lot["status"]) == ("L-77", "L-77", item, "free")
    again = make(keeper, "L-77", **{"this.item": str(item)})
    assert again.status_code == 422 and again.get_json()["message"].startswith("Code: ")
    without = make(keeper, "L-78")
    assert without.status_code == 422 and without.get_json()["message"].startswith("Item: ")
    assert make(keeper, "L-79", at="/f/stock_out/choices/lines.lot").status_code == 404
    assert make(people_of_demo("accountant"), "L-79").status_code == 404


def test_an_issue_without_the_lot_it_needs_is_refused_at_its_line(demo: Flask) -> None:
    line = {"item": named("item", code="BIRCH-01"), "quantity": "1"}
    given = {"warehouse": named("warehouse", code="MAIN"), "lines": [line]}
    issue = int(records.create(SYSTEM, "stock_out", given)["id"])
    with pytest.raises(Invalid) as error:
        workflows.submit(actor_of("keeper"), "stock_out", issue)
    assert [(each.code, each.at) for each in error.value.problems] == [("required", "lines.0.lot")]


def test_what_is_posted_and_has_nothing_to_change_offers_to_take_it_back_alone(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    trade, keeper = Trade(), people_of_demo("keeper")
    lines = [{"item": trade.item, "quantity": "5"}]
    issue = trade.do("stock_out", lines, warehouse=trade.place)
    page = keeper.get(f"/f/stock_out/{issue}").text
    assert f"/f/stock_out/{issue}/cancel" in page and f"/f/stock_out/{issue}/amend" not in page
    assert "it is not changed any more, only taken back by a proposal" in page
    assert keeper.get(f"/f/stock_out/{issue}/amend").status_code == 409
