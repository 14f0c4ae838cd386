"""What publishing says names fields as their readers know them, not by key."""

from formloop.core.definitions import Doc, diff, say_place
from formloop.forms import kind
from formloop.forms.kind import FORM


def _order(**more: object) -> Doc:
    customer = {"type": "string", "title": "Customer", "x-title": {"zh-CN": "客户"}}
    number = {"type": "string", "title": "No.", "x-title": {"zh-CN": "单号"}}
    total = {"type": "number", "title": "Total", "x-title": {"zh-CN": "合计"}, "x-type": "calculation"}
    total["x-formula"] = "he_jii + 1"
    return {
        "x-kind": "form",
        "x-id": "0000002a",
        "x-key": "ding_dan",
        "title": "Order",
        "type": "object",
        "properties": {"ke_hu": customer, "dan_hao": number, "he_ji": total},
        **more,
    }


def test_a_difference_says_titles_where_fields_are_named() -> None:
    old = _order(required=["dan_hao"], **{"x-layout": [["dan_hao", "ke_hu"], ["he_ji"]]})
    new = _order(required=["dan_hao", "ke_hu"], **{"x-layout": [["ke_hu", "dan_hao"], ["he_ji"]]})
    told = [each.describe("zh-CN") for each in diff(old, new, FORM)]
    assert told == ["必填字段：加入“客户”。", "“客户”现在排在最前。"]


def test_a_problem_says_the_formula_of_which_field_and_which_names_are_possible() -> None:
    _, problems = kind.build(_order(), 0, lambda key: None)
    (problem,) = [each for each in problems if each.code == "unknown_name"]
    assert "合计" in problem.message.render("zh-CN") and "he_ji”" not in problem.message.render("zh-CN")
    assert say_place(_order(), problem.at, FORM, "zh-CN") == "字段 › 合计 › 公式"
    assert say_place(_order(), problem.at, FORM, "en") == "Fields › Total › Formula"


def test_the_fields_of_the_form_are_named_as_possible_before_what_every_record_has() -> None:
    doc = _order()
    doc["properties"]["he_ji"]["x-formula"] = "wwwww + 1"
    (problem,) = [each for each in kind.build(doc, 0, lambda key: None)[1] if each.code == "unknown_name"]
    assert "客户（ke_hu）、单号（dan_hao）、合计（he_ji）、" in problem.message.render("zh-CN")
    assert "Customer (ke_hu), No. (dan_hao)" in problem.message.render("en")


def test_a_title_in_place_of_a_key_is_told_which_key_is_meant() -> None:
    doc = _order()
    for written in ("客户", "Customer"):
        doc["properties"]["he_ji"]["x-formula"] = f"LEN({written})"
        (problem,) = [each for each in kind.build(doc, 0, lambda key: None)[1] if each.code == "unknown_name"]
        assert problem.message.render("en") == f"There is no “{written}”. Did you mean “ke_hu”?"
