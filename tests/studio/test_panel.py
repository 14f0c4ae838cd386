"""Property panels: drawn and read back from the kinds' own schemas."""

import json

import pytest
from werkzeug.datastructures import MultiDict

from formloop.core.definitions import kinds
from formloop.studio import flow_designer, form_designer, panel
from formloop.studio.designer import designer_of
from formloop.studio.operations import Operation, apply
from formloop.studio.pickers import Around
from formloop.workflows.assignees import rules
from studio.conftest import PAPER

DESIGNERS = (form_designer, flow_designer)
FLOW = {
    "x-kind": "workflow",
    "x-id": "0000003a",
    "x-key": "flow",
    "title": "Flow",
    "form": "request",
    "steps": [
        {"id": "boss", "node": "approval", "who": [{"rule": "head", "level": 2}], "fields": {"item": "edit"}},
        {
            "id": "choice",
            "node": "condition",
            "branches": [{"id": "big", "when": "quantity > 1", "steps": []}],
        },
    ],
}


def _open(doc, *at, locale="en"):
    around = Around(kinds.get(doc["x-kind"]), doc, locale, {})
    return designer_of(doc["x-kind"]).panel(around, at)


def _labels(opened):
    return [
        c.label
        for part in opened.parts()
        if isinstance(part, panel.Section)
        for row in part.rows
        for c in row
    ]


def _kept(opened, **posted):
    form = MultiDict({f"v-{key}": value for key, value in posted.items()})
    operations, problems = panel.read_section(opened, form)
    return {each.at[-1]: each.value for each in operations}, problems


def test_a_field_shows_what_its_type_can_use_in_both_languages(studio):
    english = _labels(_open(PAPER, "properties", "quantity"))
    assert english[:3] == ["Label", "Translated label", "Required"] and "Digits after the point" in english
    assert "Longest" not in english
    chinese = _labels(_open(PAPER, "properties", "item", locale="zh-CN"))
    assert chinese[:3] == ["标题", "标题翻译", "必填"] and "最多字数" in chinese


def test_only_what_changed_is_written_and_what_was_emptied_is_taken_away(studio):
    opened = _open(PAPER, "properties", "quantity")
    kept, problems = _kept(opened, title="Amount", minimum="1.5", description="")
    assert not problems and kept["title"] == "Amount" and str(kept["minimum"]) == "1.5"
    assert "description" not in kept
    doc, _ = apply(PAPER, [Operation("set", ("properties", "quantity", "description"), "x")], {})
    form = MultiDict({"v-description": ""})
    assert panel.read_section(_open(doc, "properties", "quantity"), form)[0][0].do == "remove"


def test_what_cannot_be_read_is_told_at_its_input_and_not_written(studio):
    kept, problems = _kept(_open(PAPER, "properties", "quantity"), minimum="many", title="Ok")
    assert kept == {"title": "Ok"} and list(problems) == ["v-minimum"]


def test_options_are_written_one_a_line_and_settings_with_a_part_of_their_own_too(studio):
    doc, _ = apply(
        PAPER, [Operation("set", ("properties", "item"), {"type": "string", "title": "I", "enum": ["a"]})], {}
    )
    kept, _ = _kept(_open(doc, "properties", "item"), enum="red\nblue\n\nred")
    assert kept["enum"] == ["red", "blue"]
    relation = {"type": "integer", "x-type": "relation", "title": "R", "x-relation": {"form": "request"}}
    doc, _ = apply(PAPER, [Operation("set", ("properties", "item"), relation)], {})
    around = Around(kinds.get("form"), doc, "en", {})
    inner = designer_of("form").panel(around, ("properties", "item", "x-relation"))
    kept, _ = _kept(inner, fill="item = item\nquantity=quantity", show=["item"])
    assert kept["fill"] == {"item": "item", "quantity": "quantity"} and kept["show"] == ["item"]


def test_choosing_one_more_keeps_the_order_of_those_chosen_before(studio):
    doc = {**PAPER, "x-list": {"columns": ["wanted", "item"]}}
    assert _kept(_open(doc, "x-list"), columns=["item", "wanted"])[0] == {}
    kept, _ = _kept(_open(doc, "x-list"), columns=["item", "quantity", "wanted"])
    assert kept == {"columns": ["wanted", "item", "quantity"]}


def test_a_step_shows_its_people_its_settings_and_the_rights_on_every_field(studio):
    parts = _open(FLOW, "steps", "boss").parts()
    people = next(part for part in parts if isinstance(part, panel.Members))
    assert [str(called) for _, called, _ in people.members] == [str(rules.get("head").title)]
    assert len(people.offers) == 11 and {"rule": "role", "role": ""} in [
        json.loads(v) for _, v in people.offers
    ]
    matrix = next(part for part in parts if isinstance(part, panel.Matrix))
    assert ("item", "Item", "edit") in matrix.rows and ("lines.part", "Lines · Part", "") in matrix.rows
    assert parts.index(people) < parts.index(matrix)


def test_members_have_panels_by_the_form_they_have(studio):
    kept, problems = _kept(_open(FLOW, "steps", "boss", "who", "0"), level="3")
    assert (kept, problems) == ({"level": 3}, {})
    assert _labels(_open(FLOW, "steps", "choice", "branches", "big"))[-1] == "When"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize("name", kinds.names())
def test_every_kind_can_be_drawn_as_a_panel_from_its_schema(studio, name):
    doc = {"x-kind": name, "x-id": "0000004a", "x-key": "x", "title": "X"}
    for locale in ("en", "zh-CN"):
        assert _labels(_open(doc, locale=locale))
