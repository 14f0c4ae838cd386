"""Settings of names and values are picked pair by pair in every designer, and none is typed as `own = theirs`."""

import pytest
from werkzeug.datastructures import MultiDict

from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds
from formloop.definitions import service as definitions
from formloop.studio.designer import designer_of
from formloop.studio.filling import read_section
from formloop.studio.operations import Operation, apply
from formloop.studio.panel import Section
from formloop.studio.pickers import Around
from studio.conftest import PAPER
from studio.test_panel import FLOW

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
BRIDGE = {
    "x-kind": "bridge",
    "x-id": "0000005a",
    "x-key": "carry",
    "title": "Carry",
    "from": {"form": "request", "on": ["asked"], "each": "lines"},
    "to": {"form": "request"},
    "find": {"dataset": "listed", "given": {"since": "TODAY()"}},
    "lines": {"into": "lines", "map": {"part": "line.part"}},
}
LISTED = {
    "x-kind": "dataset",
    "x-id": "0000006a",
    "x-key": "listed",
    "title": "Listed",
    "from": "request",
    "columns": {"item": "item"},
    "parameters": {"since": {"type": "string", "format": "date", "title": "Since"}},
}


def _panel(doc, *at, locale="en"):
    return designer_of(doc["x-kind"]).panel(Around(kinds.get(doc["x-kind"]), doc, locale, {}), at)


def _pairs(doc, name, *at):
    parts = [part for part in _panel(doc, *at).parts() if isinstance(part, Section)]
    cell = next(c for part in parts for row in part.rows for c in row if c.name == f"v-{name}")
    return [[each.input for each in line.cells] for line in cell.lines], [
        dict(each.choices) for each in cell.lines[0].cells
    ]


def _step(**said):
    return {**FLOW, "steps": [{"id": "one", **said}]}


def test_a_step_on_records_picks_fields_of_its_form_and_values_of_the_case(studio):
    other = {
        **PAPER,
        "x-id": "0000002a",
        "x-key": "stored",
        "properties": {"place": {"type": "string", "title": "Place"}},
        "required": [],
        "x-layout": [],
    }
    definitions.publish_many(SYSTEM, [other], "other")
    step = _step(
        node="data", do="create", form="stored", values={"place": "item"}, by={"place": "'a' & item"}
    )
    shown, (names, values) = _pairs(step, "values", "steps", "one")
    assert shown == [["place", "item"], ["", ""]] and names == {"place": "Place"}
    assert values["item"] == "Item" and "place" not in values
    shown, (_, values) = _pairs(step, "by", "steps", "one")
    assert (
        shown[0] == ["place", "'a' & item"] and values["'a' & item"]
    )  # a formula stays, and is edited as one
    form = MultiDict({"v-by.lines": "1", "v-by.0.name": "place", "v-by.0.value": "quantity"})
    made, problems = read_section(_panel(step, "steps", "one"), form)
    assert (made, problems) == ([Operation("set", ("steps", "one", "by"), {"place": "quantity"})], {})


def test_calculated_and_called_values_are_named_and_take_a_formula(studio):
    shown, (_, values) = _pairs(
        _step(node="calculate", values={"twice": "quantity * 2"}), "values", "steps", "one"
    )
    assert shown == [["twice", "quantity * 2"], ["", ""]] and values["quantity"] == "Quantity"
    call = _step(node="http", url="https://example.org", answer={"id": "answer.id"})
    assert _pairs(call, "answer", "steps", "one")[0] == [["id", "answer.id"], ["", ""]]


def test_a_bridge_picks_columns_of_its_lines_and_parameters_of_its_dataset(studio):
    definitions.publish_many(SYSTEM, [LISTED], "listed")
    shown, (names, values) = _pairs(BRIDGE, "map", "lines")
    assert shown[0] == ["part", "line.part"] and names == {"part": "Part"} and "line.part" in values
    _, (_, values) = _pairs({**BRIDGE, "from": {"form": "request", "on": ["asked"]}}, "map", "lines")
    assert values["line.item"] == "Listed · Item" and values["wanted"] == "Wanted by"  # a row that was found
    shown, (names, values) = _pairs(BRIDGE, "given", "find")
    assert shown[0] == ["since", "TODAY()"] and names == {"since": "Since"} and "wanted" in values


def test_a_look_up_says_its_order_by_picking(studio):
    field = {
        "type": "array",
        "x-type": "query",
        "title": "Q",
        "x-query": {"form": "request", "where": "true", "columns": []},
    }
    doc, _ = apply(PAPER, [Operation("set", ("properties", "q"), field)], {})
    cells = {c.name: c for row in _panel(doc, "properties", "q", "x-query").section().rows for c in row}
    assert ("-quantity", "Quantity ↓") in [*cells["v-sort"].choices]
