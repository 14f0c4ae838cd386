"""The formula editor: problems at their character, results on a sample, rules as sentences."""

import pytest

from formloop.core.definitions import kinds
from formloop.forms import service
from formloop.studio import formula
from formloop.studio.pickers import Around
from studio.conftest import PAPER


def _around(locale="en"):
    return Around(kinds.get("form"), PAPER, locale, {})


def _judge(studio, source, *at, locale="en"):
    scope = formula.scope_at(_around(locale), at or ("properties", "quantity", "x-formula"))
    return formula.judge(studio.mei, scope, source, locale)


def test_a_mistake_is_told_at_its_character_in_both_languages(studio):
    (problem,) = _judge(studio, "1 + nothing").problems
    assert (problem.line, problem.column) == (1, 5)
    assert "nothing" in problem.message.render("zh-CN") != problem.message.render("en")


def test_the_result_is_that_of_the_newest_record(studio):
    assert _judge(studio, "quantity * 2").result == ""
    service.create(studio.mei, "request", {"item": "Drill", "quantity": "21"})
    verdict = _judge(studio, "quantity * 2")
    assert (verdict.result, verdict.sample, verdict.problems) == ("42", "Drill", [])
    rule = ("properties", "item", "x-visible")
    assert _judge(studio, "quantity > 2", *rule).result == "Yes"
    assert _judge(studio, "quantity > 2", *rule, locale="zh-CN").result == "是"


def test_a_rule_must_be_yes_or_no_and_columns_know_their_neighbours(studio):
    assert _judge(studio, "quantity", "properties", "item", "x-visible").problems
    at = ("properties", "lines", "items", "properties", "part", "x-default")
    assert not _judge(studio, "part", *at).problems
    assert ("part", "Lines · Part") in formula.scope_at(_around(), at).fields


def test_every_function_can_be_picked():
    rows = [row for _, group in formula.functions() for row in group]
    assert ("SUM" in {name for name, *_ in rows}) and all(all(row) for row in rows)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_editor_opens_with_the_formula_and_judges_it(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    client = studio.client(studio.mei)
    at = "properties/item/x-formula"
    page = client.get(f"/studio/{studio.id}/formula?at={at}").text
    assert 'data-insert="quantity"' in page and "data-sentence" not in page
    headers = {"Origin": "http://localhost"}
    wrong = {"at": at, "source": "quantity >"}
    assert "character" in client.post(f"/studio/{studio.id}/formula", data=wrong, headers=headers).text


def test_titles_of_fields_are_taken_for_their_keys_where_that_makes_a_formula(studio):
    said = {"title": "Wanted by", "x-title": {"zh-CN": "需要日期"}}
    doc = {
        **PAPER,
        "properties": {**PAPER["properties"], "wanted": {**PAPER["properties"]["wanted"], **said}},
    }

    def reworded(source, locale="en"):
        around = Around(kinds.get("form"), doc, locale, {})
        return formula.reworded(formula.scope_at(around, ("properties", "item", "x-visible")), source)

    assert (
        reworded("Wanted by > TODAY() AND item <> 'Wanted by'") == "wanted > TODAY() AND item <> 'Wanted by'"
    )
    assert reworded("需要日期 > TODAY()", "zh-CN") == "wanted > TODAY()"
    assert reworded("Part = 'x'") == "" == reworded("Nothing > 2") == reworded("quantity > 2")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_editor_offers_the_formula_that_was_meant(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    given = {"at": "properties/quantity/x-formula", "source": "Quantity * 2"}
    address = f"/studio/{studio.id}/formula"
    shown = studio.client(studio.mei).post(address, data=given, headers={"Origin": "http://localhost"}).text
    assert 'data-formula-reword="quantity * 2"' in shown
