"""The worked figures of the reference cases for the books: taxes, goods before their invoice, shared costs."""

from decimal import Decimal as D
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import service as publishing
from formloop.forms import service
from formloop.ledgers import reading
from ledgers import store as definitions
from ledgers.invoices import INVOICE, INVOICED
from ledgers.store import Store, credit, debit, form, lines, link, number, posting, text

TAX_LINES = lines(
    quantity=number("Quantity"), price=number("Price", 4), rate=number("Rate", 4), deductible=number("Deductible", 4),
    net=number("Net", 2, **{"x-formula": "ROUND(quantity * price, 2)"}),
    tax=number("Tax", 2, **{"x-formula": "ROUND(net * rate, 2)"}),
    own=number("Deducted", 2, **{"x-formula": "ROUND(tax * IF(ISBLANK(deductible), 1, deductible), 2)"}),
    cost=number("Cost", 2, **{"x-formula": "net + tax - own"}),
)  # fmt: skip
BILL = form(
    "bill", day=definitions.date(), party=link("Party", "party"), reference=text("Reference", **{"x-unique": True}),
    lines=TAX_LINES, untaxed=number("Untaxed", 2, **{"x-formula": "SUM(lines.cost)"}),
    tax=number("Tax", 2, **{"x-formula": "SUM(lines.own)"}),
    total=number("Total", 2, **{"x-formula": "untaxed + tax"}),
)  # fmt: skip
BILLED = posting(
    "billed", "bill", debit("settings.expense", "SUM(lines.cost)"), debit("settings.variance", "SUM(lines.own)"),
    credit("settings.payable", "total", party="party"), date="day",
)  # fmt: skip


def test_gl_04_a_supplier_invoice_with_recoverable_tax(database: Any) -> None:
    """Policy: the reference of the supplier is a unique field, so that it cannot be entered twice."""
    store = Store(BILL, BILLED)
    rows = [{"quantity": "5", "price": "20", "rate": "0.1"}, {"quantity": "1", "price": "10"}]
    party = store.make("party", "Acme")
    saved = store.do("bill", party=party, reference="A1", lines=rows)
    assert saved["total"] == 120
    payable = reading.find_balance("general", {"account": store.named["payable"], "party": party})
    assert payable is not None and payable["m_credit"] == 120
    assert (store.account("expense"), store.account("variance")) == (110, 10)
    with pytest.raises(Invalid):
        service.create(SYSTEM, "bill", {"party": party, "reference": "A1", "lines": rows})


@pytest.mark.parametrize("share, wanted", [("0", (550, 0, 550)), ("0.5", (525, 25, 550))])
def test_gl_06_partly_deductible_tax(database: Any, share: str, wanted: tuple[int, ...]) -> None:
    store = Store(BILL, BILLED)
    row = {"quantity": "1", "price": "500", "rate": "0.1", "deductible": share}
    saved = store.do("bill", party=store.make("party", "Acme"), lines=[row])
    assert (saved["untaxed"], saved["tax"], saved["total"]) == wanted
    assert (store.account("expense"), store.account("variance")) == wanted[:2]


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


def landed(store: Store, cost: str, *rows: tuple[str, int]) -> dict[str, Any]:
    return store.do("cost_added", *({"quantity": weight, "of": of} for weight, of in rows), cost=cost)


def test_gl_10_a_cost_by_value_for_some_lines_only(store: Store) -> None:
    first, second = store.make("item", "P1"), store.make("item", "P2")
    receipt = store.do("receipt", {"item": first, "quantity": "10", "price": "100"},
                       {"item": second, "quantity": "1", "price": "10"})  # fmt: skip
    of = [line["id"] for line in receipt["lines"]]
    added = landed(store, "10", ("1000", of[0]), ("0", of[0]))
    assert (store.there(first)[1] / 10, store.there(second)[1]) == (101, 10)
    store.cancel("cost_added", added)
    assert store.there(first)[1] / 10 == 100


def test_gl_12_the_smallest_amounts_are_shared_to_the_cent(store: Store) -> None:
    receipt = store.do("receipt", *[{"quantity": "1", "price": "1"}] * 7)
    added = landed(store, "0.04", *(("1", line["id"]) for line in receipt["lines"]))
    parts = reading.list_amounts("stock", "cost_added", added["id"], "value")
    assert (sum(parts), min(parts, default=0), max(parts)) == (
        D("0.04"),
        0 if len(parts) == 7 else parts[0],
        D("0.01"),
    )
    assert store.there() == (7, D("7.04"))


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
