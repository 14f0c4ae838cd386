"""What a document would enter is what it enters once it is submitted: its workflow prepares it in both cases."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal as D
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import and_, select

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.definitions import library
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers import trying
from formloop.ledgers.kind import list_ledgers
from formloop.ledgers.tables import posted
from formloop.ledgers.verifying import verify
from packs.trading import Trade, actor_of, named, who_does


def entered(form: str, record: int) -> list[tuple[Any, ...]]:
    """What a record has entered in all ledgers: which, for what, how much."""
    found = []
    with reading() as conn:
        for ledger in list_ledgers():
            table = ledger.tables.entry
            mine = and_(posted.c.form == form, posted.c.record == record)
            query = select(table).join(posted, posted.c.id == table.c.posted).where(mine)
            for row in conn.execute(query).mappings():
                dims = {key: row[each.column] for key, each in ledger.dimensions.items()}
                amounts = {key: row[each.column] for key, each in ledger.measures.items()}
                if any(amounts.values()):
                    found.append(_told(ledger.key, dims, amounts))
    return sorted(found)


def _told(ledger: str, dims: dict[str, Any], amounts: dict[str, Any]) -> tuple[Any, ...]:
    kept = {key: D(value or 0) for key, value in amounts.items() if value}
    return (
        ledger,
        str(sorted(dims.items(), key=str)),
        str(sorted((k, v.normalize()) for k, v in kept.items())),
    )


def expected(form: str, record: int) -> list[tuple[Any, ...]]:
    sheets = trying.preview(actor_of(who_does(form)), form, reads.look(SYSTEM, form, record).record)
    slots = [slot for sheet in sheets for slot in sheet.slots if any(slot.amounts.values())]
    return sorted(_told(slot.ledger.key, dict(slot.dims), dict(slot.amounts)) for slot in slots)


def drafted(trade: Trade, form: str, lines: list[dict[str, Any]], **more: Any) -> int:
    head = {"day": date(2026, 3, 20).isoformat(), "supplier": trade.supplier, "lines": lines, **more}
    return int(records.create(SYSTEM, form, head)["id"])


def agrees(trade: Trade, form: str, record: int) -> None:
    """What is told of the draft is what is entered; asking leaves no trace."""
    told = expected(form, record)
    assert entered(form, record) == []
    trade.submit(form, record)
    assert told == entered(form, record) != []


def test_a_return_of_what_is_invoiced_already_is_tried_as_it_is_posted(demo: Flask) -> None:
    trade = Trade()
    trade.invoice("100", "12")
    line = {"received": trade.goods, "item": trade.item, "quantity": "1"}
    agrees(trade, "supplier_return", drafted(trade, "supplier_return", [line]))


def test_an_invoice_at_another_price_is_tried_as_it_is_posted(demo: Flask) -> None:
    trade = Trade()
    trade.issue("40")
    line = {"received": trade.goods, "item": trade.item, "quantity": "60", "price": "12", "tax_rate": "0.13"}
    agrees(trade, "purchase_invoice", drafted(trade, "purchase_invoice", [line]))


def test_a_receipt_in_another_currency_is_tried_as_it_is_posted(demo: Flask) -> None:
    trade = Trade()
    line = {"item": trade.item, "accepted": "7", "price": "3"}
    usd = named("currency", code="USD")
    agrees(trade, "receipt", drafted(trade, "receipt", [line], warehouse=trade.place, currency=usd))


@pytest.mark.parametrize("amount", ["75.45", "75.45 of two", "20", "100"], ids=str)
@pytest.mark.parametrize("side", ["supplier", "customer"])
def test_a_payment_in_another_currency_is_tried_as_it_is_posted(demo: Flask, side: str, amount: str) -> None:
    """At another rate than its invoice: exchange difference, what is left over as an advance, several invoices at once."""
    trade, usd = Trade(), named("currency", code="USD")
    whose = {side: trade.supplier if side == "supplier" else named("customer", code="C0001"), "currency": usd}
    invoices, lines = ("purchase_invoice", "costs") if side == "supplier" else ("sales_invoice", "charges")
    row = {"account": named("account", code="5602"), "amount": "75.45", "tax_rate": "0"}
    bills = []
    for rate in ("7.1", "7.3"):
        made = records.create(SYSTEM, invoices, {"day": "2026-03-19", "rate": rate, lines: [row], **whose})
        trade.submit(invoices, int(made["id"]))
        bills.append(int(made["id"]))
    given: dict[str, Any] = {"day": "2026-03-20", "rate": "7.2", "amount": amount, "invoice": bills[0]}
    if " " in amount:
        parts = [{"invoice": bills[0], "amount": "75.45"}, {"invoice": bills[1], "amount": "30"}]
        given |= {"invoice": None, "amount": "105.45", "lines": parts}
    draft = int(records.create(SYSTEM, f"{side}_payment", {**given, **whose})["id"])
    agrees(trade, f"{side}_payment", draft)
    assert verify() == []


def test_what_is_in_the_way_is_told_as_when_it_is_submitted(demo: Flask) -> None:
    trade = Trade()
    trade.issue("40")
    line = {"received": trade.goods, "item": trade.item, "quantity": "80"}
    draft = drafted(trade, "supplier_return", [line])
    refused = []
    for work in (partial(expected, "supplier_return"), partial(trade.submit, "supplier_return")):
        with pytest.raises(Invalid) as error:
            work(draft)
        refused.append([each.message.render("en") for each in error.value.problems])
    assert refused[0] == refused[1] != []


def test_the_page_of_a_draft_and_the_designer_of_its_posting_show_it(
    people_of_demo: Callable[[str], FlaskClient],
) -> None:
    trade = Trade()
    trade.invoice("100", "12")
    line = {"received": trade.goods, "item": trade.item, "quantity": "1"}
    draft = drafted(trade, "supplier_return", [line])
    page = people_of_demo("keeper").get(f"/ledgers/try/supplier_return/{draft}").text
    assert "not open any more" not in page and ">-1<" in page
    posting = library.find_entry("posting", "supplier_return_posting")
    assert posting is not None
    tried = people_of_demo("administrator").get(f"/studio/{posting.id}/try?record={draft}").text
    assert "not open any more" not in tried and "-12.00" in tried
    assert "Return to supplier · " in tried
