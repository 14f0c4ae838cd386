"""Orders in a foreign currency begin with the list price by the rate of that currency."""

from typing import Any

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.forms import live
from formloop.forms import service as records
from formloop.forms.kind import get_form
from packs.trading import actor_of, named


@pytest.fixture
def lamp(demo: Flask) -> int:
    """An item at 268.00 at home."""
    return named("item", code="LAMP-01")


def customer(currency: str | None) -> int:
    given = {"name": f"Abroad {currency}", "currency": named("currency", code=currency) if currency else None}
    return int(records.create(SYSTEM, "customer", given)["id"])


def order(currency: str | None, **line: Any) -> dict[str, Any]:
    given = {"customer": customer(currency), "tax_rate": 0, "lines": [line | {"quantity": "1"}]}
    return records.create(actor_of("seller"), "sales_order", given)


@pytest.mark.parametrize("currency, price", [("EUR", "34.67"), ("CNY", "268"), (None, "268")])
def test_the_list_price_is_converted(lamp: int, currency: str | None, price: str) -> None:
    """268.00 at 7.73 to the euro."""
    made = order(currency, item=lamp)
    (line,) = made["lines"]
    assert f"{line['price'].normalize():f}" == price
    assert line["list_price"] == (line["price"] if currency == "EUR" else None)
    other = {"id": line["id"], "item": named("item", code="LAMP-02")}
    changed = records.change_record(SYSTEM, "sales_order", made["id"], {"lines": [other]})
    wanted = {"34.67": "77.36", "268": "598"}[price]
    assert f"{changed['lines'][0]['price'].normalize():f}" == wanted


def test_a_price_that_was_agreed_stays(lamp: int) -> None:
    assert order("EUR", item=lamp, price="33")["lines"][0]["price"] == 33


def test_without_a_rate_the_price_is_left_to_the_seller(lamp: int) -> None:
    records.change_record(SYSTEM, "currency", named("currency", code="EUR"), {"rate": None})
    made = order("EUR", item=lamp)
    assert (made["lines"][0].get("price"), made["rate_hint"]) == (None, "none")


@pytest.mark.parametrize("currency, price", [("EUR", "34.67"), ("CNY", "268")])
def test_the_page_fills_it_in_when_the_item_is_chosen(lamp: int, currency: str, price: str) -> None:
    spec, seller = get_form("sales_order"), actor_of("seller")
    raw = {"customer": str(customer(currency)), "currency": "", "lines": [{"item": str(lamp), "price": ""}]}
    for changed in (["customer", "lines.0.item"], ["lines.0.item"]):
        raw["currency"] = str(named("currency", code=currency)) if len(changed) == 1 else ""
        told = live.answer(seller, spec, raw, None, changed, "en")["values"]
        assert told["lines.0.price"]["input"].rstrip("0").rstrip(".") == price
    typed = raw | {"lines": [{"item": str(lamp), "price": "30"}]}
    told = live.answer(seller, spec, typed, None, ["lines.0.item", "lines.0.price"], "en")["values"]
    assert "lines.0.price" not in told


def test_a_price_from_before_the_currency_was_chosen_is_marked(lamp: int) -> None:
    """268.00 stood there when the customer abroad was chosen: nobody reads it as euros unaware."""
    made = order(None, item=lamp)
    changed = {"customer": customer("EUR"), "currency": named("currency", code="EUR")}
    (line,) = records.change_record(SYSTEM, "sales_order", made["id"], changed)["lines"]
    assert (line["price"], line["price_hint"]) == (268, "home")
    converted = {"lines": [{"id": line["id"], "price": "34.67"}]}
    (line,) = records.change_record(SYSTEM, "sales_order", made["id"], converted)["lines"]
    assert line["price_hint"] is None
