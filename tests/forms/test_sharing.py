"""A link to one record for somebody without an account."""

import re
from datetime import timedelta

import pytest

from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import Forbidden, Invalid, NotFound
from formloop.forms import purging, reads, service, sharing
from forms.conftest import ORDER, publish

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

SHARED = {"link": True, "fields": ["customer", "lines"], "days": 7}
SEES = {"form": "order", "may": ["view"]}
CUSTOMERS = {"form": "customer", "may": ["view"]}


@pytest.fixture
def order(shop):
    publish({**ORDER, "x-share": SHARED})
    return shop.order(note="secret")


def test_whoever_has_the_link_sees_the_shared_fields_and_nothing_else(shop, order, client, app):
    app.config["WTF_CSRF_ENABLED"] = False
    page = client.get(f"/f/order/{order['id']}").text
    assert f'href="/f/order/{order["id"]}/share"' in page
    made = client.post(f"/f/order/{order['id']}/share")
    (address,) = re.findall(r'readonly value="http://[^/]+(/s/[^"]+)"', made.text)
    assert made.headers["Cache-Control"] == "private, no-store"
    answer = app.test_client().get(address)
    assert order["number"] in answer.text and "Acme" in answer.text and "Draft" in answer.text
    assert "secret" not in answer.text and "Total" not in answer.text and 'href="/f/' not in answer.text
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "Bolt" in answer.text
    client.post(f"/f/order/{order['id']}/unshare")
    assert app.test_client().get(address).status_code == 404
    assert app.test_client().get("/s/guessed").status_code == 404


def test_it_shows_only_what_its_maker_may_see_and_ends_with_their_right(shop, order):
    maker = shop.person("kim", {**SEES, "except": ["customer"]}, CUSTOMERS)
    opened = sharing.open_link(sharing.add(maker, "order", order["id"]))
    assert "number" in opened.visible and not opened.visible & {"customer", "note", "total"}
    secret = sharing.add(maker, "order", order["id"])
    people.change_person(SYSTEM, maker.person_id, active=False)
    with pytest.raises(NotFound):
        sharing.open_link(secret)


def test_it_ends_by_its_day_and_when_the_form_allows_none(shop, order):
    maker = shop.person("kim", SEES)
    secret = sharing.add(maker, "order", order["id"])
    assert len(sharing.list_links(maker, "order", order["id"])) == 1
    with clock.stopped_at(clock.now() + timedelta(days=8)), pytest.raises(NotFound):
        sharing.open_link(secret)
    publish({**ORDER, "x-share": {**SHARED, "link": False}})
    for refused in (sharing.open_link, lambda _secret: sharing.add(maker, "order", order["id"])):
        with pytest.raises((NotFound, Forbidden)):
            refused(secret)


def test_only_the_roles_that_the_form_names_make_links(shop, order, app):
    publish({**ORDER, "x-share": {**SHARED, "roles": ["role_kim"]}})
    kim, joe = shop.person("kim", SEES), shop.person("joe", SEES)
    sharing.add(kim, "order", order["id"])
    with pytest.raises(Forbidden):
        sharing.add(joe, "order", order["id"])
    browser = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(joe.person_id))
    assert browser.get(f"/f/order/{order['id']}/share").status_code == 403
    assert "/share" not in browser.get(f"/f/order/{order['id']}").text


def test_a_record_out_of_the_makers_sight_or_gone_cannot_be_opened(shop, order):
    maker = shop.person("kim", {**SEES, "where": 'note = "mine"'})
    with pytest.raises(NotFound):
        sharing.add(maker, "order", order["id"])
    secret = sharing.add(shop.person("joe", SEES), "order", order["id"])
    service.delete_record(SYSTEM, "order", order["id"], None)
    with pytest.raises(NotFound):
        sharing.open_link(secret)
    purging.purge_record(SYSTEM, "order", order["id"])
    with pytest.raises(NotFound):
        sharing.open_link(secret)


FILLED = {**SHARED, "fill": ["note", "lines.quantity"], "state": "review"}
FILLS = {"form": "order", "may": ["view", "edit"]}


def test_whoever_has_the_link_fills_in_what_the_form_says_and_no_more(shop, app):
    publish({**ORDER, "x-share": FILLED})
    order, maker = shop.order(note="before"), shop.person("kim", FILLS, CUSTOMERS)
    address = f"/s/{sharing.add(maker, 'order', order['id'])}"
    browser = app.test_client()
    app.config["WTF_CSRF_ENABLED"] = False
    page = browser.get(address).text
    assert 'name="note"' in page and 'name="lines.0.quantity"' in page and 'name="lines.0.price"' not in page
    first = order["lines"][0]
    typed = {"note": "by the 5th", "customer": "1", "lines.0.id": first["id"], "lines.0.quantity": "7",
             "lines.0.price": "0", "lines.9.quantity": "3", "revision": order["revision"]}  # fmt: skip
    assert browser.post(address, data=typed).status_code == 303
    saved = reads.get_record(SYSTEM, "order", order["id"])
    assert (saved["note"], saved["state"], saved["customer"]) == ("by the 5th", "review", order["customer"])
    assert [line["id"] for line in saved["lines"]] == [line["id"] for line in order["lines"]]
    assert (int(saved["lines"][0]["quantity"]), saved["lines"][0]["price"]) == (7, first["price"])
    assert "Kim</strong> by link" in browser_of(app, maker).get(f"/f/order/{order['id']}").text
    for revision in ({}, {"revision": order["revision"]}):
        stale = browser.post(address, data={"note": "typed in vain", **revision})
        assert stale.status_code == 409 and "meanwhile" in stale.text and "typed in vain" in stale.text
    now = {"revision": saved["revision"], "lines.0.id": first["id"]}
    wrong = browser.post(
        address, data={**now, "lines.0.quantity": "many", "note:city": "parts of a plain field"}
    )
    assert wrong.status_code == 422 and 'aria-invalid="true"' in wrong.text


def test_what_its_reader_cannot_mend_only_leads_back_to_the_maker(shop, app):
    hidden = {"id": "big", "holds": "total > 100", "at": "total", "says": "The total is secret."}
    order, maker = shop.order(), shop.person("kim", FILLS, CUSTOMERS)
    publish({**ORDER, "x-share": FILLED, "x-checks": [{**hidden, "x-says": {"zh-CN": "保密。"}}]})
    app.config["WTF_CSRF_ENABLED"] = False
    typed = {"note": "please", "revision": order["revision"]}
    answer = app.test_client().post(f"/s/{sharing.add(maker, 'order', order['id'])}", data=typed)
    assert answer.status_code == 422 and "secret" not in answer.text
    assert "Please tell Kim, who sent you the link." in answer.text


def test_a_link_lets_nobody_fill_in_more_than_its_maker_may_change_or_later_than_wanted(shop):
    publish({**ORDER, "x-share": FILLED})
    order = shop.order()
    looks, keeps = shop.person("kim", SEES), shop.person("joe", {**FILLS, "except": ["lines.quantity"]})
    assert not sharing.open_link(sharing.add(looks, "order", order["id"])).fillable
    secret = sharing.add(keeps, "order", order["id"])
    assert sharing.open_link(secret).fillable == {"note"}
    service.set_state(SYSTEM, "order", order["id"], "confirmed")
    with pytest.raises(Forbidden):
        sharing.fill_in(secret, {"note": "late"}, None)


def test_a_link_shows_only_those_columns_of_lines_that_the_form_names(shop):
    publish({**ORDER, "x-share": {"link": True, "fields": ["lines.item", "lines.quantity"]}})
    opened = sharing.open_link(sharing.add(shop.person("kim", SEES), "order", shop.order()["id"]))
    assert opened.visible == {"number", "lines.item", "lines.quantity"}


def test_what_a_link_cannot_let_others_fill_in_is_said_when_publishing(shop):
    with pytest.raises(Invalid) as refused:
        publish(
            {**ORDER, "x-share": {"link": True, "fill": ["customer", "total", "nothing"], "state": "gone"}}
        )
    assert sorted(p.at for p in refused.value.problems) == ["x-share.fill"] * 3 + ["x-share.state"]


def browser_of(app, person):
    browser = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(person.person_id))
    return browser
