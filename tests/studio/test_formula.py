"""The formula editor: problems at their character, results on a sample, rules as sentences."""

from dataclasses import replace

import pytest

from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds
from formloop.definitions import service as definitions
from formloop.forms import service
from formloop.studio import conditions, drafting, formula
from formloop.studio.pickers import Around
from formloop.studio.vocabulary import Vocabulary
from studio.conftest import PAPER


def _around(locale="en"):
    return Around(kinds.get("form"), PAPER, locale, {})


def _judge(studio, source, *at, locale="en"):
    scope = formula.scope_at(_around(locale), at or ("properties", "twice", "x-formula"))
    return formula.judge(studio.mei, scope, source, locale)


def test_a_mistake_is_told_at_its_character_in_both_languages(studio):
    (problem,) = _judge(studio, "1 + nothing").problems
    assert (problem.line, problem.column) == (1, 5)
    assert "nothing" in problem.message.render("zh-CN") != problem.message.render("en")


def test_without_a_record_it_says_why_and_typed_values_give_a_result(studio):
    verdict = _judge(studio, "quantity * 2")
    assert verdict.result == "" and "no record" in verdict.why.render("en")
    assert [(each.path, each.title, each.kind) for each in verdict.asks] == [
        ("quantity", "Quantity", "number")
    ]
    scope = formula.scope_at(_around(), ("properties", "item", "x-visible"))

    def tried(source, **given):
        found = {path.replace("__", "."): value for path, value in given.items()}
        return formula.judge(studio.mei, replace(scope, expects=None), source, "en", found)

    assert tried("quantity * 2", quantity="21").result == "42"
    assert (
        tried(
            "IF(wanted > '2026-01-31', JOIN(lines.part), 'x')", wanted="2026-02-01", lines__part="a, b"
        ).result
        == "a, b"
    )
    assert "zero" in tried("1 / quantity", quantity="0").why.render("en")
    assert tried("quantity + 1", quantity="many").result == "1"  # what is no number is empty
    service.create(studio.mei, "request", {"item": "Drill", "quantity": "0"})
    assert "Drill" in _judge(studio, "1 / quantity").why.render("en")


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


def test_a_formula_cannot_read_the_field_that_it_fills(studio):
    at = ("properties", "quantity", "x-formula")
    (told,) = _judge(studio, "quantity + 1", *at).problems
    assert told.message.render("en") == "“Quantity” cannot be calculated from itself."
    assert "quantity" not in dict(formula.scope_at(_around(), at).fields)
    assert not _judge(studio, "quantity + 1", "properties", "quantity", "x-default").problems


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
    typed = {"at": at, "source": "quantity * 2", "sample.quantity": "4"}
    shown = client.post(f"/studio/{studio.id}/formula", data=typed, headers=headers).text
    assert "This gives 8" in shown and 'name="sample.quantity" value="4"' in shown


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
    given = {"at": "properties/item/x-formula", "source": "Quantity * 2"}
    address = f"/studio/{studio.id}/formula"
    shown = studio.client(studio.mei).post(address, data=given, headers={"Origin": "http://localhost"}).text
    assert 'data-formula-reword="quantity * 2"' in shown


LOT = {
    "x-kind": "form",
    "x-id": "0000002a",
    "x-key": "lot",
    "title": "Lot",
    "type": "object",
    "properties": {
        "item": {"type": "string", "title": "Item"},
        "expires": {"type": "string", "format": "date", "title": "Expires"},
    },
}
ISSUE = {
    "x-kind": "form",
    "x-id": "0000003a",
    "x-key": "issue",
    "title": "Issue",
    "type": "object",
    "properties": {
        "day": {"type": "string", "format": "date", "title": "Day"},
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {
                    "item": {"type": "string", "title": "Item"},
                    "lot": {
                        "type": "integer",
                        "x-type": "relation",
                        "title": "Lot",
                        "x-relation": {"form": "lot", "where": "item = this.item AND expires >= this.day"},
                    },
                },
            },
        },
    },
}


def test_a_condition_on_the_records_of_another_form_in_lines_knows_both_and_is_a_sentence(studio):
    definitions.publish_many(SYSTEM, [LOT, ISSUE], "lots")
    at = ("properties", "lines", "items", "properties", "lot", "x-relation", "where")
    beside = ISSUE["properties"]["lines"]["items"]["properties"]["lot"]["x-relation"]
    scope = formula.scope_at(Around(kinds.get("form"), ISSUE, "en", beside), at)
    source = beside["where"]
    assert formula.judge(studio.mei, scope, source, "en").problems == []
    (wrong,) = formula.judge(studio.mei, scope, "itm = 2", "en").problems
    assert "Item" in wrong.message.render("en")  # of the lots, which can be named here
    assert {"item": "Item", "expires": "Expires"}.items() <= dict(scope.fields).items()
    assert dict(scope.own)["this.day"] == "“Day” here"
    assert dict(scope.own)["this.item"] == "“Lines · Item” here"
    words = Vocabulary(scope, "en")
    sentence = words.read(source)
    assert conditions.fits(sentence, words.names) and sentence.written(words.names) == source
    assert words.say(source) == ("Item is “Lines · Item” here and Expires is at least “Day” here")
    assert ("this.day", "“Day” here") in words.others("expires")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_dialog_offers_the_fields_of_this_record_to_compare_with(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    definitions.publish_many(SYSTEM, [LOT, ISSUE], "lots")
    client = studio.client(studio.mei)
    at = "properties/lines/items/properties/lot/x-relation/where"
    opened = client.get(f"/studio/{ISSUE['x-id']}/formula?at={at}").text
    assert 'value="this.item" selected' in opened and "<textarea" not in opened
    text = client.get(f"/studio/{ISSUE['x-id']}/formula?at={at}&text=1").text
    assert 'data-insert="this.item"' in text and "no “this”" not in text
    said = {"at": at, "join": "all", "field": "expires", "operator": "less", "value": "", "other": "this.day"}
    answer = client.post(
        f"/studio/{ISSUE['x-id']}/do/condition",
        data={**said, "revision": drafting.open_desk(studio.mei, ISSUE["x-id"]).revision},
        headers={"Origin": "http://localhost"},
    )
    assert answer.status_code == 200
    lot = drafting.open_desk(studio.mei, ISSUE["x-id"]).doc["properties"]["lines"]["items"]["properties"][
        "lot"
    ]
    assert lot["x-relation"]["where"] == "expires < this.day"


def test_lines_and_their_columns_are_typed_both(studio):
    scope = replace(formula.scope_at(_around(), ("properties", "item", "x-visible")), expects=None)
    for source in ("COUNT(lines) & JOIN(lines.part)", "JOIN(lines.part) & COUNT(lines)"):
        verdict = formula.judge(studio.mei, scope, source, "en", {"lines": "1,2", "lines.part": "a,b,c"})
        assert verdict.result in ("3a,b,c", "a,b,c3", "3a, b, c", "a, b, c3")


def test_a_draft_without_any_state_can_be_looked_at(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    studio.edit(**{"x-states": {}})
    client = studio.client(studio.mei)
    for page in (f"/studio/{studio.id}", f"/studio/{studio.id}/preview", f"/definitions/{studio.id}/publish"):
        assert client.get(page).status_code == 200


KIND = {
    "title": "Kind",
    "type": "string",
    "x-type": "dropdown",
    "enum": ["tool", "part"],
    "x-titles": {"tool": {"title": "A tool"}},
}


def test_values_to_try_a_formula_with_are_chosen_where_they_can_be(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    client = studio.client(studio.mei)
    more = {
        "kind": KIND,
        "kinds": {**KIND, "type": "array", "x-type": "multi_select", "items": {"enum": KIND["enum"]}},
        "urgent": {"title": "Urgent", "type": "boolean"},
        "buyer": {"title": "Buyer", "type": "string", "x-type": "member"},
    }
    studio.edit(properties={**PAPER["properties"], **more})
    at, headers = "properties/item/x-visible", {"Origin": "http://localhost"}

    def asked(source, **typed):
        given = {"at": at, "source": source, **{f"sample.{key}": value for key, value in typed.items()}}
        return client.post(f"/studio/{studio.id}/formula", data=given, headers=headers).text

    shown = asked("kind = 'tool' AND urgent AND wanted > TODAY() AND state = 'draft'", kind="part")
    assert '<option value="tool">A tool</option><option value="part" selected>part</option>' in shown
    assert '<option value="true">Yes</option>' in shown and 'name="sample.wanted" value=""' in shown
    assert 'type="date"' in shown and '<option value="draft">Draft</option>' in shown
    shown = asked("buyer = 1 AND 'tool' IN kinds", buyer=str(studio.mei.person_id), kinds="tool\x1fpart")
    assert f'<option value="{studio.mei.person_id}" selected>Mei</option>' in shown and "thing=buyer" in shown
    assert 'data-choices-of="[[&#34;tool&#34;' in shown and "This gives" in shown
