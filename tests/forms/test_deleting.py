"""Deleting: what others point to is not taken away unaware, and what comes back fits in again."""

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid, NotFound
from formloop.forms import bulk, reads, service
from formloop.forms.kind import get_form
from formloop.forms.uses import InUse, list_uses

from .conftest import Shop, form, publish, relation, text


def uses_of(shop: Shop, key: str, record: int) -> dict[str, int]:
    return {use.form.key: use.count for use in list_uses(SYSTEM, get_form(key), record)}


def test_what_others_point_to_is_deleted_only_when_that_is_meant(shop: Shop) -> None:
    order = shop.order((shop.bolt, "1"), (shop.bolt, "2"))
    with pytest.raises(InUse) as error:
        service.delete_record(SYSTEM, "customer", shop.acme)
    assert str(error.value) == "This is used by others: 1 × Order."
    assert [list(use.names.values()) for use in error.value.uses] == [[order["number"]]]
    service.delete_record(SYSTEM, "customer", shop.acme, even_if_used=True)
    with pytest.raises(NotFound):
        reads.get_record(SYSTEM, "customer", shop.acme)


def test_uses_in_lines_are_counted_by_record_and_deleted_ones_are_none(shop: Shop) -> None:
    first, second = shop.order((shop.bolt, "1"), (shop.bolt, "2")), shop.order((shop.bolt, "1"))
    assert uses_of(shop, "item", shop.bolt) == {"order": 2}
    service.delete_record(SYSTEM, "order", first["id"])
    assert uses_of(shop, "item", shop.bolt) == {"order": 1}
    service.delete_record(SYSTEM, "order", second["id"])
    service.delete_record(SYSTEM, "item", shop.bolt)
    assert uses_of(shop, "item", shop.nut) == {}


def test_a_record_that_points_to_itself_is_not_in_its_own_way(shop: Shop) -> None:
    publish(form("part", {"name": text("Name"), "of": relation("Part of", "part")}))
    whole = int(service.create(SYSTEM, "part", {"name": "Whole"})["id"])
    service.change_record(SYSTEM, "part", whole, {"of": whole})
    assert uses_of(shop, "part", whole) == {}
    service.create(SYSTEM, "part", {"name": "Half", "of": whole})
    assert uses_of(shop, "part", whole) == {"part": 1}


def test_uses_that_may_not_be_seen_are_counted_and_not_named(shop: Shop) -> None:
    shop.order()
    mei = shop.person("mei", {"form": "customer", "may": ["view", "delete"]})
    with pytest.raises(InUse) as error:
        service.delete_record(mei, "customer", shop.acme)
    (use,) = error.value.uses
    assert (use.count, use.names) == (1, {})


def test_of_many_those_in_use_stay_and_say_why(shop: Shop) -> None:
    shop.order((shop.bolt, "1"))
    done, failed = bulk.delete_records(SYSTEM, "item", {shop.bolt: 1, shop.nut: 1})
    assert (done, [(p.at, p.code) for p in failed]) == (1, [(str(shop.bolt), "in_use")])


def test_a_record_whose_unique_value_was_given_away_says_so_when_it_should_come_back(shop: Shop) -> None:
    one = shop.customer("One", tax_number="T1")
    service.delete_record(SYSTEM, "customer", one)
    two = shop.customer("Two", tax_number="T1")
    with pytest.raises(Invalid) as error:
        service.restore_record(SYSTEM, "customer", one)
    assert [(p.at, p.code) for p in error.value.problems] == [("tax_number", "taken")]
    assert "T1" in str(error.value)
    service.change_record(SYSTEM, "customer", two, {"tax_number": "T2"})
    service.restore_record(SYSTEM, "customer", one)
    assert reads.get_record(SYSTEM, "customer", one)["tax_number"] == "T1"


def test_records_that_point_to_each_other_go_together_or_not_at_all(shop: Shop) -> None:
    publish(form("part", {"name": text("Name"), "of": relation("Part of", "part")}))
    whole = int(service.create(SYSTEM, "part", {"name": "Whole"})["id"])
    half = int(service.create(SYSTEM, "part", {"name": "Half", "of": whole})["id"])
    other = int(service.create(SYSTEM, "part", {"name": "Other", "of": half})["id"])
    with pytest.raises(InUse) as refused:
        service.delete_records(SYSTEM, "part", {whole: None, half: None})
    assert str(refused.value) == "This is used by others: 1 × Part."
    assert reads.get_record(SYSTEM, "part", whole)["name"] == "Whole"
    service.delete_records(SYSTEM, "part", {whole: None, half: None, other: None})
    with pytest.raises(NotFound):
        reads.get_record(SYSTEM, "part", whole)
