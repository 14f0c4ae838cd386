"""Ledgers and postings as cards: named things, weights, sets, the names another definition gives, and a dry run."""

import json

import pytest
from werkzeug.datastructures import MultiDict

from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds
from formloop.definitions import service as definitions
from formloop.forms import service as records
from formloop.studio import drafting, ledger_designer
from formloop.studio.filling import read_section
from formloop.studio.panel import open_panel
from formloop.studio.pickers import Around, pickers
from ledgers.store import GENERAL, OUT, POSTINGS, STOCK, Store, date, form, lines, link, posting

assert ledger_designer.designers.names()
HTMX = {"HX-Request": "true", "Origin": "http://localhost"}


def opened(doc, *at):
    return open_panel(Around(kinds.get(doc["x-kind"]), doc, "en", {}), at)


@pytest.fixture
def client(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    with studio.app.app_context():
        yield studio.client(studio.mei)


def test_a_ledger_is_drawn_as_named_things_weights_and_sets(studio):
    doc = {**GENERAL, "balances": [["account"], ["account", "party"]]}
    found = opened(doc).parts()
    members = {part.at: part for part in found if hasattr(part, "members")}
    dimensions = members["dimensions",]
    assert [place[-1] for place, _, _ in dimensions.members] == ["account", "party"] and dimensions.named
    assert json.loads(members["measures",].offers[0][1]) == {"scale": 0}
    sums = [part for _, _, inner in members["balanced",].members for part in inner if part.at[-1] == "sum"]
    assert sums[0].rows == [("debit", "debit", 1), ("credit", "credit", -1)]
    (section,) = [part for part in found if "v-balances" in getattr(part, "inputs", {})]
    made = section.inputs["v-balances"][1]
    assert made.shown(doc["balances"]) == "account\naccount, party"
    assert made.kept(made.shown(doc["balances"])) == doc["balances"]


def test_keys_of_limits_and_names_of_entries_in_formulas_are_folded_away(studio):
    def folded(doc, *at):
        members = next(part for part in opened(doc).parts() if part.at == at).members
        return [
            {name for part in parts for name in getattr(part, "inputs", {}) if getattr(part, "more", False)}
            for _, _, parts in members
        ]

    Store()
    doc = {**STOCK, "balanced": GENERAL["balanced"]}
    for at in ("never", "balanced", "agrees"):
        assert folded(doc, at) == [{"v-id"}], at
    assert all({"v-id"} <= each for each in folded(POSTINGS[0], "entries"))


def test_an_entry_offers_the_dimensions_and_measures_of_its_ledger(studio):
    Store()
    entry = {"ledger": "general", "account": "settings.bank", "debit": {"share": "total", "by": "1"}}
    doc = posting("sold", "receipt", entry)
    ((_, called, parts),) = next(part for part in opened(doc).parts() if part.at == ("entries",)).members
    inputs = {name for part in parts for name in getattr(part, "inputs", {})}
    assert called == "General" and {"v-ledger", "v-account", "v-party", "v-credit"} <= inputs
    shared = [part for part in parts if part.at[-1] == "debit"]
    assert [set(part.inputs) for part in shared] == [{"v-share", "v-by"}]


def test_an_entry_offers_lines_of_its_form_and_of_what_the_form_names(studio):
    freight = form(
        "freight",
        day=date(),
        bought=link("Bought by", "receipt"),
        parts=lines(cost=link("Freight", "cost_added")),
    )
    Store(freight)
    doc = posting("carried", "freight", {"ledger": "general", "account": "settings.bank", "debit": "1"})
    assert dict(pickers.get("lines_beyond")(Around(kinds.get("posting"), doc, "en", {}))) == {
        "parts": "Lines", "bought.lines": "Bought by · Lines", "parts.cost.lines": "Lines · Freight · Lines",
    }  # fmt: skip


def test_what_a_panel_cannot_show_is_not_lost(studio):
    doc = posting("sold", "receipt", {"ledger": "general", "each": "", "debit": "1"})
    panel = opened(doc, "entries", "0")
    operations, wrong = read_section(
        panel, MultiDict({"v-when": "day > TODAY()", "v-each": "", "v-ledger": "general"})
    )
    assert not wrong and [each.at for each in operations] == [("entries", "0", "when")]
    both = {**GENERAL, "dimensions": {"party": {"form": ["party", "item"]}}}
    panel = opened(both, "dimensions", "party")
    operations, _ = read_section(
        panel, MultiDict([("v-form", "party"), ("v-form", "item"), ("v-optional", "1")])
    )
    assert [(each.at[-1], each.value) for each in operations] == [("optional", True)]


def test_a_measure_is_added_by_its_name_and_weighed(studio, client):
    Store()
    at = f"/studio/{GENERAL['x-id']}"

    def do(act, **values):
        revision = drafting.open_desk(studio.mei, GENERAL["x-id"]).revision
        answer = client.post(f"{at}/do/{act}", data={"revision": revision, **values}, headers=HTMX)
        assert answer.status_code == 200
        return drafting.open_desk(studio.mei, GENERAL["x-id"]).doc

    assert "Dimensions" in client.get(at).text
    doc = do("add-named", at="measures", title="Foreign amount", value='{"scale": 2}')
    assert doc["measures"]["foreign_amount"] == {"title": "Foreign amount", "scale": 2}
    doc = do("set", at="balanced/voucher/sum/foreign_amount", value="-1")
    assert doc["balanced"][0]["sum"] == {"debit": 1, "credit": -1, "foreign_amount": -1}
    assert [
        p
        for p in drafting.check(studio.mei, drafting.open_desk(studio.mei, GENERAL["x-id"]))
        if p.severity == "error"
    ] == []


def test_the_draft_of_a_posting_is_tried_on_a_record(studio, client):
    store = Store()
    store.buy("10", "2")
    issue = records.create(SYSTEM, "issue", {"day": "2026-03-02", "place": store.main,
                                             "lines": [{"item": store.bolt, "quantity": "4"}]})  # fmt: skip
    doc = next(each for each in POSTINGS if each["x-key"] == "issue_posting")
    assert str(issue["id"]) in client.get(f"/studio/{doc['x-id']}").text
    tried = client.get(f"/studio/{doc['x-id']}/try?record={issue['id']}").text
    assert "-8.00" in tried
    draft = {**doc, "entries": [{**OUT, "quantity": "-2 * line.quantity"}, *doc["entries"][1:]]}
    definitions.save_draft(studio.mei, "posting", draft)
    assert "-16.00" in client.get(f"/studio/{doc['x-id']}/try?record={issue['id']}").text
    assert store.there() == (10, 20)
    wrong = {**doc, "entries": [{"ledger": "nothing", "quantity": "1"}]}
    definitions.save_draft(studio.mei, "posting", wrong)
    assert "nothing" in client.get(f"/studio/{doc['x-id']}/try?record={issue['id']}").text
