"""Outsourcing orders closed short: what is open of them is not waited for, until they are opened again."""

from typing import Any

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import FormloopError, Invalid
from formloop.forms import reads
from formloop.forms import service as records
from formloop.workflows import service
from formloop.workflows.amendments import service as amendments
from packs.test_closing_short import rows_of
from packs.test_order_progress import agree
from packs.trading import Trade, actor_of, named


class Outside:
    """A confirmed order of 10 for 3 each; its materials are at the supplier."""

    def __init__(self) -> None:
        self.buyer, self.keeper = actor_of("buyer"), actor_of("keeper")
        self.part, self.made = Trade().item, Trade().item
        places = {"own": named("warehouse", code="MAIN"), "at_supplier": named("warehouse", code="OUT")}
        head = {"day": "2026-03-10", "supplier": named("supplier", code="S0002"), **places}
        goods = {"made": self.made, "quantity": "10", "service_price": "3"}
        lines = {"lines": [{"item": self.part, "quantity": "20"}]}
        self.order = int(records.create(self.buyer, "outsourcing_order", head | goods | lines)["id"])
        service.submit(self.buyer, "outsourcing_order", self.order)
        (sent,) = rows_of("stock_transfer", target=places["at_supplier"])
        service.submit(self.keeper, "stock_transfer", sent["id"])

    def draft(self, quantity: str) -> int:
        made = int(
            asking.ask(self.keeper, "outsourcing_order", self.order, "outsourcing_order_to_receipt").record
        )
        lines = [{"item": self.part, "quantity": quantity}]
        head = {"day": "2026-03-12", "quantity": quantity, "service": "3", "lines": lines}
        records.change_record(self.keeper, "outsourcing_receipt", made, head)
        return made

    def receive(self, quantity: str) -> int:
        made = self.draft(quantity)
        service.submit(self.keeper, "outsourcing_receipt", made)
        return made

    def close(self, bridge: str = "outsourcing_order_to_closing") -> int:
        made = int(asking.ask(self.buyer, "outsourcing_order", self.order, bridge).record)
        records.change_record(self.buyer, "outsourcing_closing", made, {"reason": "Machine broke"})
        service.submit(self.buyer, "outsourcing_closing", made)
        return made

    def open_again(self) -> int:
        return self.close("outsourcing_order_to_reopening")

    def told(self) -> tuple[Any, ...]:
        found = reads.get_record(SYSTEM, "outsourcing_order", self.order)
        return tuple(found[key] for key in ("state", "received", "open", "closed"))


def test_an_outsourcing_order_is_closed_short_and_opened_again(filled: Flask) -> None:
    outside = Outside()
    outside.receive("6")
    draft = outside.draft("4")
    made = outside.close()
    assert outside.told() == ("closed", 6, 0, 4)
    closing = reads.get_record(SYSTEM, "outsourcing_closing", made)
    assert (closing["by"], closing["reason"]) == (outside.buyer.person_id, "Machine broke")
    with pytest.raises(Invalid) as error:
        service.submit(outside.keeper, "outsourcing_receipt", draft)
    assert "check:not_closed" in [each.code for each in error.value.problems]
    with pytest.raises(FormloopError):
        outside.close()
    outside.open_again()
    assert outside.told() == ("part_received", 6, 4, 0)
    service.submit(outside.keeper, "outsourcing_receipt", draft)
    assert outside.told() == ("received", 10, 0, 0)


def test_what_was_received_wrongly_of_a_closed_one_is_closed_too(demo: Flask) -> None:
    outside = Outside()
    came = outside.receive("6")
    outside.close()
    amendments.propose(outside.keeper, "outsourcing_receipt", came, None, "Wrong goods")
    agree("outsourcing_receipt", came, "accountant")
    assert outside.told() == ("closed", 0, 0, 10)
    outside.open_again()
    assert outside.told() == ("confirmed", 0, 10, 0)


def test_a_closing_says_what_is_open_and_is_the_buyers(demo: Flask) -> None:
    outside = Outside()
    with pytest.raises(FormloopError):
        asking.ask(outside.keeper, "outsourcing_order", outside.order, "outsourcing_order_to_closing")
    made = int(
        asking.ask(outside.buyer, "outsourcing_order", outside.order, "outsourcing_order_to_closing").record
    )
    records.change_record(outside.buyer, "outsourcing_closing", made, {"reason": "Too late"})
    outside.receive("6")
    with pytest.raises(Invalid) as error:
        service.submit(outside.buyer, "outsourcing_closing", made)
    assert [each.code for each in error.value.problems] == ["check:still_open"]
