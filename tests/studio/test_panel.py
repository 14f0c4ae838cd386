"""Property panels: drawn and read back from the kinds' own schemas."""

import json

import pytest
from werkzeug.datastructures import MultiDict

from formloop.core.definitions import kinds
from formloop.definitions import service as definitions
from formloop.studio import flow_designer, form_designer, panel
from formloop.studio.designer import designer_of
from formloop.studio.filling import read_section
from formloop.studio.operations import Operation, apply
from formloop.studio.pickers import Around
from formloop.workflows.assignees import rules
from studio.conftest import PAPER

DESIGNERS = (form_designer, flow_designer)
FLOW = {
    "x-kind": "workflow",
    "x-id": "0000003a",
    "x-key": "flow",
    "title": "Flow",
    "form": "request",
    "steps": [
        {"id": "boss", "node": "approval", "who": [{"rule": "head", "level": 2}], "fields": {"item": "edit"}},
        {
            "id": "choice",
            "node": "condition",
            "branches": [{"id": "big", "when": "quantity > 1", "steps": []}],
        },
    ],
}


def open_panel(doc, *at, locale="en"):
    around = Around(kinds.get(doc["x-kind"]), doc, locale, {})
    return designer_of(doc["x-kind"]).panel(around, at)


def labels_in(opened):
    return [
        c.label
        for part in opened.parts()
        if isinstance(part, panel.Section)
        for row in part.rows
        for c in row
    ]


def _kept(opened, **posted):
    form = MultiDict({f"v-{key}": value for key, value in posted.items()})
    operations, problems = read_section(opened, form)
    return {each.at[-1]: each.value for each in operations}, problems


def test_a_field_shows_what_its_type_can_use_in_both_languages(studio):
    english = labels_in(open_panel(PAPER, "properties", "quantity"))
    assert (
        english[:3] == ["Label (English)", "Label (Chinese)", "Required"]
        and "Digits after the point" in english
    )
    assert "Longest" not in english
    chinese = labels_in(open_panel(PAPER, "properties", "item", locale="zh-CN"))
    assert chinese[:3] == ["标题（中文）", "标题（英文）", "必填"] and "最多字数" in chinese


def test_only_what_changed_is_written_and_what_was_emptied_is_taken_away(studio):
    opened = open_panel(PAPER, "properties", "quantity")
    kept, problems = _kept(opened, title="Amount", minimum="1.5", description="")
    assert not problems and kept["title"] == "Amount" and str(kept["minimum"]) == "1.5"
    assert "description" not in kept
    doc, _ = apply(PAPER, [Operation("set", ("properties", "quantity", "description"), "x")], {})
    form = MultiDict({"v-description": ""})
    assert read_section(open_panel(doc, "properties", "quantity"), form)[0][0].do == "remove"


def test_what_cannot_be_read_is_told_at_its_input_and_not_written(studio):
    kept, problems = _kept(open_panel(PAPER, "properties", "quantity"), minimum="many", title="Ok")
    assert kept == {"title": "Ok"} and list(problems) == ["v-minimum"]


def with_item(said):
    return apply(PAPER, [Operation("set", ("properties", "item"), said)], {})[0]


SHIPPING = {
    "type": "string",
    "title": "Shipping",
    "enum": ["partial", "complete"],
    "x-titles": {
        "partial": {"title": "In parts", "x-title": {"zh-CN": "分批"}, "color": "green"},
        "complete": {"title": "complete"},
    },
}


def _rows(values, key="enum"):
    names = ("value", "en", "zh_cn")
    posted = {
        f"{key}.{place}.{name}": each
        for place, row in enumerate(values)
        for name, each in zip(names, row, strict=True)
    }
    return {f"{key}.lines": "1", **posted}


@pytest.mark.parametrize(
    ("locale", "labels", "row"),
    [
        ("en", ["Stored as", "Called", "Called in Chinese"], ["partial", "In parts", "分批"]),
        ("zh-CN", ["存储值", "名称", "英文名称"], ["partial", "分批", "In parts"]),
    ],
)
def test_options_stand_in_rows_with_their_names_in_both_languages(studio, locale, labels, row):
    cells = open_panel(with_item(SHIPPING), "properties", "item", locale=locale).section().rows
    cell = next(each for row in cells for each in row if each.name == "v-enum")
    assert [each.label for each in cell.lines[0].cells] == labels
    assert [each.input for each in cell.lines[0].cells] == row and len(cell.lines) == 3


def test_only_what_was_changed_of_options_is_written(studio):
    opened = open_panel(with_item(SHIPPING), "properties", "item")
    same = [("partial", "In parts", "分批"), ("complete", "complete", "")]
    assert _kept(opened, **_rows(same)) == ({}, {})
    kept, _ = _kept(opened, **_rows([same[1], same[0], ("", "", "自提"), ("", "", "")]))
    assert kept == {"enum": ["complete", "partial", "自提"]}
    kept, _ = _kept(opened, **_rows([same[0], ("complete", "complete", "整批")]))
    assert kept == {
        "x-titles": {**SHIPPING["x-titles"], "complete": {"title": "complete", "x-title": {"zh-CN": "整批"}}}
    }
    several = {"type": "array", "x-type": "multi_select", "items": {"type": "string", "enum": ["a"]}}
    kept, _ = _kept(
        open_panel(with_item(several), "properties", "item"),
        **_rows([("a", "", "甲"), ("a", "", "")], "items"),
    )
    assert kept == {"x-titles": {"a": {"x-title": {"zh-CN": "甲"}}}}


def test_settings_with_a_part_of_their_own_are_read(studio):
    relation = {"type": "integer", "x-type": "relation", "title": "R", "x-relation": {"form": "request"}}
    doc, _ = apply(PAPER, [Operation("set", ("properties", "item"), relation)], {})
    around = Around(kinds.get("form"), doc, "en", {})
    inner = designer_of("form").panel(around, ("properties", "item", "x-relation"))
    assert _kept(inner, show=["item"])[0] == {"show": ["item"]}


def test_choosing_one_more_keeps_the_order_of_those_chosen_before(studio):
    doc = {**PAPER, "x-list": {"columns": ["wanted", "item"]}}
    assert _kept(open_panel(doc, "x-list"), columns=["item", "wanted"])[0] == {}
    kept, _ = _kept(open_panel(doc, "x-list"), columns=["item", "quantity", "wanted"])
    assert kept == {"columns": ["wanted", "item", "quantity"]}


def test_a_step_shows_its_people_its_settings_and_the_rights_on_every_field(studio):
    parts = open_panel(FLOW, "steps", "boss").parts()
    people = next(part for part in parts if isinstance(part, panel.Members))
    assert [str(called) for _, called, _ in people.members] == [str(rules.get("head").title)]
    assert len(people.offers) == 11 and {"rule": "role", "role": ""} in [
        json.loads(v) for _, v in people.offers
    ]
    matrix = next(part for part in parts if isinstance(part, panel.Matrix))
    assert ("item", "Item", "edit") in matrix.rows and ("lines.part", "Lines · Part", "") in matrix.rows
    assert parts.index(people) < parts.index(matrix)


def test_members_have_panels_by_the_form_they_have(studio):
    kept, problems = _kept(open_panel(FLOW, "steps", "boss", "who", "0"), level="3")
    assert (kept, problems) == ({"level": 3}, {})
    assert labels_in(open_panel(FLOW, "steps", "choice", "branches", "big"))[-1] == "Condition of this branch"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a check reads no table
@pytest.mark.parametrize("name", kinds.names())
def test_every_kind_can_be_drawn_as_a_panel_from_its_schema(studio, name):
    doc = {"x-kind": name, "x-id": "0000004a", "x-key": "x", "title": "X"}
    for locale in ("en", "zh-CN"):
        assert labels_in(open_panel(doc, locale=locale))


def _hints(opened):
    return {
        c.label: c.hint
        for part in opened.parts()
        if isinstance(part, panel.Section)
        for row in part.rows
        for c in row
    }


def test_an_input_says_what_holds_where_it_is_left_empty(studio):
    english, chinese = (_hints(open_panel(FLOW, "steps", "boss", locale=each)) for each in ("en", "zh-CN"))
    assert english["When rejected"] == "Left empty: It ends."
    assert english["How they decide"].startswith("Left empty: one is enough;")
    assert english["When nobody is found"] == "Left empty: An administrator is asked."
    assert english["Actions"] == "Left empty: Approve, Reject, Return, Hand over."
    assert "Percent that must agree" not in english
    assert (
        chinese["拒绝后"] == "不填时：流程结束。"
        and chinese["可用操作"] == "不填时：同意、拒绝、退回、转交。"
    )
    assert _hints(open_panel(FLOW))["Whoever agreed before"] == "Left empty: Is asked again."


def test_what_means_nothing_beside_the_other_values_is_not_asked_unless_it_is_set(studio):
    boss = FLOW["steps"][0]
    for said, shown in (({"mode": "vote"}, True), ({"mode": "all"}, False), ({"percent": 60}, True)):
        flow = {**FLOW, "steps": [{**boss, **said}]}
        assert ("Percent that must agree" in labels_in(open_panel(flow, "steps", "boss"))) is shown


def test_what_is_so_unless_it_is_taken_away_can_be_taken_away(studio):
    sub = {"id": "other", "node": "subflow", "form": "request", "record": "item"}
    opened = open_panel({**FLOW, "steps": [sub]}, "steps", "other")
    section = opened.section()
    name = next(name for name, (path, _) in section.inputs.items() if path == ("wait",))
    _, made = section.inputs[name]
    assert (made.shown(None), made.kept(True), made.kept(False)) == (True, None, False)


def test_what_a_chosen_record_fills_in_is_picked_pair_by_pair(studio):
    relation = {"form": "paper", "fill": {"quantity": "item", "gone": "lost"}}
    field = {"type": "integer", "x-type": "relation", "title": "Paper", "x-relation": relation}
    doc, _ = apply(PAPER, [Operation("set", ("properties", "other"), field)], {})
    at = ("properties", "other", "x-relation")
    opened = open_panel(doc, *at)
    cell = next(c for part in opened.parts() for row in part.rows for c in row if c.name == "v-fill")
    assert [[each.input for each in line.cells] for line in cell.lines] == [
        ["quantity", "item"],
        ["gone", "lost"],
        ["", ""],
    ]
    own, theirs = (dict(each.choices) for each in cell.lines[0].cells)
    assert "quantity" in own and "other" not in own and own["gone"] == "gone" and "item" in theirs
    posted = {"v-fill.lines": "1", "v-fill.0.name": "quantity", "v-fill.0.value": "item", "v-fill.1.name": ""}
    made, problems = read_section(
        opened, MultiDict({**posted, "v-fill.2.name": "item", "v-fill.2.value": ""})
    )
    assert (problems, [(each.at, each.value) for each in made]) == (
        {},
        [((*at, "fill"), {"quantity": "item", "item": ""})],
    )
    made, _ = read_section(opened, MultiDict({"v-fill.lines": "1"}))
    assert [(each.do, each.at) for each in made] == [("remove", (*at, "fill"))]


def test_members_of_a_panel_and_what_was_chosen_in_an_order_are_moved(studio):
    doc = {
        **PAPER,
        "x-states": {"open": {"title": "Open"}, "done": {"title": "Done"}, "gone": {"title": "Gone"}},
    }
    (states,) = (
        part
        for part in open_panel(doc).parts()
        if part.__class__ is panel.Members and part.at == ("x-states",)
    )
    kinds_of = kinds.get("form").identities

    def moved(doc, part, place, way):
        at, before = part.members[place][0], part.moves(place)[way]
        return apply(doc, [Operation("move", at, before=before)], kinds_of)[0]

    assert list(moved(doc, states, 0, 1)["x-states"]) == ["done", "open", "gone"]
    assert list(moved(doc, states, 1, 1)["x-states"]) == ["open", "gone", "done"]
    assert list(moved(doc, states, 2, 0)["x-states"]) == ["open", "gone", "done"]
    assert states.moves(0)[0] is None and states.moves(2)[1] is None
    flow = {
        **FLOW,
        "steps": [{**FLOW["steps"][0], "who": [{"rule": "head", "level": each} for each in (1, 2, 3)]}],
    }
    opened = open_panel(flow, "steps", "boss")
    who = next(part for part in opened.parts() if part.__class__ is panel.Members and part.at[-1] == "who")
    levels = [
        [each["level"] for each in moved(flow, who, place, way)["steps"][0]["who"]]
        for place, way in ((0, 1), (1, 0), (1, 1), (2, 0))
    ]
    assert levels == [[2, 1, 3], [2, 1, 3], [1, 3, 2], [1, 3, 2]]
    listed = {**PAPER, "x-list": {"columns": ["quantity", "item", "wanted"]}}
    cell = next(
        cell
        for part in open_panel(listed, "x-list").parts()
        for row in part.rows
        for cell in row
        if cell.name == "v-columns"
    )
    assert cell.field.schema["x-in-order"] and cell.value == ["quantity", "item", "wanted"]
    assert [value for value, _ in cell.choices][:4] == ["quantity", "item", "wanted", "lines"]
    at = ("x-list", "columns", "wanted")
    done, _ = apply(listed, [Operation("move", at, before="item")], kinds_of)
    assert done["x-list"]["columns"] == ["quantity", "wanted", "item"]


CHOOSE = "Choose the form first."


def _with_supplier(**relation):
    said = {"type": "integer", "x-type": "relation", "title": "Supplier", "x-relation": relation}
    return apply(PAPER, [Operation("set", ("properties", "supplier"), said)], {})[0]


def _relation(doc):
    """What is offered for what a chosen record brings along and shows, and what is said beside it."""
    opened = open_panel(doc, "properties", "supplier")
    section = next(p for p in opened.parts() if getattr(p, "at", ())[-1:] == ("x-relation",))
    cells = {c.name: c for row in section.rows for c in row}
    theirs = cells["v-fill"].field.children[1]
    return (
        [*theirs.schema["enum"]],
        [*cells["v-show"].field.schema["items"]["enum"]],
        [cells[name].hint for name in ("v-fill", "v-show", "v-where")],
    )


def test_what_is_picked_of_another_form_waits_for_that_form_and_follows_it_at_once(studio):
    assert _relation(_with_supplier()) == ([], [], [CHOOSE] * 3)
    theirs, shown, hints = _relation(_with_supplier(form="request"))
    assert theirs == shown == ["item", "quantity", "wanted", "lines"] and CHOOSE not in hints
    assert _relation(_with_supplier(form="nothing_like_it"))[0] == []


def test_a_step_that_makes_records_offers_nothing_of_the_form_of_its_workflow(studio):
    def offered_of(**step):
        said = {"id": "made", "node": "data", **step}
        opened = open_panel({**FLOW, "steps": [said]}, "steps", "made")
        cells = {c.name: c for p in opened.parts() if isinstance(p, panel.Section) for r in p.rows for c in r}
        return cells["v-values"].field.children[0].schema["enum"], cells["v-values"].hint

    assert offered_of(do="create") == ([], CHOOSE)
    fields = ["item", "quantity", "wanted", "lines"]
    assert offered_of(do="create", form="request") == (fields, "")
    assert offered_of(do="update") == (fields, "")  # of the record that the case is about


def test_conditions_over_another_form_name_nothing_before_it_is_chosen_and_those_of_steps_the_record(studio):
    def asked(doc, at):
        made = definitions.save_draft(studio.mei, doc["x-kind"], doc)
        return studio.client(studio.mei).get(f"/studio/{made.id}/formula?at={at}").text

    where = "properties/supplier/x-relation/where"
    assert 'value="item"' not in asked(_with_supplier(), where)
    assert 'value="item"' in asked(_with_supplier(form="request"), where)
    step = {"id": "made", "node": "data", "do": "update", "form": "other", "record": "item"}
    assert 'data-insert="item"' in asked({**FLOW, "steps": [step]}, "steps/made/record")
