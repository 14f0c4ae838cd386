"""What the ledgers refuse is told on the page where it is corrected, at its line."""

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
