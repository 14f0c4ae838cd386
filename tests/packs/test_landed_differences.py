"""The invoice of a landed cost at another amount: what it differs goes to where the goods are, by the document's shares.

Unless said, 100 pieces at 10 bear a landed cost of 20: they are worth 1,020, one of them 10.20.
"""

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.datasets import service as datasets
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers import periods, trying
from formloop.ledgers.verifying import verify
from packs.trading import Trade, named, sums

ACCRUED, OWED, GOODS, VARIANCE, USED = "220202", "2202", "1405", "1404", "5602"


@pytest.fixture
def trade(demo: Flask) -> Trade:
    return Trade()


def landed(trade: Trade, cost: str = "20", *goods: int, **more: Any) -> int:
    return trade.do(
        "landed_cost", [{"received": each} for each in goods or (trade.goods,)], cost=cost, **more
    )


def billed(trade: Trade, *services: tuple[int, str, str], **head: Any) -> int:
    """An invoice of services: which landed cost, net, and how much of the accrual it settles."""
    trade.day += timedelta(days=1)
    said = [{"landed": cost, "amount": net, "accrued": part, "tax_rate": "0"} for cost, net, part in services]
    given = {"day": trade.day.isoformat(), "supplier": trade.supplier, "services": said, **head}
    made = int(records.create(SYSTEM, "purchase_invoice", given)["id"])
    trade.submit("purchase_invoice", made)
    return made


def accounts(trade: Trade, *codes: str) -> tuple[D, ...]:
    return tuple(trade.account(code) for code in codes)


def policy(chosen: str | None) -> None:
    books = named("finance_settings", name="Accounts")
    records.change_record(SYSTEM, "finance_settings", books, {"landed_difference": chosen})


def agree(waiting: str = "0") -> None:
    """The books balance and agree with stock; only this much is received and not invoiced."""
    assert verify() == []
    assert sums("general", ("debit",)) == sums("general", ("credit",))
    rows = datasets.read_all(SYSTEM, "stock_and_books", {"day": "2026-12-31"})
    assert [row["difference"] for row in rows if row["difference"]] == []
    assert Trade.account(Trade.__new__(Trade), ACCRUED) == -D(waiting)


def test_the_difference_goes_to_what_is_there_and_to_what_has_gone(trade: Trade) -> None:
    """50 issued at 10.20 are 510. Invoiced at 30, freight is 10 dearer: 5 on the 50 there, 5 on the 50 used."""
    trade.invoice("100", "10")
    cost = landed(trade)
    trade.issue("50")
    made = billed(trade, (cost, "30", "20"))
    assert trade.there() == (50, 515)
    assert accounts(trade, USED, VARIANCE, OWED) == (515, 0, -1160)  # 1,130 of the goods, 30 of the carrier
    agree()
    trade.take_back("purchase_invoice", made)
    assert trade.there() == (50, 510)
    assert accounts(trade, USED, VARIANCE, OWED) == (510, 0, -1130)
    agree("20")


def test_a_cheaper_invoice_makes_the_goods_cheaper(trade: Trade) -> None:
    """Invoiced at 12, freight is 8 cheaper: 4 off the 50 there, 4 off the 50 used."""
    trade.invoice("100", "10")
    cost = landed(trade)
    trade.issue("50")
    billed(trade, (cost, "12", "20"))
    assert (trade.there(), *accounts(trade, USED, VARIANCE)) == ((50, 506), 506, 0)
    agree()


@pytest.mark.parametrize("by, first, second", [("value", "1015", "3045"), ("quantity", "1030", "3030")])
def test_it_is_shared_as_the_document_shares(trade: Trade, by: str, first: str, second: str) -> None:
    """Goods of 1,000 and of 3,000 bear 40 by value as 10 and 30, by quantity as 20 and 20. 20 more are 5 and 15, or 10
    and 10."""
    other = Trade(goods=("100", "30"))
    cost = landed(trade, "40", trade.goods, other.goods, by=by)
    for each, price in ((trade, "10"), (other, "30")):
        each.invoice("100", price)
    billed(trade, (cost, "60", "40"))
    assert (trade.there(), other.there()) == ((100, D(first)), (100, D(second)))
    agree()


def test_it_goes_to_the_stock_account_of_each_category(trade: Trade) -> None:
    """Raw materials stand on 1403: half of the 40, and half of the 20 more, belong there."""
    other = Trade(category=named("item_category", code="RAW"))
    before = trade.account("1403")
    cost = landed(trade, "40", trade.goods, other.goods)
    billed(trade, (cost, "60", "40"))
    assert trade.account("1403") - before == 30
    agree("2000")


def test_cents_are_shared_to_the_last_one(trade: Trade) -> None:
    """Three goods of the same worth bear 0.01, 0.01 and nothing of 0.02."""
    goods = [trade, Trade(), Trade()]
    cost = landed(trade, "30", *(each.goods for each in goods))
    billed(trade, (cost, "30.02", "30"))
    assert [each.there()[1] for each in goods] == [D("1010.01"), D("1010.01"), 1010]
    agree("3000")


def test_two_documents_on_one_invoice_are_shared_apart(trade: Trade) -> None:
    """The first is 10 dearer and all on these goods; the second is 4 cheaper and all on those."""
    other = Trade()
    one, two = landed(trade), landed(trade, "20", other.goods)
    billed(trade, (one, "30", "20"), (two, "16", "20"))
    assert (trade.there(), other.there()) == ((100, 1030), (100, 1016))
    agree("2000")


def test_first_in_first_out_reaches_the_layers_of_its_receipt(demo: Flask) -> None:
    """10 at 10 with 10 of freight, and 10 at 20 with 10 of freight. 15 issued: 110 and half of 210, so 215; 105 left.
    6 more on the first are all used: 221. 6 more on the second: 3 used, 3 there: 224 and 108."""
    trade = Trade("fifo", ("10", "10"))
    first = landed(trade, "10")
    trade.receive("10", "20")
    second = landed(trade, "10")
    trade.issue("15")
    assert (trade.there(), trade.account(USED)) == ((5, 105), 215)
    billed(trade, (first, "16", "10"))
    assert (trade.there(), trade.account(USED)) == ((5, 105), 221)
    made = billed(trade, (second, "16", "10"))
    assert (trade.there(), trade.account(USED)) == ((5, 108), 224)
    trade.take_back("purchase_invoice", made)
    assert (trade.there(), trade.account(USED)) == ((5, 105), 221)
    agree("310")  # the goods, 300, and the freight of the second


def test_at_standard_cost_it_is_a_cost_variance(demo: Flask) -> None:
    """Goods at their standard of 10 take no freight: 20, and 10 more, are variances."""
    trade = Trade("standard", standard_cost="10")
    cost = landed(trade)
    trade.issue("50")
    billed(trade, (cost, "30", "20"))
    assert (trade.there(), *accounts(trade, USED, VARIANCE)) == ((50, 500), 500, 30)
    agree("1000")


def test_a_lot_with_a_cost_of_its_own_bears_it_alone(demo: Flask) -> None:
    """Lot A: 10 at 10 with 20 of freight, 5 of it used at 12: 60. 10 more: 5 and 5. Lot B at 20 is not touched."""
    trade = Trade("specific", ("1", "1"))
    trade.issue("1")  # before there is nothing, it is not tracked otherwise
    records.change_record(SYSTEM, "item", trade.item, {"tracking": "lot"})
    lots = [int(records.create(SYSTEM, "lot", {"code": f"LAND-{x}", "item": trade.item})["id"]) for x in "AB"]
    rows = [
        {"item": trade.item, "accepted": "10", "price": price, "lot": lot}
        for lot, price in zip(lots, ("10", "20"), strict=True)
    ]
    first = named("received_item", receipt=trade.do("receipt", rows[:1], warehouse=trade.place))
    trade.do("receipt", rows[1:], warehouse=trade.place)
    cost = landed(trade, "20", first)
    trade.do("stock_out", [{"item": trade.item, "quantity": "5", "lot": lots[0]}], warehouse=trade.place)
    billed(trade, (cost, "30", "20"))
    worth = [sums("stock", ("quantity", "value"), item=trade.item, lot=lot) for lot in lots]
    assert (worth, trade.account(USED)) == ([(5, 65), (10, 200)], 1 + 65)
    agree("301")


def test_a_closed_month_keeps_its_figures(trade: Trade) -> None:
    """Received, shared and half used in March, which is closed: the 5 on what was used are of April, too."""
    cost = landed(trade)
    trade.issue("50")
    periods.close(SYSTEM, "accounting", date(2026, 3, 31))
    before = trade.as_of("2026-03-31", GOODS, USED)
    trade.day = date(2026, 4, 2)
    made = billed(trade, (cost, "30", "20"))
    assert trade.as_of("2026-03-31", GOODS, USED) == before
    assert trade.as_of("2026-04-30", USED)[0] - before[1] == 5
    assert trade.there() == (50, 515)
    agree("1000")
    trade.take_back("purchase_invoice", made)
    assert (trade.there(), *trade.as_of("2026-04-30", USED)) == ((50, 510), before[1])
    agree("1020")


def test_an_invoice_in_foreign_currency_brings_its_rate_to_the_goods(trade: Trade) -> None:
    """100 USD accrued at 7.12 are 712. Invoiced at 7.20 they are 720: half of the 8 on what was used."""
    usd = named("currency", code="USD")
    cost = landed(trade, "100", currency=usd)
    trade.issue("50")
    assert trade.there() == (50, 856)
    made = billed(trade, (cost, "100", "712"), currency=usd, rate="7.2")
    assert (trade.there(), *accounts(trade, USED, OWED, VARIANCE)) == ((50, 860), 860, -720, 0)
    agree("1000")
    trade.take_back("purchase_invoice", made)
    assert (trade.there(), *accounts(trade, USED, OWED)) == ((50, 856), 856, 0)
    agree("1712")


def test_an_invoice_in_parts_shares_the_difference_of_each(trade: Trade) -> None:
    """15 for 12 makes 1,023; 50 used at 10.23 are 511.50. 7 for the other 8 takes 0.50 off each half. Without the first
    part, 1.50 less are on each."""
    cost = landed(trade)
    first = billed(trade, (cost, "15", "12"))
    trade.issue("50")
    assert trade.there() == (50, D("511.50"))
    billed(trade, (cost, "7", "8"))
    assert (trade.there(), trade.account(USED)) == ((50, 511), 511)
    agree("1000")
    trade.take_back("purchase_invoice", first)
    assert (trade.there(), trade.account(USED)) == ((50, D("509.50")), D("509.50"))
    agree("1012")


def test_what_the_carrier_credits_later_comes_off_the_goods(trade: Trade) -> None:
    """Invoiced as accrued; then 6 are credited, which settle nothing: 3 off the 50 there, 3 off the 50 used."""
    cost = landed(trade)
    bill = billed(trade, (cost, "20", "20"))
    trade.issue("50")
    note = billed(trade, (cost, "-6", "0"), credits=bill)
    assert (trade.there(), *accounts(trade, USED, OWED, VARIANCE)) == ((50, 507), 507, -14, 0)
    agree("1000")
    trade.take_back("purchase_invoice", note)
    assert (trade.there(), *accounts(trade, USED, OWED)) == ((50, 510), 510, -20)
    agree("1000")


def test_more_than_the_goods_are_worth_is_not_taken_off(trade: Trade) -> None:
    cost = landed(trade)
    bill = billed(trade, (cost, "20", "20"))
    with pytest.raises(Invalid) as error:
        billed(trade, (cost, "-1021", "0"), credits=bill)
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("below_nothing", "services.0")
    agree("1000")


def test_what_went_back_to_the_supplier_before_bears_none_of_it(trade: Trade) -> None:
    """50 go back at 10.20, of which 10 were freight and are a cost variance. 10 more are all on the 50 that were kept."""
    cost = landed(trade)
    trade.send_back("50")
    billed(trade, (cost, "30", "20"))
    assert (trade.there(), trade.account(VARIANCE)) == ((50, 520), 10)
    trade.invoice("50", "10")
    agree()


def test_where_all_went_back_to_the_supplier_it_is_a_cost_variance(trade: Trade) -> None:
    """Nothing is there that could bear it, and nobody used it: 20, and 10 more."""
    cost = landed(trade)
    trade.send_back("100")
    billed(trade, (cost, "30", "20"))
    assert (trade.there(), trade.account(VARIANCE)) == ((0, 0), 30)
    agree()


def test_the_settings_can_make_it_a_cost_variance(trade: Trade) -> None:
    """Goods keep what was shared over them; 10 are a variance, and stay one when the settings change later."""
    policy("variance")
    cost = landed(trade)
    trade.issue("50")
    made = billed(trade, (cost, "30", "20"))
    assert (trade.there(), *accounts(trade, USED, VARIANCE)) == ((50, 510), 510, 10)
    policy("goods")
    trade.take_back("purchase_invoice", made)
    assert (trade.there(), *accounts(trade, USED, VARIANCE)) == ((50, 510), 510, 0)
    agree("1020")


def test_settings_that_say_nothing_of_it_put_it_onto_the_goods(trade: Trade) -> None:
    policy(None)
    cost = landed(trade)
    billed(trade, (cost, "30", "20"))
    assert (trade.there(), trade.account(VARIANCE)) == ((100, 1030), 0)


def test_goods_and_freight_on_one_invoice(trade: Trade) -> None:
    """Goods at 11 instead of 10, freight at 30 instead of 20: 1,020 and 100 and 10 are 1,130, half of it used."""
    cost = landed(trade)
    trade.issue("50")
    service = {"landed": cost, "amount": "30", "accrued": "20", "tax_rate": "0.09"}
    trade.invoice("100", "11", {"services": [service]})
    assert (trade.there(), trade.account(USED)) == ((50, 565), 565)
    agree()


def test_a_later_back_dated_issue_takes_its_part(trade: Trade) -> None:
    """Invoiced first; 20 issued for an earlier day, after the freight, leave at what they cost with it: 10.30."""
    cost = landed(trade)
    day = trade.day
    billed(trade, (cost, "30", "20"))
    trade.day = day
    trade.issue("20")
    assert (trade.there(), trade.account(USED)) == ((80, 824), 206)
    agree("1000")


def test_what_was_made_of_the_goods_bears_its_part(trade: Trade) -> None:
    """50 at 10.20 and a service of 10 were made into a piece of 520: with half of the 10 more it is worth 525."""
    cost = landed(trade)
    made = int(records.create(SYSTEM, "item", {"name": "Painted nut", "source": "outsource"})["id"])
    head = {"at_supplier": trade.place, "warehouse": trade.place, "made": made, "quantity": "1"}
    trade.do("outsourcing_receipt", [{"item": trade.item, "quantity": "50"}], service="10", **head)
    bill = billed(trade, (cost, "30", "20"))
    assert (trade.there(), sums("stock", ("value",), item=made)) == ((50, 515), (525,))
    agree("1010")
    trade.take_back("purchase_invoice", bill)
    assert (trade.there(), sums("stock", ("value",), item=made)) == ((50, 510), (520,))
    agree("1030")


def test_a_draft_shows_what_it_would_put_on_the_goods(trade: Trade) -> None:
    cost = landed(trade)
    given = {"landed": cost, "amount": "30", "accrued": "20"}
    head = {"day": "2026-03-20", "supplier": trade.supplier, "services": [given]}
    draft = int(records.create(SYSTEM, "purchase_invoice", head)["id"])
    (sheet,) = trying.preview(SYSTEM, "purchase_invoice", reads.get_record(SYSTEM, "purchase_invoice", draft))
    assert [s.amounts["value"] for s in sheet.slots if s.rule.id == "dearer"] == [10]
    assert trade.there() == (100, 1020)


def test_goods_that_came_for_nothing_are_shared_by_quantity(demo: Flask) -> None:
    """A free sample of 10: by value nothing would bear the 20; by quantity each piece bears 2, and 1 more."""
    trade = Trade(goods=("10", "0"))
    with pytest.raises(Invalid) as error:
        landed(trade)
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("check:borne", "by")
    assert problem.message.render("en").endswith("Share it by quantity.")
    assert problem.message.render("zh-CN").endswith("请改按数量分摊。")
    billed(trade, (landed(trade, by="quantity"), "30", "20"))
    assert trade.there() == (10, 30)
    agree()


def test_goods_worth_nothing_in_the_home_currency_are_shared_by_quantity(demo: Flask) -> None:
    """One piece of 4 at a rate of 0.001: at home it came for 0.00, and by value nothing would bear the 20."""
    small = int(records.create(SYSTEM, "currency", {"code": "TNY", "name": "Tiny", "rate": "0.001"})["id"])
    trade = Trade(goods=("1", "4"), currency=small)
    with pytest.raises(Invalid) as error:
        landed(trade)
    assert [(each.code, each.at) for each in error.value.problems] == [("check:borne", "by")]
    landed(trade, by="quantity")
    assert trade.there() == (1, 20)
    agree("20")
