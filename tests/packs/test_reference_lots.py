"""Worked figures of the reference cases for lots, through the documents of the packs."""

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import Conflict, Invalid
from formloop.datasets import service as datasets
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers.tracing import trace
from formloop.workflows import service as workflows
from packs.test_reference_values import Goods
from packs.trading import actor_of


def test_lot_02_a_lot_is_traced_through_what_is_made_of_it(filled: Flask) -> None:
    goods = Goods(tracking="lot")
    frame = goods.make("item", name="Frame", source="outsource", tracking="lot")
    c2, p1 = goods.lot("C2"), goods.lot("P1", item=frame)
    goods.put("10", "1", lot=c2)
    head = {
        "supplier": goods.supplier,
        "at_supplier": goods.main,
        "made": frame,
        "quantity": "1",
        "service": "0",
    }
    with pytest.raises(Invalid) as error:
        goods.do("outsourcing_receipt", {"quantity": "10", "lot": c2}, **head)
    assert [each.at for each in error.value.problems] == ["made_lot"]
    goods.do("outsourcing_receipt", {"quantity": "10", "lot": c2}, made_lot=p1, **head)
    assert trace(SYSTEM, "stock", "lot", c2, down=True) == [p1]
    assert trace(SYSTEM, "stock", "lot", p1, down=False) == [c2]


def test_lot_04_a_lot_is_taken_from_the_warehouse_that_holds_it(filled: Flask) -> None:
    """Policy: *Issue it from where it lies* on a lot proposes the warehouse with most of it; a person may choose another,
    and one without the lot is refused."""
    goods, keeper = Goods(), actor_of("keeper")
    first, second, lot = goods.place("Zone1"), goods.place("Zone2"), goods.lot("LOT", expires="2099-01-01")
    third = goods.place("Zone3")
    goods.put("100", "1", warehouse=first)
    goods.put("100", "1", warehouse=second, lot=lot)
    goods.put("20", "1", warehouse=third, lot=lot)
    asked = asking.ask(keeper, "lot", lot, "lot_to_stock_out").record
    issue = reads.get_record(SYSTEM, "stock_out", asked)
    assert (issue["warehouse"], [(row["lot"], row["quantity"]) for row in issue["lines"]]) == (
        second,
        [(lot, 100)],
    )
    row = {"id": issue["lines"][0]["id"], "quantity": "10"}
    records.change_record(keeper, "stock_out", asked, {"day": "2026-03-02", "lines": [row]})
    workflows.submit(keeper, "stock_out", asked)
    assert [goods.there(each)[0] for each in (first, second, third)] == [100, 90, 20]
    rows = datasets.read_all(SYSTEM, "lots_to_issue")
    assert {r["warehouse"]: r["free"] for r in rows if r["lot"] == lot} == {second: 90, third: 20}
    with pytest.raises(Invalid):
        goods.take("10", warehouse=first, lot=lot)


@pytest.mark.parametrize("values", [{"status": "blocked"}, {"expires": "2020-01-01"}])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_lot_that_may_not_be_used_is_not_proposed(filled: Flask, values: dict[str, str]) -> None:
    goods = Goods()
    lot = goods.lot("LOT")
    goods.put("5", "1", lot=lot)
    records.change_record(SYSTEM, "lot", lot, values)
    with pytest.raises(Conflict):
        asking.ask(actor_of("keeper"), "lot", lot, "lot_to_stock_out")
