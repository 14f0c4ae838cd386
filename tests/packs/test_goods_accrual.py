"""What was received before its invoice, in each policy: stock, accrual, payables and books agree to the cent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal as D
from functools import partial
from itertools import product

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import Conflict, Invalid
from formloop.datasets import service as datasets
from formloop.db import undone
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers import reading
from formloop.ledgers.book import Book
from formloop.ledgers.verifying import verify
from packs.trading import STORIES, Story, Trade, actor_of, named

POLICIES = ("difference", "invoice", "month_start")
ACCRUED, CLEARING, OWED, GOODS, VARIANCE = "220202", "220203", "2202", "1405", "1404"


def choose(policy: str) -> None:
    records.change_record(
        SYSTEM, "finance_settings", named("finance_settings", name="Accounts"), {"accrual": policy}
    )


def agree(trade: Trade) -> None:
    """The books are balanced, and stock is worth what its accounts say."""
    assert verify() == []
    rows = datasets.read_all(SYSTEM, "stock_and_books", {"day": "2026-12-31"})
    assert [row["difference"] for row in rows if row["difference"]] == []


def accounts(trade: Trade, *codes: str) -> tuple[D, ...]:
    return tuple(trade.account(code) for code in codes)


def waiting(trade: Trade, day: str) -> D:
    """What the supplier has not invoiced as of a day, accrued or not."""
    rows = datasets.read_all(SYSTEM, "payables_ageing", {"day": day})
    mine = {named("account", code=code) for code in (ACCRUED, CLEARING)}
    return sum(
        (row["left"] for row in rows if row["account"] in mine and row["supplier"] == trade.supplier), D(0)
    )


def accrue(trade: Trade, day: str, amount: str) -> int:
    row = {"supplier": trade.supplier, "amount": amount}
    made = int(records.create(SYSTEM, "goods_accrual", {"day": day, "lines": [row]})["id"])
    trade.submit("goods_accrual", made)
    return made


def test_every_policy_leaves_the_same_in_stock_and_on_the_books(demo: Flask) -> None:
    def tell(policy: str, method: str, story: Story, worth: D) -> None:
        choose(policy)
        trade = Trade(method)
        story(trade)
        told = (policy, method, story)
        assert trade.there() == (90, worth), told
        assert accounts(trade, GOODS, ACCRUED, CLEARING, VARIANCE) == (worth, 0, 0, 0), told
        assert trade.account(OWED) == -worth - trade.account("222101"), told
        agree(trade)

    for policy in POLICIES:
        for story, worth in STORIES:
            for method in ("moving_average", "fifo"):
                undone(partial(tell, policy, method, story, D(worth)))


def test_the_difference_of_a_late_invoice_is_split_with_what_was_issued(demo: Flask) -> None:
    """VAL-19 and a half that has gone, in each policy: only the receipt's own goods take the difference."""

    def tell(policy: str) -> None:
        choose(policy)
        trade = Trade()
        trade.issue("50")
        trade.invoice("50", "12")
        trade.invoice("50", "13")
        assert trade.there() == (50, 625), policy
        assert accounts(trade, GOODS, "5602", ACCRUED, CLEARING) == (625, 625, 0, 0), policy
        agree(trade)

    for policy in POLICIES:
        undone(partial(tell, policy))


def test_val_19_each_invoice_corrects_its_own_receipt(demo: Flask) -> None:
    def tell(policy: str) -> None:
        choose(policy)
        trade, found = Trade("moving_average", ("1", "100")), []
        for price in ("100", "150", "80"):
            if found:
                trade.receive("1", "100")
            trade.invoice("1", price)
            quantity, value = trade.there()
            found.append((quantity, value, value / quantity))
        assert found == [(1, 100, 100), (2, 250, 125), (3, 330, 110)], policy

    for policy in POLICIES:
        undone(partial(tell, policy))


def test_a_difference_belongs_to_goods_at_average_cost_and_not_to_those_at_a_standard(demo: Flask) -> None:
    """4 at 4 with a standard of 5, invoiced at 6: a variance of 4; 5 at 6, invoiced at 4: 20 are in stock."""

    def tell(policy: str) -> None:
        choose(policy)
        standard, other = (
            Trade("standard", ("4", "4"), standard_cost="5"),
            Trade("moving_average", ("5", "6")),
        )
        standard.invoice("4", "6", tax_rate="0")
        other.invoice("5", "4", tax_rate="0")
        assert accounts(other, OWED, ACCRUED, CLEARING, GOODS, VARIANCE) == (-44, 0, 0, 40, 4), policy
        agree(other)

    for policy in POLICIES:
        undone(partial(tell, policy))


def test_the_invoice_shows_the_estimate_taken_back_in_red(demo: Flask) -> None:
    choose("invoice")
    trade = Trade()
    invoice = trade.invoice("100", "12", tax_rate="0")
    assert reading.list_amounts("general", "purchase_invoice", invoice, "debit") == [-1000, 1200]
    assert reading.list_amounts("general", "purchase_invoice", invoice, "credit") == [-1000, 1200]


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_an_accrual_and_a_late_invoice_at_the_same_moment_exclude_each_other(
    filled: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose("month_start")
    trade, post = Trade(), Book.post
    trade.day = date(2026, 3, 30)
    with ThreadPoolExecutor(1) as pool:

        def post_after_the_accrual(book: Book) -> None:
            monkeypatch.setattr(Book, "post", post)
            pool.submit(accrue, trade, "2026-03-31", "1000").result()
            post(book)

        monkeypatch.setattr(Book, "post", post_after_the_accrual)
        with pytest.raises(Invalid) as error:
            trade.invoice("40", "11", tax_rate="0")
    assert [each.code for each in error.value.problems] == ["rested_on_balance"]
    assert (waiting(trade, "2026-03-31"), verify()) == (1000, [])


def test_a_month_end_accrues_and_takes_back_what_is_not_invoiced(filled: Flask) -> None:
    choose("month_start")
    trade = Trade()
    trade.invoice("40", "11", tax_rate="0")
    assert accounts(trade, ACCRUED, CLEARING, GOODS) == (0, -600, 1040)
    with pytest.raises(Invalid) as error:
        accrue(trade, "2026-03-31", "599")
    assert error.value.problems[0].code == "refused"
    made = accrue(trade, "2026-03-31", "600")
    assert trade.as_of("2026-03-31", ACCRUED, CLEARING) == (-600, 0)
    assert trade.as_of("2026-04-01", ACCRUED, CLEARING) == (0, -600)
    assert [waiting(trade, day) for day in ("2026-03-30", "2026-03-31", "2026-04-01")] == [600, 600, 600]
    trade.day = date(2026, 4, 10)
    trade.invoice("30", "12", tax_rate="0")
    accrue(trade, "2026-04-30", "300")
    trade.day = date(2026, 5, 5)
    last = trade.invoice("30", "9", tax_rate="0")
    assert (trade.as_of("2026-04-30", ACCRUED, CLEARING), waiting(trade, "2026-04-30")) == ((-300, 0), 300)
    assert accounts(trade, ACCRUED, CLEARING, GOODS, OWED) == (0, 0, 1070, -1070)
    assert (trade.there(), waiting(trade, "2026-05-31")) == ((100, 1070), 0)
    trade.take_back("goods_accrual", made)
    trade.take_back("purchase_invoice", last)
    assert (accounts(trade, ACCRUED, CLEARING), waiting(trade, "2026-05-31")) == ((0, -300), 300)
    agree(trade)


def test_the_accrual_is_proposed_with_every_supplier_that_has_not_invoiced(demo: Flask) -> None:
    choose("month_start")
    trade = Trade()
    books = named("finance_settings", name="Accounts")
    actor = actor_of("accountant")
    asked = asking.ask(actor, "finance_settings", books, "settings_to_goods_accrual")
    lines = reads.get_record(actor, "goods_accrual", asked.record)["lines"]
    assert [(line["supplier"], line["amount"]) for line in lines] == [(trade.supplier, 1000)]
    assert not asking.ask(actor, "finance_settings", books, "settings_to_goods_accrual").new
    trade.submit("goods_accrual", asked.record)
    with pytest.raises(Conflict):
        asking.ask(actor, "finance_settings", books, "settings_to_goods_accrual")


def test_goods_are_invoiced_where_they_stand_whatever_the_policy_is_then(demo: Flask) -> None:
    """What went back was worth 10.40 a piece by then and is credited at the order's 10: a variance of 4."""

    def tell(before: str, after: str) -> None:
        choose(before)
        trade = Trade()
        trade.invoice("40", "11", tax_rate="0")
        choose(after)
        trade.send_back("10")
        trade.invoice("50", "12", tax_rate="0")
        told = (before, after)
        assert trade.there() == (90, 1036), told
        assert accounts(trade, ACCRUED, CLEARING, GOODS, OWED, VARIANCE) == (0, 0, 1036, -1040, 4), told
        agree(trade)

    for before, after in product(POLICIES, POLICIES):
        undone(partial(tell, before, after))


def test_an_invoice_taken_back_in_red_leaves_the_estimate(demo: Flask) -> None:
    choose("invoice")
    trade = Trade()
    trade.issue("50")
    wrong = trade.invoice("100", "12")
    trade.take_back("purchase_invoice", wrong)
    assert (trade.there(), accounts(trade, GOODS, ACCRUED, "5602", OWED)) == ((50, 500), (500, -1000, 500, 0))
    agree(trade)


def test_goods_in_foreign_currency_are_cleared_at_the_rate_they_came_at(demo: Flask) -> None:
    def tell(policy: str) -> None:
        choose(policy)
        trade = Trade("moving_average", ("10", "10"), currency=named("currency", code="USD"), rate="7")
        standing = CLEARING if policy == "month_start" else ACCRUED
        assert accounts(trade, GOODS, standing) == (700, -700), policy
        trade.invoice(
            "10", "11", head={"currency": named("currency", code="USD"), "rate": "7.5"}, tax_rate="0"
        )
        assert trade.there() == (10, 825), policy
        assert accounts(trade, GOODS, ACCRUED, CLEARING, OWED) == (825, 0, 0, -825), policy
        agree(trade)

    for policy in POLICIES:
        undone(partial(tell, policy))


def test_an_other_receipt_without_account_says_where_one_is_named(demo: Flask) -> None:
    books, place = named("finance_settings", name="Accounts"), named("warehouse", code="MAIN")
    trade = Trade()
    row = {"item": trade.item, "quantity": "1", "price": "5"}
    trade.do("stock_in", [row], warehouse=place)
    assert accounts(trade, "1901", "5711") == (-5, 0)
    records.change_record(SYSTEM, "finance_settings", books, {"other_receipts": None})
    with pytest.raises(Invalid) as error:
        trade.do("stock_in", [row], warehouse=place)
    told = error.value.problems[0].message.render("en")
    assert "“Other receipts” under “Accounts of postings”" in told


@pytest.mark.parametrize("form", ["purchase_invoice", "supplier_return", "receipt"])
def test_what_is_entered_late_for_an_accrued_month_is_refused_in_words(demo: Flask, form: str) -> None:
    choose("month_start")
    trade = Trade()
    accrual = accrue(trade, "2026-03-31", "1000")
    again = accrue(trade, "2026-04-30", "1000")
    numbers = [reads.get_record(SYSTEM, "goods_accrual", each)["number"] for each in (accrual, again)]
    late = {
        "purchase_invoice": partial(trade.invoice, "10", "12"),
        "supplier_return": partial(trade.send_back, "10"),
        "receipt": partial(trade.receive, "10", "10"),
    }[form]
    before = accounts(trade, GOODS, ACCRUED, CLEARING, OWED)
    with pytest.raises(Invalid) as error:
        late()
    (problem,) = error.value.problems
    day = trade.day.isoformat()
    both = ", ".join(numbers)
    assert f"on {day} is accrued already by {both}. Have that taken back" in problem.message.render("en")
    assert f"{day} 的未到票货款已由 {both} 暂估。请先撤销" in problem.message.render("zh-CN")
    assert accounts(trade, GOODS, ACCRUED, CLEARING, OWED) == before
    for each in (again, accrual):
        trade.take_back("goods_accrual", each)
    late()
    agree(trade)


def test_a_late_document_of_many_lines_is_refused_once(demo: Flask) -> None:
    choose("month_start")
    trade = Trade()
    accrue(trade, "2026-03-31", "1000")
    line = {"item": trade.item, "accepted": "1", "price": "10"}
    with pytest.raises(Invalid) as receipt:
        trade.do("receipt", [line, line, line], warehouse=trade.place)
    row = {"received": trade.goods, "item": trade.item, "quantity": "1", "price": "10"}
    with pytest.raises(Invalid) as invoice:
        trade.do("purchase_invoice", [row, row, row])
    assert [len(each.value.problems) for each in (receipt, invoice)] == [1, 1]


def test_an_accrual_of_another_amount_is_told_the_right_one(demo: Flask) -> None:
    choose("month_start")
    trade = Trade()
    with pytest.raises(Invalid) as error:
        accrue(trade, "2026-03-31", "999")
    (problem,) = error.value.problems
    assert "has 1000 not invoiced at the end of 2026-03-31, not 999;" in problem.message.render("en")
    assert "2026-03-31 的未到票金额为 1000，不是 999" in problem.message.render("zh-CN")


@pytest.mark.parametrize("form", ["purchase_invoice", "supplier_return", "receipt"])
def test_what_a_month_was_accrued_with_is_not_taken_back(demo: Flask, form: str) -> None:
    choose("month_start")
    trade = Trade()
    if form == "purchase_invoice":
        record = trade.invoice("10", "10")
    elif form == "supplier_return":
        trade.send_back("10")
        record = trade.back
    else:
        record = int(reads.get_record(SYSTEM, "received_item", trade.goods)["receipt"])
    left = str(waiting(trade, "2026-03-31"))
    first, later = accrue(trade, "2026-03-31", left), accrue(trade, "2026-04-30", left)
    before = accounts(trade, GOODS, ACCRUED, CLEARING, OWED)
    for accrual in (later, first):
        with pytest.raises(Invalid) as error:
            trade.take_back(form, record)
        (problem,) = error.value.problems
        assert "Accrued at month end: take that accrual back first" in problem.message.render("en")
        assert "已月末暂估：请先撤销该暂估单" in problem.message.render("zh-CN")
        assert accounts(trade, GOODS, ACCRUED, CLEARING, OWED) == before
        trade.take_back("goods_accrual", accrual)
    trade.take_back(form, record)
    assert reads.get_record(SYSTEM, form, record)["state"] == "cancelled"
    agree(trade)
