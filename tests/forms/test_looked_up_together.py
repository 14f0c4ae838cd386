"""What many rows look up in another form is asked together, with one condition for all of them."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.forms import live, service
from formloop.forms.kind import get_form
from formloop.forms.service import Draft
from forms.conftest import Shop, form, number, publish, relation, text

DAY = {"type": "string", "format": "date", "title": "Day"}
TARIFF = "item = this.item AND (ISBLANK(since) OR since <= this.day) AND least <= this.quantity"


def lines(**columns: Any) -> dict[str, Any]:
    return {"type": "array", "title": "Lines", "items": {"type": "object", "properties": columns}}


@pytest.fixture
def priced(shop: Shop) -> Shop:
    """Prices by item, from a day and from a quantity on; lists of items that are sold together."""
    tariff = {
        "item": relation("Item", "item"),
        "since": DAY,
        "least": number("Least"),
        "price": number("Price"),
    }
    offer = {
        "day": DAY,
        "lines": lines(
            item=relation("Item", "item"),
            quantity=number("Quantity"),
            price=number("Price", **{"x-linkage": {"form": "tariff", "where": TARIFF, "value": "price"}}),
            among=text(
                "Among",
                **{"x-linkage": {"form": "bundle", "where": "ANY(lines.item = this.item)", "value": "name"}},
            ),
        ),
    }
    bundle = {"name": text("Name"), "lines": lines(item=relation("Item", "item"))}
    publish(form("tariff", tariff), form("bundle", bundle), form("offer", offer))
    return shop


def test_each_row_finds_what_fits_it_and_all_are_asked_with_one_condition(priced: Shop) -> None:
    first, second, third = (priced.item(name) for name in ("First", "Second", "Third"))
    for each in (
        {"item": first, "least": "0", "price": "2.5"},
        {"item": first, "least": "10.5", "price": "2.25", "since": "2026-02-01"},
        {"item": second, "least": "0", "price": "7"},
    ):
        service.create(SYSTEM, "tariff", each)
    service.create(SYSTEM, "bundle", {"name": "Set", "lines": [{"item": second}, {"item": third}]})

    asked: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *told: asked.append(told[2]))
    wanted = [(first, "10.5"), (first, "10.4"), (first, None), (second, "1"), (third, "1"), (None, "1")]
    given = [{"item": item, "quantity": quantity} for item, quantity in wanted]
    made = service.save_many(
        SYSTEM,
        "offer",
        [Draft({"day": "2026-03-01", "lines": given}), Draft({"day": "2026-01-01", "lines": given})],
    )

    assert [[line.get("price") for line in each.values["lines"]] for each in made] == [
        [Decimal("2.25"), Decimal("2.5"), None, Decimal(7), None, None],
        [Decimal("2.5"), Decimal("2.5"), None, Decimal(7), None, None],
    ]
    assert [line.get("among") for line in made[0].values["lines"]] == [None, None, None, "Set", "Set", None]
    looking = [text for text in asked if "FROM tariff" in text]
    assert [text.count("FROM tariff") for text in looking] == [1]


def test_what_is_typed_in_one_pause_with_what_is_looked_up_by_stays_as_typed(priced: Shop) -> None:
    item = priced.item("First")
    service.create(SYSTEM, "tariff", {"item": item, "least": "0", "price": "2.5"})
    raw = {"day": "2026-03-01", "lines": [{"item": item, "quantity": "4", "price": "3"}]}

    def told(*changed: str) -> Any:
        names = [f"lines.0.{each}" for each in changed]
        answer = live.answer(SYSTEM, get_form("offer"), raw, None, names, "en")
        return answer["values"].get("lines.0.price")

    assert told("item", "quantity", "price") is None
    assert told("quantity", "price") is None
    assert told("quantity")["input"] == "2.5"
