"""What was open and what stood on the accounts when a company begins comes in by files, and is paid like anything else."""

from decimal import Decimal as D
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.datasets import service as datasets
from formloop.db import reading
from formloop.events import jobs
from formloop.forms import importing, reads, staging
from formloop.forms import service as records
from formloop.forms.importing import import_file
from formloop.forms.kind import get_form
from formloop.ledgers.verifying import verify
from formloop.workflows import service as workflows
from packs.trading import actor_of, named, take_back

MAPPINGS = Path(__file__).parents[2] / "docs" / "howto" / "opening"
DAY, SUPPLIER, CUSTOMER = "2026-02-28", "S0002", "C0001"
FILES = {
    "purchase_invoice": ("payables", f"""supplier,reference,day,due,open
{SUPPLIER},A-17,{DAY},2026-03-15,500.00
{SUPPLIER},A-18,{DAY},2026-01-31,300.10
"""),
    "sales_invoice": ("receivables", f"""number,customer,day,due,open
OLD-1,{CUSTOMER},{DAY},2026-03-01,700.50
OLD-2,{CUSTOMER},{DAY},2026-02-01,-20
"""),
    "voucher": ("accounts", f"""number,day,account,employee,debit,credit
OPEN,{DAY},1002,,1000,
OPEN,{DAY},122101,E0001,80,
OPEN,{DAY},3001,,,1080
"""),
}  # fmt: skip


def balances() -> dict[str, D]:
    rows = datasets.read_all(SYSTEM, "trial_balance", {"since": "2026-02-01", "until": DAY})
    return {row["code"]: row["closing_debit"] - row["closing_credit"] for row in rows}


@pytest.fixture
def opened(demo: Flask, tmp_path: Path) -> dict[str, D]:
    """The site with the files imported, and what stood on its accounts before."""
    table = get_form("employee").table
    with reading() as conn:
        employee = conn.execute(select(table.c.code).order_by(table.c.id)).scalars().first()
    before = balances()
    for form, (mapping, rows) in FILES.items():
        file = tmp_path / f"{mapping}.csv"
        file.write_text(rows.replace("E0001", str(employee)), encoding="utf-8")
        found = import_file(form, file, MAPPINGS / f"{mapping}.json", owner="accountant")
        assert not found.problems, found.problems
    return before


def test_opening_balances_agree_in_ageing_and_trial_balance(opened: dict[str, D]) -> None:
    now = balances()
    wanted = {"2202": "-800.10", "1122": "680.50", "1002": "1000", "122101": "80", "3001": "-960.40"}
    assert {key: now.get(key, D(0)) - opened.get(key, D(0)) for key in wanted} == {
        key: D(value) for key, value in wanted.items()
    }
    for statement, side, code in (
        ("payables_ageing", "supplier", SUPPLIER),
        ("receivables_ageing", "customer", CUSTOMER),
    ):
        rows = datasets.read_all(SYSTEM, statement, {"day": DAY})
        (row,) = [each for each in rows if each[side] == named(side, code=code)]
        assert (row["not_due"], row["up_to_first"]) == (
            (D("500"), D("300.10")) if side == "supplier" else (D("700.50"), D("-20"))
        )
    assert verify() == []


def test_what_was_open_at_the_beginning_is_paid_by_name(opened: dict[str, D]) -> None:
    bill = named("purchase_invoice", reference="A-17")
    given = {
        "day": "2026-03-02",
        "supplier": named("supplier", code=SUPPLIER),
        "invoice": bill,
        "amount": "500",
    }
    made = int(records.create(SYSTEM, "supplier_payment", given)["id"])
    workflows.submit(actor_of("accountant"), "supplier_payment", made)
    assert reads.get_record(SYSTEM, "purchase_invoice", bill)["open"] == 0
    assert verify() == []


def test_what_is_posted_stays_when_its_import_is_taken_back(opened: dict[str, D]) -> None:
    """Its entries stand in the books until it is taken back like any other document."""
    before = balances()
    batch = staging.list_batches(SYSTEM, "purchase_invoice")[0].id
    jobs.run(importing.start(SYSTEM, batch, "import_undo", now=True)).require_done()
    assert staging.counts(batch) == {"kept": 2}
    bills = [named("purchase_invoice", reference=each) for each in ("A-17", "A-18")]
    told = importing.list_kept(batch, "en", 9)
    assert told == [
        (bill, f"Row {row}: It was submitted and is no draft any more: take it back on its own page.")
        for row, bill in enumerate(bills, 2)
    ]
    assert [reads.get_record(SYSTEM, "purchase_invoice", each)["state"] for each in bills] == ["posted"] * 2
    assert balances() == before and verify() == []
    take_back("purchase_invoice", bills[0])
    assert balances()["2202"] - before["2202"] == 500 and verify() == []
