"""The designers' pages and their edits."""

import json
import random
import re

import pytest

from formloop.access import gate
from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds
from formloop.definitions import service as definitions
from formloop.studio import drafting
from formloop.studio.pickers import Around, pickers
from studio.conftest import PAPER
from studio.test_drafting import PLACES, VALUES
from studio.test_panel import FLOW

HTMX = {"HX-Request": "true", "Origin": "http://localhost"}


@pytest.fixture
def client(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    return studio.client(studio.mei)


def _do(studio, client, act, definition=PAPER["x-id"], **values):
    revision = drafting.open_desk(studio.mei, definition).revision
    return client.post(f"/studio/{definition}/do/{act}", data={"revision": revision, **values}, headers=HTMX)


def test_the_designer_shows_fields_palette_panel_and_steps(studio, client):
    page = client.get(f"/studio/{studio.id}?at=properties/item").text
    for part in ('data-key="item"', 'data-type="number"', 'name="v-title"', "② Workflow", "Wanted by"):
        assert part in page
    assert 'aria-pressed="true"' in page


def test_the_steps_stay_above_a_workflow_that_is_not_there_and_above_rights(studio, client):
    for address in (f"/studio/{studio.id}/flow", f"/studio/rights/{studio.id}"):
        page = client.get(address).text
        steps = page.partition('class="fl-steps"')[2].partition("</nav>")[0]
        assert all(word in steps for word in ("① Form", "② Workflow", "③ List and rights", "④ Data")), address
        assert "fl-current" in steps


def test_a_field_is_added_named_moved_copied_and_removed(studio, client):
    answer = _do(studio, client, "field-add", type="number", after="item")
    assert answer.status_code == 200 and 'data-selected="properties/number"' in answer.text
    assert 'hx-swap-oob="true"' in answer.text and "fl-props" in answer.text
    answer = _do(studio, client, "fill", at="properties/number", keep="1", **{"v-title": "Price"})
    assert "fl-moved" in answer.headers["HX-Trigger"] and 'id="studio-props"' not in answer.text
    _do(studio, client, "field-shift", at="properties/price", by="-1")
    _do(studio, client, "field-duplicate", at="properties/price")
    _do(studio, client, "field-remove", at="properties/price")
    assert "price_2" in studio.desk().doc["properties"] and "price" not in studio.desk().doc["properties"]
    _do(studio, client, "undo")
    assert "price" in studio.desk().doc["properties"] and studio.desk().can_redo


def test_a_field_whose_key_follows_its_label_takes_its_translation_along(studio, client):
    _do(studio, client, "field-add", type="number", after="item")
    typed = {"v-title": "Price", "v-x-title/zh-CN": "价格"}
    _do(studio, client, "fill", at="properties/number", keep="1", **typed)
    fields = studio.desk().doc["properties"]
    assert fields["price"]["x-title"] == {"zh-CN": "价格"} and "number" not in fields


def test_what_check_tells_of_what_was_just_typed_is_marked_at_once(studio, client):
    answer = _do(studio, client, "fill", at="properties/quantity", keep="1", **{"v-x-formula": "nothing + 1"})
    panel = answer.text.partition('id="studio-props"')[2]
    assert 'aria-invalid="true"' in panel and "nothing" in panel
    answer = _do(studio, client, "fill", at="properties/item", keep="1", **{"v-title": "Thing"})
    assert 'id="studio-props"' not in answer.text  # what is wrong elsewhere keeps nobody from typing on


def test_a_stale_page_is_shown_the_newest_state_and_told(studio, client):
    old = studio.desk().revision
    studio.edit(title="Changed")
    answer = client.post(
        f"/studio/{studio.id}/do/field-add", data={"revision": old, "type": "text"}, headers=HTMX
    )
    assert (
        answer.status_code == 409 and "Changed" in answer.text and "fl-toast" in answer.headers["HX-Trigger"]
    )


def test_a_second_person_sees_who_edits_and_takes_over(studio, client):
    studio.edit(studio.lin, title="Lins")
    assert "Lin is editing this now" in client.get(f"/studio/{studio.id}").text
    assert _do(studio, client, "field-add", type="text").status_code == 409
    assert "Lin is editing" not in _do(studio, client, "take-over").text
    assert _do(studio, client, "field-add", type="text").status_code == 200


def test_a_wrong_value_is_told_in_the_panel(studio, client):
    answer = _do(studio, client, "fill", at="properties/quantity", **{"v-minimum": "many"})
    assert "is not a number" in answer.text and 'aria-invalid="true"' in answer.text


def test_problems_of_the_draft_are_counted_and_lead_to_their_field(studio, client):
    answer = _do(studio, client, "fill", at="properties/item", **{"v-x-visible": "nothing = 1"})
    assert re.search(r'data-select="properties/item">.*nothing', answer.text, re.S)


def test_a_workflow_is_begun_and_steps_branches_and_people_are_added(studio, client):
    assert "Draw a workflow" in client.get(f"/studio/{studio.id}/flow").text
    begun = client.post(f"/studio/{studio.id}/flow", headers={"Origin": "http://localhost"})
    flow = begun.location.rsplit("/", 1)[1]
    assert client.get(f"/studio/{studio.id}/flow").location == begun.location
    answer = _do(studio, client, "step-add", flow, at="steps", node="approval")
    assert 'data-selected="steps/approval"' in answer.text and 'data-act="step-add"' in answer.text
    _do(studio, client, "step-add", flow, at="steps", node="condition")
    _do(studio, client, "branch-add", flow, at="steps/condition/branches")
    _do(studio, client, "step-add", flow, at="steps/condition/branches/branch/steps", node="copy")
    _do(
        studio,
        client,
        "add",
        flow,
        at="steps/approval/who",
        value='{"rule": "initiator"}',
        shown="steps/approval",
    )
    desk = drafting.open_desk(studio.mei, flow)
    unsaid = [each.at for each in drafting.check(studio.mei, desk)]
    assert unsaid == ["steps.1.branches.0.when", "steps.1.branches.1.when"]
    page = client.get(f"/studio/{flow}?at=steps/condition/branches/condition_a").text
    assert (
        page.count("fl-brick-wrong") == 2 and 'aria-invalid="true"' not in page.split('id="studio-props"')[0]
    )
    assert "Choose when this branch is taken." in page.split('id="studio-props"')[1]
    for branch in ("condition_a", "branch"):
        at = f"steps/condition/branches/{branch}/when"
        _do(
            studio, client, "condition", flow, at=at, join="all", field="quantity", operator="more", value="3"
        )
    desk = drafting.open_desk(studio.mei, flow)
    assert [each["id"] for each in desk.doc["steps"]] == ["approval", "condition"]
    assert drafting.check(studio.mei, desk) == []
    assert definitions.publish(studio.mei, flow).version == 1


def test_a_part_that_is_not_there_yet_begins_with_its_first_value_in_words_people_write(studio, client):
    flow = _begin_flow(studio, client)
    for said, kept in (("4 hours", "PT4H"), ("1天12小时", "P1DT12H"), ("2 d", "P2D"), ("soon", "soon")):
        answer = _do(studio, client, "fill", flow, at="steps/approval/due", **{"v-after": said})
        assert answer.status_code == 200
        assert drafting.open_desk(studio.mei, flow).doc["steps"][0]["due"] == {"after": kept}
    assert "soon" in answer.text and "is no length of time" in answer.text
    gone = _do(studio, client, "fill", flow, at="steps/nobody/due", **{"v-after": "4 h"})
    assert gone.status_code == 422


def test_the_check_list_says_where_in_words(studio, client):
    flow = _begin_flow(studio, client)
    people = {
        "at": "steps/approval/who",
        "value": '{"rule": "people", "people": []}',
        "shown": "steps/approval",
    }
    _do(studio, client, "add", flow, **people)
    named = _do(studio, client, "fill", flow, at="steps/approval", **{"v-title": "Head"})
    assert "Choose or add at least one." in named.text
    assert "Head › Who 2 › Accounts" in named.text


def test_a_finished_step_says_what_it_does_and_only_an_unfinished_one_asks_for_more(studio, client):
    steps = [
        {"id": "new", "node": "data", "do": "create", "form": "request", "values": {"item": "item", "quantity": "1"}},
        {"id": "sum", "node": "calculate", "values": {"a": "1", "b": "2", "c": "3", "d": "4"}},
        {"id": "call", "node": "http", "url": "https://example.com/x", "method": "GET"},
        {"id": "rest", "node": "wait", "after": "P1DT4H"},
        {"id": "until", "node": "wait", "until": "quantity > 5"},
        {"id": "tell", "node": "message", "who": [{"rule": "initiator"}], "text": "'Come here'"},
        {"id": "each", "node": "loop", "over": "lines", "steps": []},
        {"id": "done", "node": "end", "state": "confirmed"},
    ]  # fmt: skip
    definitions.save_draft(studio.mei, "workflow", {**FLOW, "steps": steps})
    said = {}
    for locale in ("en", "zh-CN"):
        page = client.get(f"/studio/{FLOW['x-id']}", headers={"Accept-Language": locale}).text
        cards = page.partition("fl-flow-root")[2].split('class="fl-step-body"><span>')[1:]
        said[locale] = [each.partition("</span>")[0] for each in cards][1:]
    assert said["en"] == [
        "Create · Form: Request · Values: Item, Quantity",
        "a, b, c, +1",
        "Method: GET · https://example.com/x",
        "So long: 1 d 4 h",
        "Until this holds: Quantity is more than 5",
        "Initiator · Come here",
        "For each of: Lines",
        "Confirmed",
    ]
    unfinished = {**FLOW, "steps": [{"id": "new", "node": "data", "do": "create"}]}
    definitions.save_draft(studio.mei, "workflow", unfinished)
    assert "Click to set it up" not in client.get(f"/studio/{FLOW['x-id']}").text
    definitions.save_draft(studio.mei, "workflow", {**FLOW, "steps": [{"id": "sum", "node": "calculate"}]})
    assert "Click to set it up" in client.get(f"/studio/{FLOW['x-id']}").text


def test_parallel_branches_are_no_conditions(studio, client):
    flow = _begin_flow(studio, client)
    drawn = _do(studio, client, "step-add", flow, at="steps", node="parallel").text
    assert "Always taken, beside the others" in drawn and "Priority" not in drawn


def _begin_flow(studio, client):
    begun = client.post(f"/studio/{studio.id}/flow", headers={"Origin": "http://localhost"})
    flow = begun.location.rsplit("/", 1)[1]
    _do(studio, client, "step-add", flow, at="steps", node="approval")
    return flow


def test_a_new_form_is_begun_with_a_title(studio, client):
    assert (
        client.post("/studio/new", data={"name": " "}, headers={"Origin": "http://localhost"}).status_code
        == 422
    )
    begun = client.post("/studio/new", data={"name": "采购申请"}, headers={"Origin": "http://localhost"})
    page = client.get(begun.location, headers={"Accept-Language": "zh-CN"}).text
    assert "采购申请" in page


def test_the_preview_shows_the_draft_as_people_fill_it_in(studio, client):
    _do(studio, client, "field-add", type="relation")
    assert "Say which form this points to." in client.get(f"/studio/{studio.id}/preview").text
    _do(studio, client, "undo")
    desk, phone, within = (
        client.get(f"/studio/{studio.id}/preview?as={seen}").text for seen in ("desk", "phone", "page")
    )
    assert 'name="quantity"' in desk and 'name="quantity"' in within and "fl-studio-bar" not in within
    assert 'src="?as=page"' in phone and 'name="quantity"' not in phone  # laid out as wide as a phone is
    assert "data-fl-add-line" in within and "js/form.js" in within


def test_the_preview_answers_what_is_typed_though_nothing_is_published(studio, client):
    fields = studio.desk().doc["properties"] | {
        "twice": {"type": "number", "title": "Twice", "x-formula": "quantity * 2"},
        "why": {"type": "string", "title": "Why", "x-visible": "quantity > 5"},
    }
    studio.edit(properties=fields)
    page = client.get(f"/studio/{studio.id}/preview").text
    assert f'data-fl-live="/studio/{studio.id}/preview"' in page
    for quantity, twice, hidden in (("3", "6", True), ("6", "12", False)):
        told = client.post(f"/studio/{studio.id}/preview", data={"quantity": quantity}, headers=HTMX).json
        assert told["values"]["twice"]["text"] == twice
        assert ("why" in told["hidden"]) is hidden
    assert client.post(f"/studio/{studio.id}/preview", data={"quantity": "many"}, headers=HTMX).json[
        "problems"
    ]
    studio.edit(properties={"broken": {"type": "nothing"}})
    assert client.post(f"/studio/{studio.id}/preview", data={}, headers=HTMX).status_code == 409


def test_nobody_else_may_design(studio):
    assert studio.app.test_client().get(f"/studio/{studio.id}").status_code in (302, 303, 401)


ACTS = ["set", "add", "move", "remove", "duplicate", "fill", "undo", "redo", "take-over", "nonsense"]
ACTS += ["field-add", "field-place", "field-shift", "field-duplicate", "field-remove"]
ACTS += ["step-add", "branch-add", "step-shift", "step-duplicate", "step-remove"]


def test_hostile_edits_never_break_a_page_or_lose_a_draft(studio, client):
    definitions.save_draft(SYSTEM, "workflow", FLOW)
    chance, places = (
        random.Random(7),
        [*PLACES, "steps", "steps/boss", "steps/choice/branches", "steps/0/who/0"],
    )
    for _ in range(120):
        definition = chance.choice([PAPER["x-id"], FLOW["x-id"]])
        values = {
            "at": chance.choice(places),
            "value": chance.choice(["", "{", "[" * 40, "1e999", '{"a":1,"a":2}', *map(_text, VALUES)]),
            **{
                key: chance.choice(["", "item", "x" * 600, "approval", "text", *places])
                for key in _some(chance)
            },
        }
        answer = _do(studio, client, chance.choice(ACTS), definition, **values)
        assert answer.status_code in (200, 404, 409, 422), (values, answer.text[:500])
        assert client.get(f"/studio/{definition}?at={values['at']}").status_code == 200, values
        assert definitions.get_definition(definition).has_draft or definition == PAPER["x-id"]


def _some(chance):
    words = [
        "name",
        "before",
        "to",
        "type",
        "after",
        "into",
        "node",
        "by",
        "shown",
        "keep",
        "v-title",
        "v-x-width",
    ]
    return chance.sample(words, 4)


def _text(value):
    return json.dumps(value)


def test_who_may_not_see_the_records_is_led_to_none_of_them(studio, client, monkeypatch):
    flow = _begin_flow(studio, client)
    definitions.publish(studio.mei, flow)
    assert "/cases/play/" in client.get(f"/studio/{flow}").text
    allows = gate.allows
    monkeypatch.setattr(gate, "allows", lambda a, do, what: do != "view" and allows(a, do, what))
    shown = client.get(f"/studio/{flow}").text
    assert "/cases/play/" not in shown and 'href="/f/' not in shown


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_page_of_a_published_form_says_what_comes_next(studio, client):
    page = client.get(f"/definitions/{studio.id}").text
    assert "Only administrators see them so far." in page and f'href="/studio/rights/{studio.id}"' in page
    assert "Nobody approves them." in page and f'href="/studio/{studio.id}/flow"' in page
    role = {"x-kind": "role", "x-id": "0000003a", "x-key": "sellers", "title": "Sellers"}
    grant = {"id": "all", "form": "request", "may": ["view"]}
    definitions.publish_many(SYSTEM, [{**role, "grants": [grant]}], "rights")
    assert "They are seen by: Sellers." in client.get(f"/definitions/{studio.id}").text
    studio.edit(note="more")
    assert "What comes next" not in client.get(f"/definitions/{studio.id}").text


def test_a_form_without_a_list_is_led_to_its_list_and_rights_and_the_list_begins_there(studio, client):
    assert "x-list" not in studio.desk().doc
    page = client.get(f"/studio/{studio.id}?at=x-list").text
    assert 'id="studio-props" class="fl-props" data-at="x-list"' in page
    assert f'href="/studio/rights/{studio.id}"' in page and "③ List and rights" in page
    assert '<option value="-wanted">Wanted by ↓</option>' in page
    chosen = {"v-columns": ["item", "state"], "v-sort": ["-wanted"]}
    assert _do(studio, client, "fill", at="x-list", **chosen).status_code == 200
    assert studio.desk().doc["x-list"] == {"columns": ["item", "state"], "sort": ["-wanted"]}


def test_a_step_is_offered_only_fields_that_fit(studio):
    people = {"title": "Checker", "type": "string", "x-type": "member"}
    studio.edit(properties={**PAPER["properties"], "checker": people})
    around = Around(kinds.get("workflow"), {"form": PAPER["x-key"]}, "en", {})
    assert [key for key, _ in pickers.get("date_field")(around)] == ["wanted"]
    assert [key for key, _ in pickers.get("person_field")(around)] == ["checker"]


def test_the_workflow_of_a_form_with_a_chinese_name_has_no_english_in_its_name(studio, client):
    studio.edit(title="送货单")
    definitions.publish(studio.mei, studio.id)
    client.post(f"/studio/{studio.id}/flow", headers={"Origin": "http://localhost"})
    assert [each.title for each in definitions.list_definitions("workflow")] == ["送货单审批"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("language", "group", "factory"), [("en", "Icon", "Factory"), ("zh-CN", "图标", "工厂")]
)
def test_icons_have_names_in_both_languages(studio, language, group, factory):
    page = studio.client(studio.mei).get(f"/studio/{studio.id}", headers={"Accept-Language": language}).text
    assert f'value="building-factory-2" aria-label="{factory}"' in page  # what a screen reader says
    assert f'<span title="{factory}">' in page and f'aria-label="{group}"' in page
