"""Forms that start from labels."""

import pytest

from formloop.core.definitions import check_schema_of, kinds
from formloop.definitions import library
from formloop.forms import kind as form_kind
from formloop.forms.starting import STARTS, from_labels

EMPTY = {"x-kind": "form", "x-id": "0000000a", "x-key": "request", "title": "Request", "type": "object"}


def test_labels_become_fields_with_keys_types_and_what_is_required():
    doc, problems = from_labels(
        EMPTY, ["产品 *", "", "数量*：数字", "Wanted by: date", "优先级: 选项 低、中、高", "Quantity: Number"]
    )
    assert problems == []
    assert doc["required"] == ["chan_pin", "shu_liang"]
    assert doc["properties"] == {
        "chan_pin": {"type": "string", "title": "产品"},
        "shu_liang": {"type": "number", "title": "数量"},
        "wanted_by": {"type": "string", "format": "date", "title": "Wanted by"},
        "you_xian_ji": {
            "type": "string",
            "x-type": "dropdown",
            "enum": ["低", "中", "高"],
            "title": "优先级",
        },
        "quantity": {"type": "number", "title": "Quantity"},
    }


def test_every_type_that_can_be_named_makes_a_form_without_problems(database):
    lines = [f"{name}: {name} a, b" if name == "choice" else f"{name}: {name}" for name in STARTS]
    doc, problems = from_labels(EMPTY, lines)
    assert problems == []
    assert check_schema_of(doc, kinds.get("form")) == []
    assert form_kind.check(doc, library.VIEW) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Quantity: numbr", "number"),
        ("Quantity: zebra crossing", "Known are"),
        ("Priority: choice", "Name the options"),
        (": number", "label is missing"),
    ],
)
def test_a_line_that_is_not_understood_is_named(line, says):
    _, problems = from_labels(EMPTY, ["Name", line])
    assert [problem.line for problem in problems] == [2]
    assert says in str(problems[0].message)


def test_short_fields_stand_two_a_row_and_long_ones_alone():
    doc, _ = from_labels(EMPTY, ["Tool", "Quantity: number", "Remark: long text", "Shift"])
    assert doc["x-layout"] == [["tool", "quantity"], ["remark"], ["shift"]]
