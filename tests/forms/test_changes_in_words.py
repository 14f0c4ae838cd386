"""A difference of definitions says fields, options, states and other definitions by their titles, and what a part held."""

import pytest

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.core.definitions import diff, kinds
from formloop.definitions import service as definitions

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ITEM = {"type": "string", "title": "Item", "x-title": {"zh-CN": "物料"}}
KIND = {"type": "string", "title": "Kind", "enum": ["raw"], "x-titles": {"raw": {"title": "Raw"}}}
FORM = {
    "x-kind": "form",
    "x-id": "0000001a",
    "x-key": "wish",
    "title": "Wish",
    "type": "object",
    "properties": {
        "item": ITEM,
        "kind": KIND,
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {"type": "object", "properties": {"price": {"type": "number", "title": "Price"}}},
        },
    },
}
FLOW = {"x-kind": "workflow", "x-id": "0000001b", "x-key": "flow", "title": "Flow", "form": "wish"}


def _told(kind, base, old, new, locale="en"):
    changes = diff({**base, **old}, {**base, **new}, kinds.get(kind))
    return [each.describe(locale) for each in changes]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"columns": ["item"]}, {"columns": ["item", "owner"]}, "List › Columns: “Owner” was added."),
        ({"sort": ["-item"]}, {"sort": []}, "List › Sort: “Item ↓” was removed."),
        ({"begins": {"state": "draft"}}, {"begins": {"state": "review"}}, "List › Default filters › State changed from “Draft” to “In approval”."),
        ({}, {"begins": {"price": "1000~"}}, "List › Default filters were added: Price “at least 1000”."),
        ({"begins": {"price": "1000~"}}, {"begins": {"price": "1000~2000"}}, "List › Default filters › Price changed from “at least 1000” to “at least 1000, at most 2000”."),
        ({}, {"begins": {"kind": "raw"}}, "List › Default filters were added: Kind “Raw”."),
        ({"title": "item"}, {"title": "kind"}, "List › Title field changed from “Item” to “Kind”."),
    ],
)  # fmt: skip
def test_a_list_is_told_by_titles(app, old, new, said):
    columns = {"columns": ["item"]}
    assert said in _told("form", FORM, {"x-list": {**columns, **old}}, {"x-list": {**columns, **new}})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            {},
            {"x-list": {"columns": ["item"], "sort": ["-item"]}},
            "List was added: Columns Item; Sort Item ↓.",
        ),
        (
            {},
            {"x-states": {"a": {"title": "Open"}, "b": {"title": "Done"}}},
            "States were added: Open; Done.",
        ),
        (
            {},
            {"x-share": {"fields": ["lines.price"]}},
            "Links for others were added: What a link shows Lines · Price.",
        ),
        (
            {},
            {"x-list": {"begins": {"state": "draft,review", "created_at": "this_month"}}},
            "List was added: Default filters State “Draft, In approval”; Created “this month”.",
        ),
        ({}, {"x-examples": [{"id": "ex1", "title": "One", "given": {}}]}, "Examples were added: “One”."),
        (
            {"x-print": {}},
            {"x-print": {"logo": "data:image/png;base64,AAAA"}},
            "On paper › Logo was added: a picture.",
        ),
        (
            {"x-checks": [{"id": "c", "holds": "item = 'item'", "says": "No"}]},
            {"x-checks": [{"id": "c", "holds": "SUM(lines.price) > LEN(item)", "says": "No"}]},
            "Checks › c › Holds changed from “Item = 'item'” to “SUM(Lines · Price) > LEN(Item)”.",
        ),
    ],
)
def test_other_parts_are_told_with_what_they_hold(app, old, new, said):
    assert said in _told("form", FORM, old, new)


def test_lines_say_no_words_of_the_schema(app):
    column = {"price": {"type": "number", "title": "Price"}, "tax": {"type": "number", "title": "Tax"}}
    items = {"type": "object", "properties": column, "required": ["tax"]}
    told = _told(
        "form",
        FORM,
        {},
        {"properties": {**FORM["properties"], "lines": {**FORM["properties"]["lines"], "items": items}}},
    )
    assert told == [
        "Fields › Lines › Columns › Tax was added.",
        "Fields › Lines › Columns › Required columns were added: Tax.",
    ]


def test_steps_say_the_fields_of_their_form_and_people_by_name(app):
    definitions.publish_many(SYSTEM, [FORM], "first")
    people.add_person(SYSTEM, "mei", "Mei Lin")
    old = {"id": "a", "node": "approval", "who": [{"rule": "head", "level": 1}], "fields": {"*": "view"}}
    new = {**old, "who": [{"rule": "people", "people": ["mei"]}], "fields": {"*": "view", "item": "edit"}}
    told = _told("workflow", FLOW, {"steps": [old]}, {"steps": [new]}, "zh-CN")
    assert "步骤 › 审批“a” › 处理人：由部门主管 (1)改为人员 (Mei Lin)。" in told
    assert "步骤 › 审批“a” › 字段权限 › 物料：新增，内容为“可编辑”。" in told


def test_other_definitions_are_told_by_their_titles(app):
    definitions.publish_many(SYSTEM, [FORM], "first")
    points = {"which": {"type": "integer", "title": "Which", "x-relation": {"form": "wish"}}}
    elsewhere = {"which": {"type": "integer", "title": "Which", "x-relation": {"form": "gone"}}}
    told = _told("form", {**FORM, "x-key": "other"}, {"properties": elsewhere}, {"properties": points})
    assert told == ["Fields › Which › Relation › Form changed from “gone” to “Wish”."]
