"""Entering documents into ledgers, reading balances of 100,000 things, and back-dating under 100,000 later entries."""

import time
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from bench.by_hand import beside
from bench.shop import per_second, scaled, site
from formloop import db
from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.app import create_app
from formloop.db.throwaway import throwaway
from formloop.forms import service
from formloop.forms.kind import get_form
from formloop.ledgers import proof_forms, reading
from formloop.ledgers.kind import get_ledger
from formloop.settings import read_settings
from formloop.workflows import service as workflows

BATCH = scaled(500, 2)
MANY = scaled(100_000, 100)
DAYS, LATER = scaled(120, 4), scaled(20, 2)


def run() -> dict[str, Any]:
    """Documents a second, milliseconds and seconds."""
    found: dict[str, Any] = {}
    for name in ("sqlite", "postgresql"):
        with throwaway(name) as environment, create_app(read_settings(environment)).app_context():
            found |= {f"{name} {key}": value for key, value in _measure().items()}
            db.engine().dispose()
        with site(name):
            found |= {f"{name} {key}": value for key, value in _cycles().items()}
    return found


def _measure() -> dict[str, Any]:
    made = proof_forms.prepare()
    thing = service.create(SYSTEM, "proof_thing", {"name": "bench", "method": "moving_average"})["id"]
    found = {
        "receipts a second in batches": _batches(made, thing),
        **_singles(made, thing),
    }
    return {**found, **_many_balances(made), **_back_date(made), **_before_additions(made)}


def _drafts(
    made: dict[str, int], things: list[int], kind: str = "receive", day: str = "2026-03-01"
) -> list[Any]:
    return [
        service.Draft(
            {"kind": kind, "thing": thing, "day": day, "spot": made["here"], "quantity": 3, "price": "1.25"},
            state="done",
        )
        for thing in things
    ]


def _batches(made: dict[str, int], thing: int) -> float:
    service.save_many(SYSTEM, "proof_move", _drafts(made, [thing] * BATCH))
    start = time.perf_counter()
    for _ in range(4):
        service.save_many(SYSTEM, "proof_move", _drafts(made, [thing] * BATCH))
    return 4 * BATCH / (time.perf_counter() - start)


def _singles(made: dict[str, int], thing: int) -> dict[str, float]:
    def one() -> None:
        service.save_many(SYSTEM, "proof_move", _drafts(made, [thing]))

    return beside("receipts a second one by one", one, per_second(one))


def _many_balances(made: dict[str, int]) -> dict[str, Any]:
    table = get_ledger("proof_stock").tables.balance
    rows = [
        {
            "key": f"spot={made['here']};thing={n}",
            "per": 0,
            "d_thing": n,
            "d_spot": made["here"],
            "m_quantity": 1,
        }
        for n in range(1, MANY + 1)
    ]

    @db.transactional
    def fill() -> None:
        for start in range(0, len(rows), 10_000):
            db.connection().execute(table.insert(), rows[start : start + 10_000])

    fill()
    found = {}
    for name, work in (
        (
            "one of 100,000 balances, ms",
            lambda: reading.find_balance("proof_stock", {"thing": 77, "spot": made["here"]}),
        ),
        (
            "a page of 50 of 100,000 balances, ms",
            lambda: reading.list_balances(SYSTEM, "proof_stock", {}, limit=50),
        ),
        (
            "the sum of 100,000 balances, ms",
            lambda: reading.list_balances(SYSTEM, "proof_stock", {}, per=["spot"]),
        ),
        (
            "all 100,000 balances, ms",
            lambda: reading.list_balances(SYSTEM, "proof_stock", {}, limit=MANY + 1),
        ),
    ):
        work()
        start = time.perf_counter()
        work()
        found[name] = (time.perf_counter() - start) * 1_000
    return found


def _back_date(made: dict[str, int]) -> dict[str, Any]:
    thing = service.create(SYSTEM, "proof_thing", {"name": "old", "method": "moving_average"})["id"]
    proof_forms.move("receive", thing, day="2026-01-05", spot=made["here"], quantity=MANY, price="2")
    for _ in range(max(1, MANY // 1_000)):
        drafts = _drafts(made, [thing] * min(1_000, MANY), "issue")
        for draft in drafts:
            draft.raw["quantity"] = 1  # type: ignore[index]
        service.save_many(SYSTEM, "proof_move", drafts)
    start = time.perf_counter()
    proof_forms.move("receive", thing, day="2026-01-06", spot=made["here"], quantity=MANY, price="3")
    return {"back-dating under 100,000 entries, s": time.perf_counter() - start}


def _before_additions(made: dict[str, int]) -> dict[str, Any]:
    """A receipt for a day before a hundred on each of which more became known: the invoice of what came 20 days ago."""
    thing = service.create(SYSTEM, "proof_thing", {"name": "known", "method": "moving_average"})["id"]
    here, came = {"spot": made["here"]}, list[int]()
    for number in range(DAYS):
        day = (date(2026, 3, 2) + timedelta(number)).isoformat()
        price = f"{10 + number % 5}"
        came.append(proof_forms.move("receive", thing, day=day, **here, quantity=100, price=price))
        for _ in range(3):
            proof_forms.move("issue", thing, day=day, **here, quantity=9)
        if number >= LATER:
            of = came[number - LATER]
            proof_forms.move("add", thing, day=day, **here, quantity=1, of=of, price=f"{number % 7 + 1}")
    start = time.perf_counter()
    proof_forms.move("receive", thing, day="2026-03-01", **here, quantity=100, price="11")
    return {f"back-dating before {DAYS - LATER} late invoices, s": time.perf_counter() - start}


def _cycles() -> dict[str, float]:
    """An order from entry to voucher: created, approved by its chief, delivered, billed."""
    seller, chief, keeper, accountant = (
        get_actor(people.find_person(name).id) for name in ("seller", "approver", "keeper", "accountant")
    )
    ids = {
        form: _first(form, code)
        for form, code in (("customer", "C0001"), ("item", "LAMP-01"), ("warehouse", "MAIN"))
    }
    line = {"item": ids["item"], "quantity": "1", "price": "268"}
    stocked = {"warehouse": ids["warehouse"], "lines": [{**line, "quantity": "100000", "price": "121.4"}]}
    service.save_many(SYSTEM, "stock_in", [service.Draft(stocked, state="posted")])

    def cycle() -> None:
        order = service.create(
            seller, "sales_order", {"customer": ids["customer"], "tax_rate": "0.13", "lines": [line]}
        )
        asked = workflows.submit(seller, "sales_order", order["id"])
        workflows.decide(chief, asked.asked[chief.person_id], "approve")
        given = {
            "customer": ids["customer"],
            "warehouse": ids["warehouse"],
            "order": order["id"],
            "lines": [line],
        }
        sent = service.create(keeper, "delivery", given)
        workflows.submit(keeper, "delivery", sent["id"])
        bill = {"customer": ids["customer"], "lines": [{**line, "delivered": _delivered(sent["id"])}]}
        billed = service.create(accountant, "sales_invoice", bill)
        workflows.submit(accountant, "sales_invoice", billed["id"])

    return beside("order cycles a second", cycle, per_second(cycle))


def _first(form: str, code: str) -> int:
    table = get_form(form).table
    with db.reading() as conn:
        return int(conn.execute(select(table.c.id).where(table.c.code == code)).scalar_one())


def _delivered(delivery: int) -> int:
    table = get_form("delivered_item").table
    with db.reading() as conn:
        return int(conn.execute(select(table.c.id).where(table.c.delivery == delivery)).scalar_one())
