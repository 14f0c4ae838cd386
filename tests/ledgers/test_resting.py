"""What was calculated from the balance before it follows when that balance changes: what was counted stands."""

from datetime import date as day_of
from typing import Any

import pytest
from sqlalchemy import select, update

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.forms import service
from formloop.forms.service import Draft
from formloop.ledgers import periods
from formloop.ledgers.asof import balance_at
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.rebuilding import rebuild
from formloop.ledgers.tables import resting
from formloop.ledgers.verifying import verify
from ledgers.store import (
    GENERAL,
    MOVE,
    PER_LINE,
    Store,
    credit,
    date,
    debit,
    document,
    form,
    link,
    number,
    posting,
)

STOCKTAKE = document("stocktake")
TAKEN = posting("stocktake_posting", "stocktake", {"ledger": "stock", **MOVE, "quantity": "line.quantity - before.quantity"},
                debit("settings.stock", "entries.stock.value"), credit("settings.variance", "entries.stock.value"),
                **PER_LINE)  # fmt: skip
AT_ONCE = document("count_at_once") | {"x-states": {"done": {"title": "Done"}}}
TAKEN_AT_ONCE = {**TAKEN, "x-id": "0000c0de", "x-key": "count_at_once_posting", "form": "count_at_once"}
SWEEP = form("sweep", day=date())
SWEPT = posting("sweep_posting", "sweep", credit("settings.expense", "before.debit - before.credit", id="gathered", per=["account"]),
                debit("settings.cost", "entries.gathered.credit"), date="day")  # fmt: skip
LOSS_SWEEP = form("loss_sweep", day=date())
LOSS_SWEPT = posting("loss_sweep_posting", "loss_sweep", credit("settings.variance", "before.debit - before.credit", id="gathered", per=["account"]),
                     debit("settings.cost", "entries.gathered.credit"), date="day")  # fmt: skip
BILL = form("bill", day=date(), party=link("Party", "party"), amount=number("Amount", 2))
BILLED = posting(
    "bill_posting",
    "bill",
    debit("settings.expense", "amount", party="party"),
    credit("settings.bank", "amount"),
    date="day",
)


ACCRUAL = form("accrual", day=date(), amount=number("Amount", 2))
STAYS = {
    "holds": "amount = before.debit - before.credit",
    "says": "That is not what is there.",
    "stays": True,
}
ACCRUED = posting("accrual_posting", "accrual", credit("settings.expense", "amount", id="gathered", per=["account"], check=STAYS),
                  debit("settings.cost", "amount"), date="day")  # fmt: skip
AT_MOST = form("at_most", day=date(), amount=number("Amount", 2))
ENOUGH = STAYS | {"holds": "amount <= before.debit - before.credit"}
TAKEN_AT_MOST = posting("at_most_posting", "at_most", credit("settings.expense", "amount", per=["account"], check=ENOUGH),
                        debit("settings.cost", "amount"), date="day")  # fmt: skip


class Counted(Store):
    """A store with stocktakings, and costs that are swept up at month end."""

    def __init__(self) -> None:
        general = GENERAL | {"balances": [["account"]]}
        super().__init__(
            STOCKTAKE,
            TAKEN,
            AT_ONCE,
            TAKEN_AT_ONCE,
            SWEEP,
            SWEPT,
            LOSS_SWEEP,
            LOSS_SWEPT,
            BILL,
            BILLED,
            ACCRUAL,
            ACCRUED,
            AT_MOST,
            TAKEN_AT_MOST,
            general=general,
        )

    def count(self, quantity: str, day: str) -> dict[str, Any]:
        return self.do("stocktake", {"quantity": quantity}, day=day, place=self.main)

    def on(self, day: str) -> Any:
        dims = {"item": self.bolt, "place": self.main, "lot": 0}
        return balance_at(get_ledger("stock"), dims, day_of.fromisoformat(day))["quantity"]

    def expense(self, amount: str, day: str) -> dict[str, Any]:
        return self.do("bill", day=day, amount=amount)


@pytest.fixture
def counted(begun: Any) -> Counted:
    return begun(Counted)


def test_what_was_counted_stands_when_goods_come_in_for_an_earlier_day(counted: Counted) -> None:
    counted.buy("100", "2")
    counted.count("90", "2026-03-10")
    counted.take("30", "2026-03-12")
    counted.buy("20", "3.5", "2026-03-05")
    assert (counted.on("2026-03-09"), counted.on("2026-03-10"), counted.there()[0]) == (120, 90, 60)
    assert counted.there() == (60, 135)  # 270 for 120 pieces, so 2.25 each
    assert counted.account("stock") == 135
    assert verify() == []


def test_an_issue_before_a_count_takes_what_the_count_found_missing(counted: Counted) -> None:
    counted.buy("100", "2")
    counted.count("90", "2026-03-10")
    counted.take("85", "2026-03-12")
    late = counted.take("10", "2026-03-05")
    assert (counted.on("2026-03-10"), counted.there()) == (90, (5, 10))
    assert counted.account("variance") == 0  # nothing was missing after all
    counted.cancel("issue", late)
    assert (counted.on("2026-03-09"), counted.on("2026-03-10"), counted.there()[0]) == (100, 90, 5)
    assert counted.account("variance") == 20
    assert verify() == []


def test_each_count_stands_for_its_own_day_and_is_taken_back_whole(counted: Counted) -> None:
    counted.buy("100", "2")
    first, _ = counted.count("90", "2026-03-10"), counted.count("80", "2026-03-20")
    counted.buy("20", "2", "2026-03-05")
    assert [counted.on(f"2026-03-{day}") for day in ("09", "10", "20")] == [120, 90, 80]
    counted.cancel("stocktake", first)
    assert [counted.on(f"2026-03-{day}") for day in ("09", "10", "20")] == [120, 120, 80]
    counted.count("100", "2026-03-15")
    assert [counted.on(f"2026-03-{day}") for day in ("10", "15", "20")] == [120, 100, 80]
    assert verify() == []


def test_of_two_counts_on_one_day_the_earlier_one_finds_the_difference(counted: Counted) -> None:
    counted.buy("100", "2")
    first, second = counted.count("90", "2026-03-10"), counted.count("85", "2026-03-10")
    counted.buy("20", "2", "2026-03-05")
    assert (counted.on("2026-03-10"), verify()) == (85, [])
    counted.cancel("stocktake", first)
    assert (counted.on("2026-03-10"), verify()) == (85, [])
    counted.cancel("stocktake", second)
    assert (counted.on("2026-03-10"), counted.account("variance"), verify()) == (120, 0, [])


def test_a_count_that_found_what_was_there_stands_too(counted: Counted) -> None:
    counted.buy("100", "2")
    counted.count("100", "2026-03-10")
    counted.buy("20", "2", "2026-03-05")
    assert (counted.on("2026-03-10"), verify()) == (100, [])


def test_what_comes_later_on_the_day_of_a_count_is_not_counted(counted: Counted) -> None:
    counted.buy("100", "2")
    counted.count("90", "2026-03-10")
    more = counted.buy("5", "2", "2026-03-10")
    counted.buy("20", "2", "2026-03-05")
    assert counted.on("2026-03-10") == 95
    counted.cancel("receipt", more)
    assert (counted.on("2026-03-10"), verify()) == (90, [])


def test_counts_that_are_saved_together_see_each_other(counted: Counted) -> None:
    counted.buy("100", "2")
    counted.buy("50", "2", "2026-03-12")
    rows = [{"item": counted.bolt, "quantity": "90"}]
    days = ("2026-03-10", "2026-03-11", "2026-03-12")
    drafts = [Draft({"day": day, "place": counted.main, "lines": rows}) for day in days]
    assert [each.problems for each in service.save_many(SYSTEM, "count_at_once", drafts)] == [[], [], []]
    assert [counted.on(day) for day in days] == [90, 90, 90]
    assert (counted.there(), verify()) == ((90, 180), [])


def test_a_count_with_a_value_of_its_own_follows(counted: Counted) -> None:
    counted.buy("100", "2")
    counted.do("count", {"quantity": "90", "price": "3"}, day="2026-03-10")
    counted.buy("20", "4", "2026-03-05")
    assert (counted.there(), counted.account("stock"), verify()) == ((90, 270), 270, [])


def test_counts_of_one_day_that_look_at_different_balances_are_found_sound(counted: Counted) -> None:
    counted.do("count", {"quantity": "24", "price": "2"}, day="2026-03-02", place=counted.main)
    counted.count("30", "2026-03-02")
    counted.buy("27", "2", "2026-03-01")
    assert (counted.on("2026-03-02"), verify()) == (30, [])


def test_what_was_counted_and_swept_up_on_one_day_is_found_sound(counted: Counted) -> None:
    counted.buy("100", "2")
    counted.count("90", "2026-03-10")
    counted.do("loss_sweep", day="2026-03-10")
    counted.buy("20", "2", "2026-03-05")
    assert (counted.account("variance"), verify()) == (0, [])


def test_a_count_of_a_closed_day_that_is_taken_back_is_found_sound(counted: Counted) -> None:
    counted.buy("100", "2")
    first, _ = counted.count("90", "2026-03-10"), counted.count("85", "2026-03-10")
    counted.buy("20", "2", "2026-03-05")
    periods.close(SYSTEM, "accounting", day_of(2026, 3, 15))
    counted.cancel("stocktake", first)
    assert (counted.on("2026-03-10"), counted.on("2026-03-16"), verify()) == (85, 115, [])


def test_what_comes_from_a_closed_day_stands_before_what_was_counted_on_the_first_open_one(
    counted: Counted,
) -> None:
    counted.buy("100", "2")
    early, _ = counted.take("10", "2026-03-02"), counted.count("80", "2026-03-16")
    late = counted.take("5", "2026-03-02")
    periods.close(SYSTEM, "accounting", day_of(2026, 3, 15))
    for issue in (early, late):
        counted.cancel("issue", issue)
        assert (counted.on("2026-03-16"), verify()) == (80, [])


def test_a_count_with_a_value_leaves_other_lots_of_its_pool_alone(counted: Counted) -> None:
    lot = counted.make("lot", "other")
    counted.buy("100", "2")
    counted.do("count", {"quantity": "90", "price": "3"}, day="2026-03-10")
    counted.buy("20", "4", "2026-03-05", lot=lot)
    assert (counted.on("2026-03-10"), counted.there(), verify()) == (90, (110, 270), [])


def test_a_counted_value_stands_when_an_issue_of_its_day_is_valued_again(counted: Counted) -> None:
    counted.buy("100", "2")
    counted.take("10", "2026-03-10")
    counted.do("count", {"quantity": "90", "price": "3"}, day="2026-03-10")
    counted.take("30", "2026-03-11")
    counted.buy("100", "4", "2026-03-05")
    assert (counted.there(), counted.account("stock"), verify()) == ((60, 180), 180, [])


def test_of_two_counts_with_a_value_the_later_one_sees_what_the_earlier_one_comes_to(
    counted: Counted,
) -> None:
    counted.buy("10", "2")
    for day in ("2026-03-10", "2026-03-20"):
        counted.do("count", {"quantity": "10", "price": "3"}, day=day)
    counted.buy("20", "2", "2026-03-05")
    assert (counted.on("2026-03-09"), counted.there(), verify()) == (30, (10, 30), [])
    table = get_ledger("stock").tables.entry
    with db.reading() as conn:
        assert conn.execute(select(table.c.id).where(table.c.date == day_of(2026, 3, 20))).all() == []


def test_counts_with_a_value_that_are_saved_together_see_each_other(counted: Counted) -> None:
    counted.buy("100", "2")
    lines = {"place": counted.main, "lines": [{"item": counted.bolt, "quantity": "90", "price": "3"}]}
    drafts = [Draft({"day": day, **lines}, state="done") for day in ("2026-03-10", "2026-03-11")]
    assert [each.problems for each in service.save_many(SYSTEM, "count", drafts)] == [[], []]
    assert (counted.there(), verify()) == ((90, 270), [])


def test_a_count_of_nothing_stands_after_balances_were_made_again(counted: Counted) -> None:
    counted.count("0", "2026-03-10")
    with db.begin_writing(db.engine()) as conn:
        rebuild(conn, get_ledger("stock"))
    counted.buy("20", "2", "2026-03-05")
    assert (counted.on("2026-03-09"), counted.on("2026-03-10"), verify()) == (20, 0, [])


def test_what_was_swept_up_at_month_end_takes_a_late_bill_with_it(counted: Counted) -> None:
    counted.expense("100", "2026-03-05")
    counted.do("sweep", day="2026-03-31")
    late = counted.expense("40", "2026-03-20")
    assert (counted.account("expense"), counted.account("cost")) == (0, 140)
    for day in ("2026-03-31", "2026-04-30"):
        counted.do("sweep", day=day)
    counted.expense("5", "2026-03-21")
    assert (counted.account("expense"), counted.account("cost"), verify()) == (0, 145, [])
    counted.cancel("bill", late)
    assert (counted.account("expense"), counted.account("cost"), verify()) == (0, 105, [])


def test_a_check_that_stays_refuses_what_would_change_its_balance_and_names_its_document(
    counted: Counted,
) -> None:
    counted.expense("100", "2026-03-05")
    accrued = counted.do("accrual", day="2026-03-31", amount="100")
    counted.expense("7", "2026-04-01")
    for day in ("2026-03-20", "2026-03-31"):
        with pytest.raises(Invalid) as error:
            counted.expense("40", day)
        assert [each.code for each in error.value.problems] == ["rested_on_balance"]
        assert "Accrual" in error.value.problems[0].message.render()
    counted.cancel("accrual", accrued)
    counted.expense("40", "2026-03-20")
    counted.do("accrual", day="2026-03-31", amount="140")
    assert (counted.account("expense"), verify()) == (7, [])


def test_a_check_that_stays_counts_what_comes_later_on_its_day(counted: Counted) -> None:
    counted.expense("100", "2026-03-05")
    counted.do("at_most", day="2026-03-31", amount="60")
    later = counted.expense("40", "2026-03-31")
    counted.expense("7", "2026-04-01")
    assert (counted.account("expense"), verify()) == (87, [])
    counted.cancel("bill", later)
    assert (counted.account("expense"), verify()) == (47, [])
    with pytest.raises(Invalid) as error:
        counted.expense("-41", "2026-03-31")
    assert [each.code for each in error.value.problems] == ["rested_on_balance"]


def test_the_doctor_names_what_no_longer_fits_by_its_document(counted: Counted) -> None:
    counted.buy("10", "2")
    counted.count("8", "2026-03-10")
    with db.begin_writing(db.engine()) as conn:
        conn.execute(
            update(resting).where(resting.c.date == day_of(2026, 3, 10)).values(before={"quantity": "9"})
        )
    (problem,) = verify()
    assert problem.render("en") == (
        "Stock: “2026-03-10” (Stocktake) of 2026-03-10 was calculated from 9 (quantity), before it there is "
        "10.000000: cancel that document and enter it again."
    )


def test_the_doctor_compares_values_too(counted: Counted) -> None:
    counted.buy("10", "2")
    counted.do("count", {"quantity": "8", "price": "3"}, day="2026-03-10")
    with db.begin_writing(db.engine()) as conn:
        conn.execute(
            update(resting)
            .where(resting.c.date == day_of(2026, 3, 10))
            .values(before={"quantity": "10", "value": "21"})
        )
    (problem,) = verify()
    assert "was calculated from 21 (value), before it there is 20.00" in problem.render("en")
