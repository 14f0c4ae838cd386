"""A case begins to wait for a change in the very moment in which somebody makes it."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.db import connection, reading, transactional
from formloop.events import outbox
from formloop.forms import service as records
from formloop.forms.tables import change
from formloop.workflows import cases, hearing, overtaking, watching
from formloop.workflows.tables import watch
from workflows.specimens import approval
from workflows.stage import END, Stage

WAIT: dict[str, Any] = {"id": "rest", "node": "wait", "event": {"form": "request", "on": "created"}}


@transactional
def beside(
    other: Callable[[], Any], *, before: Callable[[], Any] = int, after: Callable[[], Any] = int
) -> Thread:
    """Somebody else writes while a write is under way, and is done before that is, where the database lets them."""
    before()
    thread = Thread(target=other)
    thread.start()
    if not serial():
        thread.join()
    after()
    return thread


def come_to_pass() -> None:
    watching.run_due()
    outbox.drain("workflow")


def known() -> list[Any]:
    with reading() as conn:
        return list(conn.execute(watch.select().where(watch.c.known.is_not(None))))


def serial() -> bool:
    with reading() as conn:
        return conn.dialect.name == "sqlite"


def case_of(record: int) -> int:
    (found,) = cases.list_cases("request", record)
    return int(found.id)


def test_a_change_that_is_made_before_the_wait_for_it_is_written_is_heard_of(stage: Stage) -> None:
    hearing.start()
    stage.publish(WAIT, approval("one", "bob"), END)
    record = stage.record()
    beside(stage.record, before=lambda: stage.submit_record(record)).join()
    come_to_pass()
    assert stage.is_asked("bob", case_of(record))
    assert known() == []


def test_a_change_by_who_began_to_write_before_anybody_waited_is_heard_of(stage: Stage) -> None:
    hearing.start()
    stage.publish(approval("one", "bob"), END)
    record, other = stage.record(), stage.record()
    waits = {
        "id": "rest",
        "node": "wait",
        "event": {"form": "request", "on": "updated", "record": str(other)},
    }
    stage.publish(waits, approval("one", "bob"), END)
    change = {"amount": "300"}
    thread = beside(
        lambda: stage.submit_record(record),
        after=lambda: records.change_record(stage.actors["ann"], "request", other, change),
    )
    thread.join()
    if serial():  # the wait began when the change had been made
        records.change_record(stage.actors["ann"], "request", other, {"amount": "400"})
    come_to_pass()
    assert stage.is_asked("bob", case_of(record))


def test_a_condition_that_comes_true_in_that_moment_is_looked_at_again(stage: Stage) -> None:
    hearing.start()
    stage.publish({"id": "rest", "node": "wait", "until": "amount > 200"}, approval("one", "bob"), END)
    record = stage.record()
    change, how = {"amount": "300"}, records.How(trusted=True, unlocked=True)
    thread = beside(
        lambda: stage.submit_record(record),
        after=lambda: records.change_record(stage.actors["adm"], "request", record, change, how=how),
    )
    thread.join()
    come_to_pass()
    assert stage.is_asked("bob", case_of(record))


def test_what_had_happened_before_is_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    hearing.start()
    stage.publish(WAIT, approval("one", "bob"), END)
    stage.record()
    first_id, later, record = clock.first_id, clock.first_id(-1200.0), stage.record()
    with monkeypatch.context() as meanwhile:  # time goes on while it begins to wait
        meanwhile.setattr(clock, "first_id", lambda ago, of=None: first_id(ago, of) if of else later)
        case = stage.submit_record(record).case
    come_to_pass()
    assert not stage.is_asked("bob", case)
    monkeypatch.setattr(clock, "first_id", lambda ago, of=None: 0 if of else later)
    come_to_pass()
    assert known() == [] and not stage.is_asked("bob", case)
    records.create(stage.actors["ann"], "request", {"subject": "C"})
    come_to_pass()
    assert stage.is_asked("bob", case)


@transactional
def begin_side_by_side(waits: list[int], changes: list[int]) -> None:
    """As where not only one writes at a time: the waits know of these changes."""
    connection().execute(watch.update().where(watch.c.id.in_(waits)).values(known=changes))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_waits_for_the_same_ask_the_change_log_once_and_each_for_what_it_did_not_know(
    stage: Stage, statements: list[str]
) -> None:
    hearing.start()
    stage.publish(WAIT, approval("one", "bob"), END)
    made = [stage.record() for _ in range(4)]
    for record in made:
        stage.submit_record(record)
    with reading() as conn:
        created = select(change.c.id).where(change.c.action == "created").order_by(change.c.id)
        changes = list(conn.execute(created).scalars())
        waits = list(conn.execute(select(watch.c.id).order_by(watch.c.id)).scalars())
    begin_side_by_side(waits, changes)
    begin_side_by_side(waits[1:2], changes[:-1])
    statements.clear()
    found = transactional(overtaking.list_overtaken)()
    assert [(each.id, record) for each, record in found] == [(waits[1], made[-1])]
    assert sum("FROM fl_change" in each for each in statements) == 1
    assert transactional(overtaking.list_overtaken)() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_waits_for_values_hears_of_those_that_come_with_a_state_and_of_no_state_alone(
    stage: Stage,
) -> None:
    hearing.start()
    stage.publish({**WAIT, "event": {"form": "request", "on": "updated"}}, approval("one", "bob"), END)
    alone, together, later = stage.record(), stage.record(), stage.record()
    records.set_state(SYSTEM, "request", alone, "cancelled")
    records.change_record(SYSTEM, "request", together, {"amount": "3"}, state="cancelled")
    stage.submit_record(stage.record())
    (wait,) = watched()
    begin_side_by_side([wait], [])
    assert [record for _, record in transactional(overtaking.list_overtaken)()] == [together]
    records.set_state(SYSTEM, "request", alone, "draft")
    assert watched() == [wait]
    records.change_record(SYSTEM, "request", later, {"amount": "4"}, state="cancelled")
    assert watched() == []


def watched() -> list[int]:
    with reading() as conn:
        return list(conn.execute(select(watch.c.id)).scalars())


def test_a_state_that_is_called_like_an_update_is_none() -> None:
    found = [
        overtaking._wanted(key) for key in ("order:state:updated_price", "order:updated:5", "own:updated:5")
    ]
    assert found == [("order", None, "state:updated_price"), ("order", 5, "updated"), ("updated", 5, "")]
