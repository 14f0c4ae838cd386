"""Worked figures of the reference cases for goods in the books: received before their invoice, and what they cost on top."""

from decimal import Decimal as D

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.forms import service as records
from formloop.ledgers.verifying import verify
from packs.test_reference_books import account, do, entered, party, see
from packs.trading import Trade, named, sums


def received(*rows: tuple[str, str]) -> list[int]:
    """The goods of one receipt, an item each."""
    items = [
        int(records.create(SYSTEM, "item", {"name": f"P{n}", "source": "buy"})["id"])
        for n in range(len(rows))
    ]
    lines = [
        {"item": item, "accepted": quantity, "price": price}
        for item, (quantity, price) in zip(items, rows, strict=True)
    ]
    do("receipt", **party("supplier"), warehouse=named("warehouse", code="MAIN"), lines=lines)
    return [named("received_item", item=item) for item in items]


def worth(goods: int) -> D:
    return sums("stock", ("value",), item=int(see("received_item", goods)["item"]))[0]


@pytest.mark.parametrize("accrual", ["difference", "invoice", "month_start"])
def test_gl_08_goods_received_before_their_invoice(filled: Flask, accrual: str) -> None:
    """Policies: the difference of an invoice is a cost variance (*Difference of supplier invoices*); cost of sales comes
    with the delivery, so there is no clearing of goods that are sent and not invoiced. Of the 44 and 50 of the case's
    account the one of variances has what each line differs, 16 to 20, 24 to 16 and 20 to 30, all on its debit side."""
    chosen = {"accrual": accrual, "price_difference": "variance"}
    records.change_record(SYSTEM, "finance_settings", named("finance_settings", name="Accounts"), chosen)
    methods = ({"valuation": "standard", "standard_cost": "5"}, {"valuation": "moving_average"})
    items = [
        int(records.create(SYSTEM, "item", {"name": f"P{n}", "source": "buy"} | more)["id"])
        for n, more in enumerate(methods)
    ]
    standing = "220203" if accrual == "month_start" else "220202"
    codes = ("1405", standing, "1404", "2202", "5401", "1122", "5001")
    last = dict.fromkeys(codes, D(0)) | {code: account(code) for code in codes}

    def changed() -> list[D]:
        before = last.copy()
        last.update({code: account(code) for code in codes})
        return [last[code] - before[code] for code in codes]

    place = {"warehouse": named("warehouse", code="MAIN")}
    came = [("4", "4"), ("5", "6")]
    rows = [
        {"item": item, "accepted": quantity, "price": price}
        for item, (quantity, price) in zip(items, came, strict=True)
    ]
    receipt = do("receipt", **party("supplier"), **place, lines=rows)
    assert changed() == [50, -46, -4, 0, 0, 0, 0]
    rows = [
        {"received": named("received_item", item=item), "quantity": quantity, "price": price, "tax_rate": "0"}
        for item, quantity, price in zip(items, "45", "64", strict=True)
    ]
    bill = do("purchase_invoice", **party("supplier"), lines=rows)
    assert changed() == [0, 46, -2, -44, 0, 0, 0]
    booked = [*entered("receipt", receipt, "1404"), *entered("purchase_invoice", bill, "1404")]
    assert [pair for pair in booked if any(pair)] == [(16 - 20, 0), (24 - 16, 0), (20 - 30, 0)]
    assert sum(debit - credit for debit, credit in booked) == 44 - 50
    rows = [
        {"item": item, "quantity": quantity, "price": "10"}
        for item, quantity in zip(items, "23", strict=True)
    ]
    do("delivery", **party("customer"), **place, lines=rows)
    assert changed() == [-28, 0, 0, 0, 28, 0, 0]
    rows = [
        {
            "delivered": named("delivered_item", item=item),
            "quantity": quantity,
            "price": "10",
            "tax_rate": "0",
        }
        for item, quantity in zip(items, "23", strict=True)
    ]
    do("sales_invoice", **party("customer"), lines=rows)
    assert changed() == [0, 0, 0, 0, 0, 50, -50]
    assert verify() == []


def test_a_line_that_agrees_enters_no_difference(demo: Flask) -> None:
    """Both lines have an entry for what the valuation left aside; the one that is dearer has one more."""
    books = named("finance_settings", name="Accounts")
    records.change_record(SYSTEM, "finance_settings", books, {"price_difference": "variance"})
    rows = [
        {"received": goods, "quantity": "1", "price": price, "tax_rate": "0"}
        for goods, price in zip(received(("1", "10"), ("1", "10")), ("10", "12"), strict=True)
    ]
    bill = do("purchase_invoice", **party("supplier"), lines=rows)
    assert sorted(entered("purchase_invoice", bill, "1404")) == [(0, 0), (0, 0), (2, 0)]


def test_gl_10_a_cost_by_value_for_chosen_goods_only(demo: Flask) -> None:
    """Policy: shared by value over the goods that are named, as far as they did not go back. A line of which nothing was
    accepted names no goods; what comes nearest to the case's line of none is one of which all went back."""
    first, second = received(("10", "100"), ("1", "10"))
    bought = int(see("received_item", first)["item"])
    place, none = named("warehouse", code="MAIN"), {"item": bought, "price": "100"}
    rows = [{**none, "accepted": "5"}, {**none, "accepted": "0", "rejected": "1"}]
    receipt = do("receipt", **party("supplier"), warehouse=place, lines=rows)
    third = named("received_item", receipt=receipt)
    do("supplier_return", **party("supplier"), lines=[{"received": third, "item": bought, "quantity": "5"}])
    variance = account("1404")
    chosen = [{"received": first}, {"received": third}]
    landed = do("landed_cost", **party("supplier"), cost="10", by="value", lines=chosen)
    assert (worth(first) / 10, worth(second)) == (101, 10)
    service = {"landed": landed, "amount": "13", "accrued": "10", "tax_rate": "0"}
    bill = do("purchase_invoice", **party("supplier"), services=[service])
    assert (worth(first), account("1404")) == (1013, variance)
    Trade().take_back("purchase_invoice", bill)
    Trade().take_back("landed_cost", landed)
    assert (worth(first) / 10, worth(second), account("1404")) == (100, 10, variance)
    assert verify() == []


@pytest.mark.parametrize(("by", "share"), [("value", "7.5"), ("quantity", "6")])
def test_what_went_back_in_part_bears_for_what_was_kept(demo: Flask, by: str, share: str) -> None:
    """3 of 4 at 10 are kept beside 2 at 5: 10 are 30 to 10 by value, 3 to 2 by number."""
    first, second = received(("4", "10"), ("2", "5"))
    back = {"received": first, "item": int(see("received_item", first)["item"]), "quantity": "1"}
    do("supplier_return", **party("supplier"), lines=[back])
    lines = [{"received": first}, {"received": second}]
    do("landed_cost", **party("supplier"), cost="10", by=by, lines=lines)
    assert (worth(first), worth(second)) == (30 + D(share), 10 + 10 - D(share))
    assert verify() == []


@pytest.mark.parametrize("by", ["value", "quantity"])
def test_where_all_goods_went_back_their_cost_is_a_variance(demo: Flask, by: str) -> None:
    (goods,) = received(("4", "10"))
    back = {"received": goods, "item": int(see("received_item", goods)["item"]), "quantity": "4"}
    do("supplier_return", **party("supplier"), lines=[back])
    before = account("1404")
    do("landed_cost", **party("supplier"), cost="10", by=by, lines=[{"received": goods}])
    assert (worth(goods), account("1404") - before) == (0, 10)
    assert verify() == []


def test_gl_12_the_smallest_amounts_are_shared_to_the_cent(demo: Flask) -> None:
    goods = received(*[("1", "1")] * 7)
    named_goods = [{"received": each} for each in goods]
    do("landed_cost", **party("supplier"), cost="0.04", by="quantity", lines=named_goods)
    shares = [worth(each) - 1 for each in goods]
    assert sorted(shares) == [0, 0, 0, *[D("0.01")] * 4]
    assert verify() == []
