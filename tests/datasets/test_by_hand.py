"""Whatever the dataset and whoever asks: the database gives what a calculation by hand gives."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.by_hand import ByHand, normal
from datasets.conftest import dataset
from datasets.generated import datasets, rights
from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.errors import Forbidden
from formloop.datasets import service
from formloop.datasets.kind import get_dataset
from formloop.forms import service as records
from formloop.forms.listing import Query
from forms.conftest import Shop, form, number, publish, relation, role

FORMS = ["order", "customer", "item", "payment"]
PAID = dataset(
    "paid",
    "payment",
    {"order": "order", "amount": "amount"},
    group=["order"],
    measures={"amount": "SUM(amount)"},
)


@pytest.fixture
def stock(shop: Shop) -> Iterator[Shop]:
    """A shop with a bit of everything: empty cells, equal ones, records that are gone."""
    publish(form("payment", {"order": relation("Order", "order"), "amount": number("Amount")}), PAID)
    quiet = shop.customer("Zeta", active=False)
    blank = shop.customer("Acme", limit=None)
    orders = [
        shop.order((shop.bolt, "2"), (shop.nut, "0.5"), note="open"),
        shop.order((shop.bolt, "2"), note="open", customer=blank),
        shop.order((shop.nut, "7"), (shop.nut, "7"), (shop.bolt, "1"), day="2030-01-01"),
        shop.order((shop.bolt, "0.333333"), note="closed", customer=blank),
        shop.order((shop.bolt, "4"), note="gone"),
    ]
    records.delete_record(SYSTEM, "order", orders.pop()["id"])
    records.change_record(SYSTEM, "customer", quiet, {"limit": "10"})
    for order, amount in ((orders[0], "3"), (orders[0], "0.125"), (orders[1], "2.5"), (None, "9")):
        records.create(SYSTEM, "payment", {"order": order and order["id"], "amount": amount})
    people.add_person(SYSTEM, "reader", "Reader", roles=[])
    yield shop


def _reader(grants: list[dict[str, Any]]) -> Actor:
    publish(role("reading", *grants))
    person = people.find_person("reader")
    assert person is not None
    people.change_person(SYSTEM, person.id, roles=["reading"])
    return get_actor(person.id)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(doc=datasets(), grants=st.one_of(st.none(), rights()))
def test_rows_are_those_calculated_by_hand(stock: Shop, doc: Any, grants: Any) -> None:
    publish(doc)
    actor = SYSTEM if grants is None else _reader(grants)
    reading = service.Reading(actor, get_dataset("made"))
    known = [
        {key: value if key in reading.fields else None for key, value in row.items()}
        for row in ByHand(actor, FORMS).rows(doc)
    ]
    expected, found = normal(known), normal(list(reading.all()))
    assert sorted(map(repr, found)) == sorted(map(repr, expected))
    sort = [key.lstrip("-") for key in doc.get("sort", ())]
    assert [[dict(row)[k] for k in sort] for row in found] == [
        [dict(row)[k] for k in sort] for row in expected
    ]
    paged, query = [], Query(limit=2)
    while True:
        page = service.list_rows(actor, "made", query)
        paged += page.rows
        if page.next is None:
            break
        query = Query(limit=2, after=page.next)
    assert normal(paged) == found


def test_whoever_may_see_nothing_of_the_source_is_refused(stock: Shop) -> None:
    publish(dataset("made", "order", {"total": "total"}))
    with pytest.raises(Forbidden):
        service.list_rows(_reader([{"form": "item", "may": ["view"]}]), "made")
