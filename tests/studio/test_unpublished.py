"""Forms and workflows that were never published are played on typed values, and nothing of them stays."""

import pytest
from sqlalchemy import inspect

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.forms import listing
from formloop.forms import service as forms
from formloop.forms.kind import get_form
from studio.test_pages import HTMX
from studio.test_panel import FLOW


@pytest.fixture
def client(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    return studio.client(studio.mei)


def test_a_workflow_that_was_never_published_is_played_with_typed_values_from_any_step(studio, client):
    first = {**FLOW["steps"][0], "who": [{"rule": "initiator"}], "title": "Boss looks"}
    end = {
        "id": "last",
        "node": "approval",
        "who": [{"rule": "initiator"}],
        "title": "Last look",
        "fields": {"*": "view"},
    }
    big = {"id": "big", "when": "quantity > 1", "steps": [{**end, "id": "large", "title": "Large one"}]}
    choice = {"id": "choice", "node": "condition", "branches": [big, {"id": "rest", "steps": []}]}
    doc = {**FLOW, "steps": [first, choice, end]}
    definitions.save_draft(studio.mei, "workflow", doc, None)
    designer = client.get(f"/studio/{doc['x-id']}?at=steps/choice/branches/big").text
    assert "/cases/play/flow?from=choice" in designer
    assert client.get("/cases/play/flow").status_code == 200
    led = client.get("/cases/play/flow?back=/studio/0000001b").text
    assert 'href="/studio/0000001b"' in led
    assert "elsewhere.example" not in client.get("/cases/play/flow?back=https://elsewhere.example/").text

    def play(**said):
        answer = client.post("/cases/play/flow", data={"_action": "play", **said}, headers=HTMX)
        assert answer.status_code == 200
        shown = answer.text[answer.text.index('aria-live="polite"') :]
        return [title for title in ("Boss looks", "Large one", "Last look") if title in shown]

    assert play(**{"item": "Drill", "quantity": "5"}) == ["Boss looks", "Large one", "Last look"]
    assert play(**{"item": "Drill", "quantity": "1"}) == ["Boss looks", "Last look"]
    assert play(**{"_from": "choice", "item": "Drill", "quantity": "5"}) == [
        "Large one",
        "Last look",
    ]
    assert play(**{"_from": "large", "item": "Drill", "quantity": "1"}) == [
        "Large one",
        "Last look",
    ]
    assert client.post("/cases/play/flow", data={"_from": "nowhere"}, headers=HTMX).status_code == 404
    assert listing.list_records(studio.mei, get_form("request"), listing.Query()).rows == []  # nothing stays
    assert "/cases/play-given/request" in client.get("/f/request/new").text
    given = client.post(
        "/cases/play-given/request", data={"item": "Drill", "quantity": "5"}, headers=HTMX
    ).text
    assert "Large one" in given
    unknown = {**doc, "x-id": "0000005a", "x-key": "other_flow", "form": "nothing"}
    definitions.save_draft(studio.mei, "workflow", unknown, None)
    assert client.get("/cases/play/other_flow").status_code == 409
    assert "There is no form for it yet" in client.get("/studio/0000005a").text


LINKED = {
    "x-kind": "form",
    "x-id": "0000006a",
    "x-key": "wish",
    "title": "Wish",
    "type": "object",
    "properties": {
        "what": {"type": "string", "title": "What"},
        "amount": {"type": "number", "title": "Amount"},
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {
                    "quantity": {"type": "number", "title": "Quantity"},
                    "price": {"type": "number", "title": "Price"},
                    "sum": {"type": "number", "title": "Sum", "x-formula": "quantity * price"},
                },
            },
        },
        "total": {
            "type": "number",
            "title": "Total",
            "x-formula": "SUM(lines.sum) + IF(ISBLANK(amount), 0, amount)",
        },
        "from_shop": {
            "type": "integer",
            "x-type": "relation",
            "title": "Shop",
            "x-relation": {"form": "shop"},
        },
    },
}
SHOP = {
    "x-kind": "form",
    "x-id": "0000006b",
    "x-key": "shop",
    "title": "Shop",
    "type": "object",
    "properties": {"name": {"type": "string", "title": "Name"}},
}
ASKED = {
    **FLOW,
    "x-id": "0000006c",
    "x-key": "wish_flow",
    "form": "wish",
    "steps": [
        {"id": "large", "node": "condition", "branches": [
            {"id": "yes", "when": "total > 100", "steps": [
                {"id": "boss", "node": "approval", "title": "Boss", "who": [{"rule": "people", "people": ["lin"]}]}
            ]},
            {"id": "no", "steps": []},
        ]},
        {"id": "noted", "node": "data", "do": "create", "form": "shop", "values": {"name": "what"}},
    ],
}  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_a_workflow_and_a_form_that_were_never_published_are_played_on_typed_values(studio, client):
    for kind, doc in (("form", LINKED), ("form", SHOP), ("workflow", ASKED)):
        definitions.save_draft(studio.mei, kind, doc)
    assert 'href="/cases/play/wish_flow?back=%2Fstudio%2F0000006c"' in client.get("/studio/0000006c").text
    page = client.get("/cases/play/wish_flow").text
    assert "Never published: Wish, Shop" in page and 'name="amount"' in page
    assert "/f/wish/new" not in page  # where nothing is yet
    may_little = people.add_person(SYSTEM, "eve", "Eve")
    lines = {
        "lines.lines": "1",
        "lines.0.quantity": "6",
        "lines.1000.quantity": "2",
        "lines.1000.price": "100",
    }
    for typed, asked in (({"amount": "500"}, True), ({"amount": "5"}, False), (lines, True)):
        given = {"_action": "play", "_initiator": may_little, "what": "A saw", **typed}
        shown = client.post("/cases/play/wish_flow", data=given, headers=HTMX).text
        played = shown.partition('aria-live="polite"')[2].partition("</section>")[0]
        assert ("Boss" in played and "Lin" in played) is asked and "Shop" in played, played
        assert "alert" not in played and "Approved" in played
    gone = client.post("/cases/play/wish_flow", data={"_action": "play", "_record": "7"}, headers=HTMX)
    assert gone.status_code == 200
    for key in ("wish", "shop"):  # nothing stays
        assert definitions.find_by_key("form", key).version is None and not has_table(key)
    definitions.publish_drafts(studio.mei, [each["x-id"] for each in (LINKED, SHOP, ASKED)])
    assert client.post("/cases/play/wish_flow", data=given, headers=HTMX).status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"properties": {"a": 1}}, {"properties": {"a": {"type": "number", "x-formula": "1 +"}}}]
)
def test_a_form_with_mistakes_is_not_played_and_they_are_said(studio, client, wrong):
    definitions.save_draft(studio.mei, "form", {**SHOP, **wrong})
    definitions.save_draft(studio.mei, "workflow", {**ASKED, "form": "shop", "steps": []})
    page = client.get("/cases/play/wish_flow").text
    assert "“Shop”, which was never published and is needed:" in page
    assert page.count("disabled") >= 2  # both ways to play it
    assert client.post("/cases/play/wish_flow", data={"_action": "play"}).status_code == 422


def test_lines_that_are_typed_for_a_play_are_calculated_and_another_one_is_added_without_a_script(
    studio, client
):
    for kind, doc in (("form", LINKED), ("form", SHOP), ("workflow", ASKED)):
        definitions.save_draft(studio.mei, kind, doc)
    typed = {"lines.lines": "1", "lines.0.quantity": "6", "lines.0.price": "3", "amount": "1"}
    told = client.post("/cases/play/wish_flow/answer", data={**typed, "_changed": "lines.0.price"}).json
    assert told["values"]["lines.0.sum"]["text"] == "18" and told["values"]["total"]["text"] == "19"
    page = client.post("/cases/play/wish_flow", data={**typed, "_add": "lines"}).text
    assert 'name="lines.1.quantity"' in page and 'name="lines.0.quantity"' in page and "19" in page
    assert "How it would go" not in page


def has_table(name):
    with reading() as conn:
        return inspect(conn).has_table(name)


def test_a_draft_with_problems_is_not_played_and_says_them(studio, client):
    definitions.save_draft(studio.mei, "workflow", {**FLOW, "steps": [{**FLOW["steps"][0], "who": []}]}, None)
    answer = client.post("/cases/play/flow", data={"_action": "play"}, headers=HTMX)
    assert (answer.status_code == 422 and "fl-problem" in answer.text) or "alert" in answer.text


def test_whoever_only_designs_plays_what_was_never_published(studio):
    design = {"id": "design", "on": "definition", "may": ["design"]}
    designs = {
        "x-kind": "role",
        "x-id": "0000006d",
        "x-key": "designs",
        "title": "Designs",
        "grants": [design],
    }
    definitions.publish_many(SYSTEM, [designs])
    bella = get_actor(people.add_person(SYSTEM, "bella", "Bella", roles=["designs"]))
    for kind, doc in (("form", LINKED), ("form", SHOP), ("workflow", ASKED)):
        definitions.save_draft(bella, kind, doc)
    studio.app.config["WTF_CSRF_ENABLED"] = False
    client = studio.client(bella)
    assert "yourself" not in client.get("/cases/play/wish_flow").text
    given = {"_action": "play", "what": "A saw", "amount": "500"}
    answer = client.post("/cases/play/wish_flow", data=given, headers=HTMX)
    assert answer.status_code == 200 and "Boss" in answer.text and "yourself" not in answer.text


def test_the_preview_of_a_form_never_published_offers_records_of_published_ones(studio, client):
    relation = {"type": "integer", "x-type": "relation", "title": "Which", "x-relation": {"form": "request"}}
    fields = {
        "which": relation,
        "member": {"type": "integer", "x-type": "member", "title": "Who"},
        "like": {"type": "string", "title": "Like", "x-options": {"form": "request", "field": "item"}},
        "lines": {
            "type": "array",
            "title": "L",
            "items": {"type": "object", "properties": {"which": relation}},
        },
        "small": {**relation, "x-relation": {"form": "request", "where": "quantity < this.most"}},
        "most": {"type": "number", "title": "Most"},
    }
    definitions.save_draft(studio.mei, "form", {**SHOP, "properties": fields})
    forms.create(studio.mei, "request", {"item": "Drill", "quantity": "5"})
    page = client.get(f"/studio/{SHOP['x-id']}/preview").text
    at = f"/studio/{SHOP['x-id']}/preview/choices"
    assert "js/choices.js" in page  # what searches them
    assert page.count(f'"{at}/lines.which"') == 2 and f'"{at}/which"' in page  # the line that is added, too
    assert [each["text"] for each in client.get(f"{at}/which?q=dri").json] == ["Drill"]
    assert client.get(f"{at}/lines.which?q=saw").json == []
    assert [each["text"] for each in client.get(f"{at}/member?q=mei").json] == ["Mei"]
    assert [each["text"] for each in client.get(f"{at}/like?q=").json] == ["Drill"]
    assert client.get(f"{at}/small?q=&this.most=3").json == []
    assert len(client.get(f"{at}/small?q=&this.most=9").json) == 1
    assert client.get(f"{at}/nothing").json == []
    definitions.save_draft(studio.mei, "form", {**LINKED, "properties": {"shop": fields["which"]}})
    definitions.save_draft(studio.mei, "workflow", {**ASKED, "steps": []})
    assert [each["text"] for each in client.get("/cases/play/wish_flow/choices/shop").json] == ["Drill"]
    assert "js/choices.js" in client.get("/cases/play/wish_flow").text
