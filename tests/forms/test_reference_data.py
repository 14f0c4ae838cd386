"""The reference data comes in by the mapping files that the documentation ships, and its sums are right."""

import csv
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.forms.importing import import_file
from formloop.forms.kind import get_form
from formloop.settings import Settings

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "adventureworks"
MAPPINGS = ROOT / "docs" / "howto" / "adventureworks"
SOURCES = (("customer", "customers"), ("item", "products"), ("sales_order", "sales_orders"))

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the reference data is not here"),
]


@pytest.fixture
def site(database: Settings) -> Settings:
    files = [
        f
        for pack in ("master_data", "sales_order")
        for f in (ROOT / "templates_library" / pack).glob("*.form.json")
    ]
    definitions.publish_many(SYSTEM, [json.loads(f.read_text("utf-8")) for f in sorted(files)], "packs")
    return database


def bring_in(folder: Path = DATA) -> list[dict[str, int]]:
    return [
        import_file(form, folder / f"{name}.csv", MAPPINGS / f"{name}.json").counts for form, name in SOURCES
    ]


def test_everything_comes_in_once_and_every_subtotal_is_the_sum_of_its_lines(site: Settings) -> None:
    assert bring_in() == [{"created": 847}, {"created": 504}, {"created": 32}]
    assert bring_in() == [{"unchanged": 847}, {"unchanged": 504}, {"unchanged": 32}]
    sums: dict[str, Decimal] = {}
    with (DATA / "sales_order_lines.csv").open() as file:
        for line in csv.DictReader(file):
            sums[line["sales_order_id"]] = sums.get(line["sales_order_id"], Decimal(0)) + Decimal(
                line["line_total"]
            )
    order = get_form("sales_order").table
    with reading() as conn:
        found = {row.number: row.subtotal for row in conn.execute(select(order.c.number, order.c.subtotal))}
    expected = {f"SO{key}": value.quantize(Decimal("0.0001"), ROUND_HALF_UP) for key, value in sums.items()}
    assert found == expected


def test_one_corrupted_line_is_reported_and_the_other_orders_come_in(site: Settings, tmp_path: Path) -> None:
    for name in ("customers.csv", "products.csv", "sales_orders.csv", "sales_order_lines.csv"):
        (tmp_path / name).write_text((DATA / name).read_text())
    lines = tmp_path / "sales_order_lines.csv"
    rows = lines.read_text().splitlines()
    rows[4] = ",".join("many" if place == 3 else cell for place, cell in enumerate(rows[4].split(",")))
    lines.write_text("\n".join(rows) + "\n")
    for form, name in SOURCES[:2]:
        import_file(form, tmp_path / f"{name}.csv", MAPPINGS / f"{name}.json")
    result = import_file("sales_order", tmp_path / "sales_orders.csv", MAPPINGS / "sales_orders.json")
    assert result.counts == {"created": 31, "bad": 1}
    assert result.problems == ["sales_order_lines.csv, row 5, quantity (905): “many” is not a number."]
