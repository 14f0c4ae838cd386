"""What a transaction has written or locked it knows, and does not read again."""

from decimal import Decimal

from sqlalchemy import select

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.db.units import forget_standing
from formloop.forms import known, purging, rows, service, standing
from formloop.forms.kind import get_form

from .conftest import Shop


def _anew(form: str, record: int) -> dict[str, object]:
    forget_standing()
    return rows.load(db.connection(), get_form(form), [record])[record]


@db.transactional
def test_a_record_that_was_written_is_known_as_the_database_gives_it(
    shop: Shop, statements: list[str]
) -> None:
    saved = shop.order((shop.bolt, "10"), (shop.nut, "0.25"))
    service.change_record(SYSTEM, "order", saved["id"], {"lines": [*saved["lines"][1:], *saved["lines"][:1]]})
    statements.clear()
    mine = rows.load(db.connection(), get_form("order"), [saved["id"]])[saved["id"]]
    assert statements == []
    read = _anew("order", saved["id"])
    assert mine == read
    assert [repr(mine[key]) for key in read] == [
        repr(value) for value in read.values()
    ]  # each digit, each zone


@db.transactional
def test_what_is_done_with_a_known_record_does_not_change_it(shop: Shop) -> None:
    saved = shop.order((shop.bolt, "10"))
    saved["lines"][0]["quantity"] = Decimal(7)
    mine = rows.load(db.connection(), get_form("order"), [saved["id"]])[saved["id"]]
    mine["lines"].clear()
    again = rows.load(db.connection(), get_form("order"), [saved["id"]])[saved["id"]]
    assert [line["quantity"] for line in again["lines"]] == [Decimal(10)]


@db.transactional
def test_nothing_is_known_of_what_was_taken_back_or_purged(shop: Shop) -> None:
    customer = service.create(SYSTEM, "customer", {"name": "Lamp & Co", "limit": "10"})["id"]
    part = db.Part()
    service.change_record(SYSTEM, "customer", customer, {"limit": "20"})
    part.undo()
    standing.note_taken_back()
    spec = get_form("customer")
    assert rows.load(db.connection(), spec, [customer])[customer]["limit"] == 10
    service.delete_record(SYSTEM, "customer", customer)
    purging.purge_record(SYSTEM, "customer", customer)
    assert rows.load(db.connection(), spec, [customer]) == {}


def test_outside_of_a_transaction_nothing_is_known(shop: Shop, statements: list[str]) -> None:
    customer = service.create(SYSTEM, "customer", {"name": "Lamp & Co", "limit": "10"})["id"]
    statements.clear()
    with db.reading() as conn:
        assert rows.load(conn, get_form("customer"), [customer])[customer]["limit"] == 10
    assert len(statements) == 1


@db.transactional
def test_an_import_is_not_kept_in_memory(shop: Shop) -> None:
    drafts = [service.Draft({"name": f"Customer {n}"}) for n in range(known.MOST + 1)]
    saved = service.save_many(SYSTEM, "customer", drafts)
    assert known.find(get_form("customer"), [each.id or 0 for each in saved]) == {}
    table = get_form("customer").table
    made = select(table.c.id).where(table.c.created_at <= clock.now())
    assert len(list(db.connection().execute(made))) > known.MOST
