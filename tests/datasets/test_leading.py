"""Rows that lead to rows of a dataset: their own, one that leads back, and only by values that are of its columns' types."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun
from datasets.conftest import dataset
from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc, kinds
from formloop.datasets import drawing
from formloop.datasets.kind import prepare
from formloop.definitions import library
from formloop.definitions import service as definitions
from forms.conftest import Shop, publish
from ledgers.test_pages import sign_in

pytestmark = pytest.mark.parametrize(
    "database", ["sqlite"], indirect=True
)  # where rows lead needs no database
LEAST, DAY = {"type": "number", "title": "Least"}, {"type": "string", "format": "date", "title": "Day"}
WHO = {"type": "integer", "x-type": "relation", "title": "Who", "x-relation": {"form": "customer"}}


def orders(key: str, to: str, **more: Any) -> Doc:
    leads = {"dataset": to, "of": {"customer": "customer"}, "title": "Show"}
    columns = {"customer": "customer", "day": "day", "number": "number", "total": "total", "id": "id"}
    return dataset(
        key,
        "order",
        {**columns, "big": "total > 5", "active": "customer.active", "made": "created_at"},
        leads=leads,
        **more,
    )


@pytest.fixture
def shop(app: Flask, begun: Begun) -> Shop:
    shop: Shop = begun(Shop)
    shop.order((shop.bolt, "2"))
    return shop


@pytest.fixture
def ann(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app, "ann", administrator=True)


def ways(ann: FlaskClient, at: str) -> list[str]:
    page = ann.get(at)
    assert page.status_code == 200
    return [
        to.replace("&amp;", "&")
        for to in re.findall(r'<a class="btn btn-sm" href="([^"]+)">Show</a>', page.text)
    ]


@pytest.mark.parametrize("published", [False, True])
def test_a_dataset_may_lead_to_itself(shop: Shop, ann: FlaskClient, published: bool) -> None:
    doc = orders("again", "again")
    definitions.save_draft(SYSTEM, "dataset", doc)
    if published:
        publish(doc)
        definitions.save_draft(SYSTEM, "dataset", {**doc, "title": "Once more"})
        assert ways(ann, "/datasets/again") == [f"/datasets/again?f.customer.is={shop.acme}"]
    assert definitions.check_draft(SYSTEM, doc["x-id"]) == []
    for at in ("", "/check"):
        assert ann.get(f"/studio/{doc['x-id']}{at}").status_code == 200


def test_two_datasets_may_lead_to_each_other(shop: Shop, ann: FlaskClient) -> None:
    there, back = orders("there", "back"), orders("back", "there")
    publish(there, back)
    for key, other in (("there", "back"), ("back", "there")):
        assert ways(ann, f"/datasets/{key}") == [f"/datasets/{other}?f.customer.is={shop.acme}"]
    definitions.save_draft(SYSTEM, "dataset", {**there, "title": "On"})
    assert ann.get(f"/studio/{there['x-id']}").status_code == 200


@pytest.mark.parametrize(
    ("of", "code"),
    [
        ({"total": "number"}, "result_type"),
        ({"total": "day"}, "result_type"),
        ({"total": "total > 5"}, "result_type"),
        ({"day": "number"}, "result_type"),
        ({"number": "total"}, "result_type"),
        ({"customer": "number"}, "result_type"),
        ({"big": "big"}, "no_filter"),
        ({"active": "active"}, "no_filter"),
        ({"nothing": "total"}, "no_column"),
    ],
)
@pytest.mark.parametrize("itself", [False, True])
def test_a_value_of_another_type_is_told_with_its_place(
    database: Any, begun: Begun, of: dict[str, str], code: str, itself: bool
) -> None:
    begun(Shop)
    publish(orders("there", "there"))
    to = "here" if itself else "there"
    doc = {**orders("here", to), "leads": {"dataset": to, "of": of}}
    problems = kinds.get("dataset").check(doc, library.VIEW)
    assert [(each.code, each.at) for each in problems] == [(code, f"leads.of.{next(iter(of))}")]


def test_a_record_of_another_form_is_told(database: Any, begun: Begun) -> None:
    begun(Shop)
    publish(dataset("sold", {"form": "order", "each": "lines"}, {"who": "line.item"}))
    doc = {**orders("here", "sold"), "leads": {"dataset": "sold", "of": {"who": "customer"}}}
    assert [each.at for each in kinds.get("dataset").check(doc, library.VIEW)] == ["leads.of.who"]


def test_numbers_records_and_moments_lead_to_what_they_are(shop: Shop, ann: FlaskClient) -> None:
    of = {"total": "total", "id": "id", "day": "made"}
    publish(
        orders("there", "there"),
        {**orders("here", "there"), "leads": {"dataset": "there", "of": of, "title": "Show"}},
    )
    (to,) = ways(ann, "/datasets/here")
    assert len(ways(ann, to)) == 1  # it is found there


def test_a_parameter_is_passed_on_only_where_it_is_of_one_type(shop: Shop, ann: FlaskClient) -> None:
    there = orders("there", "there", parameters={"a": LEAST, "b": LEAST, "c": LEAST, "d": WHO})
    here = orders("here", "there", parameters={"a": DAY, "b": LEAST, "c": WHO, "d": LEAST})
    publish(there, here)
    (to,) = ways(ann, f"/datasets/here?p.a=2026-03-01&p.b=5&p.c={shop.acme}&p.d=1")
    assert to == f"/datasets/there?p.b=5&f.customer.is={shop.acme}"


@pytest.mark.parametrize("column", [None, "number", "total > 5"])
def test_rows_lead_nowhere_once_the_columns_there_are_others(
    shop: Shop, ann: FlaskClient, monkeypatch: pytest.MonkeyPatch, column: str | None
) -> None:
    leads = {"dataset": "there", "of": {"total": "total"}, "title": "Show"}
    publish(there := orders("there", "there"), {**orders("here", "there"), "leads": leads})
    assert len(ways(ann, "/datasets/here")) == 1
    columns = {"day": "day", **({"total": column} if column else {})}
    monkeypatch.setattr(drawing, "get_dataset", lambda _: prepare({**there, "columns": columns}, 2))
    assert ways(ann, "/datasets/here") == []
