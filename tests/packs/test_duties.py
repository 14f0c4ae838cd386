"""Who buys does not receive, and who receives does not pay: the duties of the demo's people are apart."""

from pathlib import Path

import pytest
from flask import Flask

from formloop.access import gate, people
from formloop.access.actor import get_actor
from formloop.core.json_text import loads
from formloop.definitions import library
from formloop.studio import bridge_design

LIBRARY = Path(__file__).parents[2] / "templates_library"
DUTIES = {
    "buyer": {"purchase_order"},
    "keeper": {"receipt", "supplier_return", "outsourcing_receipt", "delivery", "sales_return"},
    "accountant": {
        "purchase_invoice",
        "supplier_payment",
        "supplier_refund",
        "landed_cost",
        "sales_invoice",
        "customer_payment",
        "customer_refund",
    },
    "seller": {"sales_order"},
}
EVERY = set().union(*DUTIES.values())


def test_each_document_is_made_submitted_and_taken_back_by_one_duty_only(demo: Flask) -> None:
    for account, own in DUTIES.items():
        person = people.find_person(account)
        assert person is not None
        actor = get_actor(person.id)
        for action in ("create", "edit", "submit", "amend", "delete"):
            may = {form for form in EVERY if gate.allows(actor, action, f"form:{form}")}
            assert may == own, (account, action)


def test_no_bridge_of_the_packs_waits_for_what_never_happens(demo: Flask) -> None:
    told = {
        each.key: [str(p.message) for p in found]
        for each in library.list_entries("bridge")
        if (found := bridge_design.list_warnings(library.find_document("bridge", each.key) or {}, "en"))
    }
    assert told == {}


@pytest.mark.parametrize("file", sorted(LIBRARY.glob("*/*_cancel.workflow.json")), ids=lambda file: file.stem)
def test_what_takes_a_document_back_can_be_proposed_for_that_alone(file: Path) -> None:
    """Its steps take counts back, so that no proposal may change a field and leave the document posted."""
    workflow = loads(file.read_text("utf-8"))
    if not any(step["node"] in ("data", "loop", "condition") for step in workflow["steps"]):
        return
    form = loads(next(LIBRARY.glob(f"*/{workflow['form']}.form.json")).read_text("utf-8"))
    given = {
        key
        for key, field in form["properties"].items()
        if not ("x-formula" in field or field.get("readOnly") or field.get("x-type") in ("serial", "query"))
    }
    for stage in workflow["amends"]["stages"]:
        assert "*" in stage["forbids"] or given <= set(stage["forbids"]), stage["id"]
