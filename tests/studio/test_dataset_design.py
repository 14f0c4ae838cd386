"""Datasets are put together by picking: sources, joins along relations, columns, sums, more rows."""

import json

import pytest
from werkzeug.datastructures import MultiDict

from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds, write
from formloop.core.expression import check
from formloop.datasets.kind import prepare
from formloop.definitions import editor
from formloop.definitions import service as definitions
from formloop.studio import conditions
from formloop.studio.dataset_design import rows_name
from formloop.studio.dataset_designer import PICKERS
from formloop.studio.designer import Gesture, designer_of
from formloop.studio.filling import read_section
from formloop.studio.operations import Operation, apply
from formloop.studio.panel import Members, Section
from formloop.studio.pickers import Around
from formloop.studio.vocabulary import Vocabulary
from studio.conftest import PAPER, Studio

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LINES = {
    "order": {"type": "integer", "x-type": "relation", "title": "Order", "x-relation": {"form": "order"}},
    "weight": {"type": "number", "title": "Weight", "x-title": {"zh-CN": "重量"}},
}
FORMS = [
    {
        **PAPER,
        "x-id": f"0000010{number}",
        "x-key": key,
        "title": title,
        "required": [],
        "x-layout": [],
        "properties": properties,
    }
    for number, (key, title, properties) in enumerate(
        [
            ("customer", "Customer", {"name": {"type": "string", "title": "Name"}}),
            (
                "order",
                "Order",
                {
                    "customer": {
                        "type": "integer",
                        "x-type": "relation",
                        "title": "Buyer",
                        "x-relation": {"form": "customer"},
                    },
                    "seller": {"type": "integer", "x-type": "member", "title": "Seller"},
                    "lines": {
                        "type": "array",
                        "title": "Lines",
                        "items": {"type": "object", "properties": {"weight": LINES["weight"]}},
                    },
                },
            ),
            (
                "parcel",
                "Parcel",
                {
                    "parts": {
                        "type": "array",
                        "title": "Parts",
                        "items": {"type": "object", "properties": LINES},
                    },
                    "customer": {
                        "type": "integer",
                        "x-type": "relation",
                        "title": "For",
                        "x-relation": {"form": "customer"},
                    },
                    "weight": LINES["weight"],
                },
            ),
        ]
    )
]
DOC = {
    "x-kind": "dataset",
    "x-id": "0000004a",
    "x-key": "shipped",
    "title": "Shipped",
    "from": {"form": "order", "each": "lines"},
    "columns": {"customer": "customer", "weight": "line.weight"},
}
SUMMED = {
    **DOC,
    "x-id": "0000004b",
    "x-key": "by_customer",
    "title": "By customer",
    "parameters": {"since": {"type": "string", "format": "date", "title": "Since"}},
    "group": ["customer"],
    "measures": {"weight": "SUM(weight)"},
}


@pytest.fixture
def around(studio: Studio) -> Around:
    definitions.publish_many(SYSTEM, [*FORMS, SUMMED], "forms")
    return _around(DOC)


def _around(doc, locale="en"):
    return Around(kinds.get("dataset"), designer_of("dataset").opened(doc), locale, {})


def _parts(doc, *at, locale="en"):
    return designer_of("dataset").panel(_around(doc, locale), at).parts()


def _members(doc, name, *at):
    return next(part for part in _parts(doc, *at) if isinstance(part, Members) and part.at[-1] == name)


def _cells(doc, *at, locale="en"):
    found = [part for part in _parts(doc, *at, locale=locale) if isinstance(part, Section)]
    return {cell.name: cell for part in found for row in part.rows for cell in row}


def _sound(doc):
    kind = kinds.get("dataset")
    text = write(designer_of("dataset").closed(doc), kind)
    return [str(each.message) for each in editor.check(SYSTEM, kind, text, None)]


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_a_source_is_a_form_its_lines_or_a_dataset(around, locale):
    cell = _cells(DOC, locale=locale)["v-from"]
    offered = dict(cell.choices)
    assert json.loads(cell.input) == DOC["from"] and offered[cell.input] == "Order · Lines"
    assert offered["parcel"] == "Parcel"
    word = {"en": "Dataset: By customer", "zh-CN": "数据集：By customer"}[locale]
    assert offered['{"dataset": "by_customer"}'] == word
    assert '{"dataset": "shipped"}' not in offered  # itself
    panel = designer_of("dataset").panel(_around(DOC, locale), ())
    same, problems = read_section(panel, MultiDict({"v-from": cell.input}))
    assert (same, problems) == ([], {})
    (made,), _ = read_section(panel, MultiDict({"v-from": '{"dataset": "by_customer"}'}))
    assert made == Operation("set", ("from",), {"dataset": "by_customer"})
    _, problems = read_section(panel, MultiDict({"v-from": '{"form": "secret"}'}))
    assert list(problems) == ["v-from"]


def test_what_a_dataset_asks_stays_when_its_source_is_sent_again(around):
    source = {"dataset": "by_customer", "parameters": {"since": "TODAY()"}}
    doc = {**DOC, "from": source}
    panel = designer_of("dataset").panel(_around(doc), ())
    assert read_section(panel, MultiDict({"v-from": '{"dataset": "by_customer"}'})) == ([], {})
    cell = _cells(doc)["v-parameters"]
    assert [[each.input for each in line.cells] for line in cell.lines] == [["since", "TODAY()"], ["", ""]]
    assert ("since", "Since") in [*cell.lines[1].cells[0].choices]


def test_joins_are_offered_along_relations_both_ways_and_by_what_is_summed(around):
    made = _members(DOC, "join")
    offers = {words: (name, json.loads(value)) for words, name, value in made.ready}
    assert not made.named  # a join has no title of its own
    name, said = offers["Customer, of “Buyer”"]
    assert said == {"from": "customer", "on": {"id": "customer"}} and name != "customer"
    assert offers["Parcel · Parts whose “Order” this is"][1] == {
        "from": {"form": "parcel", "each": "parts"},
        "on": {"line.order": "id"},
    }
    assert offers["Dataset “By customer” by “Buyer”"][1] == {
        "from": {"dataset": "by_customer"},
        "on": {"customer": "customer"},
    }
    doc, at = apply(_around(DOC).doc, [Operation("add", ("join",), said, name)], {})
    assert _sound(doc) == []
    on = _cells(doc, *at)["v-on"]
    theirs, ours = (dict(each.choices) for each in on.lines[0].cells)
    assert theirs["name"] == "Name" and ours["line.weight"] == "Lines · Weight"
    assert not any(path.startswith(f"{name}.") for path in ours)  # not by what it brings itself
    offered = {words: json.loads(value) for words, _, value in _members(doc, "columns").ready}
    assert offered["Customer · Name"] == {"value": f"{name}.name"}


def test_columns_and_sums_are_picked(around):
    offered = {words: (key, json.loads(value)) for words, key, value in _members(DOC, "columns").ready}
    assert "Buyer" not in offered and offered["State"] == ("state", {"value": "state"})
    totals = {words: (key, json.loads(value)) for words, key, value in _members(DOC, "measures").ready}
    assert totals["Sum of Weight"] == ("weight", {"value": "SUM(weight)"})
    key, count = totals["Number of rows"]
    doc = {**_around(DOC).doc, "group": ["customer"], "measures": {key: count}}
    assert _sound(doc) == [] and count["x-title"] == {"zh-CN": "行数"}
    people = {**DOC, "columns": {**DOC["columns"], "seller": "seller", "owner": "owner", "number": "id"}}
    assert [words for words, *_ in _members(people, "measures").ready] == ["Number of rows", "Sum of Weight"]
    (problem,) = _sound({**people, "group": ["customer"], "measures": {"seller": "SUM(seller)"}})
    assert "is no number" in problem


def test_more_rows_begin_with_the_columns_their_source_has_too(around):
    opened = _around({**DOC, "union": [{"from": "", "columns": {}}]})
    gesture = Gesture(opened, MultiDict({"at": "union/0"}), None)
    doc, _ = designer_of("dataset").write(gesture, [Operation("set", ("union", "0", "from"), "parcel")])
    assert doc["union"] == [{"from": "parcel", "columns": {"customer": "customer", "weight": "weight"}}]
    assert _sound(doc) == []
    cell = _cells(doc, "union", "0")["v-columns"]
    assert [[each.input for each in line.cells] for line in cell.lines][:2] == [
        ["customer"] * 2,
        ["weight"] * 2,
    ]
    assert _members(doc, "join", "union", "0").ready  # along its own relations
    scope = designer_of("dataset").scope(
        opened.__class__(opened.kind, doc, "en", {}), ("union", "0", "where")
    )
    assert ("parts", "Parts") not in scope.fields and ("weight", "Weight") in scope.fields


def test_a_condition_that_is_not_said_yet_can_name_the_rows_too(around):
    def scope(doc, *at):
        opened = _around(doc)
        return designer_of("dataset").scope(opened, at)

    names = scope(DOC, "where")
    groups = Vocabulary(names, "en").groups
    assert ("line.weight", "Lines · Weight") in groups[0].things and "customer.name" in dict(
        thing for group in groups for thing in group.things
    )
    assert "weight" in scope(SUMMED, "having").names
    joined = {**DOC, "join": {"who": {"from": "customer", "on": {}}}}
    assert "customer" in scope(joined, "join", "who", "on", "id").names
    opened = {**SUMMED, "from": {"ledger": "stock", "of": "open"}}
    as_of = scope(opened, "from", "as_of")
    assert as_of.fields == [("parameters.since", "Since")] and check("parameters.since", as_of.names)[1] == []


def test_sorts_totals_and_days_are_picked_not_typed(around):
    cells = _cells(SUMMED)
    assert {"weight", "-weight"} <= {value for value, _ in cells["v-sort"].choices}
    assert {"customer", "weight"} <= {value for value, _ in cells["v-subtotals"].choices}
    running = {**SUMMED, "running": {"there": {"value": "weight"}}}
    assert ("weight", "Weight") in [*_cells(running, "running", "there")["v-value"].choices]
    why = {**SUMMED, "why": {"ledger": "stock", "of": {}}}
    since = _cells(why, "why")["v-since"]
    assert [*since.choices] == [("since", "Since")]
    lines = _cells(why, "why")["v-of"].lines
    assert ("customer", "Buyer") in [*lines[0].cells[1].choices]


def test_a_column_that_is_typed_gets_its_name_and_what_has_no_title_gets_none(studio, around):
    def add(at, title, value):
        given = MultiDict({"at": at, "title": title, "value": json.dumps(value)})
        return designer_of("dataset").gestures()["add-named"](Gesture(_around(DOC), given, None))[0]

    assert add("columns", "Heavy", {"value": ""})["columns"]["heavy"] == {"title": "Heavy", "value": ""}
    assert add("join", "Other", {"from": "", "on": {}})["join"] == {"other": {"from": "", "on": {}}}


@pytest.mark.parametrize(
    "said",
    [
        {"from": {"form": 1}, "join": [], "union": {}},
        {"from": ["order"], "join": {"a": 1}, "columns": {"a": ["x"], "b": {"value": {}}}},
        {"from": {"form": "order", "each": []}, "group": 3, "measures": {"m": 1}},
        {"from": "order", "union": [3, {"from": {"dataset": {}}, "columns": 1}], "sort": "x"},
        {"from": {"ledger": "none"}, "parameters": {"p": 1, "q": {"enum": 3, "x-titles": []}}, "why": 3},
    ],
)
def test_a_draft_that_is_wrong_in_every_way_is_drawn(around, said):
    doc = {**DOC, **said}
    assert _parts(doc)
    for at in (("where",), ("measures", "m", "value"), ("join", "a", "on", "b"), ("union", "0", "where")):
        assert designer_of("dataset").scope(_around(doc), at)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("weight > line.weight", "Weight is more than Parts · Weight"),
        ("created_at >= TODAY()", "Created is at least today"),
        ("wanted < created_at", "Wanted is less than Created"),
        ("note = parameters.note", "Note is About"),
        (
            "weight > 5 AND (ISBLANK(parameters.buyer) OR customer = parameters.buyer)",
            "Weight is more than 5 and For is the parameter “Buyer”, where it is filled in",
        ),
    ],
)
def test_conditions_that_compare_two_fields_are_sentences(studio, source, said):
    parcel = FORMS[2]
    more = {
        "note": {"type": "string", "title": "Note"},
        "wanted": {"type": "string", "format": "date", "title": "Wanted"},
    }
    form = {**parcel, "properties": {**parcel["properties"], **more}}
    definitions.publish_many(SYSTEM, [FORMS[0], FORMS[1], form], "forms")
    parameters = {
        "note": {"type": "string", "title": "About"},
        "buyer": {
            "type": "integer",
            "x-type": "relation",
            "title": "Buyer",
            "x-relation": {"form": "customer"},
        },
    }
    doc = {**DOC, "from": {"form": "parcel", "each": "parts"}, "parameters": parameters, "where": source}
    scope = designer_of("dataset").scope(_around(doc), ("where",))
    words = Vocabulary(scope, "en")
    sentence = words.read(source)
    assert sentence is not None and conditions.fits(sentence, words.names) and words.say(source) == said
    assert words.read(words.written(sentence)) == sentence
    for rule in sentence.rules:
        assert not rule.other or rule.other in dict(words.others(rule.field))


def test_a_condition_on_results_picks_the_options_of_its_columns(studio):
    kind = {"type": "string", "title": "Kind", "enum": ["raw"], "x-titles": {"raw": {"title": "Raw"}}}
    form = {**FORMS[0], "properties": {"kind": kind, "name": {"type": "string", "title": "Name"}}}
    definitions.publish_many(SYSTEM, [form], "form")
    doc = {**DOC, "from": "customer", "columns": {"what": "kind", "who": "owner"}, "having": "what = 'raw'"}
    words = Vocabulary(designer_of("dataset").scope(_around(doc), ("having",)), "en")
    assert words.options("what") == [("raw", "Raw")] and words.say(doc["having"]) == "Kind is Raw"
    assert words.source("who") == "@person"


def test_columns_of_one_name_say_what_they_belong_to(studio, around):
    named = {"name": {"type": "string", "title": "Name", "x-title": {"zh-CN": "名称"}}}
    own = {**FORMS[1]["properties"], **named}
    definitions.publish_many(
        SYSTEM, [{**FORMS[1], "properties": own}, {**FORMS[0], "properties": named}], "named"
    )
    join = {"who": {"from": "customer", "on": {"id": "customer"}}}
    doc = {
        **DOC,
        "from": "order",
        "join": join,
        "columns": {"a": "customer.name", "b": "who.name", "c": "name"},
    }
    titles = [[field.title(each) for field in prepare(doc, 0).fields.values()] for each in ("en", "zh-CN")]
    assert titles == [
        ["Buyer · Name", "Customer · Name", "Name"],
        ["Buyer · 名称", "Customer · 名称", "名称"],
    ]
    doc = {**doc, "columns": {"a": "customer.name", "b": {"value": "who.name", "title": "Other"}}}
    assert [each.title("en") for each in prepare(doc, 0).fields.values()] == ["Name", "Other"]
    doc["columns"] = {"a": "who.name", "b": "name"}
    assert dict(PICKERS["columns"](_around(doc))) == {"a": "Customer · Name", "b": "Name"}


def test_a_filter_that_leaves_nothing_is_said_and_a_condition_is_asked_of_each_row(studio, around):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    saved = definitions.save_draft(SYSTEM, "dataset", {**DOC, "where": "line.weight > 5"})
    client = studio.client(studio.mei)
    assert "No row that you may see meets the filter." in client.get(f"/studio/{saved.id}/rows").text
    told = client.get(f"/studio/{saved.id}/formula?at=where").text
    assert "It is asked of each row." in told and "There is no record to try it on." not in told
    definitions.publish(SYSTEM, saved.id)
    assert "No row meets the filter of this dataset." in client.get("/datasets/shipped").text
    history = client.get(f"/definitions/{saved.id}").text
    assert "Open the dataset" in history and "Open the form" not in history


def test_what_every_row_has_is_called_in_both_languages(studio, around):
    lines = {**DOC, "from": {"form": "parcel", "each": "parts"}}
    for locale, words in (("en", {"Revision", "Parts · Line number"}), ("zh-CN", {"修订号", "Parts · 行号"})):
        named = {word for _, (_, word, _) in rows_name(lines, locale).items()}
        assert words <= named
    for locale, word in (("en", "Revision"), ("zh-CN", "修订号")):
        doc = {**DOC, "from": "customer", "columns": {"which": "revision"}, "sort": []}
        assert prepare(doc, 0).fields["which"].title(locale) == word
