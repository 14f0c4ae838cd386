"""Worked figures of the reference cases for the books and for what is open, through the documents of the packs.

The policies of the cases are settings of the packs: what may be deducted is said in the line of a cost, remainders are
written off with the payment, the borders of ageing are parameters of the statement.
"""

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.datasets import service as datasets
from formloop.db import reading
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers import reading as ledgers
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.tables import posted
from formloop.ledgers.verifying import verify
from formloop.workflows import service as workflows
from packs.trading import Trade, actor_of, named, sums, who_does

DAY = date(2026, 3, 1)


def do(form: str, **values: Any) -> int:
    """A document of 1 March unless said, submitted by whoever does such things."""
    made = int(records.create(SYSTEM, form, {"day": DAY.isoformat(), **values})["id"])
    workflows.submit(actor_of(who_does(form)), form, made)
    return made


def see(form: str, record: int) -> dict[str, Any]:
    return dict(reads.get_record(SYSTEM, form, record))


def account(code: str, **dims: int) -> D:
    debit, credit = sums("general", ("debit", "credit"), account=named("account", code=code), **dims)
    return debit - credit


def entered(form: str, record: int, code: str) -> list[tuple[D, D]]:
    """Debit and credit of each entry of a document on an account."""
    table = get_ledger("general").tables.entry
    query = select(table.c.m_debit, table.c.m_credit).join(posted, posted.c.id == table.c.posted)
    query = query.where(posted.c.form == form, posted.c.record == record)
    query = query.where(table.c.d_account == named("account", code=code))
    with reading() as conn:
        return [(row[0], row[1]) for row in conn.execute(query.order_by(table.c.id))]


def cost(amount: str, tax: str = "0", code: str = "5602", **more: Any) -> dict[str, Any]:
    return {"account": named("account", code=code), "amount": amount, "tax_rate": tax, **more}


SIDES = pytest.mark.parametrize(
    ("side", "invoices", "lines"),
    [("supplier", "purchase_invoice", "costs"), ("customer", "sales_invoice", "charges")],
)


def party(side: str) -> dict[str, int]:
    return {side: named(side, code="S0002" if side == "supplier" else "C0001")}


@SIDES
def test_gl_02_parts_and_what_is_written_off_close_an_invoice(
    demo: Flask, side: str, invoices: str, lines: str
) -> None:
    code, off, whose = ("2202" if side == "supplier" else "1122"), account("5603"), party(side)
    bill = do(invoices, **whose, **{lines: [cost("240")]})
    left, payments = [], []
    for amount, more in (("120", {}), ("20", {}), ("99", {"written_off": "1"})):
        payments.append(do(f"{side}_payment", **whose, invoice=bill, amount=amount, **more))
        left.append(see(invoices, bill)["open"])
    assert left == [120, 100, 0]
    credited = [sum(pair) for each in payments for pair in entered(f"{side}_payment", each, code)]
    assert sorted(credited) == [1, 20, 99, 120]
    assert account("5603") - off == (-1 if side == "supplier" else 1)
    assert verify() == []


@SIDES
def test_a_remainder_is_written_off_of_several_invoices_and_taken_back(
    demo: Flask, side: str, invoices: str, lines: str
) -> None:
    whose = party(side)
    one, two = (do(invoices, **whose, **{lines: [cost("100")]}) for _ in range(2))
    rows = [{"invoice": one, "amount": "99.99", "written_off": "0.01"}, {"invoice": two, "amount": "60"}]
    paid = do(f"{side}_payment", **whose, amount="159.99", lines=rows)
    assert [see(invoices, each)["open"] for each in (one, two)] == [0, 40]
    trade = Trade()
    trade.take_back(f"{side}_payment", paid)
    assert [see(invoices, each)["open"] for each in (one, two)] == [100, 100]
    assert verify() == []


@SIDES
def test_a_remainder_in_another_currency_goes_with_its_difference(
    demo: Flask, side: str, invoices: str, lines: str
) -> None:
    """100 at 80 are settled by 96 at 75; 4 are written off: nothing stays, 480 + 320 are the difference."""
    money = int(records.create(SYSTEM, "currency", {"code": "XTS", "name": "Test", "rate": "80"})["id"])
    whose, code = party(side), "2202" if side == "supplier" else "1122"
    before = account(code), account("5603")
    bill = do(invoices, **whose, currency=money, rate="80", **{lines: [cost("100")]})
    more = {"currency": money, "rate": "75", "written_off": "4"}
    do(f"{side}_payment", **whose, invoice=bill, amount="96", **more)
    assert see(invoices, bill)["open"] == 0 and account(code) == before[0]
    sign = 1 if side == "customer" else -1
    assert account("5603") - before[1] == sign * (8000 - 96 * 75)
    assert verify() == []


@SIDES
def test_more_than_is_open_is_not_written_off(demo: Flask, side: str, invoices: str, lines: str) -> None:
    whose = party(side)
    bill = do(invoices, **whose, **{lines: [cost("100")]})
    for given in (
        {"invoice": bill, "amount": "90", "written_off": "10.01"},
        {"amount": "90", "written_off": "10"},
        {"amount": "90", "lines": [{"invoice": bill, "amount": "90", "written_off": "10.01"}]},
    ):
        with pytest.raises(Invalid) as refused:
            do(f"{side}_payment", **whose, **given)
        assert {each.code for each in refused.value.problems} & {
            "check:off_within", "check:off_of_what", "check:line_open",
        }  # fmt: skip


def test_gl_04_a_supplier_invoice_with_recoverable_tax(demo: Flask) -> None:
    """Policy: the supplier's reference counts once; the second time it is refused."""
    whose = party("supplier")
    before = account("5602"), account("222101"), account("2202", **whose)
    bill = do("purchase_invoice", **whose, reference="A1", costs=[cost("100", "0.1"), cost("10")])
    assert see("purchase_invoice", bill)["total"] == 120
    now = account("5602"), account("222101"), account("2202", **whose)
    assert [after - was for after, was in zip(now, before, strict=True)] == [110, 10, -120]
    with pytest.raises(Invalid) as refused:
        do("purchase_invoice", **whose, reference="A1", costs=[cost("100")])
    assert "check:once" in {each.code for each in refused.value.problems}


@pytest.mark.parametrize(("share", "untaxed", "tax"), [("0", 550, 0), ("0.5", 525, 25)])
def test_gl_06_partly_deductible_tax(demo: Flask, share: str, untaxed: int, tax: int) -> None:
    before = account("5602"), account("222101")
    bill = do("purchase_invoice", **party("supplier"), costs=[cost("500", "0.1", deductible=share)])
    assert see("purchase_invoice", bill)["total"] == 550
    assert (account("5602") - before[0], account("222101") - before[1]) == (untaxed, tax)


def test_gl_18_a_foreign_receivable_is_settled_at_another_rate(demo: Flask) -> None:
    """Of 100 at 80, 90 are paid at 75: 10 stay open in their currency, 800 at home, 450 are exchange loss."""
    money = int(records.create(SYSTEM, "currency", {"code": "XTS", "name": "Test", "rate": "80"})["id"])
    for amount, left, home, loss in (("100", 0, 0, 500), ("90", 10, 800, 450)):
        whose, before = party("customer"), (account("1122"), account("5603"))
        bill = do("sales_invoice", **whose, currency=money, rate="80", charges=[cost("100", code="5001")])
        assert account("1122") - before[0] == 8000
        do("customer_payment", **whose, invoice=bill, amount=amount, currency=money, rate="75")
        assert see("sales_invoice", bill)["open"] == left
        assert (account("1122") - before[0], account("5603") - before[1]) == (home, loss)


AGES = ((-1, 10), (0, 20), (29, 30), (30, 40), (59, 50), (60, 60), (90, 70))
BUCKETS = ("not_due", "up_to_first", "up_to_second", "up_to_third", "beyond")


@SIDES
def test_ar_03_borders_by_days_overdue(demo: Flask, side: str, invoices: str, lines: str) -> None:
    """Policy: a bucket begins on its border; what was settled after the day counts as open."""
    made = records.create(SYSTEM, side, {"name": "Aged"})
    whose, day = {side: int(made["id"])}, DAY + timedelta(days=100)
    for late, amount in AGES:
        due = (day - timedelta(days=late)).isoformat()
        bill = do(invoices, **whose, due=due, **{lines: [cost(str(amount))]})
    later = (day + timedelta(days=1)).isoformat()
    do(f"{side}_payment", **whose, day=later, invoice=bill, amount="70")
    statement = "payables_ageing" if side == "supplier" else "receivables_ageing"
    asked = {"day": day.isoformat(), "first": "30", "second": "60", "third": "90"}
    (row,) = [each for each in datasets.read_all(SYSTEM, statement, asked) if each[side] == whose[side]]
    assert [row[each] for each in BUCKETS] == [10, 50, 90, 60, 70]
    for borders in ("20 10 5", "5 5 5", "90 30 60"):  # in whatever order, nothing is counted twice
        asked |= dict(zip(("first", "second", "third"), borders.split(), strict=True))
        (row,) = [each for each in datasets.read_all(SYSTEM, statement, asked) if each[side] == whose[side]]
        assert sum(row[each] for each in BUCKETS) == row["left"] == 280


@SIDES
def test_ar_05_one_cent_stays_visible(demo: Flask, side: str, invoices: str, lines: str) -> None:
    whose = party(side)
    bill = do(invoices, **whose, **{lines: [cost("100")]})
    do(f"{side}_payment", **whose, invoice=bill, amount="99.99")
    assert see(invoices, bill)["open"] == D("0.01")


def test_an_account_kept_by_parties_wants_one_in_every_entry(demo: Flask) -> None:
    rows = [
        {"account": named("account", code="2202"), "credit": "70"},
        {"account": named("account", code="5602"), "debit": "70"},
    ]
    with pytest.raises(Invalid) as refused:
        do("voucher", lines=rows)
    assert [each.at for each in refused.value.problems] == ["lines.0.supplier"]
    made = do("voucher", lines=[rows[0] | party("supplier"), rows[1]])
    assert see("voucher", made)["state"] == "posted"


TERMS = [
    {"share": "0.25", "days": "30"},
    {"share": "0.25", "months": "1"},
    {"fixed": "396.84", "months": "1", "days": "30"},
    {"months": "2", "days": "30", "on_day": "15"},
]


def open_parts(side: str, invoices: str, record: int) -> list[tuple[str, D, D]]:
    """When each instalment is due, what it came to and what is left of it."""
    dims = {"account": named("account", code="2202" if side == "supplier" else "1122"), **party(side)}
    found = ledgers.list_open(SYSTEM, "general", dims, None, settled=True)
    return [
        (str(each.due), abs(each.total), abs(each.left))
        for each in found
        if (each.form, each.record) == (invoices, record)
    ]


@SIDES
def test_gl_16_terms_give_dated_instalments(demo: Flask, side: str, invoices: str, lines: str) -> None:
    given = {"day": "2011-10-01", "instalments": TERMS, lines: [cost("1587.35")]}
    bill = do(invoices, **party(side), **given)
    assert [(due, left) for due, _, left in open_parts(side, invoices, bill)] == [
        ("2011-10-31", D("396.84")), ("2011-11-01", D("396.84")), ("2011-12-01", D("396.84")),
        ("2012-01-14", D("396.83")),
    ]  # fmt: skip


@SIDES
def test_ar_01_a_payment_fills_instalments_in_the_order_they_are_due(
    demo: Flask, side: str, invoices: str, lines: str
) -> None:
    parts = [{"fixed": "30", "months": "1"}, {"share": "0.5", "months": "2"}, {"months": "3"}]
    bill = do(invoices, **party(side), instalments=parts, **{lines: [cost("100")]})
    do(f"{side}_payment", **party(side), invoice=bill, amount="40")
    assert [row[1:] for row in open_parts(side, invoices, bill)] == [(30, 0), (50, 40), (20, 20)]
    assert verify() == []


@SIDES
def test_instalments_in_another_currency_come_to_the_total(
    demo: Flask, side: str, invoices: str, lines: str
) -> None:
    money = int(records.create(SYSTEM, "currency", {"code": "XTS", "name": "Test", "rate": "7.1993"})["id"])
    code = "2202" if side == "supplier" else "1122"
    before, thirds = account(code), [{"share": "0.3333"}, {"share": "0.3333"}, {"months": "1"}]
    bill = do(invoices, **party(side), currency=money, instalments=thirds, **{lines: [cost("100.01")]})
    assert abs(account(code) - before) == D("720.00")
    do(f"{side}_payment", **party(side), invoice=bill, amount="100.01", currency=money)
    assert account(code) == before and verify() == []


@SIDES
@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([{"share": "0.5"}, {"share": "0.5"}], "check:one_rest"),
        ([{"share": "0.5", "fixed": "5"}, {}], "check:one_way_to_share"),
        ([{"fixed": "100"}, {"months": "1"}], "check:no_negative_part"),
    ],
)
def test_instalments_that_do_not_come_to_the_total_are_refused(
    demo: Flask, side: str, invoices: str, lines: str, parts: list[dict[str, str]], code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        do(invoices, **party(side), instalments=parts, **{lines: [cost("100")]})
    assert code in {each.code for each in refused.value.problems}
