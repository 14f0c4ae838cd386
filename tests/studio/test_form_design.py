"""Fields come, move and go, with everything that names them."""

import pytest
from werkzeug.datastructures import MultiDict

from formloop.core.definitions import kinds
from formloop.core.errors import Invalid, NotFound
from formloop.forms import kind
from formloop.forms.fields import types
from formloop.studio import form_design, form_designer
from formloop.studio.designer import Gesture, designer_of
from formloop.studio.operations import Operation
from formloop.studio.panel import Section
from formloop.studio.pickers import Around
from studio.conftest import PAPER

FORM = {
    "x-kind": "form",
    "x-id": "0000002a",
    "x-key": "loan",
    "title": "Loan",
    "type": "object",
    "required": ["tool"],
    "properties": {
        "tool": {"type": "string", "title": "Tool"},
        "days": {"type": "number", "title": "Days"},
        "note": {"type": "string", "title": "Note"},
        "lines": {"type": "array", "title": "Lines", "items": {"type": "object", "properties": {}}},
    },
    "x-layout": [["tool", "days"], ["note"], ["lines"]],
    "x-list": {"columns": ["tool", "days"], "sort": ["-days"], "filters": ["tool"]},
}


def _layout(doc):
    return doc["x-layout"]


@pytest.mark.parametrize("name", types.names())
def test_a_new_field_of_any_type_is_understood_by_the_form_engine(name):
    doc, at = form_design.add_field(FORM, name, "en")
    spec, problems = kind.build(doc, 0, lambda key: None)
    assert spec.find(".".join(at[1:])).type.name in (name, "calculation")
    assert [each.code for each in problems] in ([], ["relation"])


@pytest.mark.parametrize("name", [name for name in types.names() if name != "subform"])
def test_a_field_becomes_one_of_any_other_type_and_keeps_what_it_is_called(name):
    field = {
        "type": "string",
        "title": "Tool",
        "x-title": {"zh-CN": "工具"},
        "default": "drill",
        "x-visible": "days > 1",
    }
    doc = {**FORM, "properties": {**FORM["properties"], "tool": field}}
    made = form_design.retype(doc, ("properties", "tool"), name, kinds.get("form").schema["$defs"]["field"])
    spec, problems = kind.build(made, 0, lambda key: None)
    assert spec.find("tool").type.name in (name, "calculation")
    assert [each.code for each in problems] in ([], ["relation"])
    now = made["properties"]["tool"]
    assert (now["title"], now["x-title"], now["x-visible"]) == ("Tool", {"zh-CN": "工具"}, "days > 1")
    assert "default" not in now and list(made["properties"]) == list(FORM["properties"])


def test_choices_stay_when_only_their_looks_change_and_lines_stay_lines():
    schema = kinds.get("form").schema["$defs"]["field"]
    doc = {
        **FORM,
        "properties": {**FORM["properties"], "tool": {"type": "string", "enum": ["x", "y"], "title": "Tool"}},
    }
    made = form_design.retype(doc, ("properties", "tool"), "radio", schema)
    assert made["properties"]["tool"]["enum"] == ["x", "y"]
    several = form_design.retype(made, ("properties", "tool"), "multi_select", schema)
    assert several["properties"]["tool"]["items"]["enum"] == ["x", "y"]
    again = form_design.retype(several, ("properties", "tool"), "dropdown", schema)
    assert again["properties"]["tool"]["enum"] == ["x", "y"]
    with pytest.raises(NotFound):
        form_design.retype(FORM, ("properties", "lines"), "text", schema)


def test_a_short_field_joins_the_row_before_it_where_there_is_room():
    doc, at = form_design.add_field(FORM, "text", "en", after="note")
    assert at == ("properties", "single_line_text")
    assert _layout(doc) == [["tool", "days"], ["note"], ["single_line_text"], ["lines"]]
    doc = form_design.place(doc, "note", width=6, after="days")
    doc, _ = form_design.add_field(doc, "number", "en", after="note")
    assert _layout(doc)[:2] == [["tool", "days"], ["note", "number"]]


def test_a_column_of_lines_is_added_to_the_lines():
    doc, at = form_design.add_field(FORM, "number", "zh-CN", into="lines")
    assert at == ("properties", "lines", "items", "properties", "shu_zi")
    assert _layout(doc) == _layout(FORM)


def test_a_field_moves_with_the_keyboard_row_by_row():
    doc = form_design.shift(FORM, ("properties", "note"), -1)
    assert _layout(doc) == [["note"], ["tool", "days"], ["lines"]]
    doc = form_design.shift(FORM, ("properties", "days"), -1)
    assert _layout(doc)[0] == ["days", "tool"]
    assert form_design.shift(FORM, ("properties", "tool"), -1) == FORM


def test_a_wider_field_pushes_the_next_one_below():
    at = ("properties", "tool")
    doc, _ = form_design.write_field(FORM, at, [Operation("set", (*at, "x-width"), 8)], fixed=True)
    assert _layout(doc)[:2] == [["tool"], ["days"]]
    assert doc["properties"]["tool"]["x-width"] == 8


def test_a_removed_field_leaves_layout_list_and_required_fields():
    doc = form_design.remove_field(FORM, ("properties", "tool"))
    assert doc["required"] == [] and _layout(doc)[0] == ["days"]
    assert doc["x-list"] == {"columns": ["days"], "sort": ["-days"], "filters": []}


def test_a_copy_stands_beside_or_below_and_is_required_as_well():
    doc, at = form_design.duplicate_field(FORM, ("properties", "tool"))
    assert at == ("properties", "tool_2") and doc["required"] == ["tool", "tool_2"]
    assert _layout(doc)[:2] == [["tool", "days"], ["tool_2"]]


def test_the_key_follows_the_label_until_the_field_is_published_or_named():
    at, rename = ("properties", "tool"), Operation("set", ("properties", "tool", "title"), "Machine part")
    doc, now = form_design.write_field(FORM, at, [rename], fixed=False)
    assert now == ("properties", "machine_part") and next(iter(doc["properties"])) == "machine_part"
    assert doc["required"] == ["machine_part"] and _layout(doc)[0] == ["machine_part", "days"]
    assert doc["x-list"]["filters"] == ["machine_part"]
    assert form_design.write_field(FORM, at, [rename], fixed=True)[1] == at
    named = {**FORM, "x-checks": [{"id": "c", "holds": "tool <> 'x'", "says": "No"}]}
    assert form_design.write_field(named, at, [rename], fixed=False)[1] == at


def test_required_is_written_where_json_schema_has_it():
    at = ("properties", "days")
    doc, _ = form_design.write_field(FORM, at, [Operation("set", (*at, form_design.MUST), True)], fixed=True)
    assert doc["required"] == ["tool", "days"] and form_design.MUST not in doc["properties"]["days"]
    doc, _ = form_design.write_field(doc, at, [Operation("remove", (*at, form_design.MUST))], fixed=True)
    assert doc["required"] == ["tool"]


def test_what_is_no_field_is_told():
    for at in [(), ("properties",), ("properties", "gone"), ("title", "x")]:
        with pytest.raises(Invalid):
            form_design.require_field(FORM, at)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_panel_asks_what_means_something_and_folds_what_is_rarely_used(studio):
    def panel(field):
        doc = {**PAPER, "properties": {"field": field}}
        return form_designer.FormDesigner().panel(
            Around(kinds.get("form"), doc, "en", {}), ("properties", "field")
        )

    def asked(field, more):
        parts = [part for part in panel(field).parts() if isinstance(part, Section) and part.more is more]
        open_ones = [
            part.open for part in parts if not part.title
        ]  # a part with a heading is folded under it
        return {name for part in parts for name in part.inputs}, open_ones

    often, _ = asked({"type": "string"}, False)
    seldom, unfolded = asked({"type": "string"}, True)
    assert {"v-title", "v-x-must", "v-x-visible", "v-default"} <= often and unfolded == [False]
    assert {"v-minLength", "v-pattern", "v-x-aliases", "v-x-readonly"} <= seldom
    serial, _ = asked({"type": "string", "x-type": "serial", "x-serial": "A-{0000}"}, False)
    assert "v-x-serial" in serial and not serial & {"v-x-must", "v-default", "v-x-formula"}
    assert asked({"type": "string", "maxLength": 9}, True)[1] == [True]
    date, _ = asked({"type": "string", "format": "date", "maxLength": 9}, True)
    assert "v-maxLength" in date and "v-minLength" not in date


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_a_value_from_another_form_is_picked(studio, locale):
    def linkage(field):
        around = Around(kinds.get("form"), {**PAPER, "properties": {"field": field}}, locale, {})
        parts = designer_of("form").panel(around, ("properties", "field")).parts()
        title = {"en": "Value from another form", "zh-CN": "数据联动"}[locale]
        found = [
            part
            for part in parts
            if isinstance(part, Section) and str(part.title.render(locale) if part.title else "") == title
        ]
        return found[0] if found else None

    empty = linkage({"type": "number", "title": "Price"})
    assert empty.more and not empty.open and list(empty.inputs) == ["v-form", "v-where", "v-value"]
    filled = linkage(
        {"type": "number", "x-linkage": {"form": "request", "where": "item = 'a'", "value": "quantity"}}
    )
    cells = {cell.name: cell for row in filled.rows for cell in row}
    assert filled.open and cells["v-value"].input == "quantity"
    offered = dict(cells["v-value"].choices)
    assert offered["quantity"] == "Quantity" and "id" in offered and "lines" not in offered
    assert cells["v-where"].field.schema["x-condition"]
    assert linkage({"type": "string", "x-type": "serial", "x-serial": "A-{0000}"}) is None
    assert linkage(
        {"type": "string", "x-type": "serial", "x-serial": "A", "x-linkage": {"form": "request"}}
    ).open


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_value_from_another_form_goes_with_its_form(studio):
    field = {"type": "number", "x-linkage": {"form": "request", "where": "item = 'a'", "value": "quantity"}}
    doc = {**PAPER, "properties": {"field": field}}
    at = ("properties", "field", "x-linkage")
    gesture = Gesture(Around(kinds.get("form"), doc, "en", {}), MultiDict({"at": "/".join(at)}), None)
    made, _ = designer_of("form").write(gesture, [Operation("remove", (*at, "form"))])
    assert made["properties"]["field"] == {"type": "number"}


def test_a_new_amount_keeps_two_digits_and_a_changed_field_those_it_had() -> None:
    made, at = form_design.add_field({}, "amount", "en")
    assert made["properties"][at[-1]]["x-scale"] == 2
    schema = kinds.get("form").schema["$defs"]["field"]
    for field in ({"type": "number", "title": "Rate"}, {"type": "number", "title": "Rate", "x-scale": 5}):
        doc = {"properties": {"rate": field}}
        changed = form_design.retype(doc, ("properties", "rate"), "amount", schema)
        assert changed["properties"]["rate"].get("x-scale") == field.get("x-scale")
