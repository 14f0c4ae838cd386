"""The worked figures of the reference cases for valuation, played through documents and their postings."""

from copy import deepcopy
from decimal import Decimal as D
from typing import Any

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import service as publishing
from formloop.ledgers import service as ledgers
from formloop.ledgers.asof import balance_at
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.verifying import verify
from ledgers import store as definitions
from ledgers.store import POSTINGS, STOCK, Store


@pytest.fixture
def fifo(store: Store) -> Store:
    store.bolt = store.make("item", "nut", valuation="fifo")
    return store


def average(store: Store) -> D:
    quantity, value = store.there()
    return D(value / quantity)


def test_val_01_the_average_after_each_receipt(store: Store) -> None:
    store.buy("1", "100")
    assert average(store) == 100
    store.buy("1", "200")
    assert average(store) == 150
    store.do("receipt", *[{"quantity": "1", "price": "200"}] * 2)
    assert average(store) == 175


def _day_end() -> dict[str, Any]:
    stock = deepcopy(STOCK)
    stock["valuation"]["same_day"] = "day_end"
    return stock


def test_val_03_an_issue_before_the_receipt_of_its_day(database: Any) -> None:
    """Policy: after a recomputation an issue takes the cost reached at the end of its day (`same_day: day_end`)."""
    store = Store(stock=_day_end())
    store.main = store.make("place", "yard", negative=True)
    store.buy("1", "100", day="2026-03-01")
    issue = store.take("2", day="2026-03-02")
    store.buy("2", "120", day="2026-03-02")
    store.buy("3", "100", day="2026-03-03")
    assert (store.worth(issue), average(store)) == ([D(-200)], 105)
    ledgers.revalue(SYSTEM, "stock", get_ledger("stock").key_of(
        {"item": store.bolt, "place": store.main, "lot": 0}, ("item", "place")))  # fmt: skip
    assert (store.worth(issue), average(store)) == ([D(-240)], 105)


def test_val_05_first_in_first_out_in_two_units(fifo: Store) -> None:
    """Grams are turned into kilograms by the document, 0.025 a gram into 25 a kilogram."""
    fifo.buy("4", "10")
    fifo.buy("2", "25")
    assert average(fifo) == 15
    issues = [fifo.take(quantity) for quantity in ("3", "1", "1")]
    assert [fifo.worth(each)[0] for each in issues] == [-30, -10, -25]
    assert average(fifo) == 25


@pytest.fixture
def owned(database: Any) -> Store:
    """A store that keeps the goods of others in the same places, without a value."""
    stock = deepcopy(STOCK)
    stock["dimensions"]["owner"] = {"form": "party", "optional": True}
    stock["valuation"] |= {"per": ["item", "place", "owner"], "when": "ISBLANK(owner)"}
    store = Store(stock=stock)
    (receipt,) = [each for each in POSTINGS if each["form"] == "receipt"]
    first, *others = receipt["entries"]
    named = {**receipt, "entries": [{**first, "owner": "party"}, *others]}
    publishing.publish_many(SYSTEM, [definitions.only(named)], "test")
    return store


def test_val_07_six_movements_and_goods_of_others_in_one_place(owned: Store) -> None:
    """Policy: the value is kept, the rate derived; the last issue takes the rest. Goods of others have no value."""
    theirs, made = owned.make("party", "a supplier"), list[dict[str, Any]]()
    for quantity, price in (("60", "15"), ("140", "15.5")):
        owned.buy(quantity, price)
    made.append(owned.take("190"))
    owned.buy("70", "16")
    made.append(owned.take("30"))
    consigned = {"quantity": "10", "price": "0"}
    owned.do("receipt", consigned, party=theirs)
    made.append(owned.take("50"))

    def issued() -> list[D]:
        return [value for each in made for value in owned.worth(each)]

    assert issued() == [D("-2916.50"), D("-477.56"), D("-795.94")]
    assert (sum(issued()), owned.there()) == (-4190, (10, 0))
    assert verify() == []


def test_val_09_a_shortage_is_covered_by_the_next_receipt(fifo: Store) -> None:
    fifo.main = fifo.make("place", "yard", negative=True)
    fifo.buy("10", "10")
    fifo.take("15")
    assert fifo.there() == (-5, -50)
    fifo.take("5")
    assert fifo.there() == (-10, -100)
    receipt = fifo.buy("15", "15")
    assert fifo.there() == (5, 75)
    assert fifo.worth(receipt) == [175]


REPACK = definitions.form(
    "repack", day=definitions.date(), place=definitions.link("Place", "place"), cost=definitions.number("Cost", 2),
    used=definitions.lines(item=definitions.link("Item", "item"), quantity=definitions.number("Quantity")),
    made=definitions.link("Item", "item"), quantity=definitions.number("Quantity"),
)  # fmt: skip
REPACK_POSTING = definitions.posting(
    "repack_posting", "repack",
    {"id": "used", "each": "used", "ledger": "stock", "item": "line.item", "place": "place",
     "quantity": "-line.quantity"},
    {"id": "made", "ledger": "stock", "item": "made", "place": "place", "quantity": "quantity",
     "value": "cost - SUM(entries.used.value)"},
    definitions.debit("settings.stock", "entries.made.value"),
    definitions.credit("settings.stock", "-SUM(entries.used.value)"),
    definitions.credit("settings.expense", "cost"),
    date="day",
)  # fmt: skip


def _repack(store: Store, quantity: str, cost: str, day: str) -> dict[str, Any]:
    kit = store.named.get("kit") or store.make("item", "kit")
    used = [{"item": store.bolt, "quantity": quantity}]
    return store.do("repack", day=day, place=store.main, used=used, made=kit, quantity="1", cost=cost)


def test_val_11_a_count_for_an_earlier_day_changes_a_transfer_and_a_repack(database: Any) -> None:
    store = Store(REPACK, REPACK_POSTING)
    finished = store.make("place", "finished")
    store.do("count", {"quantity": "50", "price": "100"}, day="2026-04-10")
    store.do("count", {"quantity": "10", "price": "200"}, day="2026-04-20", place=finished)
    moved = store.do("transfer", {"quantity": "10"}, day="2026-04-30", target=finished)
    repacked = _repack(store, "5", "40", "2026-05-05")
    assert store.there(place=finished) == (20, 3000)
    assert store.worth(repacked)[1] == 540
    store.do("count", {"quantity": "50", "price": "150"}, day="2026-04-12")
    assert store.worth(moved) == [-1500, 1500]
    assert store.there(place=finished) == (20, 3500)
    assert store.worth(repacked)[1] == 790
    assert store.account("stock") == store.there()[1] + 3500 + 790


def test_val_13_a_return_comes_back_at_the_cost_of_its_delivery(store: Store) -> None:
    receipt = store.buy("5", "100")
    delivery = store.take("5")
    back = store.do("customer_return", {"quantity": "2", "of": delivery["lines"][0]["id"]})
    assert store.worth(back) == [200]
    store.do("cost_added", {"quantity": "1", "of": receipt["lines"][0]["id"]}, cost="50")
    assert store.worth(back) == [220]
    assert average(store) == 110
    assert store.account("cost") == 330
    assert store.account("stock") == 220


def test_val_15_a_receipt_for_an_earlier_day_into_a_lot_that_was_moved(store: Store) -> None:
    bolt = store.bolt = store.make("item", "pill", valuation="specific")
    x, y, k = store.make("lot", "X"), store.make("lot", "Y"), store.make("place", "K")
    store.buy("5", "10", day="2026-03-02", lot=x)
    store.buy("5", "10", day="2026-03-02", lot=y)
    of_y = store.do(
        "transfer", {"quantity": "5", "lot": y}, day="2026-03-03", target=store.make("place", "J")
    )
    store.buy("5", "10", day="2026-03-02", lot=y)
    moved = store.do("transfer", {"quantity": "5", "lot": x}, day="2026-03-02", target=k)
    store.buy("5", "20", day="2026-03-01", lot=x)
    assert store.worth(moved) == [-75, 75]
    assert store.there(bolt)[1] == 125
    assert store.there(bolt, k)[1] == 75
    assert store.worth(of_y) == [-50, 50]


@pytest.mark.parametrize("receipts, issues, total", [
    ([("2", "1.00"), ("1", "1.01")], ["3"], "3.01"),
    ([("10", "16.83"), ("10", "20")], ["10", "9", "1"], "368.30"),
])  # fmt: skip
def test_val_17_no_cent_stays_behind(store: Store, receipts: Any, issues: Any, total: str) -> None:
    for quantity, price in receipts:
        store.buy(quantity, price)
    assert -sum(store.worth(store.take(each))[0] for each in issues) == D(total)
    assert store.there() == (0, 0)


def test_val_19_each_invoice_corrects_its_own_receipt(store: Store) -> None:
    found = []
    for invoiced in (100, 150, 80):
        receipt = store.buy("1", "100")
        row = {"quantity": "1", "of": receipt["lines"][0]["id"]}
        store.do("cost_added", row, cost=str(invoiced - 100))
        found.append((store.there()[1], average(store)))
    assert found == [(100, 100), (250, 125), (330, 110)]


def test_val_21_no_entry_for_an_earlier_day_makes_a_later_balance_negative(store: Store) -> None:
    store.buy("10", "1", day="2026-01-01")
    store.take("8", day="2026-01-10")
    with pytest.raises(Invalid) as error:
        store.do("count", {"quantity": "7", "price": "1"}, day="2026-01-01")
    text = error.value.problems[0].message.render("en")
    assert "2026-01-10" in text and "-1" in text


def test_val_23_a_transfer_keeps_the_layers_and_a_repack_sums_them(database: Any) -> None:
    store = Store(REPACK, REPACK_POSTING)
    store.bolt = store.make("item", "nut", valuation="fifo")
    for price in ("10", "20", "30", "40"):
        store.buy("10", price)
    other = store.make("place", "other")
    store.do("transfer", {"quantity": "40"}, target=other)
    taken = [store.worth(store.take("10", place=other))[0] for _ in range(4)]
    assert taken == [-100, -200, -300, -400]
    for price in ("10", "20", "30", "40"):
        store.buy("10", price)
    assert store.worth(_repack(store, "40", "0", "2026-03-01"))[1] == 1000


def test_val_27_a_corrected_issue_takes_from_the_next_layer(fifo: Store) -> None:
    fifo.buy("10", "10")
    fifo.buy("10", "12")
    issue = fifo.take("8")
    assert fifo.worth(issue) == [-80]
    from formloop.forms import service
    from formloop.forms.service import How

    line = {**issue["lines"][0], "quantity": "14"}
    service.change_record(
        SYSTEM, "issue", issue["id"], {"lines": [line]}, how=How(trusted=True, unlocked=True)
    )
    assert fifo.there() == (6, 72)
    assert fifo.account("cost") == 148


PLACES = {
    **definitions.head("ledger", "moves"),
    "dimensions": {"item": {"form": "item"}, "place": {"form": "place"}},
    "measures": {"quantity": {"scale": 6}},
    "balanced": [{"id": "nothing_lost", "sum": {"quantity": 1}, "by": ["item"]}],
}
MOVING = definitions.form("moving", day=definitions.date(), source=definitions.link("From", "place"),
                          target=definitions.link("To", "place"), item=definitions.link("Item", "item"),
                          quantity=definitions.number("Quantity"))  # fmt: skip


def _moving(key: str, on: str, **more: Any) -> Any:
    return definitions.posting(
        key, "moving",
        {"id": "out", "ledger": "moves", "item": "item", "place": "source", "quantity": "-quantity", **more},
        {"id": "into", "ledger": "moves", "item": "item", "place": "target", "quantity": "quantity", **more},
        date="day",
    ) | {"on": on}  # fmt: skip


def test_val_25_quantities_as_of_a_date_with_planned_moves_in_the_future_only(database: Any) -> None:
    from datetime import date, timedelta

    from formloop.forms import service

    done = _moving("moving_done", "state:done")
    planned = _moving("moving_planned", "state:draft", pending=True) | {
        "until": ["state:done", "state:cancelled"]
    }
    store = Store(PLACES, MOVING, done, planned)
    named = {each: store.make("place", each) for each in ("supplier", "storage", "customer")}
    today = date(2026, 3, 20)

    def move(day: int, source: str, target: str, quantity: str) -> dict[str, Any]:
        said = {"day": str(today + timedelta(day)), "item": store.bolt, "quantity": quantity}
        return service.create(SYSTEM, "moving", {**said, "source": named[source], "target": named[target]})

    for day, source, target, quantity in (
        (-5, "supplier", "storage", "10"), (-4, "supplier", "storage", "15"), (-3, "storage", "customer", "5"),
    ):  # fmt: skip
        service.set_state(SYSTEM, "moving", move(day, source, target, quantity)["id"], "done")
    move(5, "supplier", "storage", "3")

    def there(place: str, day: int) -> D:
        dims = {"item": store.bolt, "place": named[place]}
        return balance_at(get_ledger("moves"), dims, today + timedelta(day))["quantity"]

    assert [there("storage", day) for day in (-6, -5, -4, -3, 0)] == [0, 10, 25, 20, 20]
    from formloop.ledgers.reading import find_balance

    row = find_balance("moves", {"item": store.bolt, "place": named["storage"]})
    assert row is not None and row["m_quantity"] + row["r_quantity"] + row["e_quantity"] == 23
    assert [there("supplier", -5), there("storage", -5)] == [-10, 10]
    assert [there(each, -3) for each in named] == [-25, 20, 5]
