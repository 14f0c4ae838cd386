"""Why a number is what it is: the very number that was clicked, by day, with what changed a value later."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from formloop.access.actor import SYSTEM
from formloop.ledgers import explaining
from packs.trading import Trade, named

Open = Callable[[str], FlaskClient]


def test_the_balance_of_the_sides_is_told_with_how(people_of_demo: Open) -> None:
    trade = Trade()
    trade.invoice("100", "12")
    trade.send_back("10")
    trade.credit("10", "12")
    account, books = named("account", code="2202"), people_of_demo("accountant")
    page = books.get(f"/ledgers/general/entries?d.account={account}&d.supplier={trade.supplier}").text
    assert "Balance (Debit − Credit)" in page and ">-1,220.40<" in page


def test_entries_stand_by_their_day_whatever_was_entered_first(demo: Flask) -> None:
    trade = Trade()
    trade.issue("5")
    trade.day = trade.day.replace(day=1)
    trade.issue("6")
    found = explaining.list_entries(SYSTEM, "stock", {"item": trade.item})
    days = [each.day for each in found]
    assert days == sorted(days, reverse=True)
    paged = explaining.list_entries(SYSTEM, "stock", {"item": trade.item}, limit=1)
    while more := explaining.list_entries(SYSTEM, "stock", {"item": trade.item}, None, paged[-1].id, 1):
        paged += more
    assert [each.id for each in paged] == [each.id for each in found]


def test_a_value_that_is_changed_later_says_by_what_from_what_to_what(
    people_of_demo: Open,
) -> None:
    trade = Trade()
    used = trade.do("stock_out", [{"item": trade.item, "quantity": "40"}], warehouse=trade.place)
    bill = trade.invoice("100", "12")
    found = explaining.list_of_record(SYSTEM, "stock_out", used)
    (moved,) = [each for each in found if each.ledger.key == "stock"]
    (change,) = moved.changes
    assert moved.changed_later and change.source and change.source.record == bill
    assert change.amounts == {"value": (-400, -480)}
    again = [
        change
        for each in explaining.list_of_record(SYSTEM, "purchase_invoice", bill)
        if each.ledger.key == "stock" and each.way == explaining.WAYS["revalued"]
        for change in each.changes
    ]
    assert [(each.later, each.source.record if each.source else 0) for each in again] == [(False, used)]
    books = people_of_demo("accountant")
    assert "This changes the value of" in books.get(f"/f/purchase_invoice/{bill}").text
    assert "Valued again on" in books.get(f"/f/stock_out/{used}").text
