"""Documents of many lines are posted whole; how many there may be is said on the form, before anything is counted."""

from collections.abc import Iterator

from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.definitions import library
from formloop.forms import reads
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import service
from formloop.workflows.nodes import loop
from formloop.workflows.nodes.data import WorkOnRecords
from formloop.workflows.spec import Step, Workflow
from formloop.workflows.walk import MOST_STEPS, WORK
from packs.test_order_progress import agree
from packs.trading import Trade, actor_of, named


def over_lines(workflow: Workflow) -> Iterator[Step]:
    tables = get_form(workflow.form).line_tables
    return (step for step in workflow.steps.values() if step.document.get("over") in tables)


def effort(workflow: Workflow, around: Step) -> int:
    """What one line takes at most: every step inside, whatever the conditions say."""
    inside = [s for s in workflow.steps.values() if around.id in (block for block, _ in s.blocks)]
    return sum(
        1 + len(s.expressions) + len(s.branches) + WORK * isinstance(s.node, WorkOnRecords) for s in inside
    )


def test_what_goes_over_lines_is_done_with_as_many_as_the_form_takes(demo: Flask) -> None:
    looked = []
    for entry in library.list_entries("workflow"):
        workflow = library.published("workflow", entry.key)
        together = 0  # a document may be full in all its subforms
        for step in over_lines(workflow):
            field = get_form(workflow.form).fields[step.document["over"]]
            most = field.schema.get("maxItems", 10_000)
            assert most <= loop.MOST, (entry.key, field.key)
            together += most * effort(workflow, step)
            looked.append(entry.key)
        assert together < MOST_STEPS, entry.key
    assert {"delivery_post", "purchase_invoice_post", "cost_run_publish"} < set(looked)


def test_a_delivery_of_three_hundred_lines_is_posted_in_one_go(demo: Flask) -> None:
    trade, seller, keeper = Trade(goods=("1000", "10")), actor_of("seller"), actor_of("keeper")
    rows = [{"item": trade.item, "quantity": "1", "price": "20"} for _ in range(300)]
    head = {"customer": named("customer", code="C0001"), "order_date": "2026-03-01", "lines": rows}
    order = int(records.create(seller, "sales_order", head)["id"])
    service.submit(seller, "sales_order", order)
    agree("sales_order", order, "approver")
    made = asking.ask(keeper, "sales_order", order, "order_to_delivery").record
    records.change_record(SYSTEM, "delivery", made, {"warehouse": trade.place})
    service.submit(keeper, "delivery", made)
    assert reads.get_record(SYSTEM, "delivery", made)["state"] == "shipped"
    assert reads.get_record(SYSTEM, "sales_order", order)["state"] == "delivered"
    assert trade.there()[0] == 700
