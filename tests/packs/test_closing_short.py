"""Orders closed short: what is open of them is not waited for any more, until they are opened again."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import FormloopError, Invalid
from formloop.datasets import service as datasets
from formloop.db import reading
from formloop.forms import reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.ledgers.verifying import verify
from formloop.workflows import cases, service
from formloop.workflows.amendments import service as amendments
from packs.test_order_progress import Sold, agree
from packs.trading import Trade, actor_of, named, take_back


def rows_of(form: str, **by: Any) -> list[dict[str, Any]]:
    table = get_form(form).table
    query = select(table).where(*(table.c[key] == value for key, value in by.items())).order_by(table.c.id)
    with reading() as conn:
        return [dict(row) for row in conn.execute(query).mappings()]


class Ordered:
    """A confirmed purchase order, a line of 100 at 10 for each item."""

    def __init__(self, lines: int = 1) -> None:
        self.items = [Trade().item for _ in range(lines)]
        self.buyer, self.keeper = actor_of("buyer"), actor_of("keeper")
        rows = [{"item": each, "quantity": "100", "price": "10"} for each in self.items]
        head = {
            "supplier": named("supplier", code="S0002"),
            "day": "2026-03-02",
            "due": "2026-03-20",
            "lines": rows,
        }
        self.order = int(records.create(self.buyer, "purchase_order", head)["id"])
        service.submit(self.buyer, "purchase_order", self.order)

    def reject(self, quantity: str) -> int:
        made = self.draft("0")
        (row,) = reads.get_record(SYSTEM, "receipt", made)["lines"]
        records.change_record(
            SYSTEM, "receipt", made, {"lines": [dict(row) | {"accepted": "0", "rejected": quantity}]}
        )
        service.submit(self.keeper, "receipt", made)
        return made

    def draft(self, *quantities: str) -> int:
        made = asking.ask(self.keeper, "purchase_order", self.order, "order_to_receipt").record
        rows = [dict(row) for row in reads.get_record(SYSTEM, "receipt", made)["lines"]]
        rows = [row | {"accepted": each} for row, each in zip(rows, quantities, strict=True) if each]
        head = {"day": "2026-03-05", "warehouse": named("warehouse", code="MAIN"), "lines": rows}
        records.change_record(SYSTEM, "receipt", made, head)
        return int(made)

    def receive(self, *quantities: str) -> int:
        made = self.draft(*quantities)
        service.submit(self.keeper, "receipt", made)
        return made

    def close(
        self, *items: int, bridge: str = "order_to_closing", reason: str = "Supplier stopped making it"
    ) -> int:
        made = int(asking.ask(self.buyer, "purchase_order", self.order, bridge).record)
        rows = reads.get_record(SYSTEM, "purchase_closing", made)["lines"]
        rows = [dict(row) for row in rows if not items or row["item"] in items]
        records.change_record(self.buyer, "purchase_closing", made, {"reason": reason, "lines": rows})
        service.submit(self.buyer, "purchase_closing", made)
        return made

    def open_again(self) -> int:
        return self.close(bridge="order_to_reopening", reason="They make it again")

    @property
    def state(self) -> str:
        return str(reads.get_record(SYSTEM, "purchase_order", self.order)["state"])

    def progress(self) -> list[tuple[Any, ...]]:
        rows = rows_of("purchase_progress", order=self.order)
        return [(row["state"], row["open"], row["closed"]) for row in rows]

    def late(self) -> list[D]:
        found = datasets.read_all(SYSTEM, "late_purchases", {"day": "2026-04-01"})
        return [row["open"] for row in found if row["order"] == self.order]


def test_what_is_open_of_an_order_is_closed_with_a_reason_and_nothing_waits_for_it(filled: Flask) -> None:
    ordered = Ordered()
    ordered.receive("60")
    assert (ordered.state, ordered.late()) == ("part_received", [40])
    with pytest.raises(Invalid):
        ordered.close(reason="")
    made = ordered.close()
    assert (ordered.state, ordered.progress(), ordered.late()) == ("closed", [("closed", 0, 40)], [])
    closing = reads.get_record(SYSTEM, "purchase_closing", made)
    assert (closing["by"], closing["reason"]) == (ordered.buyer.person_id, "Supplier stopped making it")
    for bridge in ("order_to_receipt", "order_to_closing"):
        with pytest.raises(FormloopError):
            asking.ask(SYSTEM, "purchase_order", ordered.order, bridge)
    ordered.open_again()
    assert (ordered.state, ordered.progress(), ordered.late()) == ("part_received", [("open", 40, 0)], [40])
    ordered.receive("40")
    assert (ordered.state, ordered.progress(), verify()) == ("received", [("done", 0, 0)], [])


def test_goods_for_a_closed_line_are_refused_and_the_message_says_what_to_do(demo: Flask) -> None:
    ordered = Ordered()
    draft = ordered.draft("60")
    ordered.close()
    with pytest.raises(Invalid) as error:
        service.submit(ordered.keeper, "receipt", draft)
    assert "check:not_closed" in [each.code for each in error.value.problems]
    assert (ordered.state, ordered.progress()) == ("closed", [("closed", 0, 100)])
    ordered.open_again()
    assert ordered.state == "confirmed"
    service.submit(ordered.keeper, "receipt", draft)
    assert ordered.progress() == [("open", 40, 0)]


def test_one_line_is_closed_and_the_other_still_comes(demo: Flask) -> None:
    ordered = Ordered(2)
    first, _ = ordered.items
    ordered.close(first)
    assert (ordered.state, ordered.progress()) == ("confirmed", [("closed", 0, 100), ("open", 100, 0)])
    rest = ordered.receive("100")
    assert ordered.state == "closed"  # all that was still wanted has come
    amendments.propose(ordered.keeper, "receipt", rest, None, "Wrong goods")
    agree("receipt", rest, "accountant")
    assert (ordered.state, ordered.progress()[1]) == ("confirmed", ("open", 100, 0))
    amendments.propose(ordered.buyer, "purchase_order", ordered.order, None, "Not needed")
    agree("purchase_order", ordered.order, "administrator")
    assert (ordered.state, [each[0] for each in ordered.progress()]) == ("cancelled", ["cancelled"] * 2)


def test_what_was_received_wrongly_of_a_closed_line_is_closed_too(demo: Flask) -> None:
    ordered = Ordered()
    came = ordered.receive("60")
    ordered.close()
    amendments.propose(ordered.keeper, "receipt", came, None, "Wrong goods")
    agree("receipt", came, "accountant")
    assert (ordered.state, ordered.progress()) == ("closed", [("closed", 0, 100)])
    ordered.open_again()
    assert (ordered.state, ordered.progress()) == ("confirmed", [("open", 100, 0)])


def test_what_goes_back_of_a_closed_line_is_not_waited_for(demo: Flask) -> None:
    ordered = Ordered()
    came = ordered.receive("60")
    ordered.close()
    (goods,) = rows_of("received_item", receipt=came)
    row = {"received": goods["id"], "item": ordered.items[0], "quantity": "10"}
    head = {"day": "2026-03-09", "supplier": named("supplier", code="S0002"), "lines": [row]}
    back = int(records.create(ordered.keeper, "supplier_return", head)["id"])
    service.submit(ordered.keeper, "supplier_return", back)
    assert (ordered.state, ordered.progress()) == ("closed", [("closed", 0, 50)])
    amendments.propose(ordered.keeper, "supplier_return", back, None, "Kept after all")
    agree("supplier_return", back, "accountant")
    assert (ordered.state, ordered.progress()) == ("closed", [("closed", 0, 40)])


def test_a_closing_says_what_is_open_or_is_refused(demo: Flask) -> None:
    ordered = Ordered()
    made = int(asking.ask(ordered.buyer, "purchase_order", ordered.order, "order_to_closing").record)
    records.change_record(ordered.buyer, "purchase_closing", made, {"reason": "Too late"})
    ordered.receive("60")
    with pytest.raises(Invalid) as error:
        service.submit(ordered.buyer, "purchase_closing", made)
    assert [each.code for each in error.value.problems] == ["check:still_open"]
    assert "40" in str(error.value.problems[0].message.render())


def test_who_receives_does_not_close_and_the_order_shows_who_did(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    ordered = Ordered()
    with pytest.raises(FormloopError):
        asking.ask(ordered.keeper, "purchase_order", ordered.order, "order_to_closing")
    ordered.close()
    buyer = people_of_demo("buyer")
    assert "Open it again" in buyer.get(f"/f/purchase_order/{ordered.order}").get_data(as_text=True)
    told = buyer.get(f"/f/purchase_order/query/closings?record={ordered.order}").get_data(as_text=True)
    assert all(each in told for each in ("Supplier stopped making it", "Boris Buyer"))


def reject(form: str, record: int) -> None:
    actor, running = actor_of("approver"), cases.find_open(form, record)
    task = cases.find_own_task(running.id, actor.person_id) if running else None
    service.decide(actor, task.id if task else 0, "reject", comment="It is closed")


class SoldShort(Sold):
    def close(self, *items: int, bridge: str = "sales_order_to_closing") -> int:
        made = int(asking.ask(self.seller, "sales_order", self.order, bridge).record)
        rows = reads.get_record(SYSTEM, "order_closing", made)["lines"]
        rows = [dict(row) for row in rows if not items or row["item"] in items]
        records.change_record(
            self.seller, "order_closing", made, {"reason": "Customer wants no more", "lines": rows}
        )
        service.submit(self.seller, "order_closing", made)
        return made

    @property
    def state(self) -> str:
        return str(reads.get_record(SYSTEM, "sales_order", self.order)["state"])

    def demand(self) -> list[tuple[Any, ...]]:
        return [(row["state"], row["open"]) for row in rows_of("demand", order=self.order)]

    def draft_of_hold(self) -> int:
        (line,) = rows_of("order_progress", order=self.order)
        return int(asking.ask(self.keeper, "order_progress", line["id"], "order_line_to_reservation").record)

    def hold(self, quantity: str, **more: Any) -> int:
        made = self.draft_of_hold()
        head = {"quantity": quantity, "warehouse": named("warehouse", code="MAIN"), **more}
        records.change_record(self.keeper, "reservation", made, head)
        service.submit(self.keeper, "reservation", made)
        return made


def reserved(item: int) -> D:
    rows = datasets.read_all(SYSTEM, "free_stock")
    return sum((row["reserved"] for row in rows if row["item"] == item), D(0))


def test_a_sales_order_closed_short_gives_back_what_was_wanted_and_held_for_it(filled: Flask) -> None:
    sold = SoldShort(lines=1)
    held = sold.hold("6")
    sold.deliver("4")
    assert (sold.state, sold.demand(), reserved(sold.items[0])) == ("part_delivered", [("open", 6)], 2)
    sold.close()
    assert (sold.state, sold.progress(), sold.demand()) == ("closed", [("closed", 0)], [("closed", 0)])
    assert reserved(sold.items[0]) == 0
    assert reads.get_record(SYSTEM, "reservation", held)["state"] == "cancelled"
    with pytest.raises(FormloopError):
        sold.deliver("6")
    sold.close(bridge="sales_order_to_reopening")
    assert (sold.state, sold.progress(), sold.demand()) == ("part_delivered", [("open", 6)], [("open", 6)])
    sold.deliver("6")
    assert (sold.state, sold.progress(), verify()) == ("delivered", [("done", 0)], [])


def test_a_line_closed_short_is_not_changed_and_the_other_is(demo: Flask) -> None:
    sold = SoldShort(lines=2)
    sold.close(sold.items[0])
    assert (sold.state, sold.progress()) == ("confirmed", [("closed", 0), ("open", 10)])
    with pytest.raises(Invalid) as error:
        sold.amend("20", "10")
    assert "closed short" in str(error.value.problems[0].message.render())
    reject("sales_order", sold.order)
    sold.amend("10", "12")
    assert sold.progress() == [("closed", 0), ("open", 12)]
    sent = sold.deliver("12")
    assert sold.state == "closed"
    amendments.propose(sold.keeper, "delivery", sent, None, "Not loaded")
    agree("delivery", sent, "accountant")
    assert (sold.state, sold.progress()) == ("confirmed", [("closed", 0), ("open", 12)])


def test_no_line_becomes_another_item_while_one_is_closed_short(demo: Flask) -> None:
    sold, other = SoldShort(lines=2), Trade().item
    sold.close(sold.items[0])
    rows = [dict(row) for row in reads.get_record(SYSTEM, "sales_order", sold.order)["lines"]]
    changed = [rows[0] | {"item": other}, rows[1]]
    with pytest.raises(FormloopError):
        amendments.propose(sold.seller, "sales_order", sold.order, {"lines": changed}, "Another")
    added = {"item": other, "quantity": "1", "price": "20"}
    amendments.propose(sold.seller, "sales_order", sold.order, {"lines": [*rows, added]}, "One more")
    agree("sales_order", sold.order, "approver")
    assert sold.progress() == [("closed", 0), ("open", 10)]
    assert [row["open"] for row in rows_of("order_progress", item=other)] == [1]


def test_an_order_is_closed_short_when_its_other_lines_are_lowered_to_what_was_delivered(demo: Flask) -> None:
    sold = SoldShort(lines=2)
    sold.close(sold.items[0])
    sold.deliver("4")
    sold.amend("10", "4")
    assert (sold.state, sold.progress()) == ("closed", [("closed", 0), ("done", 0)])


def test_an_order_with_a_closed_line_is_cancelled(demo: Flask) -> None:
    sold = SoldShort(lines=2)
    sold.close(sold.items[0])
    amendments.propose(sold.seller, "sales_order", sold.order, None, "Not wanted")
    agree("sales_order", sold.order, "approver")
    assert (sold.state, [each for each, _ in sold.progress()]) == ("cancelled", ["cancelled"] * 2)


def test_what_was_delivered_wrongly_of_a_closed_line_is_closed_too(demo: Flask) -> None:
    sold = SoldShort(lines=1)
    sent = sold.deliver("4")
    sold.close()
    amendments.propose(sold.keeper, "delivery", sent, None, "Never left")
    agree("delivery", sent, "accountant")
    (line,) = rows_of("order_progress", order=sold.order)
    (wanted,) = rows_of("demand", order=sold.order)
    assert (line["delivered"], line["open"], line["closed"], sold.state) == (0, 0, 10, "closed")
    assert (wanted["delivered"], wanted["open"], wanted["closed"]) == (0, 0, 10)
    sold.close(bridge="sales_order_to_reopening")
    assert (sold.state, sold.progress(), sold.demand()) == ("confirmed", [("open", 10)], [("open", 10)])


def test_the_page_of_a_sales_order_says_who_closed_which_line_and_why(
    demo: Flask, people_of_demo: Callable[[str], FlaskClient]
) -> None:
    sold = SoldShort(lines=2)
    sold.close(sold.items[0])
    seller = people_of_demo("seller")
    page = f"/f/sales_order/query/progress?record={sold.order}"
    assert "/f/sales_order/query/progress" in seller.get(f"/f/sales_order/{sold.order}").text
    told = seller.get(page).text
    assert told.count("Customer wants no more") == 1
    (name,) = people.names_of([sold.seller.person_id or 0]).values()
    assert told.count(name) == 1
    sold.close(bridge="sales_order_to_reopening")
    assert "Customer wants no more" not in seller.get(page).text


def test_an_order_of_which_all_has_come_stays_so_when_what_was_rejected_is_taken_back(demo: Flask) -> None:
    ordered = Ordered()
    rejected = ordered.reject("2")
    ordered.receive("100")
    assert ordered.state == "received"
    take_back("receipt", rejected)
    assert ordered.state == "received"
