"""Datasets in the browser and over the API: rows, filters, parameters, totals, exports; nothing for strangers."""

import csv
import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun
from datasets.conftest import dataset
from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM, get_actor
from formloop.datasets import exporting, service
from formloop.events import jobs
from forms.conftest import Shop, publish, role

SALES = dataset(
    "sales",
    {"form": "order", "each": "lines"},
    {
        "customer": "customer",
        "item": "line.item.name",
        "day": "day",
        "worth": {
            "value": "line.quantity * line.price",
            "title": "Worth",
            "x-title": {"zh-CN": "价值"},
            "total": True,
        },
    },
    **{
        "where": "ISBLANK(parameters.least) OR line.quantity >= parameters.least",
        "parameters": {"least": {"type": "number", "title": "At least", "x-title": {"zh-CN": "至少"}}},
        "sort": ["-worth"],
        "filters": ["customer", "item", "day"],
        "x-title": {"zh-CN": "销售明细"},
    },
)


@pytest.fixture
def sold(app: Flask, begun: Begun) -> Shop:
    shop = begun(Shop)
    publish(SALES)
    shop.order((shop.bolt, "2"), (shop.nut, "4"))
    shop.order((shop.bolt, "10"), note='=cmd|"x"')
    return shop


def signed_in(app: Flask, *grants: dict[str, Any]) -> FlaskClient:
    publish(role("reader", *grants))
    person = people.add_person(SYSTEM, "reader", "Reader", roles=["reader"])
    browser = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(person))
    return browser


def test_the_page_shows_rows_filters_and_totals(sold: Shop, client: FlaskClient) -> None:
    page = client.get("/datasets/sales").get_data(as_text=True)
    assert page.index("15") < page.index("Nut")
    assert "Acme" in page and 'name="p.least"' in page and 'name="f.item.contains"' in page
    assert ">19<" in client.get("/datasets/sales/sums").get_data(as_text=True)
    assert ">15<" in client.get("/datasets/sales/sums?p.least=5").get_data(as_text=True)


def test_filters_and_parameters_narrow_the_rows(sold: Shop, client: FlaskClient) -> None:
    part = {"HX-Request": "true"}
    by_item = client.get("/datasets/sales?f.item.contains=nut", headers=part).get_data(as_text=True)
    assert "Nut" in by_item and "Bolt" not in by_item
    large = client.get("/datasets/sales?p.least=3", headers=part).get_data(as_text=True)
    assert 'hx-swap-oob="true">1</span>' in by_item  # how many there are now, beside the title
    assert client.get("/datasets/sales").text.count('id="fl-total"') == 1
    assert "Nut" in large and large.count("<tr>") == 3
    wrong = client.get("/datasets/sales?p.least=many&f.customer.is=x&sort=customer", headers=part)
    assert wrong.status_code == 200
    assert "is not a number" in wrong.get_data(as_text=True)


def test_both_languages_and_the_menu_know_it(sold: Shop, client: FlaskClient) -> None:
    assert "/datasets" in client.get("/").get_data(as_text=True)
    client.set_cookie("fl_lang", "zh-CN")
    listed = client.get("/datasets", headers={"Accept-Language": "zh-CN"}).get_data(as_text=True)
    assert "sales" in listed


def test_choices_of_a_filter_are_found_by_name(sold: Shop, client: FlaskClient) -> None:
    found = client.get("/datasets/sales/choices/customer?q=ac").json
    assert [each["text"] for each in found] == ["Acme"]
    assert client.get("/datasets/sales/choices/nothing").status_code == 404


def test_whoever_may_see_nothing_of_it_is_turned_away(sold: Shop, app: Flask) -> None:
    stranger = signed_in(app, {"form": "item", "may": ["view"]})
    for path in ("/datasets/sales", "/datasets/sales/sums", "/datasets/sales/export"):
        assert stranger.get(path).status_code == 403
    assert "/datasets" not in stranger.get("/").get_data(as_text=True)
    assert stranger.get("/datasets/none").status_code == 404


def test_an_export_holds_what_may_be_seen_and_exported(sold: Shop, app: Flask) -> None:
    publish(
        role(
            "exporter",
            {"form": "order", "may": ["view", "export"], "except": ["lines.price"]},
            {"form": "item", "may": ["view", "export"]},
            {"form": "customer", "may": ["view"]},
        )
    )
    actor = get_actor(people.add_person(SYSTEM, "exporter", "Exporter", roles=["exporter"]))
    assert service.list_rows(actor, "sales").rows[0]["customer"] == sold.acme
    job = exporting.start(actor, "sales", {"p.least": "3"}, "csv", "en")
    done = jobs.run(job)
    assert (done.state, done.result["rows"]) == ("done", 2)
    browser = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(actor.person_id))
    text = browser.get(f"/datasets/sales/export/{job}/file").get_data().decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(text)))
    assert table[0] == ["Customer", "Name", "Day"]  # a worth of 0 would not be true
    assert sorted(row[1] for row in table[1:]) == ["Bolt", "Nut"]


def test_without_the_right_to_export_there_is_no_file(sold: Shop, app: Flask) -> None:
    reader = signed_in(app, {"form": "order", "may": ["view"]})
    assert "Export" not in reader.get("/datasets/sales").get_data(as_text=True)
    assert reader.post("/datasets/sales/export", data={"kind": "csv"}).status_code in (400, 403)


def test_programs_read_it_over_the_api(sold: Shop, app: Flask) -> None:
    person = people.add_person(SYSTEM, "robot", "Robot", administrator=True)
    token = sessions.add_token(get_actor(person), "test")
    ask = {"Authorization": f"Bearer {token}"}
    browser = app.test_client()
    page = browser.get("/api/v1/datasets/sales?limit=2&total=1&p.least=3", headers=ask).json
    assert [row["worth"] for row in page["rows"]] == [15, 1]
    assert (page["total"], page["next"]) == (2, None)
    assert browser.get("/api/v1/datasets/sales?p.most=3", headers=ask).status_code == 422
    assert browser.get("/api/v1/datasets/none", headers=ask).status_code == 404
    described = browser.get("/api/v1/openapi.json", headers=ask).json
    assert "/datasets/sales" in described["paths"]


def test_a_draft_can_be_tried(sold: Shop) -> None:
    draft = {**SALES, "x-key": "draft", "x-id": "0000dada"}
    assert len(service.preview(SYSTEM, draft, 2).rows) == 2
    broken = service.preview(SYSTEM, {**draft, "where": "line.quantty > 1"})
    assert [(p.code, p.at, p.column) for p in broken.problems] == [("unknown_name", "where", 6)]
    assert [p.at for p in service.preview(SYSTEM, {**draft, "colums": {}}).problems] == ["colums"]
