"""The reference purchases come in by the mapping files that the documentation ships, as real orders and receipts.

What stock, accruals and the progress of orders come to is compared with sums of the files themselves.
"""

import csv
import os
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.forms.importing import import_file
from formloop.forms.kind import get_form
from formloop.forms.listing import Query, list_records
from formloop.ledgers import reading as ledgers
from formloop.ledgers.verifying import verify
from formloop.packs import service

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "adventureworks"
MAPPINGS = ROOT / "docs" / "howto" / "adventureworks"
CENT = Decimal("0.01")
RECEIVED_IN = "6"  # the location that receipts.json names
MASTER_DATA = (("item", "products"), ("supplier", "vendors"), ("warehouse", "locations"))
DOCUMENTS = (  # form, file, mapping, whose they are
    ("supplier_price", "vendor_products", "vendor_products", ""),
    ("stock_in", "locations", "opening_stock", "cost_accountant"),
    ("purchase_order", "purchase_orders", "purchase_orders", "buyer"),
    ("receipt", "purchase_orders", "receipts", "receiving_clerk"),
)
INVOICES = ("purchase_invoice", "purchase_orders", "invoices", "payables_clerk")
REJECTED = "3"  # the status of orders that invoices.json skips
TAX = "0.08"  # which invoices.json says
WHOLE = bool(os.environ.get("FORMLOOP_WHOLE"))  # `make proof` takes all orders, and their invoices, on both
EVERY = 1 if WHOLE else 8  # every eighth order
Rows = list[dict[str, str]]

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the reference data is not here"),
]


@pytest.fixture
def app(app: Flask) -> Flask:
    service.install(SYSTEM, service.get_pack("purchase"))
    for role in ("buyer", "receiving_clerk", "cost_accountant", "payables_clerk"):
        people.add_person(SYSTEM, role, role, roles=[role])
    return app


def read(folder: Path, name: str) -> Rows:
    with (folder / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def bring_in(folder: Path, form: str, file: str, mapping: str, owner: str = "") -> dict[str, int]:
    result = import_file(form, folder / f"{file}.csv", MAPPINGS / f"{mapping}.json", owner=owner)
    assert result.problems == []
    return result.counts


def listed(form: str, *columns: str) -> list[dict[str, Any]]:
    """All records of a form."""
    return list_records(SYSTEM, get_form(form), Query(columns=columns, limit=100_000)).rows


def named(form: str, by: str) -> dict[int, str]:
    return {row["id"]: str(row[by]) for row in listed(form, by)}


def amounts(ledger: str, dims: dict[str, Any], per: list[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    found = ledgers.list_balances(SYSTEM, ledger, dims, per=per, limit=100_000).rows
    return {tuple(row.dims[key] for key in per): dict(row.amounts) for row in found}


def worth(quantity: str, price: str) -> Decimal:
    return (Decimal(quantity) * Decimal(price)).quantize(CENT, ROUND_HALF_UP)


def by_order(lines: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = defaultdict(list)
    for line in lines:
        found[line["purchase_order_id"]].append(line)
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # once is enough
def test_purchases_are_ordered_and_received_and_everything_agrees_with_the_files(
    app: Flask, tmp_path: Path
) -> None:
    orders = read(DATA, "purchase_orders")[::EVERY]
    take(tmp_path, orders)
    for form, name in MASTER_DATA:
        bring_in(tmp_path, form, name, name)
    counts = [bring_in(tmp_path, *each)["created"] for each in DOCUMENTS]
    assert counts == [460, 14, len(orders), len(orders)]
    assert bring_in(tmp_path, "supplier", "vendors", "vendors_active") == {"unchanged": 100, "updated": 4}
    assert [bring_in(tmp_path, *each) for each in DOCUMENTS[:2]] == [
        {"unchanged": 460},
        {"unchanged": 14},
    ]  # nothing comes twice
    check_everything(tmp_path)
    if WHOLE:
        check_invoices(tmp_path, orders)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_part_of_them_on_postgresql(app: Flask, tmp_path: Path) -> None:
    """The 12 approved orders: one has the same item in two and in three lines, one is received in part."""
    orders = [row for row in read(DATA, "purchase_orders") if WHOLE or row["status"] == "2"]
    take(tmp_path, orders)
    for form, name in MASTER_DATA:
        bring_in(tmp_path, form, name, name)
    counts = [bring_in(tmp_path, *each)["created"] for each in DOCUMENTS[1:]]
    assert counts == [14, len(orders), len(orders)]
    for each in DOCUMENTS[1:]:
        assert set(bring_in(tmp_path, *each)) == {"unchanged"}
    check_everything(tmp_path)
    check_invoices(tmp_path, orders)


def take(folder: Path, orders: Rows) -> None:
    """Files like the reference's with only these orders."""
    numbers = {row["purchase_order_id"] for row in orders}
    lines = [row for row in read(DATA, "purchase_order_lines") if row["purchase_order_id"] in numbers]
    write(folder, "purchase_orders", orders)
    write(folder, "purchase_order_lines", lines)
    for name in ("products", "vendors", "vendor_products", "locations", "inventory"):
        write(folder, name, read(DATA, name))


def write(folder: Path, name: str, rows: Rows) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def check_everything(folder: Path) -> None:
    orders, lines = read(folder, "purchase_orders"), by_order(read(folder, "purchase_order_lines"))
    check_stock(folder, [line for each in lines.values() for line in each])
    check_accruals(orders, lines)
    check_progress(orders, lines)
    assert verify() == []


def check_stock(folder: Path, lines: Rows) -> None:
    """What is there and what it is worth, for each item in each location."""
    costs = {row["product_id"]: row["standard_cost"] for row in read(folder, "products")}
    expected: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    came = [
        (row["product_id"], row["location_id"], row["quantity"], costs[row["product_id"]])
        for row in read(folder, "inventory")
    ]
    came += [
        (line["product_id"], RECEIVED_IN, line["stocked_quantity"], line["unit_price"]) for line in lines
    ]
    for item, place, quantity, price in came:
        expected[item, place][0] += Decimal(quantity)
        expected[item, place][1] += worth(quantity, price)
    items, places = named("item", "former_code"), named("warehouse", "code")
    found = {
        (items[item], places[place]): [each["quantity"], each["value"]]
        for (item, place), each in amounts("stock", {}, ["item", "warehouse"]).items()
    }
    assert found == {key: each for key, each in expected.items() if any(each)}


def check_accruals(orders: Rows, lines: dict[str, Rows]) -> None:
    """What each vendor is owed for what was accepted and not invoiced; the general ledger stands against stock."""
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        for line in lines[order["purchase_order_id"]]:
            expected[order["vendor_id"]] += worth(line["stocked_quantity"], line["unit_price"])
    accounts, vendors = named("account", "code"), named("supplier", "code")
    accrued = next(record for record, code in accounts.items() if code == "220202")
    owed = amounts("general", {"account": accrued}, ["supplier"])
    found = {vendors[key[0]]: each["credit"] - each["debit"] for key, each in owed.items()}
    assert found == {vendor: amount for vendor, amount in expected.items() if amount}
    books = amounts("general", {}, ["account"])
    stands = {accounts[key[0]]: each["debit"] - each["credit"] for key, each in books.items()}
    stock = amounts("stock", {}, [])[()]["value"]
    owed_in_all = sum(expected.values())
    assert stands == {"1405": stock, "220202": -owed_in_all, "3001": owed_in_all - stock}


def check_invoices(folder: Path, orders: Rows) -> None:
    """Every order but the rejected ones is invoiced; nothing comes twice."""
    count = sum(order["status"] != REJECTED for order in orders)
    assert bring_in(folder, *INVOICES) == {"created": count}
    check_payables(orders, by_order(read(folder, "purchase_order_lines")))
    assert bring_in(folder, *INVOICES) == {"unchanged": count} and verify() == []


def check_payables(orders: Rows, lines: dict[str, Rows]) -> None:
    """What each vendor is owed by their invoices, with the tax; only what was not invoiced is accrued."""
    expected: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for order in orders:
        for line in lines[order["purchase_order_id"]]:
            net = worth(line["stocked_quantity"], line["unit_price"])
            if order["status"] == REJECTED:
                expected["220202", order["vendor_id"]] += net
            else:
                expected["2202", order["vendor_id"]] += net + worth(str(net), TAX)
    accounts, vendors = named("account", "code"), named("supplier", "code")
    owed = amounts("general", {}, ["account", "supplier"])
    found = {
        (accounts[account], vendors[vendor]): each["credit"] - each["debit"]
        for (account, vendor), each in owed.items()
        if vendor
    }
    assert {key: each for key, each in found.items() if each} == {
        key: each for key, each in expected.items() if each
    }


def check_progress(orders: Rows, lines: dict[str, Rows]) -> None:
    """Accepted, rejected and still to come of each line, and how far that brings its order."""
    expected = {
        line["line_id"]: (
            Decimal(line["stocked_quantity"]),
            Decimal(line["rejected_quantity"]),
            Decimal(line["order_quantity"]) - Decimal(line["stocked_quantity"]),
        )
        for each in lines.values()
        for line in each
    }
    tracked = listed("purchase_progress", "former_code", "received", "rejected", "open")
    assert {
        row["former_code"]: (row["received"], row["rejected"], row["open"]) for row in tracked
    } == expected
    assert len(tracked) == len(expected)
    found = listed("purchase_order", "number")
    states = {row["number"]: row["state"] for row in found if row["state"] != "draft"}  # that one is a sample
    assert states == {
        order["purchase_order_id"]: _state(lines[order["purchase_order_id"]]) for order in orders
    }


def _state(lines: Rows) -> str:
    if all(Decimal(line["stocked_quantity"]) == Decimal(line["order_quantity"]) for line in lines):
        return "received"
    return "part_received" if any(Decimal(line["stocked_quantity"]) for line in lines) else "confirmed"
