"""Records over HTTP: the same rights and rules as on every page."""

import json
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from api.conftest import Client, client_of
from formloop import db
from formloop.access.actor import SYSTEM
from formloop.definitions import service as definitions
from formloop.forms import history, service


def exact(response: Any) -> Any:
    return json.loads(response.text, parse_float=Decimal)


def test_a_record_is_made_read_changed_and_deleted(client: Client) -> None:
    made = client.ask("POST", "/item", {"name": "Nut", "parts": [{"what": "hole", "count": 1}]})
    assert made.status_code == 201
    url = f"/item/{made.json['id']}"
    assert made.headers["Location"] == f"/api/v1{url}"
    assert made.headers["ETag"] == '"1"'
    line = made.json["parts"][0]
    changed = client.ask(
        "PATCH", url, {"name": "Big nut", "parts": [{"id": line["id"], "count": 2}]}, If_Match='"1"'
    )
    assert (changed.status_code, changed.json["name"], changed.headers["ETag"]) == (200, "Big nut", '"2"')
    assert changed.json["parts"] == [{"id": line["id"], "position": 0, "what": "hole", "count": 2}]
    assert client.ask("GET", url).json == changed.json
    assert client.ask("DELETE", url, If_Match='"2"').status_code == 204
    assert client.ask("GET", url).status_code == 404


def test_decimals_keep_all_their_digits(client: Client) -> None:
    made = client.ask("POST", "/item", '{"name": "Gold", "price": 12345678901234.5678}')
    assert exact(made)["price"] == Decimal("12345678901234.5678")
    assert exact(made)["double"] == Decimal("24691357802469.1356")


def test_the_history_says_that_a_program_did_it(site: Flask, client: Client) -> None:
    made = client.ask("POST", "/item", {"name": "Nut"}).json
    from formloop.forms.kind import get_form

    with site.app_context():
        (entry,) = history.describe_changes(SYSTEM, get_form("item"), made["id"], frozenset(), "en")
    assert (entry.person, entry.through) == ("Boss", "by a program")


def test_problems_name_their_places(client: Client) -> None:
    refused = client.ask("POST", "/item", {"price": "dear", "colour": "red", "parts": [{"count": "x"}]})
    assert refused.status_code == 422
    error = refused.json["error"]
    assert set(error) == {"code", "message", "problems", "request_id"}
    assert {p["at"] for p in error["problems"]} == {"name", "price", "colour", "parts.0.count"}


def test_a_change_must_name_the_revision_it_was_made_from(client: Client, bolt: Any) -> None:
    refused = client.ask("PATCH", f"/item/{bolt['id']}", {"name": "Screw"})
    assert (refused.status_code, refused.json["error"]["code"]) == (428, "precondition_required")


def test_who_comes_second_gets_the_difference(client: Client, bolt: Any) -> None:
    url = f"/item/{bolt['id']}"
    client.ask("PATCH", url, {"price": 0.25}, If_Match='"1"')
    late = client.ask("PATCH", url, {"price": 0.5}, If_Match='"1"')
    assert (late.status_code, late.headers["ETag"]) == (409, '"2"')
    error = exact(late)["error"]
    assert error["current"]["price"] == Decimal("0.25")
    assert ("Price", "0.25") in [(d["field"], d["new"]) for d in error["differences"]]


def test_a_list_is_filtered_sorted_and_paged_to_its_end(site: Flask, client: Client) -> None:
    with site.app_context():
        for number in range(7):
            service.create(SYSTEM, "item", {"name": f"Part {number}", "price": number})
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = client.ask("GET", f"/item?f.price.at_least=2&sort=-price&limit=2&after={after}").json
        found += [record["name"] for record in page["records"]]
        after = page["next"]
    assert found == [f"Part {number}" for number in (6, 5, 4, 3, 2)]


def test_a_wrong_filter_is_told_not_passed_over(client: Client) -> None:
    refused = client.ask("GET", "/item?f.colour.is=red")
    assert (refused.status_code, refused.json["error"]["problems"][0]["at"]) == (422, "colour")


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("customer=abc", "customer"),
        ("deleted=1", "deleted"),
        ("limit=ten", "limit"),
        ("limit=1_0", "limit"),
        ("lines=yes", "lines"),
        ("q=a&q=b", "q"),
        ("sort=a,b,c,d,e", "sort"),
        ("f.name.is=", "f.name.is"),
        ("f.name=Nut", "f.name"),
        ("f.name.is=Nut&f.name.is=Bolt", "f.name.is"),
    ],
)
def test_what_a_list_does_not_understand_is_told(client: Client, asked: str, place: str) -> None:
    refused = client.ask("GET", f"/item?{asked}")
    assert (refused.status_code, [p["at"] for p in refused.json["error"]["problems"]]) == (422, [place])


def test_at_most_two_hundred_come_at_once(client: Client) -> None:
    assert client.ask("GET", "/item?limit=100000").status_code == 200


def test_a_list_brings_its_lines_and_its_total_when_asked(site: Flask, client: Client, bolt: Any) -> None:
    with site.app_context():
        for number in range(4):
            parts = [{"what": "part", "count": number}] * 2
            service.create(SYSTEM, "item", {"name": f"Part {number}", "parts": parts})
    plain = client.ask("GET", "/item?limit=2").json
    assert "parts" not in plain["records"][0] and "total" not in plain
    counted: list[str] = []

    def count(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        counted.append(statement)

    event.listen(db.engine(), "before_cursor_execute", count)
    full = client.ask("GET", "/item?lines=1&total=1&sort=name&limit=5").json
    event.remove(db.engine(), "before_cursor_execute", count)
    assert [len(record["parts"]) for record in full["records"]] == [1, 2, 2, 2, 2]
    assert full["records"][0] == client.ask("GET", f"/item/{bolt['id']}").json
    assert (full["total"], full["total_exact"]) == (5, True)
    assert sum("item__parts" in statement for statement in counted) == 1


def test_lists_show_only_the_columns_of_lines_that_may_be_seen(site: Flask, bolt: Any) -> None:
    role = {
        "x-kind": "role", "x-id": "0000000c", "x-key": "packer", "title": "Packer",
        "grants": [{"id": "items", "form": "item", "may": ["view"], "except": ["parts.count", "cost"]}],
    }  # fmt: skip
    with site.app_context():
        definitions.publish_many(SYSTEM, [role], "test")
    (record,) = client_of(site, "tim", roles=["packer"]).ask("GET", "/item?lines=1").json["records"]
    assert set(record["parts"][0]) == {"id", "position", "what"} and "cost" not in record


def test_what_was_read_may_be_sent_back_but_not_what_is_calculated(client: Client, bolt: Any) -> None:
    url = f"/item/{bolt['id']}"
    refused = client.ask("PATCH", url, {"double": 3}, If_Match='"1"')
    assert (refused.status_code, refused.json["error"]["problems"][0]["code"]) == (422, "computed")
    same = client.ask("PATCH", url, '{"double": 0.2, "name": "Bolt M5"}', If_Match='"1"')
    assert (same.status_code, same.json["name"]) == (200, "Bolt M5")


def test_records_are_changed_in_part_and_never_replaced(client: Client, bolt: Any) -> None:
    assert client.ask("PUT", f"/item/{bolt['id']}", {"name": "Nut"}, If_Match='"1"').status_code == 405


def test_a_hidden_field_is_nowhere(seller: Client, bolt: Any) -> None:
    url = f"/item/{bolt['id']}"
    assert "cost" not in seller.ask("GET", url).json
    assert "cost" not in seller.ask("GET", "/item").json["records"][0]
    assert seller.ask("GET", "/item?f.cost.at_least=0.01").status_code == 422
    assert seller.ask("GET", "/item?sort=cost").status_code == 422
    assert seller.ask("PATCH", url, {"cost": 9}, If_Match='"1"').status_code == 422
    described = seller.ask("GET", "/openapi.json").json
    assert "cost" not in described["components"]["schemas"]["item"]["properties"]


def test_what_no_grant_allows_is_forbidden(site: Flask, seller: Client, bolt: Any) -> None:
    assert seller.ask("DELETE", f"/item/{bolt['id']}").status_code == 403
    stranger = client_of(site, "stranger")
    assert stranger.ask("GET", "/item").status_code == 403
    assert stranger.ask("GET", "/openapi.json").json["paths"] == {}


@pytest.mark.parametrize("path", ["/nothing", "/item/7"])
def test_what_does_not_exist_is_not_found(client: Client, path: str) -> None:
    assert client.ask("GET", path).status_code == 404


def test_the_description_fits_what_is_served(client: Client, bolt: Any) -> None:
    described = client.ask("GET", "/openapi.json").json
    assert set(described["paths"]) == {"/item", "/item/{record}"}
    assert set(described["paths"]["/item/{record}"]) == {"parameters", "get", "patch", "delete"}
    served = client.ask("GET", f"/item/{bolt['id']}").json
    assert set(served) == set(described["components"]["schemas"]["item"]["properties"])
    given = described["components"]["schemas"]["item_given"]["properties"]
    assert "double" not in given and "x-scale" not in given["price"]


def test_what_others_point_to_is_deleted_only_when_that_is_said(
    site: Flask, client: Client, bolt: Any
) -> None:
    kit = {
        "x-kind": "form", "x-id": "0000000d", "x-key": "kit", "title": "Kit", "type": "object",
        "properties": {
            "name": {"type": "string", "title": "Name"},
            "item": {"type": "integer", "x-type": "relation", "title": "Item", "x-relation": {"form": "item"}},
        },
    }  # fmt: skip
    with site.app_context():
        definitions.publish_many(SYSTEM, [kit], "test")
        made = service.create(SYSTEM, "kit", {"name": "Kit A", "item": bolt["id"]})
    url = f"/item/{bolt['id']}"
    refused = client.ask("DELETE", url)
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "in_use")
    assert refused.json["error"]["uses"] == [
        {"form": "kit", "count": 1, "count_exact": True, "records": [{"id": made["id"], "name": "Kit A"}]}
    ]
    assert client.ask("DELETE", f"{url}?even_if_used=1").status_code == 204
