"""The outbox: nothing lost, nothing twice, nothing overtaken."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from events.mail import Mail
from formloop.core import clock
from formloop.core.errors import Conflict, StorageFull
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.events import claims, outbox, reasons, repair, tables
from formloop.events.outbox import DeliveryError


def states() -> list[str]:
    with reading() as conn:
        return list(conn.execute(select(tables.outbox.c.state).order_by(tables.outbox.c.id)).scalars())


@contextmanager
def later(**distance: float) -> Iterator[None]:
    with clock.stopped_at(clock.later(**distance)):
        yield


def test_messages_of_one_key_are_delivered_in_their_order(mail: Mail) -> None:
    mail.put(1, 2, 3)
    assert outbox.drain() == 3
    assert mail.delivered == [1, 2, 3]
    assert states() == ["done"] * 3


def test_only_what_was_committed_is_announced(mail: Mail, woken: list[str]) -> None:
    @transactional
    def fail() -> None:
        mail.put(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (woken, states()) == ([], [])
    mail.put(2)
    assert woken == ["mail"]


def test_a_message_is_not_claimed_while_an_earlier_one_of_its_key_is_under_way(mail: Mail) -> None:
    mail.put(1, 2)
    mail.put(3, key="b")
    assert [d.payload["say"] for d in outbox.claim(limit=10)] == [1, 3]
    assert outbox.claim(limit=10) == []


def test_a_failure_is_tried_again_after_a_growing_wait_and_holds_its_key(mail: Mail) -> None:
    mail.failing[1] = RuntimeError("broken")
    mail.put(1, 2)
    mail.put(3, key="b")
    outbox.drain()
    assert mail.delivered == [3]
    assert states() == ["ready", "ready", "done"]
    del mail.failing[1]
    assert outbox.drain() == 0
    with later(seconds=7):
        outbox.drain()
    assert mail.delivered == [3, 1, 2]


def test_the_wait_doubles_up_to_six_hours() -> None:
    assert 4 <= outbox.back_off(1) <= 6
    assert 8 <= outbox.back_off(2) <= 12
    assert 4.7 * 3600 <= outbox.back_off(40) <= 7.3 * 3600


def test_what_no_try_can_mend_is_dead_and_stops_its_key(mail: Mail) -> None:
    mail.failing[1] = DeliveryError(M("This was received already."), permanent=True)
    mail.put(1, 2)
    outbox.drain()
    assert states() == ["dead", "ready"]
    (stuck,) = repair.list_stuck()
    assert reasons.read(stuck.last_error, "zh-CN") == "该消息此前已收到。"
    assert reasons.read(stuck.last_error, "en") == "This was received already."


def test_without_an_order_a_dead_message_stops_nobody(mail: Mail) -> None:
    mail.failing[1] = DeliveryError("no", permanent=True)
    mail.put(1, 2, topic="loose")
    outbox.drain()
    assert (states(), mail.delivered) == (["dead", "done"], [2])


def test_after_twelve_tries_a_message_is_dead(mail: Mail) -> None:
    mail.failing[1] = RuntimeError("broken")
    mail.put(1)
    with later(days=0):
        for day in range(outbox.ATTEMPTS):
            with later(days=day + 1):
                outbox.drain()
    assert states() == ["dead"]


def test_an_outcome_nobody_knows_is_never_tried_again_by_itself(mail: Mail) -> None:
    mail.failing[1] = DeliveryError("timed out", unknown=True)
    mail.put(1, 2)
    outbox.drain()
    with later(days=30):
        outbox.drain()
    assert (states(), mail.delivered) == (["unknown", "ready"], [])
    assert repair.retry_all("mail") == 0


def test_a_target_may_say_when_to_come_again(mail: Mail) -> None:
    mail.failing[1] = DeliveryError("busy", wait=300)
    mail.put(1)
    outbox.drain()
    mail.failing.clear()
    with later(seconds=290):
        assert outbox.drain() == 0
    with later(seconds=301):
        assert outbox.drain() == 1


def test_a_lease_that_ran_out_goes_to_another_and_the_first_holder_changes_nothing(mail: Mail) -> None:
    mail.put(1)
    (first,) = outbox.claim()
    with later(seconds=outbox.LEASE + 1):
        (second,) = outbox.claim()
        assert (first.lost, second.lost) == (False, True)
        assert not outbox.finish(first)
        assert outbox.fail(first, RuntimeError()) == "lost"
        assert outbox.finish(second)
    assert states() == ["done"]


def test_a_heartbeat_keeps_a_long_delivery(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    mail.put(1)
    (held,) = outbox.claim()
    monkeypatch.setattr(outbox, "_held", {held.id})  # as while it is being delivered
    with later(seconds=50):
        assert outbox.keep_leases() == 1
    with later(seconds=70):
        assert outbox.claim() == []
        assert outbox.finish(held)


def test_the_leases_of_a_process_that_is_no_more_end_at_once(mail: Mail) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mail.put(1)
    outbox.claim()
    _lease_to(f"{claims._place()}:{gone.pid}")
    assert outbox.release_dead() == 1
    assert len(outbox.claim()) == 1


@transactional
def _lease_to(owner: str) -> None:
    connection().execute(update(tables.outbox).values(lease_owner=owner))


def test_the_leases_of_living_processes_and_of_other_machines_stay(mail: Mail) -> None:
    mail.put(1)
    outbox.claim()
    assert outbox.release_dead() == 0
    _lease_to("elsewhere/1:1")
    assert outbox.release_dead() == 0


def test_a_message_that_kills_every_worker_ends_dead(mail: Mail) -> None:
    mail.put(1)
    for turn in range(outbox.ATTEMPTS):
        with later(seconds=turn * 100):
            assert len(outbox.claim()) == 1
    with later(days=1):
        outbox.drain()
    assert (states(), mail.delivered) == (["dead"], [])


def test_one_that_was_tried_before_is_claimed_alone(mail: Mail) -> None:
    for key in "abc":
        mail.put(key, key=key)
    assert len(outbox.claim(limit=10)) == 3
    with later(seconds=61):
        assert len(outbox.claim(limit=10)) == 1


def test_a_worker_that_stops_gives_back_what_it_has_not_begun(mail: Mail) -> None:
    def stop(_delivery: outbox.Delivery) -> None:
        outbox.stopping.set()

    outbox.topics._things["loose"] = replace(outbox.topics.get("loose"), deliver=stop)
    mail.put(1, 2, 3, topic="loose")
    assert outbox.drain() == 1
    assert states() == ["done", "ready", "ready"]
    outbox.stopping.clear()


def test_a_message_received_twice_is_a_conflict(mail: Mail) -> None:
    @transactional
    def receive() -> None:
        outbox.receive("shop", "m1", "7")

    receive()
    assert outbox.find_received("shop", "m1") == "7"
    with pytest.raises(Conflict):
        receive()


def test_a_claim_looks_at_few_rows_however_many_wait(mail: Mail) -> None:
    """22,000 messages behind a dead one of their key, and one of another key behind them all."""
    mail.failing[0] = DeliveryError("no", permanent=True)
    mail.put(0)
    outbox.drain()
    _flood(22_000)
    mail.put("other", key="b")
    outbox.drain()
    assert mail.delivered == ["other"]


@transactional
def _flood(count: int) -> None:
    now = clock.now()
    same = {"topic": "mail", "key": "mail:a", "payload": {"say": 1}, "state": "ready", "ordered": 1}
    rows = [
        {**same, "msg_id": f"flood-{n}", "not_before": now, "made_at": now, "attempts": 0}
        for n in range(count)
    ]
    connection().execute(insert(tables.outbox), rows)


def test_what_a_broken_delivery_left_of_its_batch_is_free_for_the_next_one(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        mail.put(number, key=str(number))
    real = outbox.finish

    def fails_once(delivery: claims.Delivery) -> bool:
        monkeypatch.setattr(outbox, "finish", real)
        raise StorageFull

    monkeypatch.setattr(outbox, "finish", fails_once)
    monkeypatch.setattr(outbox, "fail", fails_once)
    with pytest.raises(StorageFull):
        outbox.drain()
    monkeypatch.undo()
    assert outbox.keep_leases() == 0
    assert outbox.drain() == 3
    with later(seconds=outbox.LEASE + 1):
        assert outbox.drain() == 1
    assert states() == ["done"] * 4


def test_messages_of_a_topic_that_is_no_more_stop_nobody_else(mail: Mail) -> None:
    mail.put(1, key="a")
    mail.put(2, key="b")
    mail.put(3, key="c")

    @transactional
    def rename() -> None:
        first = (
            tables.outbox.c.id
            == select(tables.outbox.c.id).order_by(tables.outbox.c.id).limit(1).scalar_subquery()
        )
        connection().execute(update(tables.outbox).where(first).values(topic="nowhere"))

    rename()
    outbox.drain()
    assert mail.delivered == [2, 3]
    assert states() == ["ready", "done", "done"]


def test_nobody_elses_wish_to_wait_is_longer_than_six_hours(mail: Mail) -> None:
    mail.failing["x"] = DeliveryError("later", wait=float("inf"))
    mail.put("x")
    outbox.drain()
    mail.failing.clear()
    with later(hours=6, seconds=1):
        outbox.drain()
    assert mail.delivered == ["x"]
