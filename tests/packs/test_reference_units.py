"""Documents in other units than that of stock: the worked case of FIFO in kilograms and grams, and its edges."""

import json
import re
from collections.abc import Callable
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.events import jobs
from formloop.forms import importing, reads, staging
from formloop.forms import service as records
from formloop.forms.importing import import_file
from formloop.forms.kind import get_form
from formloop.ledgers.verifying import verify
from formloop.workflows import service
from formloop.workflows.amendments import service as amendments
from packs.test_order_progress import Sold, agree
from packs.trading import Trade, actor_of, named, sums


def other(name: str, kept: str, unit: str, factor: str, method: str = "fifo") -> tuple[int, int]:
    """An item with another unit."""
    conversion = {"unit": named("unit", code=unit), "factor": factor}
    given = {"name": name, "source": "buy", "valuation": method, "unit": named("unit", code=kept)}
    item = int(records.create(SYSTEM, "item", given | {"conversions": [conversion]})["id"])
    return item, named("item_unit", item=item)


class Weighed(Trade):
    """An item that is kept in kilograms and also comes and goes in grams."""

    def __init__(self, method: str = "fifo") -> None:
        super().__init__(method)
        self.item, self.gram = other("Flux", "KG", "G", "0.001", method)

    def line(self, said: str, **more: str) -> dict[str, Any]:
        quantity, unit = said.split()
        return {
            "item": self.item,
            "quantity": quantity,
            "unit": {"kg": None, "g": self.gram}[unit],
            **more,
        }

    def order(self, quantity: str, price: str) -> int:
        """A confirmed order in kilograms."""
        line = {"item": self.item, "quantity": quantity, "price": price}
        given = {"supplier": self.supplier, "warehouse": self.place, "lines": [line]}
        order = int(records.create(actor_of("buyer"), "purchase_order", given)["id"])
        service.submit(actor_of("buyer"), "purchase_order", order)
        return order


def test_val_05_receipts_and_issues_in_two_units_cost_what_the_worked_case_says(filled: Flask) -> None:
    """4 kg at 10 and 2000 g at 0.025; 3 kg, 1 kg and 1000 g go out first in, first out. The average is looked at before
    the issues and after each."""
    weighed, costs, averages = Weighed(), [], []

    def average() -> D:
        quantity, value = weighed.there()
        return value / quantity

    for goods, price in (("4 kg", "10"), ("2000 g", "0.025")):
        weighed.do("stock_in", [weighed.line(goods, price=price)], warehouse=weighed.place)
    averages.append(average())
    for goods in ("3 kg", "1 kg", "1000 g"):
        before = weighed.there()
        weighed.do("stock_out", [weighed.line(goods)], warehouse=weighed.place)
        quantity, value = (was - now for was, now in zip(before, weighed.there(), strict=True))
        costs.append(value / quantity)
        averages.append(average())
    assert (averages, costs) == ([15, 20, 25, 25], [10, 10, 25])
    assert weighed.there() == (1, 25)
    assert verify() == []


def test_goods_of_an_order_come_in_another_unit_and_are_counted_in_that_of_stock(filled: Flask) -> None:
    weighed, keeper = Weighed("moving_average"), actor_of("keeper")
    order = weighed.order("5", "30")
    progress = named("purchase_progress", item=weighed.item)
    made = asking.ask(keeper, "purchase_order", order, "order_to_receipt").record
    row = {"ordered": progress, "item": weighed.item, "unit": weighed.gram, "rejected": "250"}

    def come(grams: str, price: str) -> None:
        lines = [row | {"accepted": grams, "price": price}]
        records.change_record(SYSTEM, "receipt", made, {"warehouse": weighed.place, "lines": lines})

    for grams, price, code in (("5001", "0.03", "not_more"), ("2000", "30", "price_of_order")):
        with pytest.raises(Invalid) as caught:
            come(grams, price)
        assert [each.code for each in caught.value.problems] == [f"check:{code}"]
    assert "the order says 0.03" in caught.value.problems[0].message.render("en")
    come("2000", "0.03")
    service.submit(keeper, "receipt", made)
    assert weighed.there() == (2, 60)
    line = reads.get_record(SYSTEM, "purchase_progress", progress)
    assert [line[key] for key in ("received", "rejected", "open", "state")] == [2, D("0.25"), 3, "open"]
    goods = reads.get_record(SYSTEM, "received_item", named("received_item", receipt=made))
    assert (goods["quantity"], goods["price"], goods["amount"]) == (2, 30, 60)
    bill = asking.ask(actor_of("accountant"), "receipt", made, "receipt_to_supplier_invoice").record
    service.submit(actor_of("accountant"), "purchase_invoice", bill)
    owed = sums(
        "general", ("debit", "credit"), account=named("account", code="220202"), supplier=weighed.supplier
    )
    assert reads.get_record(SYSTEM, "purchase_invoice", bill)["net"] == 60
    assert owed[1] - owed[0] == 1000  # what came before, of something else
    assert verify() == []


def test_a_receipt_in_another_unit_is_taken_back_whole(demo: Flask) -> None:
    weighed, keeper = Weighed("moving_average"), actor_of("keeper")
    order = weighed.order("2", "30")
    made = asking.ask(keeper, "purchase_order", order, "order_to_receipt").record
    progress = named("purchase_progress", item=weighed.item)
    row = {
        "ordered": progress,
        "item": weighed.item,
        "unit": weighed.gram,
        "accepted": "2000",
        "price": "0.03",
    }
    records.change_record(SYSTEM, "receipt", made, {"warehouse": weighed.place, "lines": [row]})
    service.submit(keeper, "receipt", made)
    assert reads.get_record(SYSTEM, "purchase_progress", progress)["state"] == "done"
    (conversion,) = reads.get_record(SYSTEM, "item", weighed.item)["conversions"]
    later = {"id": conversion["id"], "factor": "0.002"}  # what was received stays what it came to
    records.change_record(SYSTEM, "item", weighed.item, {"conversions": [later]})
    assert reads.get_record(SYSTEM, "item_unit", weighed.gram)["name"] == "G = 0.002 KG"
    weighed.take_back("receipt", made)
    line = reads.get_record(SYSTEM, "purchase_progress", progress)
    assert [line[key] for key in ("received", "open", "state")] == [0, 2, "open"]
    assert weighed.there() == (0, 0)


def test_thirds_of_a_box_leave_no_cent_on_the_accrual(demo: Flask) -> None:
    """A price for a box of three is no round price for a piece; the invoice settles all the same what came."""
    weighed = Weighed("moving_average")
    weighed.item, box = other("Bulb", "PCS", "SET", "3", "moving_average")
    before = weighed.account("220202")
    line = {"item": weighed.item, "unit": box, "accepted": "10000", "price": "10"}
    receipt = weighed.do("receipt", [line], warehouse=weighed.place)
    assert weighed.there() == (30_000, 100_000)
    bill = asking.ask(actor_of("accountant"), "receipt", receipt, "receipt_to_supplier_invoice").record
    service.submit(actor_of("accountant"), "purchase_invoice", bill)
    assert weighed.account("220202") == before
    assert verify() == []


def test_a_transfer_in_another_unit_moves_what_it_comes_to(demo: Flask) -> None:
    weighed = Weighed()
    weighed.do("stock_in", [weighed.line("4 kg", price="10")], warehouse=weighed.place)
    target = int(records.create(SYSTEM, "warehouse", {"code": "ELSE", "name": "Elsewhere"})["id"])
    line = weighed.line("1500 g")
    given = {"day": "2026-03-20", "warehouse": weighed.place, "target": target, "lines": [line]}
    made = records.create(SYSTEM, "stock_transfer", given)
    assert made["lines"][0]["stock_quantity"] == D("1.5")
    service.submit(actor_of("keeper"), "stock_transfer", made["id"])
    assert weighed.there() == (D("2.5"), 25)
    assert sums("stock", ("quantity", "value"), item=weighed.item, warehouse=target) == (D("1.5"), 15)


def test_a_delivery_in_another_unit_counts_in_that_of_stock(filled: Flask) -> None:
    """An order over 10 at 20, delivered in packs of four."""
    sold, pack = Sold(), named("unit", code="SET")
    sold_item = sold.items[0]
    records.change_record(SYSTEM, "item", sold_item, {"conversions": [{"unit": pack, "factor": "4"}]})
    progress = named("order_progress", item=sold_item)
    row = {"ordered": progress, "item": sold_item, "unit": named("item_unit", item=sold_item)}
    made = asking.ask(sold.keeper, "sales_order", sold.order, "order_to_delivery").record

    def go(quantity: str, price: str) -> None:
        lines = [row | {"quantity": quantity, "price": price}]
        given = {"warehouse": named("warehouse", code="MAIN"), "lines": lines}
        records.change_record(SYSTEM, "delivery", made, given)

    for quantity, price, code in (("3", "80", "not_more"), ("2", "20", "price_of_order")):
        with pytest.raises(Invalid) as caught:
            go(quantity, price)
        assert [each.code for each in caught.value.problems] == [f"check:{code}"]
    go("2", "80")
    service.submit(sold.keeper, "delivery", made)
    stock = {"item": sold_item, "warehouse": named("warehouse", code="MAIN")}
    assert sums("stock", ("quantity",), **stock) == (92,)
    goods = reads.get_record(SYSTEM, "delivered_item", named("delivered_item", delivery=made))
    assert (goods["quantity"], goods["price"], sold.progress()) == (8, 20, [("open", 2)])
    amendments.propose(sold.keeper, "delivery", made, None, "Wrong")
    agree("delivery", made, "accountant")
    assert (sold.progress(), sums("stock", ("quantity",), **stock)) == ([("open", 10)], (100,))
    assert verify() == []


@pytest.mark.parametrize("form", ["stock_in", "stock_out", "stock_transfer", "receipt", "delivery"])
def test_a_unit_without_a_conversion_is_told_at_its_line(demo: Flask, form: str) -> None:
    weighed = Weighed()
    quantity = "accepted" if form == "receipt" else "quantity"
    line = {"item": weighed.item, quantity: "1", "unit": other("Wire", "KG", "M", "0.2")[1], "price": "1"}
    if form in ("stock_out", "stock_transfer"):
        del line["price"]
    given = {"day": "2026-03-20", "warehouse": weighed.place, "lines": [line], "supplier": weighed.supplier}
    given |= {"target": named("warehouse", code="MAIN"), "customer": named("customer", code="C0001")}
    known = {"stock_transfer": "target", "receipt": "supplier", "delivery": "customer"}
    given = {key: each for key, each in given.items() if key not in known.values() or key == known.get(form)}
    with pytest.raises(Invalid) as caught:
        records.create(SYSTEM, form, given)
    problem = caught.value.problems[0]
    assert (problem.code, problem.at) == ("check:unit_known", "lines.0.unit")
    assert "M = 0.2 KG is no unit of Flux" in problem.message.render("en")
    assert "M = 0.2 KG 不是 Flux 的单位" in problem.message.render("zh-CN")


def test_only_lines_in_another_unit_show_one(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    weighed, keeper = Weighed(), people_of_demo("keeper")
    head = {"day": "2026-03-20", "warehouse": weighed.place, "supplier": weighed.supplier}

    def shown(line: dict[str, Any]) -> list[bool]:
        made = records.create(SYSTEM, "receipt", head | {"lines": [line]})["id"]
        page = keeper.get(f"/f/receipt/{made}").text
        heads = re.findall(r"<th[^>]*>\s*([^<]*?)\s*<", page)
        return [title in heads for title in ("Unit", "Accepted, stock", "Rejected, stock")]

    line = {"accepted": "2000", "price": "1"}
    plain = records.create(SYSTEM, "item", {"name": "Rod", "source": "buy"})["id"]
    assert shown(line | {"item": plain}) == [False, False, False]
    assert shown(line | {"item": weighed.item}) == [True, False, False]
    given = {"item": weighed.item, "unit": weighed.gram}
    assert shown(line | given) == [True, True, False]
    assert shown(line | given | {"rejected": "250"}) == [True, True, True]


def test_less_than_stock_can_count_is_refused(demo: Flask) -> None:
    weighed = Weighed()
    line = {"item": weighed.item, "unit": weighed.gram, "quantity": "0.0001"}
    given = {"day": "2026-03-20", "warehouse": weighed.place, "lines": [line]}
    with pytest.raises(Invalid) as caught:
        records.create(SYSTEM, "stock_out", given)
    (problem,) = caught.value.problems
    assert (problem.code, problem.at) == ("check:enough_for_stock", "lines.0.quantity")


@pytest.mark.parametrize(
    "factor, quantity, price", [("144", "1000", "0.5"), ("7", "1000000", "0.01"), ("3", "10000", "10")]
)
def test_goods_delivered_by_the_box_are_invoiced_at_what_the_boxes_cost(
    demo: Flask, factor: str, quantity: str, price: str
) -> None:
    item, box = other("Screw", "PCS", "SET", factor, "moving_average")
    line = {"item": item, "unit": box, "quantity": quantity, "price": price}
    place = named("warehouse", code="MAIN")
    Trade().do("stock_in", [line], warehouse=place)
    given = {
        "day": "2026-03-20",
        "customer": named("customer", code="C0001"),
        "warehouse": place,
        "lines": [line],
    }
    made = int(records.create(SYSTEM, "delivery", given)["id"])
    service.submit(actor_of("keeper"), "delivery", made)
    invoice = asking.ask(actor_of("accountant"), "delivery", made, "delivery_to_invoice").record
    assert reads.get_record(SYSTEM, "sales_invoice", invoice)["net"] == D(quantity) * D(price)


@pytest.mark.parametrize("unit", ["G", "{name}"])
def test_a_file_names_the_unit_of_the_item_of_its_line(demo: Flask, tmp_path: Path, unit: str) -> None:
    made = [other(name, "KG", "G", "0.001") for name in ("Flux", "Salt")]
    codes = [reads.get_record(SYSTEM, "item", item)["code"] for item, _ in made]
    name = unit.format(name=reads.get_record(SYSTEM, "item_unit", made[0][1])["name"])
    (tmp_path / "in.csv").write_text(
        "unit,item,quantity,price\n" + "".join(f"{name},{code},500,0.02\n" for code in codes)
    )
    columns = {each: f"lines.{each}" for each in ("unit", "item", "quantity", "price")}
    said = {"columns": columns, "constants": {"warehouse": "MAIN"}, "each_row": True}
    (tmp_path / "in.json").write_text(json.dumps(said))
    found = import_file("stock_in", tmp_path / "in.csv", tmp_path / "in.json")
    assert (found.problems, found.counts) == ([], {"created": 2})
    for item, unit_of_item in made:
        (line,) = reads.get_record(SYSTEM, "stock_in", named_by_item(item))["lines"]
        assert (line["unit"], line["stock_quantity"]) == (unit_of_item, D("0.5"))


def named_by_item(item: int) -> int:
    """The other receipt with a line of this item."""
    lines = get_form("stock_in").line_tables["lines"]
    with reading() as conn:
        return int(conn.execute(select(lines.c.record).where(lines.c.item == item)).scalar_one())


def test_items_with_other_units_are_taken_back_unless_a_unit_is_used(demo: Flask, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(
        "code,name,unit,other,factor\nIX1,Glue,KG,G,0.001\nIX2,Gum,KG,G,0.001\n"
    )
    columns = {
        "code": "code",
        "name": "name",
        "unit": "unit",
        "other": "conversions.unit",
        "factor": "conversions.factor",
    }
    said = {"columns": columns, "by": "code", "constants": {"source": "buy"}}
    batch = importing.begin(SYSTEM, "item", "items.csv", tmp_path / "items.csv", said)
    for part in ("import_check", "import_run"):
        jobs.run(importing.start(SYSTEM, batch, part, now=True)).require_done()
    item = named("item", code="IX1")
    line = {"item": item, "unit": named("item_unit", item=item), "quantity": "5", "price": "1"}
    records.create(SYSTEM, "stock_in", {"warehouse": named("warehouse", code="MAIN"), "lines": [line]})
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True)).require_done()
    assert staging.counts(batch) == {"undone": 1, "kept": 1}
    assert [record for record, _ in importing.list_kept(batch, "en", 9)] == [item]
