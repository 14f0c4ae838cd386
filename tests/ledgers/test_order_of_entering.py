"""Documents of one day count in the order in which they were entered, whichever process entered them."""

from collections.abc import Iterator
from decimal import Decimal as D

import pytest
from sqlalchemy import select

from formloop.core import clock
from formloop.db import reading
from formloop.ledgers.engine import FREE, GIVEN
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.verifying import verify
from ledgers.store import Store


@pytest.fixture(autouse=True)
def own_node(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The node of this process as it was, afterwards."""
    monkeypatch.setattr(clock, "_node", clock._node)
    yield


@pytest.mark.parametrize("method", ["moving_average", "fifo"])
@pytest.mark.parametrize("nodes", [(3, 9), (9, 3)])
def test_an_issue_takes_the_value_of_a_receipt_that_another_process_entered_in_this_second(
    store: Store, nodes: tuple[int, int], method: str
) -> None:
    """Both processes borrow this second: one after a bulk load, the other at once."""
    item = store.make("item", f"nut {method}", valuation=method)
    clock.set_node(nodes[0])
    clock.new_ids(10_000)
    store.do("receipt", {"item": item, "quantity": "10", "price": "25"}, day="2026-03-10")
    clock.set_node(nodes[1])
    store.do("issue", {"item": item, "quantity": "4"}, day="2026-03-10")
    assert store.there(item) == (6, D("150.00"))
    assert store.account("variance") == 0
    assert verify() == []


def test_what_is_entered_for_an_earlier_day_still_passes_by_the_highest(store: Store) -> None:
    """The last movement by day is not the last that was entered."""
    clock.set_node(9)
    store.do("receipt", {"quantity": "1", "price": "1"}, day="2026-03-20")
    clock.new_ids(10_000)
    store.do("receipt", {"quantity": "10", "price": "25"}, day="2026-03-10")
    clock.set_node(3)
    store.do("issue", {"quantity": "10"}, day="2026-03-10")
    table = get_ledger("stock").tables.entry
    query = (
        select(table.c.m_quantity).where(table.c.way.in_((GIVEN, FREE))).order_by(table.c.date, table.c.id)
    )
    with reading() as conn:
        assert list(conn.execute(query).scalars()) == [10, -10, 1]
    assert store.there() == (1, 1) and verify() == []
