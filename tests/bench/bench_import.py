"""100,000 rows of 20 columns from Excel, checked and written, beside the same rows inserted by hand."""

import resource
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import select

from bench.shop import scaled, site
from formloop import db
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.definitions import service as definitions
from formloop.forms import importing, rows, staging
from formloop.forms.kind import get_form

ROWS = scaled(100_000, 500)
COLOURS = ("red", "green", "blue")


def run(count: int = ROWS) -> dict[str, Any]:
    """Seconds for each part and the peak of memory, on both databases."""
    found: dict[str, Any] = {"rows": count, "columns": 20}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.xlsx"
        _write_workbook(path, count)
        for database in ("sqlite", "postgresql"):
            with site(database):
                found |= {f"{database} {key}": value for key, value in _measure(path, count).items()}
    return found


def _measure(path: Path, count: int) -> dict[str, Any]:
    definitions.publish_many(SYSTEM, [_form()], "bench")
    parts: dict[str, float] = {}

    def import_it() -> None:
        batch = staging.add_batch(SYSTEM, "bench_goods", path.name, path)
        importing.set_mapping(
            SYSTEM, batch, importing.guessed(get_form("bench_goods"), staging.get_batch(batch))
        )
        for part in ("import_check", "import_run"):
            parts[part] = _seconds(
                lambda part=part: importing.jobs.run(importing.start(SYSTEM, batch, part, now=True))
            )
        assert staging.counts(batch) == {"created": count}, staging.counts(batch)

    whole = _seconds(import_it)
    spec = get_form("bench_goods")
    with db.reading() as conn:
        query = select(spec.table).limit(importing.CHUNK)
        records = [dict(r) for r in conn.execute(query).mappings()]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    def by_hand() -> None:
        for _ in range(0, count, importing.CHUNK):
            part = [{**r, "id": clock.new_id()} for r in records]
            with db.begin_writing(db.engine()) as conn:
                rows.add(conn, spec, part)

    hand = _seconds(by_hand)
    return {
        "read and checked, seconds": round(parts["import_check"], 1),
        "written, seconds": round(parts["import_run"], 1),
        "whole, seconds": round(whole, 1),
        "inserted by hand, seconds": round(hand, 1),
        "peak MB": peak,
    }


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _form() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "code": {"type": "string", "title": "Code"},
        "name": {"type": "string", "title": "Name"},
    }
    properties |= {f"text_{n}": {"type": "string", "title": f"Text {n}"} for n in range(6)}
    properties |= {f"number_{n}": {"type": "number", "title": f"Number {n}"} for n in range(4)}
    properties |= {
        f"amount_{n}": {"type": "number", "x-type": "amount", "title": f"Amount {n}"} for n in range(2)
    }
    properties |= {f"day_{n}": {"type": "string", "format": "date", "title": f"Day {n}"} for n in range(2)}
    properties |= {
        f"choice_{n}": {"type": "string", "enum": list(COLOURS), "title": f"Choice {n}"} for n in range(2)
    }
    properties |= {f"yes_{n}": {"type": "boolean", "title": f"Yes {n}"} for n in range(2)}
    properties["total"] = {
        "type": "number",
        "x-type": "amount",
        "title": "Total",
        "x-formula": "number_0 * amount_0",
    }
    return {
        "x-kind": "form",
        "x-id": "0000b001",
        "x-key": "bench_goods",
        "title": "Goods",
        "type": "object",
        "required": ["name"],
        "properties": properties,
    }


def _write_workbook(path: Path, count: int) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        columns = [s["title"] for k, s in _form()["properties"].items() if k != "total"]
        sheet.write_row(0, 0, columns)
        for row in range(1, count + 1):
            sheet.write_row(
                row, 0, [f"G-{row:06d}", f"Goods {row}", *(f"text {n} of {row % 977}" for n in range(6))]
            )
            sheet.write_row(row, 8, [row % 1000, 0.5, row % 7, 2.25, float(Decimal(row) / 8), 19.99])
            for place in (14, 15):
                sheet.write_number(row, place, 45_000 + row % 700, day)
            sheet.write_row(row, 16, [COLOURS[row % 3], COLOURS[row % 2], "yes", "no"])
