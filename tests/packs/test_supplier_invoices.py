"""What the supplier's own papers say: the number of an invoice, once for each supplier, and the price it had."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from copy import deepcopy

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import FormloopError, Invalid
from formloop.definitions import service as definitions
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers import trying
from formloop.ledgers.book import Book
from formloop.ledgers.verifying import verify
from formloop.workflows import cases
from formloop.workflows import service as workflows
from formloop.workflows.kind import find_workflow
from packs.trading import Trade, actor_of


def refused(trade: Trade, reference: str) -> list[str]:
    with pytest.raises(Invalid) as error:
        trade.invoice("1", "10", head={"reference": reference})
    (problem,) = error.value.problems
    assert problem.code == "check:once"
    return [problem.message.render(locale) for locale in ("en", "zh_CN")]


def test_a_suppliers_invoice_number_is_entered_once(demo: Flask) -> None:
    trade = Trade()
    first = trade.invoice("1", "10", head={"reference": "A-1"})
    number = reads.get_record(SYSTEM, "purchase_invoice", first)["number"]
    assert all(number in each and "A-1" in each for each in refused(trade, "A-1"))
    trade.take_back("purchase_invoice", first)
    trade.invoice("1", "10", head={"reference": "A-1"})


def test_a_number_typed_later_is_looked_at_when_the_invoice_is_submitted(demo: Flask) -> None:
    trade = Trade()
    row = {"received": trade.goods, "item": trade.item, "quantity": "1", "price": "10"}
    given = {"day": "2026-03-09", "supplier": trade.supplier, "lines": [row]}
    draft = int(records.create(SYSTEM, "purchase_invoice", given)["id"])
    trade.invoice("1", "10", head={"reference": "A-1"})
    records.change_record(SYSTEM, "purchase_invoice", draft, {"reference": "A-1"})
    with pytest.raises(Invalid) as error:
        trade.submit("purchase_invoice", draft)
    assert [each.code for each in error.value.problems] == ["check:once"]


@pytest.mark.parametrize("database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_of_two_at_the_same_moment_with_one_number_one_is_entered(
    filled: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade, post = Trade(), Book.post
    row = {"received": trade.goods, "item": trade.item, "quantity": "1", "price": "10"}
    given = {"day": "2026-03-09", "supplier": trade.supplier, "reference": "A-1", "lines": [row]}
    other = int(records.create(SYSTEM, "purchase_invoice", given)["id"])

    def submit_the_other() -> str:
        with filled.app_context():
            try:
                trade.submit("purchase_invoice", other)
            except FormloopError as error:
                return error.code
        return "entered"

    with ThreadPoolExecutor(1) as pool:
        started: list[Future[str]] = []

        def post_beside_the_other(book: Book) -> None:
            if not started:
                started.append(pool.submit(submit_the_other))
                wait(started, timeout=3)
            post(book)

        monkeypatch.setattr(Book, "post", post_beside_the_other)
        mine = trade.invoice("1", "10", head={"reference": "A-1"})
    states = [reads.get_record(SYSTEM, "purchase_invoice", each)["state"] for each in (mine, other)]
    assert (states, [each.result() for each in started]) == (["posted", "draft"], ["invalid"])


@pytest.mark.parametrize("after", [0, -1], ids=["agreed first", "agreed last"])
def test_an_invoice_that_was_rejected_leaves_its_number_free(demo: Flask, after: int) -> None:
    """Somebody adds an approval: at the start, or right before the end."""
    posting = find_workflow("purchase_invoice")
    assert posting is not None
    flow = deepcopy(dict(posting.document))
    agree = {"id": "agree", "node": "approval", "title": "Agree", "who": [{"rule": "role", "role": "buyer"}]}
    flow["steps"].insert(after, {**agree, "mode": "any", "actions": ["approve", "reject", "return"]})
    definitions.publish_many(SYSTEM, [flow], "agreed by a buyer")
    buyer, trade = actor_of("buyer"), Trade()

    def entered(decision: str) -> str:
        made = trade.invoice("1", "10", head={"reference": "A-1"})
        running = cases.find_open("purchase_invoice", made)
        task = cases.find_own_task(running.id, buyer.person_id) if running else None
        workflows.decide(buyer, task.id if task else 0, decision, "Not ours", to="initiator")
        return str(reads.get_record(SYSTEM, "purchase_invoice", made)["state"])

    assert [entered(each) for each in ("reject", "return", "approve")] == ["rejected", "draft", "posted"]
    assert [each.split(" ")[0] for each in refused(trade, "A-1")]
    assert verify() == []


def test_two_suppliers_may_have_the_same_number(demo: Flask) -> None:
    one, two = Trade(), Trade()
    one.invoice("1", "10", head={"reference": "A-1"})
    two.supplier = int(records.create(SYSTEM, "supplier", {"name": "Old Mill"})["id"])
    two.receive("1", "10")
    two.invoice("1", "10", head={"reference": "A-1"})


def test_a_credit_note_is_proposed_at_the_price_of_its_invoice(demo: Flask) -> None:
    trade = Trade()
    wrong = trade.invoice("100", "12")
    trade.send_back("10")
    assert proposed(trade) == 12
    trade.take_back("purchase_invoice", wrong)
    trade.invoice("90", "13")
    trade.send_back("10")
    assert proposed(trade) == 13


def proposed(trade: Trade) -> object:
    made = asking.ask(actor_of("accountant"), "supplier_return", trade.back, "supplier_return_to_credit_note")
    (line,) = reads.get_record(SYSTEM, "purchase_invoice", made.record)["lines"]
    return line["price"]


def test_a_posted_invoice_is_tried_as_if_it_were_posted_only_now(demo: Flask) -> None:
    trade = Trade()
    made = trade.invoice("100", "12")
    record = reads.get_record(SYSTEM, "purchase_invoice", made)
    before = trade.account("220202"), trade.account("2202"), trade.there()
    (sheet,) = trying.preview(SYSTEM, "purchase_invoice", record)
    codes = {
        reads.get_record(SYSTEM, "account", slot.dims["account"])["code"]
        for slot in sheet.slots
        if "account" in slot.dims
    }
    assert {"2202", "220202"} <= codes
    assert (trade.account("220202"), trade.account("2202"), trade.there()) == before
    assert verify() == []
