"""Statements for somebody who sees only part of what they are made of say nothing wrong."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from formloop.datasets import service
from formloop.datasets.kind import get_dataset
from packs.trading import Trade, actor_of

Open = Callable[[str], FlaskClient]
NOTE = "You may not see everything this is made of"


def shown(account: str, key: str) -> set[str]:
    return set(service.Reading(actor_of(account), get_dataset(key)).fields)


def test_sections_of_accounts_that_are_not_seen_are_left_out(demo: Flask) -> None:
    Trade().invoice("100", "12")
    assert {"section", "code", "opening_debit"} <= shown("accountant", "trial_balance")
    assert not {"section", "code"} & shown("buyer", "trial_balance")
    assert not {"section", "code", "assets", "claims"} & shown("buyer", "balance_sheet")


def test_a_sum_of_what_nobody_shows_them_is_left_out(demo: Flask) -> None:
    Trade().invoice("100", "12")
    whole = {"ordered", "closed", "received", "invoiced", "billed", "paid", "left"}
    assert whole <= shown("accountant", "order_to_payment")
    assert shown("keeper", "order_to_payment") & whole == {"ordered", "closed", "received"}


def test_the_page_says_that_something_is_missing(people_of_demo: Open) -> None:
    Trade().invoice("100", "12")
    for key in ("trial_balance", "balance_sheet"):
        page = people_of_demo("buyer").get(f"/datasets/{key}").text
        assert NOTE in page and "6 expense" not in page
        assert ("You may not see what tells its rows apart." in page) == (key == "balance_sheet")
        assert NOTE not in people_of_demo("accountant").get(f"/datasets/{key}").text
