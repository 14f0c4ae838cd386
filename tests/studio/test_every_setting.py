"""Every property that a kind's schema gives a title can be set in a panel, or it is said here where else."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from formloop.core.definitions import kinds
from formloop.forms.fields import types
from formloop.studio.designer import FIXED, designer_of
from formloop.studio.filling import read_section
from formloop.studio.form_design import field_schema
from formloop.studio.panel import Panel
from formloop.studio.pickers import Around
from formloop.studio.places import Schema, alternatives, resolve
from formloop.studio.shapes import mapping

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # what is picked is read there

ELSEWHERE: dict[str, dict[str, str]] = {
    "form": {
        "properties": "the canvas, and the panel of each field",
        "required": "the switch Required of each field",
        "x-layout": "the canvas",
        "x-examples": "the page of examples",
    },
    "workflow": {"steps": "the canvas"},
    "plan": {
        "ports": "the datasets, of the calculation that is chosen",
        "parameters": "the values, of the same",
    },
    "bridge": {"map": "the board"},
    "app": {"menu": "the canvas"},
}
OF_FIELDS = {
    "type": "the palette, and Type on top of the panel",
    "x-type": "the same",
    "required": "the switch Required of each column",
    "x-titles": "the rows of Options",
    "const": "for other readers of the schema; a form of ours has Default and Read-only",
    "uniqueItems": "for other readers of the schema; lines are told apart by a check",
}


def _objects(
    schema: Schema, root: Schema, at: str = "", seen: frozenset[int] = frozenset()
) -> Iterator[tuple[str, Schema]]:
    """Every object that a schema describes, with where it stands."""
    for each in alternatives(schema, root):
        if id(each) in seen:
            continue
        inner = seen | {id(each), id(each.get("properties"))}
        if id(each.get("properties")) in seen:
            continue
        if "properties" in each:
            yield at, each
        said = dict(each.get("properties", {})) | {
            word: each[key]
            for key, word in (("items", "[]"), ("additionalProperties", "*"))
            if isinstance(each.get(key), Mapping)
        }
        for name, part in said.items():
            yield from _objects(part, root, f"{at}.{name}".strip("."), inner)


def _without_input(name: str) -> set[str]:
    kind = kinds.get(name)
    doc: dict[str, Any] = {"x-kind": name, "x-id": "0000004a", "x-key": "x", "title": "X"}
    around = Around(kind, doc, "en", {})
    left = set()
    for at, schema in _objects(kind.schema, kind.schema):
        without = designer_of(name).without if not at else frozenset[str]()
        place = tuple(at.split(".")) if at else ()
        drawn = Panel(around, place, schema, dict.fromkeys(schema["properties"]), without)
        said_of = {key: resolve(said, kind.schema) for key, said in schema["properties"].items()}
        titled = {key for key, said in said_of.items() if said.get("title") and "x-picked" not in said}
        titled -= FIXED if not at else set()
        for key, said, made in drawn._made():
            if made is not None or drawn._inner(key, said, None):
                titled.discard(key)
        left |= {f"{at}.{key}".strip(".") for key in titled}
    apart = ("properties.", "x-examples.")  # fields have a test of their own, examples a page
    return {each for each in left if not each.startswith(apart)}


@pytest.mark.parametrize("name", kinds.names())
def test_every_setting_with_a_title_has_an_input(studio, name):
    assert _without_input(name) == ELSEWHERE.get(name, {}).keys()


def test_every_setting_of_a_field_has_an_input_in_some_type(studio):
    said = mapping(kinds.get("form").schema["$defs"]["field"])
    titled = {key for key, each in said["properties"].items() if each.get("title")}
    offered = set()
    for name in types.names():
        field = {"type": types.get(name).json_type, "x-type": name}
        offered |= field_schema(said, field)["properties"].keys()
    assert titled - offered == OF_FIELDS.keys()


def test_what_is_asked_inside_a_part_is_also_kept(studio):
    doc = {"x-kind": "dataset", "x-id": "0000004a", "x-key": "x", "title": "X", "from": "request"}
    doc |= {"parameters": {"since": {"type": "string", "title": "Since"}}, "columns": {"item": "item"}}
    opened = designer_of("dataset").panel(
        Around(kinds.get("dataset"), doc, "en", {}), ("parameters", "since")
    )
    (made,), problems = read_section(opened, MultiDict({"v-type": "number"}))
    assert (made.at, made.value, problems) == (("parameters", "since", "type"), "number", {})
