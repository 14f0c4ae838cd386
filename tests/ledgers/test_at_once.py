"""Two at the same moment on PostgreSQL: what one rests on is judged when nobody else can change it any more."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.db import Part, reading, transactional
from formloop.db.units import forget_standing
from formloop.forms import service
from formloop.forms.kind import get_form
from formloop.ledgers import expiring, periods
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.verifying import verify
from ledgers.invoices import INVOICE, INVOICED, PAID, PAYMENT, invoice, left, pay
from ledgers.store import Store
from ledgers.test_reservations import HELD, HOLDING, TAKEN, USING, hold, reserved, use
from ledgers.test_resting import Counted
from workflows.at_once import begun_while

ON_POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgres)
pytestmark = pytest.mark.parametrize("database", [ON_POSTGRESQL], indirect=True)


def made_last(form: str) -> int:
    table = get_form(form).table
    with reading() as conn:
        return int(conn.execute(select(func.max(table.c.id))).scalar_one())


def refused(first: Callable[[], Any], second: Callable[[], Any]) -> str:
    with pytest.raises(Invalid) as error:
        begun_while(first, second)
    assert verify() == []
    return error.value.problems[0].code


def test_what_rests_on_a_document_and_its_cancelling_exclude_each_other(database: Any) -> None:
    store = Store()
    store.buy("100", "2")
    taken, other, bought = store.take("1"), store.take("1"), store.buy("2", "5")

    def take_back(of: Any) -> Any:
        return lambda: store.do("customer_return", {"quantity": "1", "of": of["lines"][0]["id"]})

    def take_off() -> Any:
        return store.do("cost_added", {"quantity": "2", "of": bought["lines"][0]["id"]}, cost="-10")

    assert refused(take_back(taken), take_back(taken)) == "too_much_back"
    assert refused(lambda: store.cancel("issue", other), take_back(other)) == "no_origin"
    again = store.take("1")
    assert refused(take_back(again), lambda: store.cancel("issue", again)) == "rested_on"
    assert refused(take_off, take_off) == "below_nothing"


def test_a_return_finds_what_was_posted_again_while_it_waited(database: Any) -> None:
    store = Store()
    store.buy("100", "2")
    taken = store.take("1")
    line = taken["lines"][0]
    change = {"lines": [{"id": line["id"], "item": store.bolt, "quantity": "3"}]}
    begun_while(
        lambda: service.change_record(SYSTEM, "issue", taken["id"], change),
        lambda: store.do("customer_return", {"quantity": "3", "of": line["id"]}),
    )
    assert (verify(), store.there()[0]) == ([], 100)


def test_a_payment_is_free_again_when_its_invoice_is_cancelled_at_the_same_time(database: Any) -> None:
    store = Store(INVOICE, INVOICED, PAYMENT, PAID)
    store.make("party", "Acme")
    of = invoice(store, "100")
    begun_while(lambda: pay(store, of, "60", off="0"), lambda: store.cancel("invoice", of))
    assert (verify(), left(store)) == ([], [-60])
    of = invoice(store, "80")
    paid = pay(store, of, "80", off="0")
    begun_while(lambda: store.cancel("payment", paid), lambda: store.cancel("invoice", of))
    assert (verify(), left(store)) == ([], [-60])


def test_a_reservation_that_is_used_while_it_expires_is_given_back_once(database: Any) -> None:
    store = Store(HELD, HOLDING, TAKEN, USING)
    store.buy("10", "2")
    held = hold(store, "4", until="2026-03-05")
    assert begun_while(lambda: use(store, "4", held), expiring.release_expired) == 0
    assert (verify(), reserved(store), store.there()[0]) == ([], 0, 6)
    held = hold(store, "4", until="2026-03-05")
    begun_while(expiring.release_expired, lambda: use(store, "3", held))
    assert (verify(), reserved(store), store.there()[0]) == ([], 0, 3)


def test_what_is_accrued_and_a_late_document_of_its_month_exclude_each_other(database: Any) -> None:
    counted = Counted()
    counted.expense("100", "2026-03-05")

    def accrue() -> Any:
        return counted.do("accrual", day="2026-03-31", amount="100")

    def late() -> Any:
        return counted.expense("40", "2026-03-31")

    assert refused(accrue, late) == "rested_on_balance"
    counted.cancel("accrual", {"id": made_last("accrual")})
    assert refused(late, accrue) == "refused"


def test_a_count_stands_beside_goods_that_come_in_at_the_same_moment_for_an_earlier_day(
    database: Any,
) -> None:
    counted = Counted()
    counted.buy("100", "2")
    begun_while(lambda: counted.count("90", "2026-03-10"), lambda: counted.buy("20", "2", "2026-03-05"))
    assert (counted.on("2026-03-10"), verify()) == (90, [])
    begun_while(lambda: counted.buy("20", "2", "2026-03-15"), lambda: counted.count("80", "2026-03-20"))
    assert (counted.on("2026-03-20"), verify()) == (80, [])


@transactional
def test_a_calendar_is_held_anew_when_the_part_that_held_it_was_undone(
    database: Any, statements: list[str]
) -> None:
    """One that is known takes one statement; only one that nobody held yet is made."""
    periods.hold({"books"})
    forget_standing()

    def looked() -> int:
        statements.clear()
        periods.hold({"books"})
        return sum("fl_calendar" in each for each in statements)

    part = Part()
    assert (looked(), looked()) == (1, 0)
    part.undo()
    assert (looked(), looked()) == (1, 0)


def test_a_movement_and_another_method_know_of_each_other(database: Any) -> None:
    store = Store()
    store.buy("1", "1")
    store.take("1")

    def change() -> Any:
        return service.change_record(SYSTEM, "item", store.bolt, {"valuation": "specific"})

    assert refused(lambda: store.buy("5", "1"), change) == "there_is_some"
    store.take("5")
    begun_while(change, lambda: store.buy("5", "2"))
    entry = get_ledger("stock").tables.entry
    with reading() as conn:
        last = conn.execute(select(entry.c.method).order_by(entry.c.id.desc())).scalars().first()
    assert (last, verify()) == ("specific", [])
