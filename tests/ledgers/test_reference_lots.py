"""The worked figures of the reference cases for lots and what is made elsewhere."""

from typing import Any

from formloop.access.actor import SYSTEM
from formloop.ledgers import reading
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.tracing import trace
from ledgers.outsourcing import OUTSOURCED, OUTSOURCED_POSTING, outsourced
from ledgers.store import Store


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
