"""Bridges are designed as pairs between two sides: suggestions, acts, formulas, and the draft tried on records."""

import pytest

from bridges.trade import BRIDGE_DOC, set_up
from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.definitions import kinds
from formloop.definitions import service as definitions
from formloop.forms.kind import get_form
from formloop.studio import bridge_design, conditions, drafting, formula
from formloop.studio.designer import designer_of
from formloop.studio.panel import open_panel
from formloop.studio.pickers import Around

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HTMX = {"HX-Request": "true", "Origin": "http://localhost"}
AT = f"/studio/{BRIDGE_DOC['x-id']}"


@pytest.fixture
def trade(studio, begun):
    return begun(set_up)


@pytest.fixture
def client(studio, trade):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    with studio.app.app_context():
        yield studio.client(studio.mei)


@pytest.fixture
def do(studio, client):
    def perform(act, **values):
        revision = drafting.open_desk(studio.mei, BRIDGE_DOC["x-id"]).revision
        answer = client.post(f"{AT}/do/{act}", data={"revision": revision, **values}, headers=HTMX)
        assert answer.status_code == 200, answer.text
        return drafting.open_desk(studio.mei, BRIDGE_DOC["x-id"]).doc

    return perform


def board(**changes):
    return bridge_design.read_board({**BRIDGE_DOC, **changes}, "en")


def test_suggestions_go_by_key_then_by_title_then_by_the_only_record_of_that_form(trade):
    assert board(map={}).suggestions == {
        "source": "line.id",  # what is unique is found by the line it came from
        "item": "line.item",
        "quantity": "line.quantity",
        "customer": "customer",
    }
    assert board().suggestions == {}
    whole = board(map={}, **{"from": {"form": "sales_order", "on": ["created"]}})
    assert whole.suggestions == {"source": "id", "customer": "customer"}


def test_what_somebody_asks_for_is_only_ever_made_and_the_designer_says_so(trade, client):
    assert "“Demand” is made or changed." in client.get(AT).text
    asked = {"from": {"form": "sales_order", "on": ["asked"]}, "run": None, "map": {"customer": "customer"}}
    doc = {key: value for key, value in {**BRIDGE_DOC, **asked, "to": {"form": "demand"}}.items() if value}
    definitions.save_draft(SYSTEM, "bridge", doc)
    page = client.get(AT).text
    assert "A new “Demand” is made." in page and "made or changed" not in page


def test_a_wire_leads_to_each_source_that_an_expression_reads(trade):
    wires = {each.key: each.wires for each in board().pairs}
    assert wires["quantity"] == ["line.delivered", "line.quantity"]
    assert wires["customer"] == ["customer"]
    said = {each.key: each.said for each in board().pairs}
    assert said["item"] == "Item" and said["quantity"] == ""


def test_the_lines_of_what_is_asked_for_are_told_with_what_they_come_of(trade):
    asked = {
        "find": {"form": "demand"},
        "lines": {"into": "lines", "map": {"item": "line.item", "quantity": "1"}},
    }
    told = bridge_design.read_filled(asked, get_form("sales_order"), "en")
    assert (told.title, told.found, told.columns) == (
        "Lines",
        "Demand",
        [("Item", "line.item"), ("Quantity", "1")],
    )
    board_of = bridge_design.read_board({**asked, "to": {"form": "sales_order"}}, "en")
    assert "Lines" not in [each.title for each in board_of.closed]
    assert bridge_design.read_filled({"lines": 7}, get_form("sales_order"), "en") is None


def test_a_half_finished_draft_has_a_board_as_well(trade):
    wrong = {"from": 7, "to": {"form": "nowhere"}, "map": {"item": 1}, "when": []}
    found = bridge_design.read_board({**BRIDGE_DOC, **wrong}, "zh-CN")
    assert (found.source, found.target, found.pairs) == (None, None, [])
    assert [each.expression for each in board(map={"item": "1 +"}).pairs if each.key == "item"] == ["1 +"]


def test_what_a_bridge_cannot_fill_says_why(trade):
    backwards = bridge_design.read_board(
        {"from": {"form": "demand"}, "to": {"form": "sales_order"}, "map": {}}, "en"
    )
    assert [(each.title, str(each.why)) for each in backwards.closed] == [
        ("Lines", "Lines are made by a bridge that somebody asks for, or by a step of a workflow.")
    ]
    assert "lines" not in {each.key for each in backwards.pairs}


def test_a_state_that_nothing_brings_the_source_to_is_told_until_a_workflow_does(trade, client):
    waits = {
        **BRIDGE_DOC,
        "from": {"form": "sales_order", "on": ["created", "state:draft", "state:confirmed"]},
    }
    told = bridge_design.list_warnings(waits, "en")
    assert [(each.at, each.severity) for each in told] == [("from.on.2", "warning")]
    assert "to “Confirmed” so far" in str(told[0].message)
    assert "没有流程" in client.get(AT, headers={"Accept-Language": "zh-CN"}).text
    agree = {"id": "agree", "node": "approval", "who": [{"rule": "head", "level": 1}]}
    workflow = {
        "x-kind": "workflow",
        "x-id": "0000f10e",
        "x-key": "flow",
        "title": "Flow",
        "form": "sales_order",
    }
    definitions.publish_many(SYSTEM, [{**workflow, "steps": [agree]}], "flow")
    assert bridge_design.list_warnings(waits, "en") == []


def test_a_clock_says_when_it_runs_and_that_drafts_come_along_unless_the_condition_says_which(trade, client):
    timed = {**BRIDGE_DOC, "from": {"form": "sales_order", "on": ["clock"], "clock": {"at": "23:44"}}}
    assert bridge_design.clock_words(timed, "en") == "Every day, 23:44"
    assert bridge_design.clock_words({"from": {"clock": {"every": "hour"}}}, "zh-CN") == "每小时 :00"
    agree = {"id": "agree", "node": "approval", "who": [{"rule": "head", "level": 1}]}
    flow = {"x-kind": "workflow", "x-id": "0000f10e", "x-key": "flow", "title": "Flow", "form": "sales_order"}
    assert bridge_design.list_warnings(timed, "en") == []  # nothing is ever a draft there
    definitions.publish_many(SYSTEM, [{**flow, "steps": [agree]}], "flow")
    (told,) = bridge_design.list_warnings({**timed, "when": 'number <> ""'}, "en")
    assert (told.code, told.at, told.severity) == ("any_state", "when", "warning")
    assert bridge_design.list_warnings({**timed, "when": 'state = "confirmed"'}, "en") == []


def test_suggestions_are_accepted_one_by_one_or_all_and_taken_back(do):
    do("remove", at="map/item")
    do("remove", at="map/customer")
    assert "item" not in do("accept", field="customer")["map"]
    do("remove", at="map/customer")
    doc = do("accept")
    assert (doc["map"]["item"], doc["map"]["customer"]) == ("line.item", "customer")
    assert "item" not in do("undo")["map"]


def test_a_pair_is_drawn_and_its_mistake_stands_beside_it(do, client):
    assert do("set", at="map/quantity", value='"line.item.name"')["map"]["quantity"] == "line.item.name"
    page = client.get(AT).text
    assert 'class="fl-pair fl-wrong fl-paired" data-pair="quantity"' in page


def test_the_panel_picks_forms_events_lines_and_keys(trade):
    around = Around(kinds.get("bridge"), BRIDGE_DOC, "en", {})
    fields = {
        name: made.field
        for part in open_panel(around, (), frozenset({"map"})).parts()
        for name, (_, made) in part.inputs.items()
    }
    assert {"v-form", "v-on", "v-each", "v-when", "v-by", "v-removed", "v-run"} <= set(fields)
    assert {"state:confirmed", "amended", "cancelled"} <= set(fields["v-on"]["items"]["enum"])
    assert fields["v-each"]["enum"] == ["lines"]
    assert set(fields["v-by"]["items"]["enum"]) == set(BRIDGE_DOC["map"])


def test_a_formula_sees_the_line_and_gives_what_its_field_takes(studio, trade):
    around = Around(kinds.get("bridge"), BRIDGE_DOC, "en", {})
    scope = designer_of("bridge").scope(around, ("map", "quantity"))
    assert ("line.quantity", "Quantity") in scope.fields
    assert formula.judge(studio.mei, scope, "line.item.name", "en").problems
    trade.order((trade.bolt, "21"))
    assert formula.judge(studio.mei, scope, "line.quantity * 2", "en").result == "42"
    when = designer_of("bridge").scope(around, ("when",))
    assert formula.judge(studio.mei, when, "line.item.planned", "en").result == "Yes"
    assert (
        conditions.Sentence((conditions.Rule("line.quantity", "more", "2"),)).written(when.names)
        == "line.quantity > 2"
    )


def test_the_draft_is_tried_on_the_newest_records_and_on_one_to_which_something_happens(do, client, trade):
    confirmed, order = trade.confirm(trade.order((trade.bolt, "2"))), trade.order((trade.bolt, "3"))
    do("set", at="map/quantity", value='"line.quantity * 5"')
    page = client.get(f"/studio/bridges/{BRIDGE_DOC['x-id']}/try").text
    assert "waits for something else" in page and "<s>2</s> → 10" in page
    page = client.get(
        f"/studio/bridges/{BRIDGE_DOC['x-id']}/try?record={order['id']}&on=state:confirmed"
    ).text
    assert (
        "would be created" in page and "<dd>15</dd>" in page and f'data-trial="{confirmed["id"]}"' not in page
    )
    assert [each["quantity"] for each in trade.demand()] == [2]
    do("set", at="map/quantity", value='"nothing"')
    assert "nothing" in client.get(f"/studio/bridges/{BRIDGE_DOC['x-id']}/try").text


def test_a_bridge_that_finds_records_again_needs_no_hint(client, trade):
    assert BRIDGE_DOC["to"]["by"] and "Without “Found again by”" not in client.get(AT).text


def test_a_new_bridge_begins_between_two_forms_and_stands_in_the_list(client):
    assert client.post("/studio/bridges/new", data={"from": "sales_order"}).status_code == 422
    made = client.post("/studio/bridges/new", data={"from": "sales_order", "to": "demand"})
    page = client.get(made.location).text
    assert "Accept all suggestions" in page and "Without “Found again by”" in page
    (draft,) = [each for each in definitions.list_definitions("bridge") if each.has_draft]
    assert (draft.title, draft.title_zh) == ("Sales order → Demand", "销售订单 → 需求")
    assert definitions.find_draft(draft.id).doc["from"]["on"] == ["created"]  # no workflow confirms it
    assert "Sales order → Demand" in client.get("/studio/bridges?form=demand").text
    assert "Sales order → Demand" not in client.get("/studio/bridges?form=item").text


def test_the_list_says_of_which_application_a_bridge_is_and_when_it_runs(client, trade):
    clock = {**BRIDGE_DOC, "x-id": "0000b00c", "x-key": "nightly", "title": "Nightly", "run": "after"}
    clock["from"] = {"form": "sales_order", "on": ["clock"], "clock": {"every": "workday", "at": "22:30"}}
    made = definitions.save_draft(SYSTEM, "bridge", clock, app="copied")
    page = client.get("/studio/bridges").text
    row = page.partition(f"/studio/{made.id}")[2].partition("</tr>")[0]
    assert "copied" in row and "Monday to Friday, 22:30" in row
    row = client.get("/studio/bridges", headers={"Accept-Language": "zh-CN"}).text.partition(made.id)[2]
    assert "周一至周五" in row.partition("</tr>")[0]


def test_what_a_builder_may_not_see_is_no_sample(studio, trade):
    order = trade.order((trade.bolt, "21"))
    grants = [
        {"id": "a", "on": "definition", "may": ["design"]},
        {"id": "b", "form": "sales_order", "may": ["view"]},
    ]
    role = {"x-kind": "role", "x-id": "0000e001", "x-key": "building", "title": "Building", "grants": grants}
    definitions.publish_many(SYSTEM, [role], "test")
    actor = get_actor(people.add_person(SYSTEM, "builder", "Builder", roles=["building"]))
    around = Around(kinds.get("bridge"), BRIDGE_DOC, "en", {})
    when = designer_of("bridge").scope(around, ("when",))
    assert formula.judge(actor, when, "line.quantity > 20", "en").result == "Yes", order
    assert (
        formula.judge(actor, when, "line.item.planned", "en").result == ""
    )  # of items, which they may not see


def test_what_must_be_filled_in_and_is_not_is_told(trade):
    bare = {"from": {"form": "demand", "on": ["created"]}, "to": {"form": "sales_order"}, "map": {}}
    told = bridge_design.list_warnings(bare, "en")
    assert "Nothing fills “Lines” of “Sales order”" in " ".join(str(each.message) for each in told)
    assert {each.at for each in told} == {"map"} and {each.severity for each in told} == {"warning"}
    asked = {**bare, "from": {"form": "demand", "on": ["asked"]}}
    assert bridge_design.list_warnings(asked, "en") == []
    assert bridge_design.list_warnings({**bare, "to": {"form": "sales_order", "by": ["number"]}}, "en") == []
