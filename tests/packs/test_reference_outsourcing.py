"""The worked figures of the reference case for what is made elsewhere, through order, transfer, receipt and invoice."""

from decimal import Decimal as D

import pytest
from flask import Flask
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.bridges import asking
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.forms import reads
from formloop.forms import service as records
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.tables import posted
from formloop.ledgers.verifying import verify
from formloop.workflows import service as workflows
from packs.test_closing_short import rows_of
from packs.trading import actor_of, named, sums, take_back

CLEARING, FURTHER, ACCRUED = "220204", "5602", "220202"


def account(code: str) -> D:
    debit, credit = sums("general", ("debit", "credit"), account=named("account", code=code))
    return debit - credit


def entered(record: int) -> list[tuple[str, D, D]]:
    """What a receipt entered in the books: account, debit, credit."""
    table, codes = get_ledger("general").tables.entry, rows_of("account")
    code = {each["id"]: each["code"] for each in codes}
    query = select(table.c.d_account, table.c.m_debit, table.c.m_credit)
    query = query.join(posted, posted.c.id == table.c.posted).where(posted.c.record == record)
    with reading() as conn:
        return sorted((code[row[0]], row[1], row[2]) for row in conn.execute(query) if any(row[1:]))


class Outside:
    """Ten pieces of material, worth 1000, are at the supplier, who makes one frame of them for 100."""

    def __init__(self, clearing: bool, **made: str) -> None:
        books = named("finance_settings", name="Accounts")
        chosen = named("account", code=CLEARING) if clearing else None
        records.change_record(SYSTEM, "finance_settings", books, {"outsourcing": chosen})
        self.keeper, self.supplier = actor_of("keeper"), named("supplier", code="S0002")
        self.part = self.item("Tube", source="buy")
        self.frame = self.item("Frame", source="outsource", **made)
        self.main, self.there = named("warehouse", code="MAIN"), named("warehouse", code="OUT")
        line = {"item": self.part, "accepted": "10", "price": "100"}
        self.submit("receipt", supplier=self.supplier, warehouse=self.main, lines=[line])
        head = {"supplier": self.supplier, "own": self.main, "at_supplier": self.there, "made": self.frame}
        more = {"quantity": "1", "service_price": "100", "lines": [{"item": self.part, "quantity": "10"}]}
        self.order = int(
            records.create(SYSTEM, "outsourcing_order", {"day": "2026-03-02"} | head | more)["id"]
        )
        workflows.submit(actor_of("buyer"), "outsourcing_order", self.order)
        (sent,) = rows_of("stock_transfer", target=self.there)
        workflows.submit(self.keeper, "stock_transfer", sent["id"])

    def item(self, name: str, **more: str) -> int:
        return int(records.create(SYSTEM, "item", {"name": name, **more})["id"])

    def submit(self, form: str, **values: object) -> int:
        made = int(records.create(SYSTEM, form, {"day": "2026-03-01", **values})["id"])
        workflows.submit(self.keeper, form, made)
        return made

    def receive(self, **more: object) -> int:
        asked = asking.ask(self.keeper, "outsourcing_order", self.order, "outsourcing_order_to_receipt")
        records.change_record(self.keeper, "outsourcing_receipt", asked.record, {"day": "2026-03-05", **more})
        workflows.submit(self.keeper, "outsourcing_receipt", asked.record)
        return asked.record

    def invoice(self, receipt: int, amount: str = "100") -> int:
        bridge = "outsourcing_receipt_to_supplier_invoice"
        made = asking.ask(actor_of("accountant"), "outsourcing_receipt", receipt, bridge).record
        (line,) = reads.get_record(SYSTEM, "purchase_invoice", made)["services"]
        given = {"day": "2026-03-06", "services": [{"id": line["id"], "amount": amount}]}
        records.change_record(SYSTEM, "purchase_invoice", made, given)
        workflows.submit(actor_of("accountant"), "purchase_invoice", made)
        return made

    def worth(self) -> D:
        return sums("stock", ("value",), item=self.frame, warehouse=self.main)[0]


def further(amount: str) -> dict[str, object]:
    return {"additional": amount, "additional_account": named("account", code=FURTHER)}


def test_pc_12_an_outsourced_receipt_carries_material_and_service(filled: Flask) -> None:
    """Policy: all cost goes through one account (*Clearing account for outsourcing*)."""
    outside = Outside(clearing=True)
    before = {code: account(code) for code in (CLEARING, FURTHER, ACCRUED)}
    receipt = outside.receive(**further("200"))
    assert outside.worth() == 1300
    stock = "1405"
    assert entered(receipt) == sorted(
        [(stock, D(1300), D(0)), (CLEARING, D(0), D(1300)), (CLEARING, D(1000), D(0)), (stock, D(0), D(1000)),
         (CLEARING, D(200), D(0)), (FURTHER, D(0), D(200))]
    )  # fmt: skip
    assert account(CLEARING) - before[CLEARING] == -100
    invoice = outside.invoice(receipt, "110")  # ten dearer than agreed: that goes to the frame
    assert (account(CLEARING) - before[CLEARING], outside.worth()) == (0, 1310)
    assert account(ACCRUED) == before[ACCRUED] and verify() == []
    take_back("purchase_invoice", invoice)
    take_back("outsourcing_receipt", receipt)
    assert {code: account(code) for code in before} == before and verify() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_such_an_account_the_service_alone_is_accrued(filled: Flask) -> None:
    outside = Outside(clearing=False)
    before = {code: account(code) for code in (CLEARING, FURTHER, ACCRUED)}
    receipt = outside.receive(**further("200"))
    changed = {code: account(code) - was for code, was in before.items()}
    assert (outside.worth(), changed) == (1300, {CLEARING: 0, FURTHER: -200, ACCRUED: -100})
    outside.invoice(receipt)
    assert account(ACCRUED) == before[ACCRUED] and verify() == []


@pytest.mark.parametrize("clearing", [True, False])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_made_at_a_standard_leaves_the_rest_as_variance(filled: Flask, clearing: bool) -> None:
    outside = Outside(clearing, valuation="standard", standard_cost="1250")
    before = account("1404"), account(CLEARING)
    outside.receive(**further("200"))
    assert outside.worth() == 1250
    assert (account("1404") - before[0], account(CLEARING) - before[1]) == (50, -100 if clearing else 0)
    assert verify() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_account_is_kept_when_another_one_is_chosen_later(filled: Flask) -> None:
    outside = Outside(clearing=True)
    before = account(CLEARING), account(ACCRUED)
    receipt = outside.receive()
    books = named("finance_settings", name="Accounts")
    records.change_record(SYSTEM, "finance_settings", books, {"outsourcing": None})
    outside.invoice(receipt)
    assert (account(CLEARING), account(ACCRUED)) == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_dearer_invoice_is_a_cost_variance_where_the_settings_say_so(filled: Flask) -> None:
    outside, books = Outside(clearing=True), named("finance_settings", name="Accounts")
    records.change_record(SYSTEM, "finance_settings", books, {"price_difference": "variance"})
    before = account("1404"), account(CLEARING)
    outside.invoice(outside.receive(), "110")
    assert (outside.worth(), account("1404") - before[0], account(CLEARING)) == (1100, 10, before[1])
    assert verify() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_cannot_be_cleared_is_refused_where_it_is_chosen(filled: Flask) -> None:
    outside, books = Outside(clearing=True), named("finance_settings", name="Accounts")
    with pytest.raises(Invalid) as error:
        chosen = {"outsourcing": named("account", code=ACCRUED)}
        records.change_record(SYSTEM, "finance_settings", books, chosen)
    assert {each.at for each in error.value.problems} == {"outsourcing"}
    with pytest.raises(Invalid) as error:
        outside.receive(additional="5")
    assert [(each.code, each.at) for each in error.value.problems] == [("required", "additional_account")]
