"""The worked figures of the reference case for what is made elsewhere."""

from typing import Any

from formloop.ledgers import reading
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
