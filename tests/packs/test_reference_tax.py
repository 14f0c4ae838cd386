"""Worked figures of the reference case for the rounding of tax, through invoices of both sides.

The policies are settings of the pack: tax is rounded for each line or once for the document, half a cent goes up or to the
even cent.
"""

from decimal import Decimal as D
from typing import Any

import pytest
from flask import Flask

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.bridges import asking
from formloop.definitions import service as definitions
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers.verifying import verify
from formloop.workflows import service as workflows
from packs.trading import actor_of, named, sums, take_back

Rows = list[tuple[str, str, str]]  # quantity, price, tax rate
MANY: Rows = [("1", "1.001", "0.2")] * 100
TWO: Rows = [("1", "1.07", "1"), ("1", "1.005", "1")]
ON_LINES = {"supplier": "purchase_invoice", "customer": "sales_invoice"}


def choose(**policy: str) -> None:
    records.change_record(SYSTEM, "finance_settings", named("finance_settings", name="Accounts"), policy)


def account(code: str) -> D:
    debit, credit = sums("general", ("debit", "credit"), account=named("account", code=code))
    return debit - credit


def goods(side: str, rows: Rows) -> dict[str, Any]:
    """What an invoice names: goods that came or went, an item for each line."""
    items = [
        int(records.create(SYSTEM, "item", {"name": f"P{n}", "source": "buy"})["id"])
        for n in range(len(rows))
    ]
    head: dict[str, Any] = {"day": "2026-03-01", "warehouse": named("warehouse", code="MAIN")}
    who = {side: named(side, code="S0002" if side == "supplier" else "C0001")}
    came = [
        {"item": item, "accepted": row[0], "price": row[1]} for item, row in zip(items, rows, strict=True)
    ]
    parts = [("receipt", {"supplier": named("supplier", code="S0002"), "lines": came})]
    if side == "customer":
        went = [
            {"item": item, "quantity": row[0], "price": row[1]} for item, row in zip(items, rows, strict=True)
        ]
        parts.append(("delivery", {**who, "lines": went}))
    for form, given in parts:
        made = int(records.create(SYSTEM, form, {**head, **given})["id"])
        workflows.submit(actor_of("keeper"), form, made)
    names, source = ("received", "received_item") if side == "supplier" else ("delivered", "delivered_item")
    lines = [
        {names: named(source, item=item), "quantity": row[0], "price": row[1], "tax_rate": row[2]}
        for item, row in zip(items, rows, strict=True)
    ]
    return {**who, "lines": lines}


def invoice(side: str, given: dict[str, Any]) -> dict[str, Any]:
    """An invoice that is entered and posted by the accountant."""
    who, form = actor_of("accountant"), ON_LINES[side]
    made = int(records.create(who, form, {"day": "2026-03-02", **given})["id"])
    workflows.submit(who, form, made)
    return dict(reads.get_record(SYSTEM, form, made))


@pytest.mark.parametrize("side", ["supplier", "customer"])
@pytest.mark.parametrize(
    ("policy", "rows", "net", "tax"),
    [
        ({"tax_by": "line"}, MANY, "100", "20"),
        ({"tax_by": "document"}, MANY, "100", "20.02"),
        ({"tax_by": "line", "rounding": "half_even"}, TWO, "2.07", "2.07"),
        ({"tax_by": "line", "rounding": "half_up"}, TWO, "2.08", "2.08"),
    ],
    ids=["line", "document", "half_even", "half_up"],
)
def test_gl_14_tax_by_line_and_by_document(
    filled: Flask, side: str, policy: dict[str, str], rows: Rows, net: str, tax: str
) -> None:
    """The base is the rounded amount; what the document leaves over its lines goes to the tax account."""
    choose(**policy)
    given = goods(side, rows)
    codes = ("222101", "2202") if side == "supplier" else ("222102", "1122")
    before = [account(code) for code in codes]
    seen = invoice(side, given)
    assert (seen["net"], seen["tax"], seen["total"]) == (D(net), D(tax), D(net) + D(tax))
    changed = [account(code) - was for code, was in zip(codes, before, strict=True)]
    sign = 1 if side == "supplier" else -1
    assert changed == [sign * D(tax), -sign * (D(net) + D(tax))]
    assert verify() == []
    take_back(ON_LINES[side], seen["id"])
    assert [account(code) for code in codes] == before


@pytest.mark.parametrize("side", ["supplier", "customer"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_lines_leave_is_posted_in_the_home_currency_too(filled: Flask, side: str) -> None:
    """Charges of two rates abroad: 3 x 0.12 at 0.13 and 0.14 at 0.06; 0.0552 in all, three times 0.02 and 0.01 by line."""
    choose(tax_by="document")
    money = int(records.create(SYSTEM, "currency", {"code": "XTS", "name": "Test", "rate": "7"})["id"])
    who = {side: named(side, code="S0002" if side == "supplier" else "C0001")}
    expense = named("account", code="5602")
    rows = [{"account": expense, "amount": "0.12", "tax_rate": "0.13"}] * 3
    rows.append({"account": expense, "amount": "0.14", "tax_rate": "0.06"})
    lines = {"costs" if side == "supplier" else "charges": rows}
    before = account("222101" if side == "supplier" else "222102")
    seen = invoice(side, {**who, "currency": money, **lines})
    assert [seen[key] for key in ("tax_rest", "tax", "home_tax")] == [D("-0.01"), D("0.06"), D("0.42")]
    after = account("222101" if side == "supplier" else "222102")
    assert abs(after - before) == D("0.42") and verify() == []


@pytest.mark.parametrize(
    ("deductible", "input_tax", "expense"),
    [
        (["0"] * 3, "0", "0.41"),
        (["0.5"] * 3, "0.02", "0.39"),
        (["0", "0", None], "0.02", "0.39"),
        ([None] * 3, "0.05", "0.36"),
    ],
)
@pytest.mark.parametrize("rate", ["1", "7"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_lines_leave_is_deducted_as_far_as_they_are(
    filled: Flask, deductible: list[str | None], input_tax: str, expense: str, rate: str
) -> None:
    """3 x 0.12 at 0.13: tax is 0.0468 in all, 0.02 on each line, so -0.01 is left. Of the tax nothing, half (0.0234 in
    all, 0.01 on each line), a third (0.0156) or all is deducted; what is not is cost."""
    choose(tax_by="document")
    codes = ("222101", "5602", "2202")
    money = int(records.create(SYSTEM, "currency", {"code": "XTS", "name": "Test", "rate": rate})["id"])
    cost = {"account": named("account", code="5602"), "amount": "0.12", "tax_rate": "0.13"}
    costs = [cost if each is None else {**cost, "deductible": each} for each in deductible]
    before = [account(code) for code in codes]
    invoice("supplier", {"supplier": named("supplier", code="S0002"), "currency": money, "costs": costs})
    changed = [account(code) - was for code, was in zip(codes, before, strict=True)]
    assert changed == [D(each) * D(rate) for each in (input_tax, expense, "-0.41")]
    assert verify() == []


@pytest.mark.parametrize(
    ("rounding", "by_line", "by_document"), [("half_up", "0.06", "0.05"), ("half_even", "0.04", "0.05")]
)
@pytest.mark.parametrize("tax_by", ["line", "document"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_deducted_of_a_tax_is_rounded_as_the_tax(
    filled: Flask, tax_by: str, rounding: str, by_line: str, by_document: str
) -> None:
    """Half of a tax of 0.05, twice: 0.03 or 0.02 on each line, 0.05 in all."""
    choose(tax_by=tax_by, rounding=rounding)
    cost = {"account": named("account", code="5602"), "amount": "1", "tax_rate": "0.05", "deductible": "0.5"}
    before = account("222101")
    seen = invoice("supplier", {"supplier": named("supplier", code="S0002"), "costs": [cost, cost]})
    assert [row["deducted"] for row in seen["costs"]] == [D(by_line) / 2] * 2
    assert account("222101") - before == D(by_line if tax_by == "line" else by_document)
    assert verify() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_invoice_keeps_the_rounding_it_was_entered_with(filled: Flask) -> None:
    choose(tax_by="document")
    given = goods("customer", MANY[:10])
    who = actor_of("accountant")
    made = int(records.create(who, "sales_invoice", {"day": "2026-03-02", **given})["id"])
    choose(tax_by="line")
    seen = records.change_record(who, "sales_invoice", made, {"day": "2026-03-03"})
    assert (seen["tax_by"], seen["tax"]) == ("document", D("2.00"))
    fresh = records.create(who, "sales_invoice", {"day": "2026-03-02", **given})
    assert fresh["tax_by"] == "line"


@pytest.mark.parametrize(
    ("role", "form", "side", "lines"),
    [
        ("billing_clerk", "sales_invoice", "customer", "charges"),
        ("payables_clerk", "purchase_invoice", "supplier", "costs"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_clerks_follow_the_settings_of_which_they_see_the_rounding_alone(
    filled: Flask, role: str, form: str, side: str, lines: str
) -> None:
    choose(tax_by="document", rounding="half_even")
    clerk = get_actor(people.add_person(SYSTEM, "clerk", "Clerk", roles=[role]))
    row = {"account": named("account", code="5602"), "amount": "100", "tax_rate": "0.13"}
    who = {side: named(side, code="S0002" if side == "supplier" else "C0001")}
    made = records.create(clerk, form, {"day": "2026-03-02", **who, lines: [row]})
    assert (made["tax_by"], made["rounding"]) == ("document", "half_even")
    books = reads.look(clerk, "finance_settings", named("finance_settings", name="Accounts")).visible
    assert "tax_by" in books and "bank" not in books


@pytest.mark.parametrize("side", ["supplier", "customer"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_rounding_does_not_depend_on_who_types(filled: Flask, side: str) -> None:
    """A role that sees nothing of the settings: the draft is rounded on lines, what is posted as the settings say."""
    choose(tax_by="document", rounding="half_even")
    given, form = goods(side, TWO), ON_LINES[side]
    grant = {"id": "all", "form": form, "may": ["view", "create", "edit", "submit"]}
    others = (side, "item", "received_item" if side == "supplier" else "delivered_item")
    grants = [grant, *({"id": each, "form": each, "may": ["view"]} for each in others)]
    role = {"x-kind": "role", "x-id": "7e570001", "x-key": "typist", "title": "Typist", "grants": grants}
    definitions.publish_many(SYSTEM, [role], "a typist")
    typist = get_actor(people.add_person(SYSTEM, "typist", "Typist", roles=["typist"]))
    made = int(records.create(typist, form, {"day": "2026-03-02", **given})["id"])
    assert reads.get_record(SYSTEM, form, made)["tax_by"] is None
    workflows.submit(typist, form, made)
    seen = reads.get_record(SYSTEM, form, made)
    assert [seen[key] for key in ("tax_by", "rounding", "state")] == ["document", "half_even", "posted"]
    assert (seen["net"], seen["tax"]) == (D("2.07"), D("2.08"))


@pytest.mark.parametrize("side", ["supplier", "customer"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_credit_note_is_rounded_as_its_invoice(filled: Flask, side: str) -> None:
    """Ten lines of 1.00 at 0.20 and a bit of tax: 2.01 for the document, 2.00 by line. All come back."""
    choose(tax_by="document", rounding="half_even")
    given = goods(side, [("1", "1.004", "0.2")] * 10)
    billed = invoice(side, given)
    choose(tax_by="line", rounding="half_up")
    names, back = ("received", "supplier_return") if side == "supplier" else ("delivered", "sales_return")
    rows = [{names: row[names], "item": row["item"], "quantity": "1"} for row in billed["lines"]]
    whose = {side: given[side]} | (
        {"warehouse": named("warehouse", code="MAIN")} if side == "customer" else {}
    )
    returned = int(records.create(SYSTEM, back, {"day": "2026-03-03", **whose, "lines": rows})["id"])
    workflows.submit(actor_of("keeper"), back, returned)
    bridge = "supplier_return_to_credit_note" if side == "supplier" else "return_to_credit_note"
    note = asking.ask(actor_of("accountant"), back, returned, bridge).record
    seen = reads.get_record(SYSTEM, ON_LINES[side], int(note))
    assert [seen[key] for key in ("tax_by", "rounding")] == ["document", "half_even"]
    assert seen["total"] == -billed["total"] == -D("12.01")
    row = {"account": named("account", code="5602"), "amount": "-1", "tax_rate": "0"}
    lines = {"costs" if side == "supplier" else "charges": [row]}
    own = {"day": "2026-03-04", side: given[side], "credits": billed["id"], **lines}
    typed = records.create(actor_of("accountant"), ON_LINES[side], own)
    assert [typed[key] for key in ("tax_by", "rounding")] == ["document", "half_even"]
