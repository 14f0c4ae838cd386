"""Worked figures of the reference cases whose policy no pack has: how a form of one's own gives them."""

from decimal import Decimal as D
from typing import Any

from formloop.access.actor import SYSTEM
from formloop.definitions import service as publishing
from formloop.forms import service
from formloop.ledgers import reading
from ledgers import store as definitions
from ledgers.invoices import INVOICE, INVOICED
from ledgers.store import Store, credit, debit, form, lines, link, number, posting

SALE_LINES = lines(item=link("Item", "item"), quantity=number("Quantity"), price=number("Price", 4))
MATCHED_BILL = form("matched_bill", day=definitions.date(), party=link("Party", "party"), lines=SALE_LINES,
                    received=number("Received for", 2))  # fmt: skip
MATCHED = posting(
    "matched", "matched_bill", debit("settings.expense", "SUM(lines.amount)"),
    credit("settings.payable", "SUM(lines.amount)", party="party"), debit("settings.accrued", "received"),
    credit("settings.expense", "received"), date="day",
)  # fmt: skip
MATCHED_BILL["properties"]["lines"]["items"]["properties"]["amount"] = number(
    "Amount", 2, **{"x-formula": "quantity * price"})  # fmt: skip


def test_gl_08_goods_received_before_their_invoice(database: Any) -> None:
    """Standard and average cost side by side; the price difference of the standard goes to expense."""
    store = Store(MATCHED_BILL, MATCHED, INVOICE, INVOICED)
    service.change_record(SYSTEM, "books", store.books, {"variance": store.named["expense"],
                                                         "cost": store.named["revenue"]})  # fmt: skip
    standard, other = store.make("item", "std", valuation="standard", standard="5"), store.make("item", "avg")
    party = store.make("party", "Acme")
    store.do(
        "receipt",
        {"item": standard, "quantity": "4", "price": "4"},
        {"item": other, "quantity": "5", "price": "6"},
    )
    assert (store.account("stock"), store.account("accrued"), store.account("expense")) == (50, -46, -4)
    rows = [{"item": standard, "quantity": "4", "price": "6"}, {"item": other, "quantity": "5", "price": "4"}]
    store.do("matched_bill", party=party, lines=rows, received="46")
    assert store.account("accrued") == 0
    expense = reading.find_balance("general", {"account": store.named["expense"]})
    assert expense is not None and (expense["m_debit"] - expense["m_credit"], expense["m_debit"] + 4) == (
        -6,
        44,
    )
    store.do("issue", {"item": standard, "quantity": "2"}, {"item": other, "quantity": "3"})
    assert store.account("stock") == 50 - 28
    assert store.account("revenue") == 28


HALF_EVEN = "IF(AND(MOD(ABS(amount) * 1000, 10) = 5, MOD(ROUNDDOWN(amount * 100, 0), 2) = 0), ROUNDDOWN(amount, 2), ROUND(amount, 2))"
TAXED = form(
    "taxed", rate=number("Rate", 4),
    lines=lines(amount=number("Amount", 4), base=number("Base", 2, **{"x-formula": HALF_EVEN})),
    base=number("Base", 2, **{"x-formula": "SUM(lines.base)"}),
    by_line=number("Tax by line", 2, **{"x-formula": "SUM(ROUND(lines.base * rate, 2))"}),
    by_document=number("Tax by document", 2, **{"x-formula": "ROUND(SUM(lines.amount) * rate, 2)"}),
)  # fmt: skip


def test_gl_14_tax_by_line_and_by_document(database: Any) -> None:
    """Policy: rounding half to even is a formula of the form; the base is the rounded amount."""
    publishing.publish_many(SYSTEM, [TAXED], "test")
    many = service.create(SYSTEM, "taxed", {"rate": "0.2", "lines": [{"amount": "1.001"}] * 100})
    assert (many["base"], many["by_line"], many["by_document"]) == (100, 20, D("20.02"))
    two = service.create(SYSTEM, "taxed", {"rate": "1", "lines": [{"amount": "1.07"}, {"amount": "1.005"}]})
    assert (two["base"], two["by_line"]) == (D("2.07"), D("2.07"))
