"""Changing many records at once: several fields, and what somebody else changed meanwhile is left alone."""

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Forbidden, Invalid
from formloop.forms import bulk, reads, service

from .conftest import Shop


def test_several_fields_of_many_records_get_the_same_values(shop: Shop) -> None:
    chosen = {shop.bolt: 1, shop.nut: 1}
    assert bulk.change_records(SYSTEM, "item", chosen, {"name": "Same", "price": "7"}) == (2, [])
    for item in chosen:
        read = reads.get_record(SYSTEM, "item", item)
        assert (read["name"], read["price"]) == ("Same", 7)


def test_what_somebody_changed_meanwhile_is_left_alone_and_named(shop: Shop) -> None:
    service.change_record(SYSTEM, "item", shop.nut, {"price": "9"})
    for work in (
        lambda: bulk.change_records(SYSTEM, "item", {shop.bolt: 1, shop.nut: 1}, {"price": "7"}),
        lambda: bulk.delete_records(SYSTEM, "item", {shop.bolt: 2, shop.nut: 1}),
    ):
        done, failed = work()
        assert (done, [(p.at, p.code) for p in failed]) == (1, [(str(shop.nut), "conflict")])
    assert reads.get_record(SYSTEM, "item", shop.nut)["price"] == 9


def test_each_record_is_judged_by_itself(shop: Shop) -> None:
    order, small = shop.order((shop.bolt, "1000"), reason="big"), shop.order()
    raw = {"reason": ""}
    done, failed = bulk.change_records(SYSTEM, "order", {order["id"]: 1, small["id"]: 1}, raw)
    assert (done, [p.at for p in failed]) == (1, [str(order["id"])])


def test_the_right_to_change_is_asked_for_each(shop: Shop) -> None:
    mei = shop.person("mei", {"form": "item", "may": ["view"]})
    done, failed = bulk.change_records(mei, "item", {shop.bolt: 1}, {"price": "0"})
    assert (done, [p.code for p in failed]) == (0, [Forbidden.code])
    assert reads.get_record(SYSTEM, "item", shop.bolt)["price"] == pytest.approx(1.5)


def test_more_records_than_go_at_once_are_refused_not_passed_over(shop: Shop) -> None:
    with pytest.raises(Invalid) as refused:
        bulk.delete_records(SYSTEM, "item", dict.fromkeys(range(bulk.MOST + 1)))
    assert [p.code for p in refused.value.problems] == ["many"]
