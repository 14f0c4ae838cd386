"""Bridges that run after what set them off, through the outbox."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bridges.trade import BRIDGE_DOC, DEMAND, Trade, bridge
from formloop.access import audit
from formloop.access.actor import SYSTEM
from formloop.bridges import desk
from formloop.core import clock
from formloop.core.errors import Conflict, Invalid
from formloop.db import reading, transactional
from formloop.definitions import service as definitions
from formloop.events import outbox, repair
from formloop.forms import history, service
from formloop.forms.kind import get_form
from formloop.forms.tables import record_link


@pytest.fixture
def later(database: Any) -> Trade:
    return Trade(bridge(run="after"))


def test_nothing_happens_before_the_message_is_delivered(later: Trade) -> None:
    later.confirm(later.order((later.bolt, "10")))
    assert later.demand() == []
    assert outbox.drain() == 1
    assert [d["quantity"] for d in later.demand()] == [10]


def test_a_change_that_was_rolled_back_promises_nothing(later: Trade) -> None:
    @transactional
    def fail() -> None:
        later.confirm(later.order((later.bolt, "10")))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert outbox.drain() == 0


def test_the_same_message_has_its_effect_once(later: Trade) -> None:
    later.confirm(later.order((later.bolt, "10")))
    (delivery,) = outbox.claim()
    assert outbox.deliver(delivery) == "done"
    service.change_record(SYSTEM, "demand", later.demand()[0]["id"], {"quantity": "7"})
    assert outbox.deliver(delivery) == "lost"
    assert [d["quantity"] for d in later.demand()] == [7]


def test_the_effect_of_a_lost_lease_does_not_stand(later: Trade) -> None:
    later.confirm(later.order((later.bolt, "10")))
    (delivery,) = outbox.claim()
    with clock.stopped_at(clock.now() + timedelta(seconds=61)):
        (taken_over,) = outbox.claim()
        assert outbox.deliver(taken_over) == "done"
    assert outbox.deliver(delivery) == "lost"
    assert len(later.demand()) == 1


def test_the_history_says_which_bridge_and_whose_deed(later: Trade) -> None:
    later.confirm(later.order((later.bolt, "10")))
    outbox.drain()
    (entry,) = history.describe_changes(
        SYSTEM, get_form("demand"), later.demand()[0]["id"], frozenset(), "en"
    )
    assert entry.through == f"through “{BRIDGE_DOC['title']}”"


def test_a_refusal_ends_at_the_repair_desk_with_reason_and_places(later: Trade) -> None:
    order = later.confirm(later.order((later.bolt, "-5")))
    outbox.drain()
    (item,) = desk.list_items(True, "zh-CN", None, "", None, 50)
    assert (item.state, item.attempts, item.group) == ("dead", 1, "order_to_demand")
    assert (
        item.source is not None
        and item.source.record == order["id"]
        and str(item.source.title).startswith("销售订单")
    )
    assert item.target is not None and item.target.title == "需求"
    assert item.reason.startswith("数据桥“订单确认生成需求”，第 1 行")
    assert repair.count_stuck() == 1


def test_later_messages_of_the_record_wait_behind_a_failed_one(later: Trade) -> None:
    order = later.confirm(later.order((later.bolt, "-5")))
    other = later.confirm(later.order((later.bolt, "1")))
    outbox.drain()
    later.change(order, [{"id": order["lines"][0]["id"], "quantity": "5"}])
    assert outbox.drain() == 0
    assert [d["source"] for d in later.demand()] == [other["lines"][0]["id"]]
    assert [s.state for s in desk.states_of(get_form("sales_order"), order["id"], "en")] == ["failed"]
    desk.retry(SYSTEM, repair.list_stuck()[0].id)
    outbox.drain()
    assert [d["quantity"] for d in later.demand()] == [1, 5]
    assert [(s.state, s.made) for s in desk.states_of(get_form("sales_order"), order["id"], "en")] == [
        ("done", 1)
    ]


def test_a_failed_message_works_once_the_bridge_is_mended(later: Trade) -> None:
    later.confirm(later.order((later.bolt, "-5")))
    later.confirm(later.order((later.bolt, "-6")))
    outbox.drain()
    definitions.publish_many(SYSTEM, [bridge(run="after", when="line.quantity > 0")], "only positive")
    assert desk.retry_all(SYSTEM, "bridge", "order_to_demand") == 2
    assert outbox.drain() == 2
    assert repair.count_stuck() == 0


def test_giving_up_needs_a_reason_is_audited_and_lets_later_ones_pass(later: Trade) -> None:
    order = later.confirm(later.order((later.bolt, "-5")))
    later.change(order, [{"id": order["lines"][0]["id"], "quantity": "5"}])
    (delivery,) = outbox.claim()
    outbox.fail(delivery, outbox.DeliveryError("no", permanent=True))
    with pytest.raises(Invalid):
        desk.cancel(SYSTEM, delivery.id, " ")
    desk.cancel(SYSTEM, delivery.id, "typed by mistake")
    assert [row.action for row in audit.list_rows(f"message:{delivery.id}")] == ["message.cancelled"]
    outbox.drain()
    assert [d["quantity"] for d in later.demand()] == [5]


def test_what_is_done_cannot_be_tried_again(later: Trade) -> None:
    later.confirm(later.order((later.bolt, "5")))
    (delivery,) = outbox.claim()
    outbox.deliver(delivery)
    with pytest.raises(Conflict):
        desk.retry(SYSTEM, delivery.id)


def test_a_record_deleted_meanwhile_leaves_no_demand(database: Any) -> None:
    later = Trade(
        bridge(
            run="after", **{"from": {"form": "sales_order", "on": ["created", "deleted"], "each": "lines"}}
        )
    )
    order = later.order((later.bolt, "5"))
    outbox.drain()
    service.delete_record(SYSTEM, "sales_order", order["id"])
    outbox.drain()
    assert [d["state"] for d in later.demand()] == ["cancelled"]


def test_a_message_is_carried_out_by_the_version_that_promised_it(later: Trade) -> None:
    order = later.confirm(later.order((later.bolt, "10")))
    newer = bridge(run="after", map={**bridge()["map"], "quantity": "line.quantity * 2"})
    definitions.publish_many(SYSTEM, [newer], "twice as much")
    outbox.drain()
    assert [d["quantity"] for d in later.demand()] == [10]
    later.change(order, [{"id": order["lines"][0]["id"], "quantity": "11"}])
    outbox.drain()
    assert [d["quantity"] for d in later.demand()] == [22]


def test_a_link_says_which_version_of_the_bridge_made_it(later: Trade) -> None:
    later.confirm(later.order((later.bolt, "10")))
    definitions.publish_many(SYSTEM, [bridge(run="after", when="line.quantity > 0")], "only positive")
    later.confirm(later.order((later.bolt, "20")))
    outbox.drain()
    with reading() as conn:
        versions = conn.execute(select(record_link.c.version).order_by(record_link.c.at)).scalars().all()
    assert versions == [1, 2]


def test_a_version_that_no_longer_fits_its_forms_is_told_and_retried_by_todays(later: Trade) -> None:
    later.confirm(later.order((later.bolt, "10")))
    without = {k: v for k, v in DEMAND["properties"].items() if k != "need_date"}
    map_ = {k: v for k, v in bridge()["map"].items() if k != "need_date"}
    docs = [{**DEMAND, "properties": without}, bridge(run="after", map=map_)]
    definitions.publish_many(SYSTEM, docs, "no date needed")
    outbox.drain()
    (item,) = desk.list_items(True, "en", None, "", None, 50)
    assert item.reason.startswith("Version 1 of this bridge no longer fits its forms.")
    assert later.demand() == []
    desk.retry(SYSTEM, item.id)
    outbox.drain()
    assert [d["quantity"] for d in later.demand()] == [10]
