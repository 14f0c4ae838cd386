"""The worked figures of the reference cases for valuation and lots, played through the forms of the packs.

Where a case names a policy, the test says by what the packs follow it. VAL-05 is in `test_reference_units.py`.
"""

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask

from formloop.access import people, sessions
from formloop.access.actor import SYSTEM
from formloop.access.signing import COOKIE
from formloop.bridges import asking
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid
from formloop.datasets import service as datasets
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms import reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.ledgers import periods
from formloop.ledgers.verifying import verify
from formloop.studio import drafting
from formloop.workflows import service as workflows
from ledgers.store import worth
from packs.trading import Trade, actor_of, named, sums, take_back

BOOKED = ("landed_cost",)  # by the accountant; all else by the keeper of the stores


class Goods:
    """One item, and what is done with it: each document on a day of its own or on one that is said."""

    def __init__(self, **item: Any) -> None:
        self.item = self.make("item", name="Nut", source="buy", **item)
        self.main = self.make("warehouse", code="W1", name="Stores", may_go_negative=True)
        self.supplier, self.customer = named("supplier", code="S0002"), named("customer", code="C0001")

    def make(self, form: str, **values: Any) -> int:
        return int(records.create(SYSTEM, form, values)["id"])

    def lot(self, code: str, **more: Any) -> int:
        return self.make("lot", code=code, **{"item": self.item, **more})

    def do(self, form: str, *lines: dict[str, Any], day: str = "2026-03-01", **head: Any) -> int:
        """A document that is submitted by whoever does such things."""
        said = {
            "day": day,
            **({"warehouse": self.main} if "warehouse" in get_form(form).fields else {}),
            **head,
        }
        made = self.make(form, **said, lines=[{"item": self.item, **line} for line in lines])
        workflows.submit(actor_of("accountant" if form in BOOKED else "keeper"), form, made)
        return made

    def put(self, quantity: str, price: str, day: str = "2026-03-01", **head: Any) -> int:
        """An other receipt of one line."""
        line = {"quantity": quantity, "price": price, **({"lot": head.pop("lot")} if "lot" in head else {})}
        return self.do("stock_in", line, day=day, **head)

    def take(self, quantity: str, day: str = "2026-03-01", **head: Any) -> int:
        """An other issue of one line."""
        line = {"quantity": quantity, **({"lot": head.pop("lot")} if "lot" in head else {})}
        return self.do("stock_out", line, day=day, **head)

    def receive(self, *prices: tuple[str, str], day: str = "2026-03-01") -> int:
        """A receipt of a purchase."""
        lines = [{"accepted": quantity, "price": price} for quantity, price in prices]
        return self.do("receipt", *lines, day=day, supplier=self.supplier)

    def there(self, place: int | None = None, item: int | None = None) -> tuple[D, ...]:
        return sums("stock", ("quantity", "value"), item=item or self.item, warehouse=place or self.main)

    def average(self, place: int | None = None) -> D:
        quantity, value = self.there(place)
        return value / quantity

    def place(self, name: str) -> int:
        return self.make("warehouse", code=name, name=name)

    def repack(self, quantity: str, cost: str, day: str = "2026-03-01") -> tuple[int, int]:
        """Somebody makes one of it; returns the document and what is made."""
        kit = self.make("item", name="Kit", source="outsource")
        head = {
            "supplier": self.supplier,
            "at_supplier": self.main,
            "made": kit,
            "quantity": "1",
            "service": cost,
        }
        return self.do("outsourcing_receipt", {"quantity": quantity}, day=day, **head), kit


def test_val_01_the_average_after_each_receipt(filled: Flask) -> None:
    goods, found = Goods(), []
    for lines in ([("1", "100")], [("1", "200")], [("1", "200"), ("1", "200")]):
        goods.receive(*lines)
        found.append(goods.average())
    assert found == [100, 150, 175]


def test_val_03_an_issue_before_the_receipt_of_its_day(filled: Flask) -> None:
    """Policy: after a recomputation an issue takes the cost reached at the end of its day (*Issues of a day at* in the
    designer of the ledger Stock)."""
    filled.config["WTF_CSRF_ENABLED"] = False
    stock, person = library.find_document("ledger", "stock") or {}, people.find_person("administrator")
    client, here = filled.test_client(), {"HX-Request": "true", "Origin": "http://localhost"}
    client.set_cookie(COOKIE, sessions.open_session(person.id if person else 0))
    desk = drafting.open_desk(actor_of("administrator"), stock["x-id"])
    said = {"revision": desk.revision, "at": "valuation/same_day", "value": '"day_end"'}
    for page, given in (
        ("studio/{}/do/set", said),
        ("definitions/{}/publish", {"note": "At the end of the day"}),
    ):
        url = "/" + page.format(stock["x-id"])
        assert "cost at the end of the day" in client.get(f"/studio/{stock['x-id']}").text
        assert client.post(url, data=given, headers=here).status_code < 400
    assert (library.find_document("ledger", "stock") or {})["valuation"]["same_day"] == "day_end"
    goods = Goods()
    first = goods.put("1", "100", day="2026-03-01")
    issue = goods.take("2", day="2026-03-02")
    goods.put("2", "120", day="2026-03-02")
    goods.put("3", "100", day="2026-03-03")
    assert (worth(issue), goods.average()) == ([-200], 105)
    take_back("stock_in", first)
    goods.put("1", "100", day="2026-03-01")
    assert (worth(issue), goods.average()) == ([-240], 105)


def with_owner(doc: Doc) -> Doc:
    """The form and the posting of other receipts with whose goods they are."""
    if doc["x-kind"] == "posting":
        first, *others = doc["entries"]
        return {**doc, "entries": [{**first, "owner": "consignor"}, *others]}
    owner = {"type": "integer", "x-type": "relation", "title": "Owner", "x-relation": {"form": "supplier"}}
    return {**doc, "properties": {**doc["properties"], "consignor": owner}}


def test_val_07_six_movements_and_goods_of_others_in_one_warehouse(filled: Flask) -> None:
    """Policies: the value is kept, the rate derived, the last issue takes the rest; goods of others have no value: `when`
    of the ledger, once a builder has given it a dimension for the owner."""
    stock = library.find_document("ledger", "stock") or {}
    owner = {"form": "supplier", "optional": True}
    valuation = {**stock["valuation"], "per": ["item", "warehouse", "owner"], "when": "ISBLANK(owner)"}
    wider = {**stock, "dimensions": {**stock["dimensions"], "owner": owner}, "valuation": valuation}
    own = [
        library.find_document(*each) or {} for each in (("form", "stock_in"), ("posting", "stock_in_posting"))
    ]
    definitions.publish_many(SYSTEM, [wider, *map(with_owner, own)], "Whose goods")
    goods = Goods()
    goods.receive(("60", "15"))
    goods.receive(("140", "15.5"))
    issues = [goods.take("190")]
    goods.receive(("70", "16"))
    issues.append(goods.take("30"))
    goods.put("10", "0", consignor=goods.supplier)
    issues.append(goods.take("50"))
    found = [value for each in issues for value in worth(each)]
    assert found == [D("-2916.50"), D("-477.56"), D("-795.94")]
    assert (sum(found), goods.there(), verify()) == (-4190, (10, 0), [])


def test_val_09_a_shortage_is_covered_by_the_next_receipt(filled: Flask) -> None:
    """Policy: the warehouse may go negative."""
    goods = Goods(valuation="fifo")
    goods.put("10", "10")
    goods.take("15")
    assert goods.there() == (-5, -50)
    goods.take("5")
    assert goods.there() == (-10, -100)
    receipt = goods.put("15", "15")
    assert (goods.there(), worth(receipt)) == ((5, 75), [175])


def test_val_11_what_is_set_for_an_earlier_day_changes_a_transfer_and_a_repack(filled: Flask) -> None:
    """Stores are set to 50 at 150 by an issue of what is there and a receipt, since counts bring no price."""
    goods = Goods()
    finished = goods.place("FG")
    goods.put("50", "100", day="2026-04-10")
    goods.put("10", "200", day="2026-04-20", warehouse=finished)
    moved = goods.do("stock_transfer", {"quantity": "10"}, day="2026-04-30", target=finished)
    packed, kit = goods.repack("5", "40", day="2026-05-05")
    assert (goods.average(finished), goods.there(item=kit)) == (150, (1, 540))
    goods.take("50", day="2026-04-12")
    goods.put("50", "150", day="2026-04-12")
    assert worth(moved) == [-1500, 1500]
    assert (goods.average(finished), goods.there(item=kit)) == (175, (1, 790))
    assert (worth(packed)[-1], verify()) == (790, [])


def test_val_13_a_return_comes_back_at_the_cost_of_its_delivery(filled: Flask) -> None:
    goods = Goods()
    received = named("received_item", receipt=goods.receive(("5", "100")))
    sent = goods.do("delivery", {"quantity": "5", "price": "300"}, customer=goods.customer)
    line = {"delivered": named("delivered_item", delivery=sent), "quantity": "2"}
    back = goods.do("sales_return", line, customer=goods.customer)
    assert (worth(back), goods.average()) == ([200], 100)
    goods.do("landed_cost", {"received": received}, supplier=goods.supplier, cost="50")
    assert (worth(back), goods.average()) == ([220], 110)


def test_val_15_a_receipt_for_an_earlier_day_into_a_lot_that_was_moved(filled: Flask) -> None:
    goods = Goods(valuation="specific", tracking="lot")
    x, y, k, j = goods.lot("X"), goods.lot("Y"), goods.place("K"), goods.place("J")
    goods.put("5", "10", day="2026-03-02", lot=x)
    goods.put("5", "10", day="2026-03-02", lot=y)
    of_y = goods.do("stock_transfer", {"quantity": "5", "lot": y}, day="2026-03-03", target=j)
    goods.put("5", "10", day="2026-03-02", lot=y)
    moved = goods.do("stock_transfer", {"quantity": "5", "lot": x}, day="2026-03-02", target=k)
    goods.put("5", "20", day="2026-03-01", lot=x)
    assert worth(moved) == [-75, 75]
    assert (goods.there()[1], goods.there(k)[1], worth(of_y)) == (125, 75, [-50, 50])


@pytest.mark.parametrize("receipts, issues, total", [
    ([("2", "1.00"), ("1", "1.01")], ["3"], "3.01"),
    ([("10", "16.83"), ("10", "20")], ["10", "9", "1"], "368.30"),
])  # fmt: skip
def test_val_17_no_cent_stays_behind(filled: Flask, receipts: Any, issues: Any, total: str) -> None:
    goods = Goods()
    for each in receipts:
        goods.receive(each)
    assert -sum(worth(goods.take(each))[0] for each in issues) == D(total)
    assert goods.there() == (0, 0)


def test_val_21_no_entry_for_an_earlier_day_makes_a_later_balance_negative(filled: Flask) -> None:
    goods = Goods()
    place = goods.place("W2")
    goods.put("10", "1", day="2026-01-01", warehouse=place)
    goods.take("8", day="2026-01-10", warehouse=place)
    with pytest.raises(Invalid) as error:
        goods.do("stock_count", {"counted": "7", "again": True}, day="2026-01-01", warehouse=place)
    text = error.value.problems[0].message.render("en")
    assert "2026-01-10" in text and "-1" in text


def test_val_23_a_transfer_keeps_the_layers_and_a_repack_sums_them(filled: Flask) -> None:
    goods = Goods(valuation="fifo")
    prices, other = ("10", "20", "30", "40"), goods.place("W2")
    for price in prices:
        goods.put("10", price)
    goods.do("stock_transfer", {"quantity": "40"}, target=other)
    taken = [worth(goods.take("10", warehouse=other))[0] for _ in prices]
    assert taken == [-100, -200, -300, -400]
    for price in prices:
        goods.put("10", price)
    assert goods.there(item=goods.repack("40", "0")[1]) == (1, 1000)


def test_val_25_quantities_as_of_a_date_with_planned_ones_in_the_future_only(filled: Flask) -> None:
    """Policies: every place has a balance, also suppliers and customers, and together they come to nothing (*Goods here
    and elsewhere*); what is planned is a confirmed order, in *Stock with what is to come* alone. Once a day is
    closed, nothing is entered there any more and its figures stay."""
    goods = Goods()
    goods.receive(("10", "1"), day="2026-03-15")
    goods.receive(("15", "1"), day="2026-03-16")
    goods.do("delivery", {"quantity": "5", "price": "3"}, day="2026-03-17", customer=goods.customer)
    line = {"item": goods.item, "quantity": "3", "price": "1"}
    order = goods.make("purchase_order", day="2026-03-18", supplier=goods.supplier, lines=[line])

    def rows(dataset: str, **given: str) -> list[dict[str, Any]]:
        return [dict(row) for row in datasets.read_all(SYSTEM, dataset, given) if row["item"] == goods.item]

    def there(day: str) -> D:
        return sum((row["quantity"] for row in rows("stock_as_of", day=day)), D(0))

    def places(day: str) -> dict[str, D]:
        return {row["place"]: row["quantity"] for row in rows("goods_everywhere", day=day)}

    days = ("2026-03-14", "2026-03-15", "2026-03-16", "2026-03-17", "2026-03-20")
    (draft,) = rows("stock_to_come")
    assert (draft["there"], draft["open"], draft["then_there"]) == (20, 0, 20)
    workflows.submit(actor_of("buyer"), "purchase_order", order)
    assert [there(day) for day in days] == [0, 10, 25, 20, 20]
    (planned,) = rows("stock_to_come")
    assert (planned["there"], planned["open"], planned["then_there"]) == (20, 3, 23)
    for day, expected in (
        ("2026-03-15", {"supplier": -10, "storage": 10}),
        ("2026-03-17", {"supplier": -25, "storage": 20, "customer": 5}),
    ):
        assert (places(day), sum(expected.values())) == (expected, 0)
        periods.close(SYSTEM, "accounting", date.fromisoformat(day))
        with pytest.raises(Invalid) as error:
            goods.receive(("1", "1"), day=day)
        assert [each.code for each in error.value.problems] == ["closed"]
        assert places(day) == expected


def test_goods_that_go_back_or_are_taken_back_leave_nothing_elsewhere(filled: Flask) -> None:
    goods = Goods()
    receipt = goods.receive(("10", "1"))
    sent = goods.do("delivery", {"quantity": "4", "price": "3"}, customer=goods.customer)
    line = {"delivered": named("delivered_item", delivery=sent), "quantity": "4"}
    goods.do("sales_return", line, customer=goods.customer)
    goods.do("stock_transfer", {"quantity": "4"}, target=goods.place("W2"))
    goods.take("2")

    def places() -> dict[str, D]:
        found = datasets.read_all(SYSTEM, "goods_everywhere", {"day": "2099-01-01"})
        return {row["place"]: row["quantity"] for row in found if row["item"] == goods.item}

    assert places() == {"supplier": -10, "storage": 8, "other": 2}
    take_back("receipt", receipt)
    assert places() == {"storage": -2, "other": 2}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_goods_in_the_store_of_a_supplier_are_neither_free_nor_in_our_warehouses(filled: Flask) -> None:
    """Of a lot of 30, 20 are sent to a supplier, who is to make 4 frames of them; then it is blocked."""
    goods = Goods()
    theirs = goods.make("warehouse", code="MILL", name="At the mill", kind="supplier")
    frame, lot = goods.make("item", name="Frame", source="outsource"), goods.lot("LOT")
    goods.put("30", "1", lot=lot)
    supplied = {"item": goods.item, "quantity": "20", "lot": lot}
    head = {"day": "2026-03-01", "supplier": goods.supplier, "own": goods.main, "at_supplier": theirs}
    made = {"made": frame, "quantity": "4", "service_price": "1", "lines": [supplied]}
    order = goods.make("outsourcing_order", **head, **made)
    workflows.submit(actor_of("buyer"), "outsourcing_order", order)
    goods.do("stock_transfer", {"quantity": "20", "lot": lot}, target=theirs)

    def rows(dataset: str, item: int, **given: str) -> list[dict[str, Any]]:
        return [dict(row) for row in datasets.read_all(SYSTEM, dataset, given) if row["item"] == item]

    columns = ("there", "held", "open", "free")
    (frames,) = rows("stock_to_come", frame)
    (bought,) = rows("stock_to_come", goods.item)
    assert [[row[key] for key in columns] for row in (frames, bought)] == [[0, 0, 4, 4], [10, 0, 0, 10]]
    places = {row["place"]: row["quantity"] for row in rows("goods_everywhere", goods.item, day="2026-03-09")}
    assert places == {"storage": 10, "outside": 20, "other": -30}
    asked = asking.ask(actor_of("keeper"), "lot", lot, "lot_to_stock_out").record
    issue = reads.get_record(SYSTEM, "stock_out", asked)
    assert (issue["warehouse"], [row["quantity"] for row in issue["lines"]]) == (goods.main, [10])
    records.change_record(SYSTEM, "lot", lot, {"expires": "2099-01-01"})
    assert [row["warehouse"] for row in rows("lots_to_issue", goods.item)] == [goods.main]
    records.change_record(SYSTEM, "lot", lot, {"status": "blocked"})
    (bought,) = rows("stock_to_come", goods.item)
    assert [bought[key] for key in columns] == [10, 10, 0, 0]


def test_val_27_an_issue_that_is_taken_back_and_entered_with_more_takes_from_the_next_layer(
    filled: Flask,
) -> None:
    """Policy: what is posted is not edited; it is taken back and entered anew."""
    trade = Trade("fifo", ("10", "10"))
    trade.receive("10", "12")
    wrong = trade.do("stock_out", [{"item": trade.item, "quantity": "8"}], warehouse=trade.place)
    assert worth(wrong) == [-80]
    trade.take_back("stock_out", wrong)
    right = trade.do("stock_out", [{"item": trade.item, "quantity": "14"}], warehouse=trade.place)
    assert (worth(right), trade.there()) == ([-148], (6, 72))
