"""What became of a layout is said as people see it: which field went where, and what became of sections and tabs."""

import pytest

from formloop.core.definitions import diff
from formloop.forms.kind import FORM

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
TITLES = {
    "item": ("Item", "物料"),
    "quantity": ("Quantity", "数量"),
    "price": ("Price", "单价"),
    "note": ("Note", "备注"),
}
HEAD = {"id": "head", "is": "section", "title": "Head", "x-title": {"zh-CN": "表头"}}
MONEY = {"id": "money", "is": "section", "title": "Money", "x-title": {"zh-CN": "金额"}}
MORE = {"id": "more", "is": "tab", "title": "More"}
LINE = {"id": "line", "is": "divider"}
WAS = [HEAD, ["item", "price"], MONEY, ["quantity"], ["note"]]


def _form(*layout, without=()):
    fields = {
        key: {"type": "string", "title": title, "x-title": {"zh-CN": chinese}}
        for key, (title, chinese) in TITLES.items()
        if key not in without
    }
    return {"x-kind": "form", "x-id": "0000001a", "x-key": "form", "title": "Form", "properties": fields} | (
        {"x-layout": list(layout)} if layout else {}
    )


def _said(*layout, locale="en", was=None, without=()):
    changes = diff(_form(*(WAS if was is None else was)), _form(*layout, without=without), FORM)
    return [each.describe(locale) for each in changes]


@pytest.mark.parametrize(
    ("layout", "said", "chinese"),
    [
        (
            [HEAD, ["item"], MONEY, ["quantity", "price"], ["note"]],
            ["“Price” moved from “Head” to “Money”, after “Quantity”."],
            ["“单价”从“表头”移到“金额”，排在“数量”之后。"],
        ),
        (
            [HEAD, ["item"], MONEY, ["price"], ["quantity"], ["note"]],
            ["“Price” moved from “Head” to “Money”, in front."],
            ["“单价”从“表头”移到“金额”，排在最前。"],
        ),
        (
            [["price"], HEAD, ["item"], MONEY, ["quantity"], ["note"]],
            ["“Price” moved from “Head” to the beginning of the form, in front."],
            ["“单价”从“表头”移到表单开头，排在最前。"],
        ),
        (
            [HEAD, ["price"], ["item"], MONEY, ["note"], ["quantity"]],
            ["“Price” now stands first in “Head”.", "“Note” now stands first in “Money”."],
            ["“单价”现在排在“表头”最前。", "“备注”现在排在“金额”最前。"],
        ),
        (
            [{**HEAD, "title": "Top", "x-title": {"zh-CN": "顶部"}}, *WAS[1:]],
            ["Section “Head” is now called “Top”."],
            ["分组“表头”改名为“顶部”。"],
        ),
        (
            [*WAS[:4], MORE, ["note"]],
            ["Tab “More” was added, with “Note”."],
            ["新增了标签页“More”，含“备注”。"],
        ),
        ([*WAS, LINE], ["Divider “Divider” was added."], ["新增了分割线“分割线”。"]),
        (
            [HEAD, ["item", "price"], ["quantity"], ["note"]],
            ["Section “Money” was removed; “Quantity”, “Note” now in “Head”."],
            ["删除了分组“金额”；“数量”、“备注”现在位于“表头”。"],
        ),
        (
            [MONEY, ["quantity"], ["note"], HEAD, ["item", "price"]],
            ["Section “Money” now stands first."],
            ["分组“金额”现在排在最前。"],
        ),
        (
            [HEAD, ["item"], ["price"], MONEY, ["quantity", "note"]],
            [
                "“Item” now has a row of its own.",
                "“Price” now has a row of its own.",
                "“Quantity”, “Note” now stand in one row.",
            ],
            ["“物料”现在单独占一行。", "“单价”现在单独占一行。", "“数量”、“备注”现在排在同一行。"],
        ),
        ([{**HEAD, "closed": True}, *WAS[1:]], ["Layout › Head › Folded at first was added: yes."], None),
    ],
)
def test_changes_of_a_layout_are_said_as_people_see_them(app, layout, said, chinese):
    assert sorted(_said(*layout)) == sorted(said)
    if chinese is not None:
        assert sorted(_said(*layout, locale="zh-CN")) == sorted(chinese)


def test_fields_that_came_or_went_are_not_told_twice(app):
    assert _said(HEAD, ["item"], MONEY, ["quantity"], ["note"], without=("price",)) == [
        "Fields › Price was removed."
    ]


def test_where_a_field_came_from_is_not_said_of_a_form_without_sections(app):
    was = [["item"], ["quantity"], ["note"], ["price"]]
    told = _said(HEAD, ["item"], ["price"], ["quantity"], ["note"], was=was)
    assert told == [
        "Section “Head” was added, with “Item”, “Price”, “Quantity”, “Note”.",
        "“Price” now stands after “Item”.",
    ]
    back = _said(*was, was=[HEAD, ["item"], ["price"], ["quantity"], ["note"]])
    assert back[0] == "Section “Head” was removed."
    assert not any("beginning of the form" in each for each in back)


def test_a_layout_that_looks_the_same_is_told_by_its_text(app):
    assert _said(["item"], ["quantity"], ["price"], ["note"], was=[]) == [
        "Layout was added: item, quantity, price, note."
    ]
