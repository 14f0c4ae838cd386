"""Conditions as sentences: written, read back, said in words, and shown before any formula."""

import pytest
from werkzeug.datastructures import MultiDict

from formloop.access import people
from formloop.access.actor import SYSTEM, get_actor
from formloop.core.definitions import kinds
from formloop.core.errors import Invalid
from formloop.core.expression import check, check_sql
from formloop.definitions import service as definitions
from formloop.forms import service
from formloop.studio import conditions, formula
from formloop.studio.conditions import Rule, Sentence
from formloop.studio.designer import designer_of
from formloop.studio.pickers import Around
from formloop.studio.vocabulary import Vocabulary
from studio.conftest import PAPER

FORM = {
    **PAPER,
    "properties": {
        **PAPER["properties"],
        "urgent": {"type": "boolean", "title": "Urgent", "x-title": {"zh-CN": "紧急"}},
        "size": {
            "type": "string",
            "title": "Size",
            "enum": ["s", "l"],
            "x-titles": {"l": {"title": "Large"}},
        },
        "above": {
            "type": "integer",
            "x-type": "relation",
            "title": "Above",
            "x-relation": {"form": "request"},
        },
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {
                    "amount": {"type": "number", "title": "Amount"},
                    "due": {"type": "string", "format": "date", "title": "Due"},
                    "part": {"type": "string", "title": "Part"},
                },
            },
        },
    },
}
AT = ("properties", "item", "x-visible")
SENTENCES = [
    (Rule("quantity", "more", "100"), "quantity > 100"),
    (Rule("quantity", "most", "-2.5"), "quantity <= -2.5"),
    (Rule("item", "is", "it's"), "item = 'it''s'"),
    (Rule("wanted", "least", "2026-01-31"), "wanted >= '2026-01-31'"),
    (Rule("item", "empty"), "ISBLANK(item)"),
    (Rule("above", "filled"), "NOT(ISBLANK(above))"),
    (Rule("urgent", "is", "false"), "urgent = false"),
    (Rule("size", "is_not", "l"), "size <> 'l'"),
    (Rule("above.quantity", "less", "5"), "above.quantity < 5"),
    (Rule("above.item", "empty"), "ISBLANK(above.item)"),
    (Rule("SUM(lines.amount)", "more", "1000"), "SUM(lines.amount) > 1000"),
    (Rule("COUNT(lines)", "least", "2"), "COUNT(lines) >= 2"),
    (Rule("MAX(lines.due)", "most", "2026-01-31"), "MAX(lines.due) <= '2026-01-31'"),
]


def _scope(locale="en"):
    return formula.scope_at(Around(kinds.get("form"), FORM, locale, {}), AT)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_sentence_is_an_expression_that_is_understood_and_read_back(studio):
    names = _scope().names
    for rule, source in SENTENCES:
        said = Sentence((rule,))
        assert said.written(names) == source
        assert check(source, names, formula.BOOL)[1] == []
        assert conditions.read_sentence(source) == said and conditions.fits(said, names)
    for join in ("all", "any"):
        several = Sentence(tuple(rule for rule, _ in SENTENCES), join)
        assert conditions.read_sentence(several.written(names)) == several
        assert check(several.written(names), names, formula.BOOL)[1] == []


@pytest.mark.parametrize(
    "source",
    [
        "quantity + 1 > 2",
        "a = 1 AND (b = 2 OR c = 3)",
        "SUM(lines.amount, 2) > 3",
        "SUMIF(a, b) > 3",
        "a = b + 1",
        "1 IN (2, 3)",
        "a >",
    ],
)
def test_what_is_more_than_a_sentence_stays_a_formula(source):
    assert conditions.read_sentence(source) is None


def test_other_ways_to_write_a_sentence_are_read_as_one():
    assert conditions.read_sentence("OR(urgent, NOT(open))") == Sentence(
        (Rule("urgent", "is", "true"), Rule("open", "is", "false")), "any"
    )
    assert conditions.read_sentence("  ") == Sentence()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_sentence_is_said_in_the_words_of_the_form_in_both_languages(studio):
    source = "size = 'l' AND urgent AND quantity >= 3"
    said = {locale: Vocabulary(_scope(locale), locale).say(source) for locale in ("en", "zh-CN")}
    assert said["en"] == "Size is Large and Urgent is Yes and Quantity is at least 3"
    assert said["zh-CN"] == "Size 等于 Large 且 紧急 等于 是 且 Quantity 大于等于 3"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_fields_of_other_records_and_sums_over_lines_are_offered_and_said(studio):
    words = Vocabulary(_scope(), "en")
    groups = {group.title: dict(group.things) for group in words.groups}
    assert "lines" not in groups[""] and "lines.amount" not in groups[""]
    assert groups["Above"] == {
        "above.item": "Above · Item",
        "above.quantity": "Above · Quantity",
        "above.wanted": "Above · Wanted by",
    }
    assert list(groups["Lines"]) == [
        "COUNT(lines)", "SUM(lines.amount)", "MAX(lines.amount)", "MIN(lines.amount)", "MAX(lines.due)", "MIN(lines.due)",
    ]  # fmt: skip
    grant = {"id": "v", "form": "request", "may": ["view"], "except": ["quantity"]}
    role = {"x-kind": "role", "x-id": "0000009c", "x-key": "some", "title": "Some", "grants": [grant]}
    definitions.publish_many(SYSTEM, [role], "some of it")
    some = get_actor(people.add_person(SYSTEM, "wei", "Wei", roles=["some"]))
    offered = {group.title: list(dict(group.things)) for group in Vocabulary(_scope(), "en", some).groups}
    assert offered["Above"] == ["above.item", "above.wanted"]  # what they may see themselves
    source = "SUM(lines.amount) > 1000 AND above.quantity < 5"
    assert words.say(source) == "sum of Lines · Amount is more than 1000 and Above · Quantity is less than 5"
    assert "Lines · Amount的合计 大于 1000" in Vocabulary(_scope(), "zh-CN").say(source)
    inside = formula.scope_at(
        Around(kinds.get("form"), FORM, "en", {}),
        ("properties", "lines", "items", "properties", "part", "x-visible"),
    )
    assert "SUM(amount)" not in str(Vocabulary(inside, "en").groups)  # one line has one amount


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_rule_opens_as_a_sentence_becomes_text_on_demand_and_is_kept(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    client, headers = studio.client(studio.mei), {"Origin": "http://localhost"}
    at = "properties/item/x-visible"
    place = f"/studio/{studio.id}/formula?at={at}"
    opened = client.get(place).text
    assert "data-sentence" in opened and "<textarea" not in opened
    said = {"at": at, "join": "all", "field": "quantity", "operator": "more", "value": "3"}
    assert (
        "Quantity is more than 3"
        in client.post(f"/studio/{studio.id}/formula", data=said, headers=headers).text
    )
    as_text = client.get(place + "&text=1&join=all&field=quantity&operator=more&value=3").text
    assert "quantity &gt; 3</textarea>" in as_text
    stays = client.get(place + "&source=quantity %2B 1 > 2").text
    assert "<textarea" in stays and "more than a sentence" in stays
    kept = client.post(
        f"/studio/{studio.id}/do/condition",
        data={**said, "shown": "properties/item", "revision": studio.desk().revision},
        headers=headers,
    )
    assert kept.status_code == 200 and "Quantity is more than 3" in kept.text
    assert studio.desk().doc["properties"]["item"]["x-visible"] == "quantity > 3"
    nothing = {**said, "field": "", "revision": studio.desk().revision}
    assert client.post(f"/studio/{studio.id}/do/condition", data=nothing, headers=headers).status_code == 422


def test_a_sentence_that_is_too_long_is_refused_and_not_cut():
    posted = MultiDict(
        [(name, "x") for name in ("field", "operator", "value") for _ in range(conditions.MOST)]
    )
    assert len(conditions.read_posted(posted).rules) == conditions.MOST
    posted.add("field", "one more")
    with pytest.raises(Invalid):
        conditions.read_posted(posted)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_condition_of_a_dataset_speaks_of_the_state_in_words(studio):
    doc = {"x-kind": "dataset", "x-id": "0000004a", "x-key": "d", "title": "D", "from": "request"}
    doc |= {"columns": {"item": "item"}, "where": 'state = "confirmed"'}
    around = Around(kinds.get("dataset"), doc, "zh-CN", {})
    scope = designer_of("dataset").scope(around, ("where",))
    assert Vocabulary(scope, "zh-CN").say(doc["where"]) == "状态 等于 已生效"


LOOKING = {
    **FORM,
    "properties": {
        **FORM["properties"],
        "price": {
            "type": "number",
            "title": "Price",
            "x-linkage": {
                "form": "other",
                "value": "quantity",
                "where": "item = this.item AND above = this.above",
            },
        },
    },
}


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_a_condition_about_another_form_compares_with_fields_of_this_record(studio, locale):
    definitions.publish_many(SYSTEM, [{**FORM, "x-id": "0000002a", "x-key": "other"}], "other")
    at = ("properties", "price", "x-linkage", "where")
    linkage = LOOKING["properties"]["price"]["x-linkage"]
    around = Around(kinds.get("form"), LOOKING, locale, linkage)
    scope = designer_of("form").scope(around, at)
    rules = (Rule("item", "is", other="this.item"), Rule("above", "is", other="this.above"))
    sentence = conditions.read_sentence(linkage["where"])
    assert sentence == Sentence(rules) and conditions.fits(sentence, scope.names)
    assert sentence.written(scope.names) == linkage["where"]
    words = Vocabulary(scope, locale)
    said = {"en": "Item is “Item” here", "zh-CN": "Item 等于 本表的“Item”"}[locale]
    assert words.say("item = this.item") == said
    offered = {thing: [path for path, _ in words.others(thing)] for thing in ("item", "id", "above")}
    assert "this.item" in offered["item"] and "this.price" not in offered["item"]
    assert "this.above" not in offered["id"] and "this.above" in offered["above"]
    assert Sentence((Rule("above", "is"),)).problems(words.names)  # a record is chosen


def test_in_lines_a_condition_names_the_other_form_and_the_line_with_its_record(studio):
    lines = LOOKING["properties"]["lines"]
    linkage = {"form": "request", "value": "quantity", "where": "item = this.part"}
    columns = {
        **lines["items"]["properties"],
        "found": {"type": "number", "title": "Found", "x-linkage": linkage},
    }
    doc = {
        **LOOKING,
        "properties": {
            **LOOKING["properties"],
            "lines": {**lines, "items": {"type": "object", "properties": columns}},
        },
    }
    at = ("properties", "lines", "items", "properties", "found", "x-linkage", "where")
    scope = designer_of("form").scope(Around(kinds.get("form"), doc, "en", linkage), at)
    assert ("quantity", "Quantity") in scope.fields and check(linkage["where"], scope.names)[1] == []
    assert ("this.above", "“Above” here") in Vocabulary(scope, "en").others("id")
    own = dict(scope.own)
    assert {"this.part", "this.item"} <= own.keys() and "this.lines" not in own
    assert "this.part" in dict(Vocabulary(scope, "en").others("item"))


CHOSEN = {
    **FORM,
    "properties": {
        **FORM["properties"],
        "asker": {"type": "integer", "x-type": "member", "title": "Asker"},
        "unit": {"type": "integer", "x-type": "department", "title": "Unit"},
        "team": {"type": "array", "x-type": "member", "x-multiple": True, "title": "Team"},
        "colours": {
            "type": "array",
            "x-type": "multi_select",
            "title": "Colours",
            "items": {"type": "string", "enum": ["red", "blue"]},
        },
        "papers": {
            "type": "array",
            "x-type": "attachment",
            "title": "Papers",
            "items": {"type": "string"},
        },
    },
}
CHOICES = [
    (Rule("asker", "is", "7"), "asker = 7"),
    (Rule("unit", "is_not", "3"), "unit <> 3"),
    (Rule("above", "is", "12"), "above = 12"),
    (Rule("above.owner", "is", "7"), "above.owner = 7"),
    (Rule("team", "has", "7"), "7 IN team"),
    (Rule("colours", "has", "red"), "'red' IN colours"),
    (Rule("colours", "has_not", "blue"), "'blue' NOT IN colours"),
    (Rule("colours", "empty"), "COUNT(colours) = 0"),
    (Rule("papers", "filled"), "COUNT(papers) > 0"),
    (Rule("wanted", "less", "", "above.wanted"), "wanted < above.wanted"),
    (Rule("asker", "is", "", "owner"), "asker = owner"),
]


def _words(actor=SYSTEM, locale="en"):
    return Vocabulary(formula.scope_at(Around(kinds.get("form"), CHOSEN, locale, {}), AT), locale, actor)


def test_people_departments_records_and_several_choices_are_compared_as_what_they_are(studio):
    words = _words()
    for rule, source in CHOICES:
        said = Sentence((rule,))
        assert said.written(words.names) == source and said.problems(words.names) == []
        found, problems = check(source, words.scope.names, formula.BOOL)
        assert problems == [] and check_sql(found) == [], source
        assert words.read(source) == said and conditions.fits(said, words.names), source
    offered = {thing for group in words.groups for thing, _ in group.things}
    assert {"asker", "unit", "team", "colours", "papers", "above"} <= offered
    assert not {"COUNT(team)", "COUNT(colours)", "COUNT(papers)"} & offered  # these are no lines
    assert conditions.operators_for("papers", words.names) == ("empty", "filled")
    assert conditions.operators_for("team", words.names) == ("has", "has_not", "empty", "filled")


def test_what_is_no_number_and_nobody_is_refused_in_words(studio):
    for rule in (
        Rule("asker", "is", "Wang"),
        Rule("unit", "is"),
        Rule("quantity", "more", "many"),
        Rule("quantity", "is"),
    ):
        assert Sentence((rule,)).problems(_words().names)
    for rule in (Rule("quantity", "more", "1,250.5"), Rule("item", "is", ""), Rule("asker", "empty")):
        assert not Sentence((rule,)).problems(_words().names)


def test_whom_a_sentence_is_about_is_searched_and_named(studio):
    wei = people.add_person(SYSTEM, "wei", "Wei Wang")
    unit = people.add_department(SYSTEM, "production", "Production", name_zh="生产部")
    above = service.create(studio.mei, "request", {"item": "Drill"})["id"]
    definitions.publish_many(SYSTEM, [CHOSEN], "second")
    said = _words(studio.mei).say(f"asker = {wei} AND unit = {unit} AND above = {above} AND {wei} IN team")
    assert said == "Asker is Wei Wang and Unit is Production and Above is Drill and Team contains Wei Wang"
    client, at = studio.client(studio.mei), "/".join(AT)

    def found(thing, text):
        address = f"/studio/{studio.id}/formula/choices?at={at}&thing={thing}&q={text}"
        return [(each["value"], each["text"]) for each in client.get(address).json]

    assert found("asker", "wei") == found("team", "wei") == [(str(wei), "Wei Wang")]
    assert found("unit", "生产") == [(str(unit), "Production")] and found("above", "dri") == [
        (str(above), "Drill")
    ]
    assert found("quantity", "") == found("nothing", "") == []
    grant = {"id": "v", "form": "request", "may": ["view"], "where": "quantity > 5"}
    role = {"x-kind": "role", "x-id": "0000009c", "x-key": "some", "title": "Some", "grants": [grant]}
    definitions.publish_many(SYSTEM, [role], "some of it")
    some = get_actor(people.add_person(SYSTEM, "some", "Some", roles=["some"]))
    assert _words(some).say(f"above = {above}") == f"Above is #{above}"  # which they may not see


def test_the_dialog_refuses_a_name_typed_for_a_number_and_keeps_a_chosen_person(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    definitions.publish_many(SYSTEM, [CHOSEN], "second")
    client, headers, at = studio.client(studio.mei), {"Origin": "http://localhost"}, "/".join(AT)
    given = {"at": at, "join": "all", "field": "asker", "operator": "is", "value": "Wang", "other": ""}
    address, kept = f"/studio/{studio.id}/formula", f"/studio/{studio.id}/do/condition"
    assert "Choose what it is compared with" in client.post(address, data=given, headers=headers).text
    posted = {**given, "shown": "properties/item", "revision": studio.desk().revision}
    assert client.post(kept, data=posted, headers=headers).status_code == 422
    person = {**posted, "value": str(studio.lin.person_id)}
    assert client.post(kept, data=person, headers=headers).status_code == 200
    assert studio.desk().doc["properties"]["item"]["x-visible"] == f"asker = {studio.lin.person_id}"
    opened = client.get(f"{address}?at={at}").text
    assert "data-fl-choices" in opened and "Lin</option>" in opened
