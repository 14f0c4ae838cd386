"""Pages of what is posted: what the ledgers refuse is told at its line; what cannot be changed offers no change."""

import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from formloop.access.actor import SYSTEM
from formloop.forms import service as records
from packs.trading import Trade


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
