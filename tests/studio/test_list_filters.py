"""What a list begins with is picked as a sentence: field, comparison, value; what is kept is the text that lists read."""

import html
import re

import pytest
from werkzeug.datastructures import MultiDict

from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds
from formloop.definitions import service as definitions
from formloop.forms import service as forms
from formloop.studio.conditions import Rule, Sentence
from formloop.studio.list_filters import BESIDE, ListFilters
from formloop.studio.pickers import Around
from studio.conftest import PAPER
from studio.test_list_canvas import KIND

FIELDS = {
    **PAPER["properties"],
    "kind": KIND,
    "marks": {
        "type": "array",
        "x-type": "multi_select",
        "title": "Marks",
        "items": {"type": "string", "enum": ["Nuts, bolts", "new"]},
    },
    "urgent": {"type": "boolean", "title": "Urgent"},
    "place": {"type": "string", "x-type": "cascade", "title": "Place", "x-tree": [["A", "B"], ["C"]]},
    "who": {"type": "integer", "x-type": "member", "title": "Who"},
    "other": {"type": "integer", "x-type": "relation", "title": "Other", "x-relation": {"form": "request"}},
}
BEGINS = [
    ({"kind": "raw"}, [Rule("kind", "any_of", "raw")]),
    ({"kind": "原料, part"}, [Rule("kind", "any_of", f"raw{BESIDE}part")]),
    ({"state": "draft, 审批中"}, [Rule("state", "any_of", f"draft{BESIDE}review")]),
    ({"marks": "nuts, bolts"}, [Rule("marks", "has", "Nuts, bolts")]),
    ({"urgent": "是"}, [Rule("urgent", "is", "true")]),
    ({"urgent": "no"}, [Rule("urgent", "is", "false")]),
    ({"quantity": "5~"}, [Rule("quantity", "at_least", "5")]),
    ({"quantity": "~9"}, [Rule("quantity", "at_most", "9")]),
    ({"wanted": "2026-01-01,2026-02-01"}, [Rule("wanted", "at_least", "2026-01-01"), Rule("wanted", "at_most", "2026-02-01")]),
    ({"wanted": "this week"}, [Rule("wanted", "this_week")]),
    ({"created_at": "今天"}, [Rule("created_at", "today")]),
    ({"item": "Bolt, long"}, [Rule("item", "contains", "Bolt, long")]),
    ({"place": "A / B"}, [Rule("place", "starts", "A / B")]),
    ({"owner": "me", "who": "me"}, [Rule("owner", "is", "me"), Rule("who", "is", "me")]),
]  # fmt: skip


@pytest.fixture
def words(studio):
    with studio.app.test_request_context():
        yield ListFilters(Around(kinds.get("form"), {**PAPER, "properties": FIELDS}, "en", {}))


@pytest.fixture
def client(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    return studio.client(studio.mei)


@pytest.mark.parametrize(("begins", "rules"), BEGINS)
def test_filters_are_read_as_sentences_and_written_as_lists_read_them(words, begins, rules):
    sentence = words.read(begins)
    assert list(sentence.rules) == rules
    assert words.problems(sentence) == []
    assert words.read(words.written(sentence)) == sentence


def test_each_field_is_offered_with_its_comparisons_and_options(words):
    offered = dict(words.groups[0].things)
    assert "other" not in offered and "lines" not in offered and offered["state"] == "State"
    assert words.compared("kind")["options"] == [("raw", "Raw"), ("part", "Part")]
    assert words.compared("kind")["several"] and not words.compared("marks")["several"]
    assert [each for each, _ in words.compared("wanted")["operators"]] == [
        "at_least", "at_most", "today", "this_week", "this_month",
    ]  # fmt: skip
    assert words.compared("wanted")["kind"] == "date" and words.compared("quantity")["kind"] == "number"
    assert [value for value, _ in words.compared("place")["options"]] == ["A", "A / B", "C"]
    assert [value for value, _ in words.compared("owner")["options"]] == ["me"]


@pytest.mark.parametrize(
    "rules",
    [
        [Rule("kind", "any_of", "")],
        [Rule("quantity", "at_least", "many")],
        [Rule("wanted", "at_least", "soon")],
        [Rule("gone", "is", "1")],
        [Rule("kind", "starts", "raw")],
        [Rule("item", "contains", "a"), Rule("item", "contains", "b")],
        [Rule("wanted", "today"), Rule("wanted", "at_most", "2026-01-01")],
        [Rule("wanted", "at_most", "2026-01-01"), Rule("wanted", "today")],
        [Rule("quantity", "at_least", "1"), Rule("quantity", "at_least", "2")],
    ],
)
def test_what_no_list_can_be_filtered_by_is_told(words, rules):
    assert len(words.problems(Sentence(tuple(rules)))) == 1


def test_the_panel_says_them_and_the_dialog_picks_them(studio, client):
    studio.edit(properties=FIELDS, **{"x-list": {"begins": {"kind": "raw,part", "owner": "me"}}})
    page = html.unescape(client.get(f"/studio/{studio.id}?at=x-list").text)
    assert 'data-formula="x-list/begins"' in page
    assert "Kind is one of Raw, Part; Owner is whoever looks at it" in page
    dialog = html.unescape(client.get(f"/studio/{studio.id}/formula?at=x-list/begins").text)
    assert f'value="raw{BESIDE}part"' in dialog and "Write it as a formula" not in dialog
    assert re.search(r'<option value="me" selected>whoever looks at it', dialog)


def test_a_sentence_is_kept_as_text_and_a_bad_one_refused(studio, client):
    studio.edit(properties=FIELDS)
    given = MultiDict([("at", "x-list/begins"), ("join", "all")])
    for field, operator, value in (
        ("kind", "any_of", f"raw{BESIDE}part"),
        ("wanted", "at_least", "2026-01-01"),
    ):
        given.update({"field": field, "operator": operator, "value": value, "other": ""})
    given["revision"] = studio.desk().revision
    assert client.post(f"/studio/{studio.id}/do/condition", data=given).status_code == 200
    assert studio.desk().doc["x-list"]["begins"] == {"kind": "raw,part", "wanted": "2026-01-01~"}
    judged = client.post(f"/studio/{studio.id}/formula", data=given).text
    assert (
        "Kind is one of Raw, Part; Wanted by between" not in judged
        and "Wanted by at least 2026-01-01" in judged
    )
    given.setlist("value", ["", "2026-01-01"])
    answer = client.post(f"/studio/{studio.id}/formula", data=given)
    assert answer.status_code == 200 and "Choose or type what “Kind” is." in answer.text
    given["revision"] = studio.desk().revision
    assert client.post(f"/studio/{studio.id}/do/condition", data=given).status_code == 422


def test_a_list_begins_with_the_records_of_whoever_looks(studio, client):
    doc = {**PAPER, "x-list": {"columns": ["item"], "begins": {"owner": "me", "state": "draft, review"}}}
    definitions.publish_many(SYSTEM, [doc], "mine")
    forms.create(studio.mei, "request", {"item": "Bolt of Mei"})
    forms.create(studio.lin, "request", {"item": "Bolt of Lin"})
    page = client.get("/f/request").text
    assert "Bolt of Mei" in page and "Bolt of Lin" not in page
    assert "Bolt of Lin" in studio.client(studio.lin).get("/f/request").text
