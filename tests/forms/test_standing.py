"""What was read in a transaction is not read again, until it is written, locked or taken back."""

from formloop import db
from formloop.access.actor import SYSTEM
from formloop.forms import service, standing
from formloop.forms.kind import get_form
from formloop.forms.links import Links

from .conftest import Shop


def _limit(customer: int) -> object:
    spec = get_form("order")
    links = Links(SYSTEM, spec, [{"customer": customer}], reads={("customer", "limit")})
    return links.records["customer", customer]["limit"]


def _reads(statements: list[str]) -> int:
    return sum("FROM customer" in each for each in statements)


def test_a_record_is_read_once_until_it_is_written(shop: Shop, statements: list[str]) -> None:
    customer = service.create(SYSTEM, "customer", {"name": "Lamp & Co", "limit": "10"})["id"]
    statements.clear()

    @db.transactional
    def look() -> None:
        assert (_limit(customer), _limit(customer)) == (10, 10)
        assert _reads(statements) == 1
        service.change_record(SYSTEM, "customer", customer, {"limit": "20"}, None)
        assert _limit(customer) == 20

    look()
    statements.clear()
    assert (_limit(customer), _limit(customer)) == (20, 20)
    assert _reads(statements) == 2  # outside a transaction others may have written meanwhile


def test_what_was_read_of_others_stands_when_one_record_is_written(shop: Shop, statements: list[str]) -> None:
    one, other = (
        service.create(SYSTEM, "customer", {"name": each})["id"] for each in ("Lamp & Co", "Wire & Co")
    )

    @db.transactional
    def look() -> None:
        _limit(one), _limit(other)
        service.change_record(SYSTEM, "customer", one, {"limit": "20"}, None)
        statements.clear()
        _limit(other)
        assert _reads(statements) == 0
        assert (_limit(one), _reads(statements)) == (20, 0)  # what was written is known

    look()


def test_what_was_written_and_taken_back_is_read_again(shop: Shop) -> None:
    customer = service.create(SYSTEM, "customer", {"name": "Lamp & Co", "limit": "10"})["id"]

    @db.transactional
    def look() -> None:
        part = db.Part()
        service.change_record(SYSTEM, "customer", customer, {"limit": "20"}, None)
        assert _limit(customer) == 20
        part.undo()
        standing.note_taken_back()
        assert _limit(customer) == 10

    look()


def test_a_column_nobody_asked_for_before_is_read_when_it_is(shop: Shop) -> None:
    customer = service.create(SYSTEM, "customer", {"name": "Lamp & Co", "limit": "10"})["id"]
    spec = get_form("order")

    @db.transactional
    def look() -> None:
        Links(SYSTEM, spec, [{"customer": customer}], reads={("customer", "active")})
        links = Links(SYSTEM, spec, [{"customer": customer}], reads={("customer", "name")})
        assert links.records["customer", customer]["name"] == "Lamp & Co"
        assert "active" not in links.records["customer", customer]  # only what was asked is handed on

    look()


def test_what_was_locked_is_read_again_where_others_write_meanwhile(
    shop: Shop, statements: list[str]
) -> None:
    customer = service.create(SYSTEM, "customer", {"name": "Lamp & Co", "limit": "10"})["id"]

    @db.transactional
    def look() -> None:
        _limit(customer)
        statements.clear()
        standing.note_held("customer")
        assert _limit(customer) == 10
        assert _reads(statements) == (0 if db.is_sqlite() else 1)

    look()
