"""Who buys does not receive, and who receives does not pay: the duties of the demo's people are apart."""

from flask import Flask

from formloop.access import gate, people
from formloop.access.actor import get_actor
from formloop.definitions import library
from formloop.studio import bridge_design

DUTIES = {
    "buyer": {"purchase_order"},
    "keeper": {"receipt", "supplier_return", "outsourcing_receipt", "delivery", "sales_return"},
    "accountant": {
        "purchase_invoice",
        "supplier_payment",
        "landed_cost",
        "sales_invoice",
        "customer_payment",
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
