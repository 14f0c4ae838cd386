"""Tabs, sections, dividers and texts among the fields of a form, in its designer."""

import re

import pytest

from formloop.core.errors import Invalid, NotFound
from formloop.studio import form_design, form_rows
from studio.conftest import PAPER
from studio.test_pages import HTMX

MONEY = {"id": "money", "is": "section", "title": "Money", "closed": True}
DOC = {**PAPER, "x-layout": [["item", "quantity"], MONEY, ["wanted"], ["lines"]]}


def names(doc):
    return form_rows.rows_of(doc)


def test_a_mark_is_added_behind_a_row_and_a_field_behind_a_mark():
    doc, at = form_rows.add_mark(DOC, "tab", "en", after="wanted")
    assert at == ("x-layout", "tab") and names(doc)[3] == ["@tab"]
    assert doc["x-layout"][3] == {"id": "tab", "is": "tab", "title": "Tab"}
    doc, _ = form_design.add_field(DOC, "text", "en", after="@money")
    assert names(doc)[:3] == [["item", "quantity"], ["@money"], ["single_line_text"]]
    divider, _ = form_rows.add_mark(DOC, "divider", "en", before="item")
    assert divider["x-layout"][0] == {"id": "divider", "is": "divider"}


def test_marks_move_by_key_and_by_dragging_and_keep_what_they_say():
    at = ("x-layout", "money")
    assert names(form_design.shift(DOC, at, 1))[1:3] == [["wanted"], ["@money"]]
    moved = form_rows.place(DOC, "@money", after="lines")
    assert names(moved)[-1] == ["@money"] and moved["x-layout"][-1] == MONEY
    assert form_design.shift(moved, at, 1) == moved


def test_a_mark_is_copied_and_deleted_and_its_fields_stay():
    at = ("x-layout", "money")
    doc, copy = form_design.duplicate_field(DOC, at)
    assert copy == ("x-layout", "section") and doc["x-layout"][2] == {**MONEY, "id": "section"}
    assert [each for row in names(form_design.remove_field(DOC, at)) for each in row if "@" in each] == []


def test_marks_stay_when_fields_go_or_change_their_keys():
    assert MONEY in form_design.remove_field(DOC, ("properties", "wanted"))["x-layout"]
    renamed, _ = form_design.write_field(
        DOC,
        ("properties", "wanted"),
        [form_design.Operation("set", ("properties", "wanted", "title"), "Due")],
        False,
    )
    assert MONEY in renamed["x-layout"]


def test_what_is_no_mark_is_refused():
    with pytest.raises(NotFound):
        form_rows.add_mark(DOC, "curtain", "en")
    with pytest.raises(Invalid):
        form_design.require_part(DOC, ("x-layout", "nowhere"))
    with pytest.raises(Invalid):
        form_design.duplicate_field({**DOC, "x-layout": [{"id": "a", "is": ["x"]}]}, ("x-layout", "a"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_designer_adds_selects_and_fills_in_marks(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    client = studio.client(studio.mei)

    def do(act, **values):
        data = {"revision": studio.desk().revision, **values}
        return client.post(f"/studio/{studio.id}/do/{act}", data=data, headers=HTMX)

    answer = do("field-add", type="@section", after="item")
    assert 'data-selected="x-layout/section"' in answer.text and 'name="v-closed"' in answer.text
    answer = do("fill", at="x-layout/section", **{"v-title": "Details", "v-closed": "1"})
    assert re.search(r'aria-label="Section: Details"', answer.text)
    assert studio.desk().doc["x-layout"][1] == {
        "id": "section", "is": "section", "title": "Details", "closed": True,
    }  # fmt: skip
    do("field-shift", at="x-layout/section", by="1")
    assert studio.desk().doc["x-layout"][2]["id"] == "section"
    do("field-remove", at="x-layout/section")
    assert all(isinstance(each, list) for each in studio.desk().doc["x-layout"])
    assert do("field-place", at="x-layout/nowhere", after="item").status_code == 422


def test_a_field_that_goes_or_changes_its_key_does_so_on_paper_too():
    doc = {**DOC, "x-print": {"title": "wanted", "fields": ["item", "wanted"]}}
    shared = {**doc, "x-share": {"roles": ["wanted"], "fields": ["wanted"]}}
    assert form_design.remove_field(shared, ("properties", "wanted"))["x-share"] == {
        "roles": ["wanted"],
        "fields": [],
    }
    assert form_design.remove_field(doc, ("properties", "wanted"))["x-print"]["fields"] == ["item"]
    title = form_design.Operation("set", ("properties", "wanted", "title"), "Due")
    fields = {**DOC["properties"], "wanted": {**DOC["properties"]["wanted"], "title": "Wanted"}}
    renamed, _ = form_design.write_field(
        {**doc, "properties": fields}, ("properties", "wanted"), [title], False
    )
    assert renamed["x-print"] == {"title": "wanted", "fields": ["item", "due"]}


def test_a_field_that_an_example_names_keeps_its_key():
    fields = {**DOC["properties"], "wanted": {**DOC["properties"]["wanted"], "title": "Wanted"}}
    example = {"id": "a", "title": "A", "on": "2026-03-02", "given": {"wanted": "2026-03-04"}}
    doc = {**DOC, "properties": fields, "x-examples": [example]}
    title = form_design.Operation("set", ("properties", "wanted", "title"), "Due")
    kept, at = form_design.write_field(doc, ("properties", "wanted"), [title], False)
    assert at == ("properties", "wanted") and "wanted" in kept["properties"]
