"""The reference purchases received as given: stock and what is owed for it agree with sums of the files themselves."""

import csv
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from formloop.access.actor import SYSTEM
from formloop.db import reading
from formloop.forms import service as records
from formloop.forms.service import Draft
from formloop.ledgers import reading as ledgers
from formloop.ledgers.kind import get_ledger
from formloop.packs import service

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "adventureworks"
CENT = Decimal("0.01")

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the reference data is not here"),
]


@pytest.fixture
def app(app: Flask) -> Flask:
    service.install(SYSTEM, service.get_pack("purchase"))
    return app


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def make(form: str, drafts: list[dict[str, Any]], state: str | None = None) -> list[int]:
    """Records in batches as large as an import's; returns their ids."""
    made: list[int] = []
    for start in range(0, len(drafts), 500):
        batch = [Draft(each, state=state) for each in drafts[start : start + 500]]
        outcomes = records.save_many(SYSTEM, form, batch)
        assert not [p for outcome in outcomes for p in outcome.problems]
        made += [int(outcome.id or 0) for outcome in outcomes]
    return made


def receipt(order: dict[str, str], lines: list[dict[str, str]], known: dict[str, Any]) -> dict[str, Any]:
    given = [
        {
            "item": known["items"][line["product_id"]],
            "accepted": line["stocked_quantity"],
            "rejected": line["rejected_quantity"],
            "price": line["unit_price"],
        }
        for line in lines
    ]
    vendor = known["vendors"][order["vendor_id"]]
    return {"day": lines[0]["due_date"], "supplier": vendor, "warehouse": known["place"], "lines": given}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # once is enough: 8,845 lines
def test_all_purchases_are_received_and_the_ledgers_agree_with_the_files(app: Flask) -> None:
    products, vendors, places = rows("products"), rows("vendors"), rows("locations")
    costs = {each["product_id"]: Decimal(each.get("standard_cost") or 0) for each in products}
    items = make("item", [{"name": p["name"], "source": "buy"} for p in products])
    known: dict[str, Any] = {"items": dict(zip((p["product_id"] for p in products), items, strict=True))}
    made = make("supplier", [{"name": v["name"]} for v in vendors])
    known["vendors"] = dict(zip((v["vendor_id"] for v in vendors), made, strict=True))
    stores = make(
        "warehouse", [{"code": f"AW{p['location_id']}", "name": p["name"], "kind": "own"} for p in places]
    )
    of_place = dict(zip((p["location_id"] for p in places), stores, strict=True))
    known["place"] = stores[0]

    opening: dict[str, list[dict[str, Any]]] = {}
    for row in rows("inventory"):
        line = {
            "item": known["items"][row["product_id"]],
            "quantity": row["quantity"],
            "price": costs[row["product_id"]],
        }
        if Decimal(row["quantity"]):
            opening.setdefault(row["location_id"], []).append(line)
    given = [
        {"day": "2010-12-31", "warehouse": of_place[place], "lines": each} for place, each in opening.items()
    ]
    make("stock_in", given, "posted")

    lines: dict[str, list[dict[str, str]]] = {}
    for row in rows("purchase_order_lines"):
        lines.setdefault(row["purchase_order_id"], []).append(row)
    orders = rows("purchase_orders")
    assert (len(orders), sum(map(len, lines.values()))) == (4012, 8845)
    make(
        "receipt", [receipt(order, lines[order["purchase_order_id"]], known) for order in orders], "received"
    )

    received = [line for each in lines.values() for line in each]
    owed = sum((_amount(line) for line in received), Decimal(0))
    stocked = sum((Decimal(line["stocked_quantity"]) for line in received), Decimal(0))
    there = sum((Decimal(row["quantity"]) for row in rows("inventory")), Decimal(0))
    worth = sum(
        (
            (Decimal(r["quantity"]) * costs[r["product_id"]]).quantize(CENT, ROUND_HALF_UP)
            for r in rows("inventory")
        ),
        Decimal(0),
    )
    total = ledgers.list_balances(SYSTEM, "stock", {}, per=[], limit=1).rows[0].amounts
    assert total == {"quantity": there + stocked, "value": worth + owed}
    assert _accrued() == owed


def _amount(line: dict[str, str]) -> Decimal:
    return (Decimal(line["stocked_quantity"]) * Decimal(line["unit_price"])).quantize(CENT, ROUND_HALF_UP)


def _accrued() -> Decimal:
    """What is owed for goods that were received and not invoiced, added up over all suppliers."""
    table = get_ledger("general").tables.balance
    total = func.sum(table.c.m_credit - table.c.m_debit, type_=table.c.m_credit.type)
    with reading() as conn:
        return Decimal(
            conn.execute(select(total).where(table.c.per == 0, table.c.d_supplier != 0)).scalar_one()
        )
