"""The worked figures of the reference cases for the books, receivables, lots and outsourcing."""

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import service as publishing
from formloop.forms import service
from formloop.ledgers import periods, reading
from formloop.ledgers.asof import balance_at
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.tracing import trace
from ledgers import store as definitions
from ledgers.store import GENERAL, Store, credit, debit, form, lines, link, number, posting, text

PARTY = {"party": "party"}
INVOICE = form("invoice", day=definitions.date(), party=link("Party", "party"), total=number("Total", 2),
               lines=lines(due=definitions.date("Due"), amount=number("Amount", 2)))  # fmt: skip
INVOICED = posting(
    "invoiced", "invoice",
    debit("settings.receivable", "line.amount", each="lines", due="line.due", **PARTY),
    credit("settings.revenue", "SUM(lines.amount)"), date="day",
)  # fmt: skip
PAYMENT = form("payment", day=definitions.date(), party=link("Party", "party"), invoice=link("Invoice", "invoice"),
               amount=number("Amount", 2), off=number("Written off", 2))  # fmt: skip
PAID = posting(
    "paid", "payment",
    debit("settings.bank", "amount"), debit("settings.expense", "off"),
    credit("settings.receivable", "off", settles="invoice", **PARTY),
    credit("settings.receivable", "amount", settles="invoice", **PARTY), date="day",
)  # fmt: skip


@pytest.fixture
def trade(database: Any) -> Store:
    store = Store(INVOICE, INVOICED, PAYMENT, PAID)
    store.make("party", "Acme")
    return store


def invoice(store: Store, *parts: str, day: str = "2026-03-01", dues: tuple[str, ...] = ()) -> dict[str, Any]:
    given = [
        {"amount": each, "due": due} for each, due in zip(parts, dues or [day] * len(parts), strict=True)
    ]
    return store.do("invoice", day=day, party=store.named["Acme"], lines=given)


def pay(
    store: Store, of: dict[str, Any], amount: str, day: str = "2026-03-02", **more: Any
) -> dict[str, Any]:
    return store.do("payment", day=day, party=store.named["Acme"], invoice=of["id"], amount=amount, **more)


def left(store: Store, day: date | None = None) -> list[D]:
    found = reading.list_open(SYSTEM, "general", {"account": store.named["receivable"]}, day)
    return [each.left for each in found]


def test_gl_02_payments_in_parts_and_a_write_off_close_an_invoice(trade: Store) -> None:
    of = invoice(trade, "240")
    found = []
    for amount, off in (("120", "0"), ("20", "0"), ("99", "1")):
        pay(trade, of, amount, off=off)
        found.append(sum(left(trade)))
    assert found == [120, 100, 0]
    matched = reading.list_settlements("general", "invoice", of["id"])
    assert sorted(each.amount for each in matched) == [1, 20, 99, 120]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("paid", ["2026-02-27", "2026-03-04"])
@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("cancelled", ["invoice", "payment"])
def test_open_items_as_of_any_day_come_to_the_account(
    trade: Store, paid: str, closed: bool, cancelled: str
) -> None:
    of = invoice(trade, "100", day="2026-03-01")
    by = pay(trade, of, "60", off="0", day=paid)
    days = [date(2026, 2, 26) + timedelta(number) for number in range(12)]
    dims = {"account": trade.named["receivable"], "party": trade.named["Acme"]}

    def differing() -> list[date]:
        booked = {day: balance_at(get_ledger("general"), dims, day) for day in days}
        return [day for day in days if sum(left(trade, day)) != booked[day]["debit"] - booked[day]["credit"]]

    assert differing() == []
    if closed:
        periods.close(SYSTEM, "accounting", date(2026, 3, 5))
    trade.cancel(cancelled, {"invoice": of, "payment": by}[cancelled])
    assert differing() == []
    assert sum(left(trade)) == {"invoice": -60, "payment": 100}[cancelled]


def test_ar_01_a_payment_fills_instalments_in_the_order_they_are_due(trade: Store) -> None:
    of = invoice(trade, "30", "50", "20", dues=("2026-03-31", "2026-04-30", "2026-05-31"))
    pay(trade, of, "40")
    found = reading.list_open(SYSTEM, "general", {"account": trade.named["receivable"]}, None, settled=True)
    assert [(e.total, e.total - e.left, e.left) for e in found if e.total > 0] == [
        (30, 30, 0), (50, 10, 40), (20, 0, 20),
    ]  # fmt: skip


def test_ar_03_ageing_by_days_overdue_with_later_settlements(trade: Store) -> None:
    """Policy: borders are a parameter; what is settled after the date of the report is open in it."""
    of_report = date(2026, 6, 30)
    late = {-1: "10", 0: "20", 29: "30", 30: "40", 59: "50", 60: "60", 90: "70"}
    made = []
    for days, amount in late.items():
        due = date.fromordinal(of_report.toordinal() - days)
        made.append(invoice(trade, amount, dues=(str(due),)))
    pay(trade, made[-1], "70", day="2026-07-05")
    found = reading.ageing(
        SYSTEM, "general", {"account": trade.named["receivable"]}, of_report, (0, 30, 60, 90)
    )
    assert found == [10, 50, 90, 60, 70]


def test_ar_05_one_cent_stays_visible(trade: Store) -> None:
    pay(trade, invoice(trade, "100"), "99.99")
    assert left(trade) == [D("0.01")]


def test_a_reversed_payment_opens_what_it_settled(trade: Store) -> None:
    of = invoice(trade, "100")
    payment = pay(trade, of, "60")
    trade.cancel("payment", payment)
    assert left(trade) == [100]
    pay(trade, of, "100")
    assert left(trade) == []


def test_a_reversed_invoice_leaves_its_payment_open(trade: Store) -> None:
    of = invoice(trade, "100")
    pay(trade, of, "60")
    trade.cancel("invoice", of)
    assert left(trade) == [-60]


def test_what_is_settled_cannot_be_settled_again(trade: Store) -> None:
    of = invoice(trade, "100")
    pay(trade, of, "100")
    with pytest.raises(Invalid) as error:
        pay(trade, of, "1")
    assert error.value.problems[0].code == "not_open"


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


TERMS = form(
    "terms", day=definitions.date(), total=number("Total", 2), party=link("Party", "party"),
    first=number("First", 2, **{"x-formula": "ROUND(total * 0.25, 2)"}),
    second=number("Second", 2, **{"x-formula": "ROUND(total * 0.25, 2)"}),
    third=number("Third", 2), rest=number("Rest", 2, **{"x-formula": "total - first - second - third"}),
)  # fmt: skip
DUE = {
    "first": "day + 30", "second": "EDATE(day, 1)", "third": "EDATE(day, 1) + 30",
    "rest": "EDATE(DATE(YEAR(day), MONTH(day), 15), 2) + 30",
}  # fmt: skip
TERMED = posting(
    "termed", "terms", *(debit("settings.receivable", key, due=due, party="party") for key, due in DUE.items()),
    credit("settings.revenue", "total"), date="day",
)  # fmt: skip


def test_gl_16_payment_terms_give_dated_instalments(database: Any) -> None:
    store = Store(TERMS, TERMED)
    store.do("terms", day="2011-10-01", total="1587.35", third="396.84", party=store.make("party", "Acme"))
    found = reading.list_open(SYSTEM, "general", {"account": store.named["receivable"]}, None)
    assert [(str(each.due), each.left) for each in found] == [
        ("2011-10-31", D("396.84")), ("2011-11-01", D("396.84")), ("2011-12-01", D("396.84")),
        ("2012-01-14", D("396.83")),
    ]  # fmt: skip


FOREIGN = {
    **GENERAL,
    "dimensions": {**GENERAL["dimensions"], "currency": {"type": "text", "optional": True}},
    "measures": {**GENERAL["measures"], "foreign": {"scale": 2}},
    "open": {"sum": {"foreign": 1}, "when": "account.open = 1"},
}
ABROAD = form("abroad", day=definitions.date(), party=link("Party", "party"), amount=number("Amount", 2),
              rate=number("Rate", 4))  # fmt: skip
SOLD_ABROAD = posting(
    "sold_abroad", "abroad",
    debit("settings.receivable", "amount * rate", party="party", currency='"USD"', foreign="amount"),
    credit("settings.revenue", "amount * rate"), date="day",
)  # fmt: skip
FROM_ABROAD = form("from_abroad", day=definitions.date(), party=link("Party", "party"),
                   invoice=link("Invoice", "abroad"), amount=number("Amount", 2), rate=number("Rate", 4))  # fmt: skip
PAID_ABROAD = posting(
    "paid_abroad", "from_abroad", debit("settings.bank", "amount * rate"),
    debit("settings.variance", "amount * (invoice.rate - rate)"),
    credit("settings.receivable", "amount * invoice.rate", party="party", currency='"USD"', foreign="-amount",
           settles="invoice"), date="day",
)  # fmt: skip


@pytest.mark.parametrize("paid, settled, loss, foreign", [("100", 7500, 500, 0), ("90", 6750, 450, 10)])
def test_gl_18_a_foreign_receivable_settled_at_another_rate(
    database: Any, paid: str, settled: int, loss: int, foreign: int
) -> None:
    """Of the difference of 1,250 in the second case 800 are still owed; the loss is 450."""
    store = Store(ABROAD, SOLD_ABROAD, FROM_ABROAD, PAID_ABROAD, general=FOREIGN)
    party = store.make("party", "Acme")
    of = store.do("abroad", party=party, amount="100", rate="80")
    dims = {"account": store.named["receivable"], "party": party, "currency": "USD"}
    before = reading.find_balance("general", dims)
    assert before is not None and before["m_debit"] == 8000
    store.do("from_abroad", party=party, invoice=of["id"], amount=paid, rate="75")
    after = reading.find_balance("general", dims)
    bank = reading.find_balance("general", {"account": store.named["bank"]})
    loss_row = reading.find_balance("general", {"account": store.named["variance"]})
    assert after is not None and bank is not None and loss_row is not None
    assert (bank["m_debit"], loss_row["m_debit"], after["m_foreign"]) == (settled, loss, foreign)
    assert after["m_debit"] - after["m_credit"] == foreign * 80
    assert left(store) == ([D(foreign)] if foreign else [])


OUTSOURCED = form("outsourced", day=definitions.date(), place=link("At supplier", "place"), into=link("Into", "place"),
                  used=lines(item=link("Item", "item"), quantity=number("Quantity"), lot=link("Lot", "lot")),
                  made=link("Made", "item"), made_lot=link("Lot made", "lot"), quantity=number("Quantity"),
                  service=number("Service", 2), additional=number("Additional", 2))  # fmt: skip
OUTSOURCED_POSTING = posting(
    "outsourced_posting", "outsourced",
    {"id": "used", "each": "used", "ledger": "stock", "item": "line.item", "place": "place", "lot": "line.lot",
     "quantity": "-line.quantity"},
    {"id": "made", "ledger": "stock", "item": "made", "place": "into", "lot": "made_lot", "quantity": "quantity",
     "value": "service + additional - SUM(entries.used.value)"},
    debit("settings.stock", "entries.made.value"), credit("settings.accrued", "entries.made.value"),
    debit("settings.accrued", "-SUM(entries.used.value)"), credit("settings.stock", "-SUM(entries.used.value)"),
    debit("settings.accrued", "additional"), credit("settings.expense", "additional"), date="day",
)  # fmt: skip


def outsourced(store: Store, **more: Any) -> dict[str, Any]:
    supplier, frame = store.make("place", "at the supplier"), store.make("item", "frame")
    store.buy("10", "100", place=supplier, lot=more.pop("used_lot", None))
    used = [{"item": store.bolt, "quantity": "10", "lot": more.pop("lot", None)}]
    return store.do(
        "outsourced", place=supplier, into=store.main, used=used, made=frame, quantity="1", **more
    )


def test_pc_12_an_outsourced_receipt_carries_material_and_service(database: Any) -> None:
    store = Store(OUTSOURCED, OUTSOURCED_POSTING)
    made = outsourced(store, service="100", additional="200")
    assert store.worth(made) == [-1000, 1300]
    sums = [reading.list_amounts("general", "outsourced", made["id"], each) for each in ("debit", "credit")]
    assert sorted(sums[0]) == [200, 1000, 1300] == sorted(sums[1])
    clearing = reading.find_balance("general", {"account": store.named["accrued"]})
    receipt = 1000  # what was received for the material itself is accrued too
    assert clearing is not None and clearing["m_credit"] - clearing["m_debit"] - receipt == 100


def test_lot_02_a_lot_is_traced_through_production(database: Any) -> None:
    store = Store(OUTSOURCED, OUTSOURCED_POSTING)
    c2, p1 = store.make("lot", "C2"), store.make("lot", "P1")
    outsourced(store, used_lot=c2, lot=c2, made_lot=p1, service="0", additional="0")
    assert trace(SYSTEM, "stock", "lot", c2, down=True) == [p1]
    assert trace(SYSTEM, "stock", "lot", p1, down=False) == [c2]


def test_lot_04_a_lot_is_found_in_the_place_that_holds_it(store: Store) -> None:
    lot, first, second = store.make("lot", "LOT"), store.make("place", "Zone1"), store.make("place", "Zone2")
    store.buy("100", "1", place=first)
    store.buy("100", "1", place=second, lot=lot)
    found = reading.list_balances(SYSTEM, "stock", {"item": store.bolt, "lot": lot})
    assert [(row.dims["place"], row.amounts["quantity"]) for row in found.rows] == [(second, 100)]
    store.take("10", place=found.rows[0].dims["place"], lot=lot)
    assert store.there(place=second, lot=lot)[0] == 90
    assert get_ledger("stock").key == "stock"


def test_what_is_open_of_what_an_entry_settles_can_be_asked_for(database: Any) -> None:
    """The last payment takes what is left, to the cent, whatever was rounded before and whoever was taken back."""
    part = "IF(amount = 1, before.open, ROUND(amount * 719.93, 2))"
    paid = posting("paid", "payment", credit("settings.receivable", part, settles="invoice", id="part", **PARTY),
                   debit("settings.bank", "entries.part.credit"), date="day")  # fmt: skip
    store = Store(INVOICE, INVOICED, PAYMENT, paid)
    store.make("party", "Acme")
    of = invoice(store, "719.93")
    first, _ = pay(store, of, "0.33"), pay(store, of, "0.33")
    assert left(store) == [D("244.77")]
    store.cancel("payment", first)
    pay(store, of, "1")
    assert left(store) == [] and store.account("bank") == D("719.93")
