"""Pages of records as browsers and programs without JavaScript use them."""

import copy
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun
from formloop.access import sessions, signing
from formloop.access.actor import SYSTEM
from formloop.events import outbox
from formloop.forms import live, reads, service
from formloop.forms.kind import get_form

from .conftest import ITEM, ORDER, Shop, form, publish, text


@pytest.fixture
def shop(app: Flask, begun: Begun) -> Shop:
    return begun(Shop)


def token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, values: dict[str, str], key: str = "k") -> tuple[int, str, str]:
    page = client.get("/f/item/new").get_data(as_text=True)
    data = {"csrf_token": token(page), "idempotency_key": key, **values}
    answer = client.post(path, data=data, headers={"Origin": "http://localhost"})
    return answer.status_code, answer.get_data(as_text=True), answer.headers.get("Location", "")


def test_a_record_is_made_and_shown_without_javascript(client: FlaskClient, shop: Shop) -> None:
    values = {
        "customer": str(shop.acme),
        "lines.lines": "1",
        "lines.0.item": str(shop.bolt),
        "lines.0.quantity": "4",
    }
    assert "given on saving" in client.get("/f/order/new").get_data(as_text=True)
    status, _, location = post(client, "/f/order/new", values)
    assert status == 303
    shown = client.get(location).get_data(as_text=True)
    assert "6.00" in shown and "Acme" in shown and "Bolt" in shown


def test_a_mistake_comes_back_beside_its_field_with_everything_kept(client: FlaskClient, shop: Shop) -> None:
    values = {
        "customer": "",
        "note": "keep me",
        "lines.lines": "1",
        "lines.0.item": str(shop.bolt),
        "lines.0.quantity": "x",
    }
    status, page, _ = post(client, "/f/order/new", values)
    assert status == 422
    assert "keep me" in page and "“x” is not a number." in page and "This must be filled in." in page


def test_a_second_click_saves_nothing_twice(client: FlaskClient, shop: Shop) -> None:
    first = post(client, "/f/item/new", {"name": "Twice"}, key="same")[2]
    assert post(client, "/f/item/new", {"name": "Twice"}, key="same")[2] == first


def test_a_line_can_be_added_without_javascript(client: FlaskClient, shop: Shop) -> None:
    status, page, _ = post(
        client, "/f/order/new", {"_add": "lines", "lines.lines": "1", "lines.0.quantity": "4"}
    )
    assert status == 200
    assert 'name="lines.0.quantity"' in page and 'name="lines.1.quantity"' in page


def test_a_stale_page_shows_what_somebody_else_changed(client: FlaskClient, shop: Shop) -> None:
    order = shop.order(note="first")
    service.change_record(SYSTEM, "order", order["id"], {"note": "theirs"})
    status, page, _ = post(client, f"/f/order/{order['id']}/edit", {"revision": "1", "note": "mine"})
    assert status == 409
    assert "theirs" in page and "mine" in page
    assert reads.get_record(SYSTEM, "order", order["id"])["note"] == "theirs"


def test_a_forged_or_missing_token_changes_nothing(client: FlaskClient, shop: Shop) -> None:
    for data in ({"name": "Forged"}, {"name": "Forged", "csrf_token": "wrong"}):
        assert (
            client.post("/f/item/new", data=data, headers={"Origin": "http://localhost"}).status_code == 400
        )
    foreign = client.post("/f/item/new", data={"name": "Forged"}, headers={"Origin": "http://evil.example"})
    assert foreign.status_code in (400, 403)


def test_ten_megabytes_of_text_are_refused_clearly(client: FlaskClient, shop: Shop) -> None:
    status, page, _ = post(client, "/f/item/new", {"name": "x" * 10_000_000})
    assert status in (413, 422)
    assert "characters" in page or "larger" in page


def test_live_answers_follow_what_is_typed(client: FlaskClient, shop: Shop) -> None:
    page = client.get("/f/order/new").get_data(as_text=True)
    values = {
        "csrf_token": token(page),
        "customer": str(shop.acme),
        "lines.lines": "1",
        "lines.0.item": str(shop.bolt),
        "lines.0.quantity": "1000",
        "_changed": "lines.0.item,lines.0.quantity",
    }
    answer = client.post("/f/order/live", data=values, headers={"Origin": "http://localhost"}).get_json()
    assert answer["values"]["lines.0.price"]["input"] == "1.5"
    assert answer["values"]["total"]["text"] == "1,500.00"
    assert "number" not in answer["values"]  # it is given on saving, which the page says already
    assert "reason" in answer["required"] and "reason" not in answer["hidden"]


def test_what_was_typed_in_the_same_pause_is_not_overwritten(client: FlaskClient, shop: Shop) -> None:
    page = client.get("/f/order/new").get_data(as_text=True)
    values = {
        "csrf_token": token(page),
        "lines.lines": "1",
        "lines.0.item": str(shop.bolt),
        "lines.0.price": "9",
        "_changed": "lines.0.item,lines.0.price",
    }
    answer = client.post("/f/order/live", data=values, headers={"Origin": "http://localhost"}).get_json()
    assert "lines.0.price" not in answer["values"]


def test_what_is_being_filled_in_is_kept_and_offered_again(client: FlaskClient, shop: Shop) -> None:
    assert post(client, "/f/item/fill", {"name": "Half done"})[0] == 204
    assert "did not save it" in client.get("/f/item/new").get_data(as_text=True)
    assert "Half done" in client.get("/f/item/new?resume=1").get_data(as_text=True)
    post(client, "/f/item/new", {"name": "Done"}, key="done")
    assert "did not save it" not in client.get("/f/item/new").get_data(as_text=True)
    assert (
        post(client, "/f/item/fill", {"name": "Done"}, key="done")[0] == 204
    )  # sent beside the save, it comes late
    assert "did not save it" not in client.get("/f/item/new").get_data(as_text=True)


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_page_of_a_record_speaks_both_languages(client: FlaskClient, shop: Shop, locale: str) -> None:
    order = shop.order()
    client.set_cookie("formloop_locale", locale)
    for path in ("", f"/{order['id']}", f"/{order['id']}/edit", "/new", "/panel", "/batch"):
        answer = client.get(f"/f/order{path}")
        assert answer.status_code == 200, path
    assert ("历史" if locale == "zh-CN" else "History") in client.get(f"/f/order/{order['id']}").get_data(
        as_text=True
    )


@pytest.mark.parametrize(
    "address", ["?sort=zz", "?after=zz", "?f.zz.is=1", "?f.total.at_least=x", "?o.total=zz&v.total=1"]
)
def test_a_strange_address_gives_the_list_and_says_what_is_wrong(
    client: FlaskClient, shop: Shop, address: str
) -> None:
    answer = client.get(f"/f/order{address}")
    assert answer.status_code == 200
    assert 'role="alert"' in answer.get_data(as_text=True) or "zz" in address


def test_nobody_who_is_not_signed_in_sees_anything(app: Flask, shop: Shop) -> None:
    order = shop.order()
    stranger = app.test_client()
    for path in ("/f/order", f"/f/order/{order['id']}", "/f/order/new", "/f/order/choices/customer"):
        assert stranger.get(path).status_code in (303, 401), path


def test_the_history_on_the_page_shows_only_this_rows_fields(app: Flask, shop: Shop) -> None:
    reader = shop.person(
        "reader",
        {"form": "order", "may": ["view"], "fields": ["number", "customer"]},
        {"form": "order", "may": ["view"], "where": 'note = "open"'},
        {"form": "customer", "may": ["view"]},
    )
    order = shop.order(note="secret one")
    service.change_record(SYSTEM, "order", order["id"], {"note": "secret two"})
    browser = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(reader.person_id or 0))
    assert "secret" not in browser.get(f"/f/order/{order['id']}").get_data(as_text=True)


@pytest.mark.parametrize(
    "path",
    [
        f"/f/order/{10**23}",
        f"/f/order/new?copy={10**23}",
        f"/f/order?f.customer.is={10**23}",
        f"/inbox?after={10**23}",
        "/f/order?after=W1siLWRheSIsImlkIl0sWyJhYmMiLDFdXQ==",
        f"/f/order?f.customer.is={'9' * 5000}",
        f"/f/order/panel?f.customer.is={'9' * 5000}",
        f"/f/order?f.owner.is={10**23}",
        f"/people/why?person={'9' * 5000}",
        f"/audit?about=person:{'9' * 5000}",
    ],
)
def test_a_number_too_large_for_anything_breaks_nothing(client: FlaskClient, shop: Shop, path: str) -> None:
    assert client.get(path).status_code < 500


@pytest.mark.parametrize("number", ["1e30", "9" * 25, "1e18"])
def test_a_filter_by_a_number_that_no_record_can_hold_is_told_at_that_filter(
    client: FlaskClient, shop: Shop, number: str
) -> None:
    shop.order()
    answer = client.get(f"/f/order?f.total.at_least={number}&q=SO")
    assert answer.status_code == 200
    assert "is larger than any number here" in answer.text and "SO2" in answer.text


def test_the_number_of_a_line_may_be_any_but_is_never_passed_over(client: FlaskClient, shop: Shop) -> None:
    given = {"customer": str(shop.acme)}
    for number, quantity in ((3, "1"), (10_001, "7")):
        given |= {f"lines.{number}.item": str(shop.bolt), f"lines.{number}.quantity": quantity}
    status, _, location = post(client, "/f/order/new", given)
    saved = reads.get_record(SYSTEM, "order", int(location.rpartition("/")[2]))
    assert status == 303 and [line["quantity"] for line in saved["lines"]] == [1, 7]
    for number in ("9" * 5000, "²", "-1"):
        status, text, _ = post(
            client, "/f/order/new", {**given, f"lines.{number}.quantity": "1"}, key=number[:9]
        )
        assert (status, "is no number of a line" in text) == (422, True)


def test_a_saved_view_is_opened_by_its_number_however_long_its_filter_is(
    client: FlaskClient, shop: Shop
) -> None:
    shop.order(note="here")
    shop.order(note="there")
    long = "x" * 6000
    status, _, location = post(
        client, "/f/order/views", {"name": "Long", "f.note.is_not": long, "f.note.is": "here"}
    )
    page = client.get(location).get_data(as_text=True)
    assert status == 303 and len(location) < 80
    assert "0001" in page and "0002" not in page and f'href="{location}"' in page
    assert client.get("/f/order?view=1").status_code == client.get("/f/order?view=x").status_code == 404


def test_only_our_own_names_are_answered(client: FlaskClient) -> None:
    answer = client.get("/sign-in", headers={"Host": "evil.example:8000"})
    assert answer.status_code == 400


def test_the_one_character_no_database_agrees_on_is_refused_everywhere(
    client: FlaskClient, shop: Shop
) -> None:
    assert post(client, "/f/item/new", {"name": "a\x00b"})[0] == 422
    assert client.get("/f/item?q=%00").status_code == 422


def test_a_department_below_nothing_is_told_in_words(client: FlaskClient, shop: Shop) -> None:
    assert post(client, "/departments/new", {"name": "n", "parent": "-1"})[0] == 422


def test_deleting_what_is_used_shows_where_and_asks(client: FlaskClient, shop: Shop) -> None:
    order = shop.order()
    path = f"/f/customer/{shop.acme}/delete"
    status, asked, _ = post(client, path, {"revision": "1"})
    assert status == 409 and order["number"] in asked and "Delete all the same" in asked
    assert reads.get_record(SYSTEM, "customer", shop.acme)
    status, _, _ = post(client, path, {"revision": "1", "even_if_used": "1"})
    assert status == 303 and "Acme" not in client.get("/f/customer").get_data(as_text=True)


def test_the_same_page_sent_again_with_other_values_makes_no_second_record_unseen(
    client: FlaskClient, shop: Shop
) -> None:
    assert post(client, "/f/item/new", {"name": "First"}, key="one")[0] == 303
    status, answer, _ = post(client, "/f/item/new", {"name": "Second"}, key="one")
    assert status == 422 and "saved already" in answer and 'value="Second"' in answer
    assert 'name="idempotency_key" value="one"' not in answer


def test_the_recycle_bin_gives_back_and_deletes_for_ever(client: FlaskClient, shop: Shop) -> None:
    service.delete_record(SYSTEM, "item", shop.bolt)
    service.delete_record(SYSTEM, "item", shop.nut)
    assert "Delete for ever" in client.get("/f/item/batch?deleted=1").get_data(as_text=True)
    shown = client.get(f"/f/item/{shop.nut}").get_data(as_text=True)
    assert "In the recycle bin" in shown and f"/f/item/{shop.nut}/restore" in shown and "/edit" not in shown
    post(client, "/f/item/batch", {"_do": "restore", "id": str(shop.bolt)})
    post(client, "/f/item/batch", {"_do": "purge", "id": str(shop.nut)})
    assert "Bolt" in client.get("/f/item").get_data(as_text=True)
    assert "Nut" not in client.get("/f/item?deleted=1").get_data(as_text=True)


def test_builders_see_which_numbers_are_missing(client: FlaskClient, shop: Shop) -> None:
    first, _ = shop.order(), shop.order()
    service.delete_record(SYSTEM, "order", first["id"])
    assert 'href="/f/order/numbers"' in client.get("/f/order").get_data(as_text=True)
    shown = client.get("/f/order/numbers").get_data(as_text=True)
    assert first["number"] in shown and "In the recycle bin" in shown and "1 missing" in shown


def test_fields_picked_in_the_list_are_changed_and_the_others_are_not(
    client: FlaskClient, shop: Shop
) -> None:
    listed = client.get("/f/customer").get_data(as_text=True)
    assert f'value="{shop.acme}:1"' in listed
    assert 'name="limit"' in client.get("/f/customer/batch").get_data(as_text=True)
    values = {"id": f"{shop.acme}:1", "_set": "limit", "limit": "9", "name": "not picked", "active": ""}
    assert post(client, "/f/customer/batch", values)[0] == 303
    read = reads.get_record(SYSTEM, "customer", shop.acme)
    assert (read["name"], read["active"], read["limit"]) == ("Acme", True, 9)
    status, left, _ = post(client, "/f/customer/batch", values)
    assert status == 200 and "0 records changed." in left and "Acme</a>: Somebody else changed this" in left
    assert post(client, "/f/customer/batch", {"id": f"{shop.acme}:2"})[0] == 303


def test_the_second_of_two_clicks_at_once_is_shown_the_first_ones_record(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = post(client, "/f/item/new", {"name": "Once"}, key="one")
    find, asked = outbox.find_received, list[str]()

    def too_early(source: str, key: str) -> str | None:
        asked.append(key)
        return None if len(asked) == 1 else find(source, key)

    monkeypatch.setattr(outbox, "find_received", too_early)
    assert post(client, "/f/item/new", {"name": "Once"}, key="one") == first
    assert asked == ["one", "one"]


def test_what_lines_hold_that_nobody_can_type_stays_while_a_number_is_typed(shop: Shop) -> None:
    column = {"type": "string", "title": "Unit", "readOnly": True}
    item = form("item", {**ITEM["properties"], "unit": text("Unit")}, required=["name"])
    order = copy.deepcopy(ORDER)
    columns = order["properties"]["lines"]["items"]["properties"]
    columns["unit"], columns["item"]["x-relation"]["fill"] = column, {"unit": "unit"}
    publish(item, order)
    pipe = shop.item("Pipe", unit="m")
    saved = shop.order((pipe, "2"))
    (line,) = saved["lines"]
    raw = {"lines": [{"id": str(line["id"]), "item": str(pipe), "quantity": "3"}]}
    answer = live.answer(SYSTEM, get_form("order"), raw, saved, ["lines.0.quantity"], "en")
    assert answer["values"]["lines.0.unit"]["text"] == "m"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("rule", "stars"), [('state <> "draft"', False), ('state = "draft"', True)])
def test_a_new_page_asks_for_what_a_draft_needs(
    client: FlaskClient, shop: Shop, rule: str, stars: bool
) -> None:
    fields = {**ORDER["properties"], "note": {**ORDER["properties"]["note"], "x-required": rule}}
    publish({**ORDER, "properties": fields})
    label = client.get("/f/order/new").text.split('for="f-note"')[1].split("</label>")[0]
    assert ("fl-required" in label) == stars


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_must_be_filled_in_before_it_is_submitted_says_so_while_it_may_be_empty(
    client: FlaskClient, shop: Shop
) -> None:
    for rule, said in (('state <> "draft"', 1), ('state = "draft"', 0), ("total > 1000", 0)):
        fields = {**ORDER["properties"], "note": {**ORDER["properties"]["note"], "x-required": rule}}
        publish({**ORDER, "properties": fields})
        assert client.get("/f/order/new").text.count("Must be filled in before it is submitted.") == said
