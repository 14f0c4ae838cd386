"""Differences by stable id, told in sentences."""

from copy import deepcopy

from core.definitions.specimens import FORM, WORKFLOW, order_form
from formloop.core.definitions import diff


def _told(new, locale="en", kind=FORM, old=None):
    return [change.describe(locale) for change in diff(old or order_form(), new, kind)]


def test_equal_documents_do_not_differ():
    assert _told(order_form()) == []


def test_a_changed_property_is_told_with_the_titles_people_know():
    new = order_form()
    new["properties"]["amount"]["x-formula"] = "price * quantity"
    new["title"] = "Order"
    assert _told(new) == [
        "Name (English) changed from “Sales order” to “Order”.",
        "Fields › Amount › Formula was added: “price * quantity”.",
    ]


def test_a_difference_is_told_in_chinese():
    new = order_form()
    new["properties"]["amount"]["x-formula"] = "price * quantity"
    assert _told(new, "zh-CN") == ["字段 › 金额 › 公式：新增，内容为“price * quantity”。"]


def test_a_name_that_comes_in_another_language_is_told_by_language():
    old, new = order_form(title="采购试点"), order_form(title="Purchase pilot")
    del old["x-title"]
    new["x-title"] = {"zh-CN": "采购试点"}
    assert _told(new, old=old) == ["Name (English) was added: “Purchase pilot”."]
    assert _told(new, "zh-CN", old=old) == ["名称（英文）：新增，内容为“Purchase pilot”。"]
    assert _told(old, "zh-CN", old=new) == ["名称（英文）：已删除，原为“Purchase pilot”。"]
    other = {**new, "x-title": {"zh-CN": "采购"}}
    assert _told(other, old=new) == ["Name (Chinese) changed from “采购试点” to “采购”."]


def test_new_and_removed_fields_are_told_once_each():
    new = order_form()
    del new["properties"]["amount"]
    new["properties"]["due"] = {"type": "string", "title": "Due date"}
    assert _told(new) == ["Fields › Amount was removed.", "Fields › Due date was added."]


def test_a_move_is_a_change_of_order_and_nothing_else():
    new = order_form()
    new["x-checks"].reverse()
    changes = diff(order_form(), new, FORM)
    assert [(c.path, c.kind_of_change, c.old, c.new) for c in changes] == [
        (("x-checks",), "moved", ["positive", "named"], ["named", "positive"])
    ]
    assert _told(new) == ["Checks: the order is now named, positive."]


def test_the_order_of_fields_is_meaning_and_that_of_settings_is_not():
    new = order_form()
    new["properties"] = dict(reversed(new["properties"].items()))
    assert [c.kind_of_change for c in diff(order_form(), new, FORM)] == ["moved"]
    new = dict(reversed(order_form().items()))
    assert diff(order_form(), new, FORM) == []


def test_words_in_a_list_come_and_go_one_by_one():
    new = order_form(**{"x-list": {"columns": ["amount", "due"]}})
    assert _told(new) == ["List › Columns: “customer” was removed.", "List › Columns: “due” was added."]


def test_a_changed_step_deep_in_a_branch_is_found_by_its_ids():
    old = {
        "title": "A",
        "steps": [
            {
                "id": "size",
                "title": "Size",
                "node": "condition",
                "branches": [
                    {
                        "id": "large",
                        "title": "Large",
                        "steps": [{"id": "finance", "node": "approval", "title": "Finance", "mode": "all"}],
                    },
                    {"id": "other", "steps": []},
                ],
            }
        ],
    }
    new = deepcopy(old)
    new["steps"].insert(0, {"id": "first", "title": "First", "node": "copy"})
    new["steps"][1]["branches"][0]["steps"][0]["mode"] = "any"
    assert [c.path for c in diff(old, new, WORKFLOW)] == [
        ("steps", "size", "branches", "large", "steps", "finance", "mode"),
        ("steps", "first"),
    ]
    assert "Steps › Size › branches › Large › steps › Finance › Mode changed from “all” to “any”." in _told(
        new, old=old, kind=WORKFLOW
    )


def test_a_number_and_a_truth_value_differ():
    assert [c.describe() for c in diff({"a": 1}, {"a": True})] == ["a changed from 1 to yes."]
