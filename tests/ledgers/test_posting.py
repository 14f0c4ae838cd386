"""What documents write into ledgers, and what they may not."""

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.db import reading, undone
from formloop.forms import service
from formloop.ledgers import periods
from formloop.ledgers.asof import balance_at
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.pools import nets
from formloop.ledgers.tables import posted
from formloop.ledgers.verifying import verify
from formloop.settings import Settings
from ledgers.store import (
    GENERAL,
    OUT,
    PER_LINE,
    STOCK,
    Store,
    credit,
    debit,
    document,
    form,
    lines,
    link,
    number,
    posting,
    text,
)
from ledgers.store import date as date_field


def test_a_receipt_adds_to_stock_and_to_the_books(store: Store) -> None:
    store.buy("10", "2.5")
    assert store.there() == (D(10), D("25.00"))
    assert store.account("stock") == D(25) == -store.account("accrued")


def test_an_issue_costs_the_average_of_what_is_there(store: Store) -> None:
    store.buy("10", "2")
    store.buy("10", "4")
    issue = store.take("5")
    assert store.worth(issue) == [D(-15)]
    assert store.there() == (D(15), D(45))
    assert store.account("cost") == D(15)


def test_more_than_there_is_cannot_be_taken(store: Store) -> None:
    store.buy("3", "1")
    with pytest.raises(Invalid) as error:
        store.take("4")
    assert [p.code for p in error.value.problems] == ["never:below_zero"]
    assert store.there() == (D(3), D(3))


def test_a_cancelled_document_is_reversed(store: Store) -> None:
    receipt = store.buy("3", "1")
    store.cancel("receipt", receipt)
    assert store.there() == (D(0), D(0))
    assert store.account("stock") == 0


def test_an_entry_is_refused_by_what_was_there_before_it_and_every_such_line_is_named(
    database: Settings,
) -> None:
    near = {
        "holds": "ABS(line.quantity - before.quantity) <= 2",
        "tells": {"there": "before.quantity", "what": "line.item.name"},
        "says": "Too far off: {there} of {what} there.",
        "x-says": {"zh-CN": "相差太大：{what} 现有 {there}。"},
    }
    entry = {
        "ledger": "stock",
        "item": "line.item",
        "place": "place",
        "quantity": "line.quantity - before.quantity",
    }
    shop = Store(
        document("near_count"),
        posting("near_posting", "near_count", {**entry, "check": near},
                debit("settings.stock", "entries.stock.value"), credit("settings.variance", "entries.stock.value"),
                **PER_LINE),
    )  # fmt: skip
    nut = shop.make("item", "nut")
    shop.buy("10", "2")
    with pytest.raises(Invalid) as error:
        shop.do("near_count", {"quantity": "7"}, {"item": nut, "quantity": "3"}, place=shop.main)
    assert [(p.code, p.at) for p in error.value.problems] == [("refused", "lines.0"), ("refused", "lines.1")]
    assert "Too far off: 10 of bolt there." in error.value.problems[0].message.render("en")
    assert "相差太大：bolt 现有 10。" in error.value.problems[0].message.render("zh-CN")
    shop.do("near_count", {"quantity": "9"}, {"item": nut, "quantity": "0"}, place=shop.main)
    assert shop.there() == (D(9), D(18))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the statements are the same on both
def test_the_balances_before_a_count_are_asked_for_together_however_many_its_lines(
    store: Store, statements: list[str]
) -> None:
    items = [store.make("item", f"item {n}") for n in range(8)]
    store.do("receipt", *({"item": each, "quantity": "5", "price": "2"} for each in items), place=store.main)

    def asked(*counted: int) -> int:
        statements.clear()
        store.do(
            "count", *({"item": each, "quantity": "4", "price": "2"} for each in counted), place=store.main
        )
        return sum("fl_turnover_stock" in each and each.startswith("SELECT") for each in statements)

    assert asked(items[0]) == asked(*items[1:]) == 2  # of each item in its place, and of its pool
    assert [store.there(item=each)[0] for each in items] == [D(4)] * 8


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_check_that_reads_no_balance_asks_for_none(database: Settings, statements: list[str]) -> None:
    check = {"holds": "line.quantity < 5", "tells": {"many": "line.quantity"}, "says": "{many} are too many."}
    shop = Store(
        document("loss"),
        posting("loss_posting", "loss", {**OUT, "check": check},
                debit("settings.variance", "-entries.stock.value"), credit("settings.stock", "-entries.stock.value"),
                **PER_LINE),
    )  # fmt: skip
    shop.buy("10", "2")
    statements.clear()
    shop.do("loss", {"quantity": "4"}, place=shop.main)
    assert not any("fl_turnover_stock" in each and each.startswith("SELECT") for each in statements)
    with pytest.raises(Invalid, match="5 are too many"):
        shop.do("loss", {"quantity": "5"}, place=shop.main)


def test_the_balance_before_an_entry_may_be_that_of_a_set_for_which_the_ledger_keeps_balances(
    database: Settings,
) -> None:
    general = {**GENERAL, "balances": [["account"]]}
    bill = posting("bill_posting", "bill", debit("settings.expense", "5", party="party"),
                   credit("settings.bank", "5"), date="day")  # fmt: skip
    gathered = credit("settings.expense", "before.debit - before.credit", id="gathered", per=["account"])
    sweep = posting(
        "sweep_posting", "sweep", gathered, debit("settings.variance", "entries.gathered.credit"), date="day"
    )
    forms = (document("bill", party=link("Party", "party")), document("sweep"))
    shop = Store(*forms, bill, sweep, general=general)
    for name in ("Ann", "Bo"):
        shop.do("bill", party=shop.make("party", name), place=shop.main)
    shop.do("sweep", day="2026-03-02", place=shop.main)
    assert shop.account("variance") == D(10)
    left = balance_at(
        get_ledger("general"), {"account": shop.named["expense"]}, shop.last_day(), ("account",)
    )
    assert left["debit"] == left["credit"] == D(10)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
def test_a_balance_that_the_ledger_does_not_keep_cannot_be_asked_for(database: Settings) -> None:
    sweep = posting("sweep_posting", "sweep", credit("settings.expense", "before.debit", per=["account"]))
    with pytest.raises(Invalid) as error:
        Store(document("sweep"), sweep)
    assert [p.code for p in error.value.problems] == ["no_balance"]


def test_a_later_entry_for_an_earlier_date_values_again_what_follows(store: Store) -> None:
    store.buy("10", "2", day="2026-03-01")
    issue = store.take("5", day="2026-03-05")
    store.buy("10", "4", day="2026-03-03")
    assert store.worth(issue) == [D(-15)]
    assert store.there() == (D(15), D(45))
    assert store.account("cost") == D(15)
    assert store.account("stock") == D(45)


def test_what_a_return_leaves_aside_is_valued_again_with_all_its_digits(store: Store) -> None:
    dear = store.buy("1", "10", day="2026-03-02")
    store.buy("1", "0", day="2026-03-02")
    store.take("1", day="2026-03-03")
    back = store.do("supplier_return", {"quantity": "1", "of": dear["lines"][0]["id"]}, day="2026-03-04")
    assert _worth_with_variance(store, back) == (D(-5), D(-5))
    store.buy("1", "0.01", day="2026-03-01")
    assert _worth_with_variance(store, back) == (D("-3.34"), D("-6.66"))
    assert store.there() == (D(1), D("3.33")) and store.account("stock") == D("3.33")
    assert verify() == []


def _worth_with_variance(store: Store, record: dict[str, Any]) -> tuple[D, D]:
    entry = get_ledger("stock").tables.entry
    of = select(entry.c.id).where(entry.c.line == record["lines"][0]["id"], entry.c.way == "returned")
    with reading() as conn:
        ((_, value, variance),) = nets(get_ledger("stock"), conn.execute(of).scalars()).values()
    return value, variance


def test_amounts_that_are_no_sums_are_calculated_again_by_their_posting(database: Settings) -> None:
    store = Store(
        document("sample"),
        posting("sample_posting", "sample", OUT, debit("settings.cost", "-entries.stock.value"),
                credit("settings.stock", "-entries.stock.value"),
                debit("settings.expense", "ROUND(-entries.stock.value * 0.13, 2)"),
                credit("settings.payable", "ROUND(-entries.stock.value * 0.13, 2)"), **PER_LINE),
    )  # fmt: skip
    store.buy("10", "2", day="2026-03-01")
    store.do("sample", {"quantity": "5"}, day="2026-03-03", place=store.main)
    assert store.account("expense") == D("1.30")
    store.buy("10", "4", day="2026-03-02")
    assert (store.account("cost"), store.account("expense")) == (D(15), D("1.95"))
    assert verify() == []


def test_amounts_that_read_lines_too_are_calculated_again_with_their_own_line(database: Settings) -> None:
    by_price = {"share": "entries.all.credit", "by": "line.price"}
    store = Store(
        document("sample"),
        posting("sample_posting", "sample", OUT,
                credit("settings.stock", "-SUM(entries.stock.value)", id="all", each=""),
                {"ledger": "general", "account": "IF(line.price > 1, settings.expense, settings.cost)", "debit": by_price},
                debit("settings.variance", "ROUND(-entries.stock.value * line.price, 2)"),
                credit("settings.payable", "ROUND(-entries.stock.value * line.price, 2)"), **PER_LINE),
    )  # fmt: skip
    store.buy("10", "2", day="2026-03-01")
    sample = store.do("sample", {"quantity": "4", "price": "1"}, {"quantity": "1", "price": "3"},
                      day="2026-03-03", place=store.main)  # fmt: skip

    def found() -> list[D]:
        return [store.account(each) for each in ("cost", "expense", "variance")]

    assert found() == [D("2.5"), D("7.5"), 14]
    store.buy("10", "4", day="2026-03-02")
    assert found() == [D("3.75"), D("11.25"), 21]
    assert verify() == []
    store.cancel("sample", sample)
    assert found() == [0, 0, 0]


def test_entries_that_wait_for_others_are_valued_again_one_by_one(database: Settings) -> None:
    store = Store(stock={**STOCK, "open": {"sum": {"value": 1}}})
    store.buy("10", "2", day="2026-03-01")
    store.take("1", day="2026-03-03")
    store.take("1", day="2026-03-03")
    store.buy("10", "4", day="2026-03-02")
    item = get_ledger("stock").tables.open
    with reading() as conn:
        waiting = conn.execute(select(item.c.total, item.c.line).order_by(item.c.entry)).all()
    assert [each.total for each in waiting] == [D(20), D(-2), D(-2), D(40), D(-1), D(-1)]
    assert [each.line for each in waiting[4:]] == [each.line for each in waiting[1:3]]
    assert verify() == []


def test_what_the_settings_say_now_is_what_postings_follow(store: Store) -> None:
    store.buy("1", "10")
    service.change_record(SYSTEM, "books", store.books, {"accrued": store.named["bank"]})
    store.buy("1", "3")
    assert (store.account("accrued"), store.account("bank")) == (D(-10), D(-3))


def test_settings_that_were_only_tried_are_forgotten(store: Store) -> None:
    def try_other_books() -> None:
        service.change_record(SYSTEM, "books", store.books, {"accrued": store.named["bank"]})
        store.buy("1", "3")
        assert store.account("bank") == D(-3)

    undone(try_other_books)
    store.buy("1", "10")
    assert (store.account("accrued"), store.account("bank")) == (D(-10), D(0))


@pytest.mark.parametrize("rate", ["1", "ROUND(1.0, 0)"])  # sums of values, and what must be calculated again
def test_what_was_undone_after_a_close_follows_the_value_of_what_it_undid(
    database: Settings, rate: str
) -> None:
    cost = f"-entries.stock.value * {rate}" if rate != "1" else "-entries.stock.value"
    store = Store(
        document("sample"),
        posting("sample_posting", "sample", OUT, debit("settings.cost", cost), credit("settings.stock", cost),
                **PER_LINE),
    )  # fmt: skip
    store.buy("10", "2", day="2026-01-05")
    taken = store.do("sample", {"quantity": "5"}, day="2026-01-10", place=store.main)
    periods.close(SYSTEM, "accounting", date(2026, 1, 15))
    store.cancel("sample", taken)
    store.take("2", day="2026-01-20")
    periods.reopen(SYSTEM, "accounting", None, "a receipt was forgotten")
    store.buy("10", "4", day="2026-01-06")
    assert store.there() == (D(18), D(54)) and store.account("stock") == D(54)
    assert store.account("cost") == D(6) and verify() == []


@pytest.mark.parametrize("form", ["issue", "receipt"])
def test_what_undoes_a_movement_of_a_closed_month_has_its_standard_before_what_came_later(
    store: Store, form: str
) -> None:
    item = store.make("item", "cut", valuation="standard", standard="7.3")
    made = {"receipt": store.buy("2.11", "4.086", item=item, day="2026-01-08")}
    made["issue"] = store.take("1.952", item=item, day="2026-01-10")
    store.buy("3.895", "51", item=item, day="2026-02-22")
    periods.close(SYSTEM, "accounting", date(2026, 1, 15))
    if form == "issue":
        store.cancel("issue", made["issue"])
        assert store.there(item) == (D("6.005"), D("43.83"))  # 15.40 and 28.43
    else:
        with pytest.raises(Invalid) as refused:
            store.cancel("receipt", made["receipt"])
        assert "Not enough" in refused.value.problems[0].message.render("en")
    assert verify() == []


@pytest.mark.parametrize(("method", "left"), [("moving_average", 10), ("fifo", 20)])
def test_a_receipt_of_a_closed_month_is_taken_back_for_what_is_left(
    store: Store, method: str, left: int
) -> None:
    item = store.make("item", "nut", valuation=method)
    first = store.buy("10", "5", item=item, day="2026-01-08")
    store.buy("10", "7", item=item, day="2026-01-09")
    store.take("10", item=item, day="2026-01-10")
    periods.close(SYSTEM, "accounting", date(2026, 1, 15))
    store.cancel("receipt", first)
    assert (store.there(item), store.account("stock"), store.account("accrued")) == ((0, 0), 0, -70)
    assert (store.account("variance"), verify()) == (left, [])


@pytest.mark.parametrize("method", ["moving_average", "fifo", "specific"])
def test_what_is_added_after_a_part_went_back_belongs_to_what_was_kept(store: Store, method: str) -> None:
    item = store.make("item", "nut", valuation=method)
    line = store.buy("100", "10", item=item)["lines"][0]["id"]
    before = store.do("supplier_return", {"item": item, "quantity": "10", "of": line})
    store.do("cost_added", {"quantity": "1", "of": line}, cost="180")
    assert store.there(item) == (90, 1080)
    after = store.do("supplier_return", {"item": item, "quantity": "30", "of": line})
    store.do("cost_added", {"quantity": "1", "of": line}, cost="60")
    assert (store.worth(before), store.worth(after)) == ([-100], [-360])
    last = store.do("supplier_return", {"item": item, "quantity": "60", "of": line})
    assert store.worth(last) == [-780]
    assert store.there(item) == (0, 0)
    assert store.account("stock") == store.account("accrued") == 0
    assert verify() == []


def test_what_was_added_and_taken_off_again_does_not_count(store: Store) -> None:
    line = store.buy("100", "10")["lines"][0]["id"]
    added = store.do("cost_added", {"quantity": "1", "of": line}, cost="200")
    back = store.do("supplier_return", {"quantity": "10", "of": line})
    assert store.worth(back) == [-120]
    store.cancel("cost_added", added)
    assert store.worth(back) == [-100]
    store.do("cost_added", {"quantity": "1", "of": line}, cost="180")
    assert (store.worth(back), store.there()) == ([-100], (90, 1080))
    assert verify() == []


def test_a_change_of_what_no_entry_is_made_of_enters_nothing_again(database: Settings) -> None:
    noted = {"note": text("Note")}
    rows = lines(of=number("Of line", 0), remark=text("Remark"), amount=number("Amount", 2))
    shop = Store(
        form("bill", day=date_field(), party=link("Party", "party"), lines=rows, **noted),
        form("paid", day=date_field(), bill=link("Bill", "bill"), party=link("Party", "party"), amount=number("Amount", 2), **noted),
        posting("bill_posting", "bill", {"ledger": "stock", "adds_to": "line.of", "value": "line.amount"},
                debit("settings.stock", "entries.stock.value"), debit("settings.variance", "entries.stock.variance"),
                credit("settings.payable", "line.amount", party="party"), **PER_LINE),
        posting("paid_posting", "paid", debit("settings.payable", "amount", settles="bill", party="party"),
                credit("settings.bank", "amount")),
    )  # fmt: skip
    party, line = shop.make("party", "Acme"), shop.buy("10", "2")["lines"][0]["id"]
    bill = shop.do("bill", party=party, lines=[{"of": line, "amount": "5"}])
    paid = shop.do("paid", bill=bill["id"], party=party, amount="5")
    heads = len(_heads())
    service.change_record(SYSTEM, "bill", bill["id"], {"note": "seen"})
    service.change_record(
        SYSTEM, "bill", bill["id"], {"lines": [{"id": bill["lines"][0]["id"], "remark": "seen"}]}
    )
    service.change_record(SYSTEM, "books", shop.books, {"bank": shop.named["expense"]})
    service.change_record(SYSTEM, "paid", paid["id"], {"note": "seen"})
    assert len(_heads()) == heads and verify() == []
    service.change_record(
        SYSTEM, "bill", bill["id"], {"lines": [{"id": bill["lines"][0]["id"], "amount": "6"}]}
    )
    assert len(_heads()) > heads and verify() == []


def _heads() -> list[Any]:
    with reading() as conn:
        return list(conn.execute(select(posted.c.id)).scalars())
