"""Reading a definition: exact values, and every mistake told with its place."""

from decimal import Decimal

import pytest

from core.definitions.specimens import FORM, WORKFLOW, order_form
from formloop.core.definitions import Kind, complete, parse, read, write
from formloop.core.text import M


def _problem(text, kind=FORM):
    _, problems = read(text, kind)
    assert problems, "nothing was found wrong"
    return problems[0]


def test_numbers_stay_exact():
    values = parse('{"a": 19.990, "b": 0.1, "c": 12345678901234567890, "d": 1e3, "e": 1e-5}').doc
    assert values["a"] == Decimal("19.990") and str(values["a"]) == "19.990"
    assert values["b"] == Decimal("0.1")
    assert values["c"] == 12345678901234567890
    assert values["d"] == 1000 and isinstance(values["d"], int)
    assert values["e"] == Decimal("0.00001")


def test_a_good_document_has_no_problems():
    doc, problems = read(write(order_form(), FORM), FORM)
    assert problems == []
    assert doc == order_form()


def test_an_unknown_key_is_told_with_line_column_and_the_nearest_known_one():
    text = (
        '{\n  "x-kind": "form", "x-id": "5f1c7a0e", "x-key": "order", "title": "Order",\n  "propertys": {}\n}'
    )
    problem = _problem(text)
    assert (problem.code, problem.at, problem.line, problem.column) == ("unknown_key", "propertys", 3, 3)
    assert "Did you mean “properties”?" in problem.message.render("en")
    assert "是否想写“properties”" in problem.message.render("zh-CN")


def test_a_wrong_type_deep_inside_is_told_with_its_path():
    doc = order_form()
    doc["properties"]["amount"]["x-scale"] = "two"
    problem = _problem(write(doc, FORM))
    assert problem.at == "properties.amount.x-scale"
    assert problem.message.render() == "This must be a whole number, not a text."
    assert problem.line == 11


def test_a_missing_key_is_told():
    doc = order_form()
    del doc["title"]
    assert _problem(write(doc, FORM)).message.render() == "“title” is missing here."


def test_a_name_with_dots_is_found():
    text = '{"x-kind":"workflow","x-id":"8b20d3f4","x-key":"a","title":"A","steps":[\n{"id":"r","node":"approval","fields":{\n"lines.discount": 3}}]}'
    problem = _problem(text, WORKFLOW)
    assert (problem.at, problem.line) == ("steps.0.fields.lines.discount", 3)


def test_among_several_forms_the_meant_one_is_judged():
    text = '{"x-kind":"workflow","x-id":"8b20d3f4","x-key":"a","title":"A","steps":[{"id":"r","node":"approval","moode":"any"}]}'
    problem = _problem(text, WORKFLOW)
    assert problem.at == "steps.0.moode"
    assert "“mode”" in problem.message.render()


def test_a_bad_key_says_how_keys_are_written():
    assert "small letters" in _problem(write(order_form(**{"x-key": "Sales Order"}), FORM)).message.render()


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ('{"a": 1,\n "a": 2}', "name_twice", 2, 2),
        ('{"x": {}, "b": [1, {"a": 1, "c": "}", "a": 2}]}', "name_twice", 1, 39),
        ('{"a": NaN}', "number", 1, 7),
        ('{"a": -Infinity}', "number", 1, 7),
        ('{"s": "NaN 99", "a": ' + "9" * 5000 + "}", "number", 1, 22),
        ('{"a": 1e400}', "number", 1, 7),
        ("[" * 33 + "]" * 33, "too_deep", 1, 33),
        ('["[", \n' + "[" * 400_000, "too_deep", 2, 32),
        ('{"a": "\\ud800"}', "characters", 1, 8),
        ('{"a": "\\u0000"}', "characters", 1, 8),
        ('{"a" 1}', "syntax", 1, 6),
        ('{"a": 1\n "b": 2}', "syntax", 2, 2),
        ('{"a": 1} x', "syntax", 1, 10),
        ('{"a": "b', "syntax", 1, 7),
        ("{'a': 1}", "syntax", 1, 2),
        ("", "syntax", 1, 1),
        ('"' + "x" * 1_000_001 + '"', "too_large", None, None),
        (b"\xff\xfe{}", "characters", None, None),
    ],
)
def test_what_no_honest_definition_contains_is_refused(text, code, line, column):
    problem = _problem(text)
    assert (problem.code, problem.line, problem.column) == (code, line, column)


def test_unfinished_strings_of_escapes_are_scanned_once():
    assert _problem('{"a": "' + '\\"' * 490_000).code == "syntax"
    assert _problem('"a' + '\\"' * 490_000 + "\\").code == "syntax"


def test_a_list_is_no_definition():
    assert _problem("[1]").code == "no_definition"


def test_an_unknown_kind_is_told():
    _, problems = read('{"x-kind": "nonesuch"}')
    assert (problems[0].code, problems[0].at) == ("unknown_kind", "x-kind")


def _named(doc):
    return {**{k: v for k, v in doc.items() if k != "name"}, "title": doc["name"]}


NOTE = Kind(name="note", title=M("Note"), schema=complete("note", {}), upgrades=(_named,))


def test_an_older_format_is_brought_up():
    doc, problems = read('{"x-kind": "note", "x-id": "00000001", "x-key": "n", "name": "A note"}', NOTE)
    assert problems == []
    assert doc["title"] == "A note" and doc["x-format"] == 2


def test_a_newer_format_is_refused():
    problem = _problem('{"x-kind": "note", "x-format": 9}', NOTE)
    assert "newer version" in problem.message.render()


def test_a_document_that_lies_about_its_format_is_refused():
    assert _problem('{"x-kind": "note"}', NOTE).code == "format"


def test_a_misspelt_key_is_told_beside_the_one_that_is_missing():
    found = read('{"x-kind": "form", "x-id": "5f1c7a0e", "x-key": "order",\n "titel": "Order"}', FORM)[1]
    told = {problem.at: (problem.line, problem.message.render("en")) for problem in found}
    assert told["titel"][0] == 2 and "Did you mean “title”?" in told["titel"][1]
    assert any("“title” is missing" in text for _, text in told.values())
