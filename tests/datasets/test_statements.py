"""What statements are made of: opening and running totals, subtotals, open items as of a day, documents, the way to
the entries; compared with what the entries themselves add up to."""

import re
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from databases import Begun
from datasets.conftest import dataset
from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.core.definitions import kinds
from formloop.core.errors import Forbidden
from formloop.datasets import service
from formloop.datasets.kind import get_dataset
from formloop.datasets.service import Reading
from formloop.db import reading
from formloop.definitions import library
from formloop.forms.listing import Query
from formloop.ledgers import service as ledgers
from formloop.ledgers.kind import get_ledger
from forms.conftest import publish, role
from ledgers.invoices import INVOICE, INVOICED, PAID, PAYMENT, invoice, pay
from ledgers.store import Store
from ledgers.test_pages import sign_in

SPAN = {
    "since": {"type": "string", "format": "date", "title": "Since"},
    "until": {"type": "string", "format": "date", "title": "Until"},
}
CARD = dataset(
    "card",
    {"ledger": "stock", "of": "entries"},
    {
        "item": "item",
        "day": "IF(date >= parameters.since, date)",
        "document": {"value": "IF(date >= parameters.since, document)", "shows": "document"},
        "moved": "quantity",
        "worth": "value",
    },
    parameters=SPAN,
    where="NOT pending AND date <= parameters.until",
    group=["item", "day", "document"],
    measures={"moved": "SUM(moved)", "worth": {"value": "SUM(worth)", "shows": "amount"}},
    running={
        "there": {"value": "moved", "within": ["item"]},
        "value": {"value": "worth", "within": ["item"]},
    },
    sort=["item", "day", "document"],
    why={"ledger": "stock", "of": {"item": "item"}, "since": "since", "until": "until"},
)
TRIAL = dataset(
    "trial",
    {"ledger": "general", "of": "entries"},
    {
        "kind": {"value": "account.kind", "x-titles": {"stock": {"title": "Stock", "x-title": {"zh-CN": "存货"}},
                                                       "other": {"title": "Other", "x-title": {"zh-CN": "其他"}}}},
        "account": "account", "debit": "debit", "credit": "credit", "before": "date < parameters.since",
    },
    parameters=SPAN,
    where="NOT pending AND date <= parameters.until",
    group=["kind", "account"],
    measures={
        "opening": {"value": "SUMIF(debit - credit, before)", "total": True},
        "debit": {"value": "SUMIF(debit, NOT before)", "total": True},
        "credit": {"value": "SUMIF(credit, NOT before)", "total": True},
        "closing": {"value": "SUM(debit - credit)", "total": True},
    },
    sort=["-kind", "account"],
    why={"ledger": "general", "of": {"account": "account"}, "until": "until"},
)  # fmt: skip
DUE = dataset(
    "due",
    {"ledger": "general", "of": "open", "as_of": "parameters.day"},
    {"party": "party", "left": "left", "late": "parameters.day - COALESCE(due, date)"},
    parameters={
        "day": {"type": "string", "format": "date"},
        "border": {"type": "integer", "default": 30},
    },
    group=["party"],
    measures={
        "not_due": "SUMIF(left, late < 0)",
        "soon": "SUMIF(left, late >= 0 AND late < parameters.border)",
        "late": {
            "value": "SUMIF(left, late >= parameters.border)",
            "title": "From {border} days, {who}",
            "x-title": {"zh-CN": "{border} 天起"},
        },
        "left": "SUM(left)",
    },
)
MARCH = {"since": "2026-03-01", "until": "2026-03-31"}


def reader(*grants: dict[str, Any]) -> Actor:
    publish(role("reader", *grants))
    return get_actor(people.add_person(SYSTEM, "reader", "Reader", roles=["reader"]))


def rows(key: str, actor: Actor = SYSTEM, **given: str) -> list[dict[str, Any]]:
    return service.read_all(actor, key, given)


def stocked() -> Store:
    """February and March of a store: receipts, issues, a correction that came late."""
    store = Store()
    store.make("item", "nut")
    store.buy("10", "1.11", day="2026-02-03")
    store.take("4", day="2026-02-20")
    store.buy("7", "1.30", day="2026-03-02")
    store.buy("3", "0.5", day="2026-03-02", item=store.named["nut"])
    store.take("5", day="2026-03-10")
    store.cancel("issue", store.take("1", day="2026-03-11"))
    store.buy("2", "2.22", day="2026-02-25")
    return store


def entries(ledger: str) -> list[Any]:
    table = get_ledger(ledger).tables.entry
    with reading() as conn:
        return list(conn.execute(select(table).where(table.c.pending.is_(False))).all())


@pytest.fixture
def store(begun: Begun) -> Store:
    ledgers.start()
    return begun(stocked)


def test_a_stock_card_begins_with_what_was_there_and_ends_with_what_is(store: Store) -> None:
    publish(CARD)
    found = [row for row in rows("card", **MARCH) if row["item"] == store.bolt]
    mine = [e for e in entries("stock") if e.d_item == store.bolt]
    before = [e for e in mine if str(e.date) < "2026-03-01"]
    assert found[0]["day"] is None and found[0]["document"] is None
    assert found[0]["there"] == sum(e.m_quantity for e in before) == Decimal(8)
    assert found[0]["value"] == sum(e.m_value for e in before)
    quantity = value = Decimal(0)
    for row in found:
        quantity, value = quantity + row["moved"], value + row["worth"]
        assert (row["there"], row["value"]) == (quantity, value)
    assert (quantity, value) == store.there()
    documents = {row["document"].split(":")[1] for row in found[1:]}
    assert documents == {"receipt", "issue"}


def test_a_running_total_begins_anew_for_each_set_and_knows_what_a_filter_leaves_out(store: Store) -> None:
    publish(CARD)
    found = [row for row in rows("card", **MARCH) if row["item"] == store.named["nut"]]
    assert [row["there"] for row in found] == [Decimal(3)]
    whole = rows("card", **MARCH)
    paged, query = [], Query(limit=1)
    while True:
        page = service.list_rows(SYSTEM, "card", query, MARCH)
        paged += page.rows
        if page.next is None:
            break
        query = Query(limit=1, after=page.next)
    assert paged == whole


def test_a_trial_balance_carries_each_account_from_opening_to_closing(store: Store) -> None:
    publish(TRIAL)
    found = rows("trial", **MARCH)
    for row in found:
        mine = [
            e for e in entries("general") if e.d_account == row["account"] and str(e.date) <= "2026-03-31"
        ]
        assert row["closing"] == sum(e.m_debit - e.m_credit for e in mine)
        assert row["opening"] + row["debit"] - row["credit"] == row["closing"]
    assert sum(row["closing"] for row in found) == sum(row["opening"] for row in found) == 0
    assert any(row["opening"] for row in found)


def test_subtotals_add_up_what_belongs_together(store: Store) -> None:
    publish({**TRIAL, "subtotals": ["kind"], "sort": ["kind", "account"]})
    found = Reading(SYSTEM, library.published("dataset", "trial"), MARCH).subtotals(Query(), ["closing"])
    assert found["stock",]["closing"] == -found["other",]["closing"] != 0


def test_open_items_are_those_of_the_day_that_is_asked_for(database: Any) -> None:
    store = Store(INVOICE, INVOICED, PAYMENT, PAID)
    publish(DUE)
    party = store.make("party", "Acme")
    billed = invoice(store, "100", day="2026-03-01", dues=("2026-03-31",))
    pay(store, billed, "40", day="2026-05-01")
    assert [row["left"] for row in rows("due", day="2026-02-28")] == []
    assert [(r["party"], r["not_due"], r["soon"], r["late"]) for r in rows("due", day="2026-03-30")] == [
        (party, Decimal(100), 0, 0)
    ]
    assert [row["soon"] for row in rows("due", day="2026-03-31")] == [Decimal(100)]
    assert [row["late"] for row in rows("due", day="2026-04-30")] == [Decimal(100)]
    assert [row["late"] for row in rows("due", day="2026-05-01")] == [Decimal(60)]


def test_what_is_hidden_of_a_ledger_is_hidden_of_its_open_items(database: Any) -> None:
    store = Store(INVOICE, INVOICED)
    publish(DUE)
    store.make("party", "Acme")
    invoice(store, "100")
    blind = reader({"ledger": "general", "may": ["view"], "except": ["debit"]})
    assert [row["left"] for row in rows("due", blind, day="2026-04-30")] == [None]


def test_a_sum_of_what_is_hidden_everywhere_is_not_shown_as_nothing(store: Store) -> None:
    by_item = dataset("by_item", {"dataset": "card", "parameters": {"since": "parameters.since", "until": "parameters.until"}},
                      {"item": "item", "worth": "worth", "moved": "moved"}, parameters=SPAN, group=["item"],
                      measures={"worth": "SUM(worth)", "moved": "SUM(moved)"})  # fmt: skip
    publish(CARD, by_item)
    keeper = reader({"ledger": "stock", "may": ["view"], "except": ["value"]})
    card = Reading(keeper, library.published("dataset", "card"), MARCH)
    assert "moved" in card.fields and not {"worth", "value"} & card.fields.keys()
    assert list(Reading(keeper, library.published("dataset", "by_item"), MARCH).fields) == ["item", "moved"]
    whole = Reading(SYSTEM, library.published("dataset", "card"), MARCH)
    assert {"worth", "value"} <= whole.fields.keys()


def test_seeing_a_ledger_is_not_yet_exporting_it(store: Store) -> None:
    publish(CARD)
    seeing = reader({"ledger": "stock", "may": ["view"]})
    card = library.published("dataset", "card")
    assert Reading(seeing, card, MARCH).page(Query()).rows
    with pytest.raises(Forbidden):
        Reading(seeing, card, MARCH, actions=("view", "export"))
    publish(role("reader", {"ledger": "stock", "may": ["view"]},
                 {"ledger": "stock", "may": ["export"], "where": 'item.name = "nut"'}))  # fmt: skip
    taking = get_actor(seeing.person_id)
    found = Reading(taking, card, MARCH, actions=("view", "export")).page(Query()).rows
    assert [row["moved"] for row in found] == [Decimal(3)]


def test_the_page_links_documents_and_leads_to_the_entries_of_the_same_days(app: Flask, store: Store) -> None:
    publish(CARD, {**TRIAL, "subtotals": ["kind"], "sort": ["kind", "account"], "menu": True})
    ann = sign_in(app, "ann", administrator=True)
    page = ann.get("/datasets/card?p.since=2026-03-01&p.until=2026-03-31").text
    assert re.search(r'<a href="/f/receipt/\d+">Receipt ', page)
    assert "/datasets/trial" in page  # in the menu
    to = f"/ledgers/stock/entries?d.item={store.bolt}&amp;since=2026-03-01&amp;until=2026-03-31"
    assert to in page
    why = ann.get(to.replace("&amp;", "&")).text
    assert "2026-03-02" in why and "2026-02-03" not in why
    trial = ann.get("/datasets/trial?p.since=2026-03-01&p.until=2026-03-31").text
    assert trial.count('class="fl-subtotal"') == 2 and "Stock" in trial
    ann.set_cookie("formloop_locale", "zh-CN")
    assert "存货" in ann.get("/datasets/trial?p.since=2026-03-01&p.until=2026-03-31").text


def test_a_reader_of_a_part_is_told_that_totals_may_be_too_small(app: Flask, store: Store) -> None:
    both = dataset("both", {"ledger": "stock"}, {"item": "item", "worth": "value"},
                   union=[{"from": {"ledger": "general"}, "columns": {"worth": "debit"}}])  # fmt: skip
    publish(both, role("keeper", {"ledger": "stock", "may": ["view"]}))
    text = "totals too small"
    assert text in sign_in(app, "kim", roles=["keeper"]).get("/datasets/both").text
    assert text not in sign_in(app, "ann", administrator=True).get("/datasets/both").text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("more", "code", "at"),
    [
        ({"running": {"moved": {"value": "worth"}}}, "duplicate", "running.moved"),
        ({"running": {"r": {"value": "item"}}}, "no_number", "running.r.value"),
        ({"running": {"r": {"value": "worth", "within": ["x"]}}}, "no_column", "running.r.within"),
        ({"subtotals": ["day"]}, "subtotals", "subtotals"),
        ({"why": {"ledger": "none", "of": {"item": "item"}}}, "no_ledger", "why.ledger"),
        ({"why": {"ledger": "stock", "of": {"x": "item"}}}, "no_dimension", "why.of.x"),
        ({"why": {"ledger": "stock", "of": {"item": "x"}}}, "no_column", "why.of.item"),
        ({"why": {"ledger": "stock", "of": {"item": "item"}, "since": "x"}}, "no_parameter", "why.since"),
        ({"leads": {"dataset": "none", "of": {"item": "item"}}}, "no_dataset", "leads.dataset"),
        ({"leads": {"dataset": "card", "of": {"x": "item"}}}, "no_column", "leads.of.x"),
        ({"leads": {"dataset": "card", "of": {"item": "x"}}}, "unknown_name", "leads.of.item"),
        ({"from": {"ledger": "stock", "of": "entries", "as_of": "TODAY()"}}, "as_of", "from.as_of"),
        ({"from": {"ledger": "stock", "of": "open"}}, "no_open_items", "from.of"),
    ],
)
def test_a_mistake_is_told_with_its_place(database: Any, more: Any, code: str, at: str) -> None:
    Store()
    publish(CARD)
    problems = kinds.get("dataset").check(
        {**CARD, "x-id": "0f0f0f0f", "x-key": "other", **more}, library.VIEW
    )
    assert (code, at) in [(problem.code, problem.at) for problem in problems]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a title needs no database of its own
def test_a_column_is_called_by_the_value_of_the_parameter_it_names(database: Any) -> None:
    Store()
    publish(DUE)
    called = Reading(SYSTEM, get_dataset("due"), {"border": "45"}).fields["late"]
    assert (called.title("en"), called.title("zh-CN")) == ("From 45 days, {who}", "45 天起")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a page needs no database of its own
def test_a_row_leads_to_rows_of_another_dataset_with_the_days_that_were_chosen(app: Flask) -> None:
    store = Store()
    store.buy("10", "2", day="2026-03-02")
    store.buy("1", "3", day="2026-03-03", item=store.make("item", "nut"))
    few = {
        "dataset": "card",
        "of": {"item": "IF(moved > 5, item)"},
        "title": "Show",
        "x-title": {"zh-CN": "查看"},
    }
    moved = dataset(
        "moved",
        {"dataset": "card", "parameters": {"since": "parameters.since", "until": "parameters.until"}},
        {"item": "item", "moved": "moved"},
        parameters=SPAN, group=["item"], measures={"moved": "SUM(moved)"}, leads=few,
    )  # fmt: skip
    publish(CARD, moved, role("keeper", {"ledger": "stock", "may": ["view"]}))
    asked = "/datasets/moved?p.since=2026-03-01&p.until=2026-03-31"
    page = sign_in(app, "kim", roles=["keeper"]).get(asked).text
    to = f"/datasets/card?p.since=2026-03-01&amp;p.until=2026-03-31&amp;f.item.is={store.bolt}"
    assert re.findall(r'<a class="btn btn-sm" href="([^"]+)">Show</a>', page) == [to]
