"""The pages of ledgers: balances, why, periods, and the part on each record's page."""

import html
import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop.access import people, sessions, signing
from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import Invalid
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.forms import listing, reads, service
from formloop.forms.kind import get_form
from formloop.forms.listing import Query
from formloop.ledgers import periods
from formloop.ledgers.kind import get_ledger
from forms.conftest import publish, role
from ledgers.invoices import INVOICE, INVOICED
from ledgers.outsourcing import OUTSOURCED, OUTSOURCED_POSTING, outsourced
from ledgers.store import Store, head


def sign_in(app: Flask, account: str, **more: Any) -> FlaskClient:
    person = people.add_person(SYSTEM, account, account.capitalize(), **more)
    browser = app.test_client()
    browser.set_cookie(signing.COOKIE, sessions.open_session(person))
    return browser


def post(browser: FlaskClient, **data: str) -> int:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/me").text)
    assert token
    return browser.post("/ledgers/periods/accounting", data={"csrf_token": token[1], **data}).status_code


def test_a_balance_says_why(app: Flask, store: Store) -> None:
    receipt = store.buy("10", "2.5")
    ann = sign_in(app, "ann", administrator=True)
    page = ann.get("/ledgers/stock").text
    assert "bolt" in page and "25.00" in page
    why = ann.get(f"/ledgers/stock/entries?d.item={store.bolt}").text
    assert "ROUND(line.quantity * line.price, 2)" in why and "version 1" in why
    assert f"/f/receipt/{receipt['id']}" in why


def test_a_lot_leads_to_what_it_was_made_from_and_went_into(app: Flask) -> None:
    store = Store(OUTSOURCED, OUTSOURCED_POSTING)
    steel, frame = store.make("lot", "steel-7"), store.make("lot", "frame-9")
    made = outsourced(store, used_lot=steel, lot=steel, made_lot=frame, service="0", additional="0")
    ann = sign_in(app, "ann", administrator=True)
    of_steel, of_frame = (f"/ledgers/stock/entries?d.lot={lot}" for lot in (steel, frame))
    assert f'Went into</div><div class="fl-value"><a href="{of_frame}">frame-9</a>' in ann.get(of_steel).text
    assert f'Made from</div><div class="fl-value"><a href="{of_steel}">steel-7</a>' in ann.get(of_frame).text
    publish(role("near", {"ledger": "stock", "may": ["view"], "where": 'place.name = "main"'}))
    assert "steel-7" not in sign_in(app, "ned", roles=["near"]).get(of_frame).text
    store.cancel("outsourced", made)
    assert "Went into" not in ann.get(of_steel).text


def test_a_dimension_is_called_like_the_records_it_holds(app: Flask, store: Store) -> None:
    with reading():
        titles = [each.title.render("zh-CN") for each in get_ledger("stock").dimensions.values()]
    assert titles == [get_form(key).title("zh-CN") for key in ("item", "place", "lot")]
    assert "item" not in titles


def test_balances_as_of_a_date_leave_out_what_came_later(app: Flask, store: Store) -> None:
    store.buy("10", "1", day="2026-03-01")
    store.buy("7", "1", day="2026-03-09")
    ann = sign_in(app, "ann", administrator=True)
    assert ">17<" in ann.get("/ledgers/stock").text
    assert ">10<" in ann.get("/ledgers/stock?day=2026-03-05").text


def test_periods_are_called_after_the_ledgers_they_close(app: Flask, store: Store) -> None:
    periods.close(SYSTEM, "accounting", date(2026, 1, 15))
    page = sign_in(app, "ann", administrator=True).get("/ledgers").text
    assert (
        'Periods <span class="text-secondary">General · Stock</span>' in page and ">accounting<" not in page
    )


def test_a_record_shows_its_entries_and_can_be_tried_before(app: Flask, store: Store) -> None:
    ann = sign_in(app, "ann", administrator=True)
    store.buy("10", "2")
    line = {"item": store.bolt, "quantity": "4"}
    draft = service.create(SYSTEM, "issue", {"day": "2026-03-02", "place": store.main, "lines": [line]})
    assert f"/ledgers/try/issue/{draft['id']}" in ann.get(f"/f/issue/{draft['id']}").text
    tried = ann.get(f"/ledgers/try/issue/{draft['id']}").text
    assert "fl-tried-of" in tried and "Issue" in tried
    assert "-8.00" in tried and store.there() == (10, 20)
    service.set_state(SYSTEM, "issue", draft["id"], "done")
    assert "Entries in ledgers" in ann.get(f"/f/issue/{draft['id']}").text


def test_a_closed_period_takes_nothing_until_it_is_opened_again(app: Flask, store: Store) -> None:
    ann = sign_in(app, "ann", administrator=True)
    assert post(ann, what="close", through="2026-03-31") == 303
    assert "2026-03-31" in ann.get("/ledgers").text
    with pytest.raises(Exception, match="closed"):
        store.buy("1", "1", day="2026-03-31")
    assert post(ann, what="reopen", through="2026-02-28", reason="") == 422
    assert post(ann, what="reopen", reason="all of them, unasked") == 422
    assert "2026-03-31" in ann.get("/ledgers").text
    assert post(ann, what="reopen", through="2026-02-28", reason="late bill") == 303
    shown = ann.get("/ledgers").text
    assert "opened the days after 2026-02-28 again on" in shown and "late bill" in shown
    assert "Close through {through}?" in shown  # what is chosen there comes into the question
    store.buy("1", "1", day="2026-03-31")
    assert store.there() == (1, 1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a page needs no database of its own
def test_nothing_is_closed_more_than_a_year_ahead(app: Flask, store: Store) -> None:
    ann, day = sign_in(app, "ann", administrator=True), clock.today("UTC")
    assert post(ann, what="close", through="9999-12-31") == 422
    assert periods.closed_through("accounting") is None
    with pytest.raises(Invalid, match="too far ahead"):
        periods.close(SYSTEM, "accounting", day + timedelta(days=370))
    periods.close(SYSTEM, "accounting", day + timedelta(days=360))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a page needs no database of its own
def test_closing_shows_what_is_not_entered_yet_and_closes_all_the_same(app: Flask, store: Store) -> None:
    ann = sign_in(app, "ann", administrator=True)
    periods.close(SYSTEM, "accounting", date(2026, 2, 28))
    for day in ("2026-02-27", "2026-03-02", "2026-03-31", "2026-04-01"):
        service.create(SYSTEM, "issue", {"day": day, "place": store.main})
    gone = service.create(SYSTEM, "issue", {"day": "2026-03-03", "place": store.main})
    service.set_state(SYSTEM, "issue", gone["id"], "cancelled")
    assert post(ann, what="close", through="2026-03-31") == 303
    assert periods.closed_through("accounting") == date(2026, 2, 28)
    asked = ann.get("/ledgers?close=accounting&through=2026-03-31").text
    ((way, title, count),) = re.findall(r'<li><a href="([^"]+)">([^<]+)</a> (\d+)', asked)
    assert (title, count) == ("Issue", "2")
    shown = ann.get(html.unescape(way)).text
    assert "2026-03-02" in shown and "2026-03-31" in shown and "2026-04-01" not in shown.split("<tbody")[1]
    assert post(ann, what="close", through="2026-03-31", sure="1") == 303
    assert periods.closed_through("accounting") == date(2026, 3, 31)


def test_a_grant_gives_some_rows_and_some_measures(app: Flask, store: Store) -> None:
    other = store.make("place", "other")
    store.buy("10", "33")
    store.buy("5", "77", place=other)
    grant = {
        "id": "g1",
        "ledger": "stock",
        "may": ["view"],
        "where": 'place.name = "main"',
        "except": ["value"],
    }
    definitions.publish_many(SYSTEM, [{**head("role", "keeper"), "grants": [grant]}], "test")
    bob = sign_in(app, "bob", roles=["keeper"])
    page = bob.get("/ledgers/stock").text
    assert ">10<" in page and ">5<" not in page and "330.00" not in page
    assert "330.00" not in bob.get(f"/ledgers/stock/entries?d.item={store.bolt}").text
    assert bob.get("/ledgers/general").status_code == 403
    assert post(bob, what="close", through="2026-01-31") == 403


def test_whoever_sees_no_ledger_has_no_menu_for_it(app: Flask, store: Store) -> None:
    cat = sign_in(app, "cat")
    assert "/ledgers" not in cat.get("/").text
    assert cat.get("/ledgers").status_code == 403


def test_open_items_stand_by_days_overdue_with_borders_of_ones_own(app: Flask) -> None:
    store = Store(INVOICE, INVOICED)
    party = store.make("party", "Acme")
    for due, amount in (("2026-03-31", "30"), ("2026-03-01", "50")):
        store.do("invoice", party=party, lines=[{"due": due, "amount": amount}])
    ann = sign_in(app, "ann", administrator=True)
    page = ann.get("/ledgers/general/open?day=2026-03-11&borders=0,10").text
    assert "Acme" in page and "10+" in page and "0–9" in page
    assert page.index(">30.00<") < page.index(">50.00<")
    assert ann.get("/ledgers/general/open?borders=soon").status_code == 422
    assert ann.get("/ledgers/stock/open").status_code == 404


def tried(browser: FlaskClient, address: str, **values: Any) -> str:
    page = browser.get("/f/issue/new").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    return browser.post(address, data={"csrf_token": token[1], **values}).text


def test_what_is_being_filled_in_is_tried_before_it_is_saved(app: Flask, store: Store) -> None:
    store.buy("10", "2")
    ann = sign_in(app, "ann", administrator=True)
    assert 'hx-post="/ledgers/try/issue"' in ann.get("/f/issue/new").text
    line = {"lines.0.item": str(store.bolt), "lines.0.quantity": "4"}
    found = tried(ann, "/ledgers/try/issue", day="2026-03-02", place=str(store.main), **line)
    assert "-8.00" in found and store.there() == (10, 20)
    assert listing.list_records(SYSTEM, get_form("issue"), Query()).rows == []
    missing = tried(ann, "/ledgers/try/issue", day="someday", place=str(store.main), **line)
    assert "Date: " in missing
    too_much = tried(ann, "/ledgers/try/issue", day="2026-03-02", place=str(store.main),
                     **{**line, "lines.0.quantity": "11"})  # fmt: skip
    assert "not enough" in too_much.lower() and store.there() == (10, 20)


def test_a_change_is_tried_with_the_values_on_the_page(app: Flask, store: Store) -> None:
    store.buy("10", "2")
    ann = sign_in(app, "ann", administrator=True)
    draft = service.create(SYSTEM, "issue", {"day": "2026-03-02", "place": store.main,
                                             "lines": [{"item": store.bolt, "quantity": "4"}]})  # fmt: skip
    line = draft["lines"][0]
    given = {"lines.0.id": str(line["id"]), "lines.0.item": str(store.bolt), "lines.0.quantity": "5"}
    found = tried(
        ann, f"/ledgers/try/issue?record={draft['id']}", day="2026-03-02", place=str(store.main), **given
    )
    assert "-10.00" in found
    assert reads.get_record(SYSTEM, "issue", draft["id"])["lines"][0]["quantity"] == 4


def test_nobody_tries_what_they_may_not_save(app: Flask, store: Store) -> None:
    publish(role("viewer", {"form": "issue", "may": ["view"]}, {"ledger": "stock", "may": ["view"]}))
    eve = sign_in(app, "eve", roles=["viewer"])
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', eve.get("/me").text)
    assert token
    answer = eve.post("/ledgers/try/issue", data={"csrf_token": token[1], "day": "2026-03-02"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("grants", "there", "missing"),
    [
        (
            [{"ledger": "stock", "may": ["view"], "except": ["value"]}],
            (">-4", "also enter what you may not see"),
            ("-8.00",),
        ),
        ([], ("make entries that you may not see",), (">-4", "enter nothing")),
    ],
)
def test_who_may_not_see_all_is_shown_what_they_may_and_told_that_there_is_more(
    app: Flask, grants: list[dict[str, Any]], there: tuple[str, ...], missing: tuple[str, ...], store: Store
) -> None:
    store.buy("10", "2")
    forms = [{"form": key, "may": ["view", "create"]} for key in ("issue", "item", "place", "lot")]
    publish(role("keeping", *forms, *grants))
    keeper = sign_in(app, "keeper", roles=["keeping"])
    line = {"lines.0.item": str(store.bolt), "lines.0.quantity": "4"}
    found = tried(keeper, "/ledgers/try/issue", day="2026-03-02", place=str(store.main), **line)
    assert all(each in found for each in there) and not any(each in found for each in missing)
