"""Lists: filters of every kind, pages by key in any order, totals, marks that were tampered with."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid, NotFound
from formloop.forms import listing, saved_views, service
from formloop.forms.filters import Filter
from formloop.forms.kind import get_form
from formloop.forms.listing import Query
from formloop.forms.service import Draft

from .conftest import Shop


def ids(query: Query, form: str = "item") -> list[int]:
    return [row["id"] for row in listing.list_records(SYSTEM, get_form(form), query).rows]


def names(*filters: Filter, search: str = "") -> list[str]:
    query = Query(filters=filters, search=search, sort=("name",), columns=("name",))
    return [row["name"] for row in listing.list_records(SYSTEM, get_form("item"), query).rows]


@pytest.fixture
def stock(shop: Shop) -> Shop:
    drafts = [
        Draft({"name": name, "price": price})
        for name, price in (("Angle 50%", "12.5"), ("Axle_1", None), ("轴承", "3"), ("Beam", "-2"))
    ]
    service.save_many(SYSTEM, "item", drafts)
    return shop


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter("name", "contains", "xl"), ["Axle_1"]),
        (Filter("name", "contains", "0%"), ["Angle 50%"]),
        (Filter("name", "contains", "_"), ["Axle_1"]),
        (Filter("name", "contains", "承"), ["轴承"]),
        (Filter("name", "starts", "a"), ["Angle 50%", "Axle_1"]),
        (Filter("name", "is", "Beam"), ["Beam"]),
        (Filter("price", "is", "1.50"), ["Bolt"]),
        (Filter("price", "at_least", "3"), ["Angle 50%", "轴承"]),
        (Filter("price", "at_most", "0"), ["Beam"]),
        (Filter("price", "between", "0.2", "1.5"), ["Bolt", "Nut"]),
        (Filter("price", "empty"), ["Axle_1"]),
        (Filter("name", "contains", ""), ["Angle 50%", "Axle_1", "Beam", "Bolt", "Nut", "轴承"]),
    ],
)
def test_a_filter_finds_what_it_says(stock: Shop, wanted: Filter, found: list[str]) -> None:
    assert sorted(names(wanted)) == sorted(found)


def test_search_looks_into_all_texts_and_takes_signs_literally(stock: Shop) -> None:
    assert names(search="50%") == ["Angle 50%"]
    assert names(search="nothing like it") == []


def test_search_finds_what_a_row_shows_of_others_as_far_as_the_person_sees_it(shop: Shop) -> None:
    mine, other = shop.order()["id"], shop.order(customer=shop.customer("Zenith", limit="5000"))["id"]
    assert ids(Query(search="acm"), "order") == [mine]
    assert ids(Query(search="zeni"), "order") == [other]
    orders = {"form": "order", "may": ["view"]}
    for account, grants, found in (
        ("by_names", ({"form": "customer", "may": ["view"]},), [mine]),
        ("without_names", ({"form": "customer", "may": ["view"], "except": ["name"]},), []),
        ("without_customers", ({**orders, "except": ["customer"]},), []),
    ):
        seen = grants if grants[0]["form"] == "order" else (orders, *grants)
        actor = shop.person(account, *seen)
        rows = listing.list_records(actor, get_form("order"), Query(search="acme")).rows
        assert [row["id"] for row in rows] == found, account


def test_a_filter_that_makes_no_sense_is_told_and_left_out(stock: Shop) -> None:
    query = Query(
        filters=(
            Filter("price", "at_least", "cheap"),
            Filter("zz", "is", "1"),
            Filter("name", "between", "a", "b"),
        )
    )
    page = listing.list_records(SYSTEM, get_form("item"), query)
    assert {p.code for p in page.problems} == {"unreadable", "unknown_field", "operator"}
    assert len(page.rows) == 6


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sort=st.lists(
        st.sampled_from(["name", "-name", "price", "-price", "active_at", "-id"]), min_size=1, max_size=3
    ),
    size=st.integers(1, 7),
)
def test_pages_put_together_are_the_list_in_any_order(stock: Shop, sort: list[str], size: int) -> None:
    wanted = tuple(key for key in sort if "active" not in key)
    whole = ids(Query(sort=wanted, limit=100))
    pages, after = [], ""
    while True:
        page = listing.list_records(SYSTEM, get_form("item"), Query(sort=wanted, limit=size, after=after))
        pages += [row["id"] for row in page.rows]
        if page.next is None:
            break
        after = page.next
    assert pages == whole
    assert len(set(pages)) == 6


def test_totals_are_exact(stock: Shop) -> None:
    total = listing.sum_records(SYSTEM, get_form("item"), Query(), ["price", "name"])
    assert total == {"price": Decimal("15.25")}


@pytest.mark.parametrize("mark", ["x", "e30=", "W10=", "////", "WyJpZCJd"])
def test_a_page_mark_that_was_tampered_with_is_refused(stock: Shop, mark: str) -> None:
    with pytest.raises(Invalid):
        ids(Query(after=mark))


def test_deleted_records_are_only_in_the_bin(stock: Shop) -> None:
    service.delete_record(SYSTEM, "item", stock.nut)
    assert stock.nut not in ids(Query())
    assert ids(Query(deleted=True)) == [stock.nut]


def test_a_private_view_is_removed_by_nobody_but_its_owner(shop: Shop) -> None:
    mei = shop.person("mei", {"form": "item", "may": ["view"]})
    tim = shop.person("tim", {"on": "definition", "may": ["design"]}, {"form": "item", "may": ["view"]})
    private, shared = (
        saved_views.save(mei, "item", "Mine", {}),
        saved_views.save(tim, "item", "Ours", {}, shared=True),
    )
    with pytest.raises(NotFound):
        saved_views.remove(tim, private)
    with pytest.raises(NotFound):
        saved_views.remove(mei, shared)
    for actor, view in ((mei, private), (SYSTEM, shared)):
        saved_views.remove(actor, view)
    assert saved_views.list_for(mei, "item") == []
