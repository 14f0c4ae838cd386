"""The history says what made a change for somebody."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.access.actor import SYSTEM
from formloop.events import Cause
from formloop.forms import service
from forms.conftest import Shop


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_a_definition_did_for_a_person_is_said_with_its_title(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    by_hand = service.create(SYSTEM, "customer", {"name": "By hand"})
    drafts = [service.Draft({"name": "Made"})]
    (made,) = service.save_many(SYSTEM, "customer", drafts, Cause(("ui", "form:order")), service.How())
    assert "through “Order”" in client.get(f"/f/customer/{made.id}").text
    assert "through" not in client.get(f"/f/customer/{by_hand['id']}").text
    chinese = client.get(f"/f/customer/{made.id}", headers={"Accept-Language": "zh-CN"}).text
    assert "（通过“Order”）" in chinese
