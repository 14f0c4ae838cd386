"""Definitions written as text in the browser, and forms that start from labels."""

import pytest

from definitions.cards import card
from definitions.test_pages import site as site  # the same pages
from formloop.core.definitions import kinds, write
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.definitions import editor, service


def _post(site, path, **values):
    return site.post(path, data=values, headers={"Origin": "http://localhost"})


def _text(**more):
    return write(card(**more), kinds.get("card"))


@pytest.fixture
def starter():
    """Cards can be started from lines: each becomes a column."""

    def fill(doc, lines):
        wrong = [Problem("wrong", "", M("This is empty."), 1, 1)] if lines == ["?"] else []
        return {**doc, "columns": lines}, wrong

    editor.starters.add("card", fill)
    yield
    editor.starters._things.pop("card", None)


def test_the_editor_begins_with_the_published_text_and_then_with_the_draft(site, stock, builder):
    assert "&#34;name&#34;" in site.get(f"/definitions/{stock.id}/edit").text
    service.save_draft(builder, "card", card(columns=["size"]))
    assert "&#34;size&#34;" in site.get(f"/definitions/{stock.id}/edit").text


def test_a_text_is_saved_as_draft_and_leads_to_publishing(site, stock):
    saved = _post(
        site,
        f"/definitions/{stock.id}/edit",
        text=_text(columns=["size"]),
        revision=stock.draft_revision,
        do="save",
    )
    assert (saved.status_code, saved.location) == (303, f"/definitions/{stock.id}/edit")
    draft = service.find_draft(stock.id)
    assert draft and draft.doc["columns"] == ["size"]
    on = _post(site, f"/definitions/{stock.id}/edit", text=draft.text, revision=draft.revision, do="publish")
    assert on.location == f"/definitions/{stock.id}/publish"


def test_check_tells_line_column_path_and_the_nearest_key_and_saves_nothing(site, stock):
    text = '{\n"x-key": "stock", "title": "Stock",\n  "colums": ["a"]\n}'
    page = _post(site, f"/definitions/{stock.id}/edit", text=text.replace("\n", "\r\n"), do="check").text
    assert "Did you mean “columns”?" in page
    assert 'data-fl-line="3" data-fl-column="3"' in page and "<code>colums</code>" in page
    assert service.find_draft(stock.id) is None


def test_check_says_when_all_is_well_and_names_what_it_would_break(site, stock, builder):
    address = f"/definitions/{stock.id}/edit"
    assert "Nothing stands against" in _post(site, address, text=_text(), do="check").text
    service.publish_many(builder, [card("order", uses="stock", reads="name")])
    assert "Order would no longer work" in _post(site, address, text=_text(columns=["a"]), do="check").text


def test_what_is_no_json_stays_in_the_editor_with_its_place(site, stock):
    answer = _post(site, f"/definitions/{stock.id}/edit", text='{\n  "x-key" "stock"\n}', do="save")
    assert answer.status_code == 422
    assert 'data-fl-line="2" data-fl-column="11"' in answer.text and "x-key&#34; &#34;stock" in answer.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "A definition is an object"),
        ('{"x-kind": "form"}', "This must be card."),
        ('{"x-id": "0000000f"}', "The stable id stays"),
        ("{}", "is missing here"),
        ('{"x-key": "A B", "title": "x"}', "A B"),
        ("", "A value is expected here"),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused_with_a_reason(site, stock, text, says):
    answer = _post(site, f"/definitions/{stock.id}/edit", text=text, do="save")
    assert answer.status_code == 422 and says in answer.text


def test_two_people_at_once_keep_both_texts(site, stock, builder):
    theirs = service.save_draft(builder, "card", card(columns=["theirs"]))
    address = f"/definitions/{stock.id}/edit"
    answer = _post(site, address, text=_text(columns=["mine"]), revision=theirs.draft_revision - 1, do="save")
    assert answer.status_code == 409
    assert "mine" in answer.text and "theirs" in answer.text
    assert "“mine” was added." in answer.text and "“theirs” was removed." in answer.text
    assert service.find_draft(stock.id).doc["columns"] == ["theirs"]
    again = _post(site, address, text=_text(columns=["mine"]), revision=theirs.draft_revision, do="save")
    assert again.status_code == 303
    assert service.find_draft(stock.id).doc["columns"] == ["mine"]


def test_a_new_definition_starts_as_text_with_what_its_kind_needs(site, database):
    page = site.get("/definitions/new?kind=card").text
    assert "x-key&#34;: &#34;kind_of_definition" in page
    made = _post(site, "/definitions/new", kind="card", text=_text(), do="save")
    assert made.location == "/definitions/0000000a/edit"
    assert _post(site, "/definitions/new", kind="nonsense", text="{}").status_code == 404


def test_a_new_text_has_the_smallest_value_of_each_key_that_is_needed():
    schema = {
        "required": ["rows", "from", "steps", "count"],
        "properties": {
            "rows": {"type": "array"},
            "from": {"type": "object", "required": ["on", "kind"], "properties": {"kind": {"const": "x"}}},
            "steps": {"$ref": "#/$defs/steps"},
            "count": {"type": "integer"},
        },
        "$defs": {"steps": {"type": "array"}},
    }
    empty = {key: editor.empty_value(schema["properties"][key], schema) for key in schema["required"]}
    assert empty == {"rows": [], "from": {"on": "", "kind": "x"}, "steps": [], "count": 0}


def test_a_new_definition_starts_from_labels(site, database, starter):
    assert "Make the draft" in site.get("/definitions/new?kind=card").text
    made = _post(site, "/definitions/new", kind="card", name="采购申请", lines="size\nweight")
    assert made.status_code == 303
    found = service.list_definitions("card")[0]
    assert (found.key, found.title) == ("cai_gou_shen_qing", "采购申请")
    assert service.find_draft(found.id).doc["columns"] == ["size", "weight"]


def test_wrong_labels_stay_on_the_page_with_their_reason(site, database, starter):
    for name, lines, says in [("", "a", "Give it a name."), ("x", " ", "one label"), ("x", "?", "Line 1:")]:
        answer = _post(site, "/definitions/new", kind="card", name=name, lines=lines)
        assert answer.status_code == 422 and says in answer.text
    assert service.list_definitions("card") == []


def test_the_list_and_the_history_lead_to_the_editor(site, stock):
    assert "/definitions/new?kind=card" in site.get("/definitions").text
    assert f"/definitions/{stock.id}/edit" in site.get(f"/definitions/{stock.id}").text


def test_who_may_not_design_cannot_write(site, stock):
    for path in ("/new?kind=card", f"/{stock.id}/edit"):
        assert site.get(f"/definitions{path}", headers={"X-Nobody": "1"}).status_code == 403
        posted = site.post(
            f"/definitions{path}", data={}, headers={"X-Nobody": "1", "Origin": "http://localhost"}
        )
        assert posted.status_code == 403
