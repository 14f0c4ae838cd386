"""Relations whose choice hangs on the record itself: a contact of this customer, an order line of this order."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import service as definitions
from formloop.forms import live, service
from formloop.forms.kind import get_form
from forms.conftest import Shop, form, only, publish, relation, text

OF_THIS_CUSTOMER = "customer = this.customer"


def visit(where: str = OF_THIS_CUSTOMER) -> dict[str, Any]:
    columns = {"text": text("Said"), "contact": relation("Contact", "contact", where=where)}
    lines = {"type": "array", "title": "Lines", "items": {"type": "object", "properties": columns}}
    fields = {
        "customer": relation("Customer", "customer"),
        "contact": relation("Contact", "contact", where=where),
        "lines": lines,
        "note": text("Note"),
    }
    return form("visit", fields)


@pytest.fixture
def contacts(shop: Shop) -> dict[str, int]:
    """Ann of Acme and Bo of another customer."""
    publish(form("contact", {"name": text("Name"), "customer": relation("Customer", "customer")}), visit())
    other = shop.customer("Other")
    made = {"acme": shop.acme, "other": other}
    for name, customer in (("Ann", shop.acme), ("Bo", other)):
        made[name] = service.create(SYSTEM, "contact", {"name": name, "customer": customer})["id"]
    return made


def problems_of(raw: dict[str, Any], record: int | None = None) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        if record is None:
            service.create(SYSTEM, "visit", raw)
        else:
            service.change_record(SYSTEM, "visit", record, raw)
    return [(p.code, p.at) for p in refused.value.problems]


def offered(client: FlaskClient, path: str, **typed: Any) -> list[str]:
    asked = {key.replace("this_", "this."): value for key, value in typed.items()}
    answer = client.get(f"/f/visit/choices/{path}", query_string={"q": "", **asked})
    return [each["text"] for each in answer.json]


def test_only_records_that_fit_this_record_can_be_chosen(contacts: dict[str, int]) -> None:
    fits = {"customer": contacts["acme"], "contact": contacts["Ann"], "lines": [{"contact": contacts["Ann"]}]}
    assert service.create(SYSTEM, "visit", fits)["contact"] == contacts["Ann"]
    assert problems_of({**fits, "contact": contacts["Bo"]}) == [("unfit_record", "contact")]
    assert problems_of({**fits, "lines": [{"text": "x"}, {"contact": contacts["Bo"]}]}) == [
        ("unfit_record", "lines.1.contact")
    ]
    assert problems_of({"contact": contacts["Ann"]}) == [("unfit_record", "contact")]


def test_what_was_chosen_is_looked_at_again_when_what_it_hangs_on_changes(contacts: dict[str, int]) -> None:
    raw = {"customer": contacts["acme"], "contact": contacts["Ann"], "lines": [{"contact": contacts["Ann"]}]}
    saved = service.create(SYSTEM, "visit", raw)
    service.change_record(SYSTEM, "visit", saved["id"], {"note": "Nothing it hangs on"})
    assert problems_of({"customer": contacts["other"]}, saved["id"]) == [
        ("unfit_record", "contact"),
        ("unfit_record", "lines.0.contact"),
    ]


def test_the_page_is_offered_what_fits_what_is_typed(
    app: Flask, client: FlaskClient, contacts: dict[str, int]
) -> None:
    assert offered(client, "contact", this_customer=contacts["acme"]) == ["Ann"]
    assert offered(client, "lines.contact", this_customer=contacts["other"]) == ["Bo"]
    assert offered(client, "contact", this_customer="") == []
    assert offered(client, "contact", this_customer="x' OR 1=1") == []
    assert offered(client, "contact") == ["Ann", "Bo"]  # a filter of the list fills in no record
    page = client.get("/f/visit/new").text
    assert (
        page.count('data-fl-own="{&#34;customer&#34;: &#34;&#34;}"') == 3
    )  # of the record and of a new line


def test_a_page_that_only_shows_the_field_says_what_it_is(
    app: Flask, client: FlaskClient, contacts: dict[str, int]
) -> None:
    fields = {**visit()["properties"], "customer": relation("Customer", "customer") | {"x-readonly": "TRUE"}}
    publish({**visit(), "properties": fields})
    saved = service.create(SYSTEM, "visit", {"customer": contacts["other"]})
    page = client.get(f"/f/visit/{saved['id']}/edit").text
    assert f"{{&#34;customer&#34;: &#34;{contacts['other']}&#34;}}" in page


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_only_the_records_own_fields_can_be_named(contacts: dict[str, int]) -> None:
    for where, code in (
        ("customer = this.nothing", "unknown_name"),
        ("name = this.customer.name", "too_deep"),
    ):
        with pytest.raises(Invalid) as refused:
            definitions.publish_many(SYSTEM, [only(visit(where))], "test")
        assert [(p.code, p.at) for p in refused.value.problems if p.at.startswith("properties.contact")] == [
            (code, "properties.contact.x-relation.where")
        ]


def test_a_choice_may_hang_on_which_record_this_is(shop: Shop) -> None:
    other = relation("Other", "twin", where="NOT(ISBLANK(this.id)) AND id <> this.id")
    publish(form("twin", {"name": text("Name")}))
    publish(form("twin", {"name": text("Name"), "other": other}))
    one, two = (service.create(SYSTEM, "twin", {"name": name})["id"] for name in ("One", "Two"))
    assert service.change_record(SYSTEM, "twin", one, {"other": two})["other"] == two
    with pytest.raises(Invalid) as refused:
        service.change_record(SYSTEM, "twin", one, {"other": one})
    assert [p.code for p in refused.value.problems] == ["unfit_record"]


def test_a_look_up_by_an_empty_date_finds_what_has_none(shop: Shop) -> None:
    since = {"type": "string", "format": "date", "title": "Since"}
    fits = {"form": "tariff", "where": "ISBLANK(since) OR since <= this.since", "value": "name"}
    publish(form("tariff", {"name": text("Name"), "since": since}))
    publish(form("offer", {"since": since, "tariff": text("Tariff", **{"x-linkage": fits})}))
    service.create(SYSTEM, "tariff", {"name": "Always"})
    service.create(SYSTEM, "tariff", {"name": "Lately", "since": "2026-01-01"})
    made = [service.create(SYSTEM, "offer", each)["tariff"] for each in ({}, {"since": "2026-02-01"})]
    assert made == ["Always", "Lately"]


def test_a_hint_of_a_picker_names_what_it_points_to(contacts: dict[str, int]) -> None:
    publish(form("call", {"who": relation("Who", "contact", show=["customer"])}))
    found = live.choices(SYSTEM, get_form("call"), get_form("call").fields["who"], "Ann")
    assert [(each["text"], each["hint"]) for each in found] == [("Ann", "Acme")]


def test_what_a_person_may_not_see_cannot_be_found_out_by_choosing(shop: Shop) -> None:
    secret = form("contact", {"name": text("Name"), "code": text("Code")})
    publish(secret, visit("code = this.note"))
    ann = service.create(SYSTEM, "contact", {"name": "Ann", "code": "7"})["id"]
    sees, writes = {"form": "contact", "may": ["view"]}, {"form": "visit", "may": ["view", "create"]}
    open_to = shop.person("reader", sees, writes)
    closed_to = shop.person("trier", {**sees, "except": ["code"]}, writes)
    spec, raw = get_form("visit"), {"note": "7", "contact": ann}
    for actor, found in ((open_to, ["Ann"]), (closed_to, [])):
        offer = live.choices(actor, spec, spec.fields["contact"], "", {"note": "7"})
        assert [each["text"] for each in offer] == found
    assert service.create(open_to, "visit", raw)["contact"] == ann
    with pytest.raises(Invalid) as refused:
        service.create(closed_to, "visit", raw)
    assert [(p.code, p.at) for p in refused.value.problems] == [("unfit_record", "contact")]


def test_nor_what_stands_in_a_record_pointed_to_that_they_may_not_see(shop: Shop) -> None:
    firm = form("firm", {"name": text("Name"), "code": text("Code")})
    person = form("contact", {"name": text("Name"), "firm": relation("Firm", "firm")})
    publish(firm, person, visit("firm.code = this.note"))
    hidden = service.create(SYSTEM, "firm", {"name": "Hidden", "code": "7"})["id"]
    ann = service.create(SYSTEM, "contact", {"name": "Ann", "firm": hidden})["id"]
    rest = ({"form": "contact", "may": ["view"]}, {"form": "visit", "may": ["view", "create"]})
    whole = shop.person("whole", {"form": "firm", "may": ["view"]}, *rest)
    some = shop.person("some", {"form": "firm", "may": ["view"], "where": 'name = "Mine"'}, *rest)
    spec = get_form("visit")
    for actor, found in ((whole, ["Ann"]), (some, [])):
        offer = live.choices(actor, spec, spec.fields["contact"], "", {"note": "7"})
        assert [each["text"] for each in offer] == found
    assert service.create(whole, "visit", {"note": "7", "contact": ann})["contact"] == ann
    with pytest.raises(Invalid):
        service.create(some, "visit", {"note": "7", "contact": ann})
