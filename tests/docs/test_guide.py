"""The builder's guide shows every key of a form, and its examples are accepted."""

import json
import re
from pathlib import Path

import pytest

import formloop
from formloop import app
from formloop.core.definitions import check_schema_of, kinds
from formloop.core.expression.syntax import read

GUIDE = Path(formloop.__file__).parents[2] / "docs" / "guide"
FORMS = (GUIDE / "forms.md").read_text("utf-8")
EXAMPLES = [
    (path.stem, block)
    for path in sorted(GUIDE.glob("*.md"))
    for block in re.findall(r"```json\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
]


def test_every_key_of_a_form_stands_in_the_guide():
    schema = (Path(app.__file__).parent / "forms" / "schema.json").read_text("utf-8")
    keys = set(re.findall(r'"(x-[a-z-]+)":', schema)) - {
        "x-pick",
        "x-more",
        "x-key-of",
        "x-pairs",
        "x-choices",
    }  # which speak to the designers
    assert [key for key in sorted(keys) if f"`{key}`" not in FORMS] == []


@pytest.mark.parametrize(("name", "block"), EXAMPLES)
def test_an_example_is_a_sound_definition(name, block):
    doc = json.loads(block)
    problems = check_schema_of(doc, kinds.get(doc["x-kind"]))
    assert [str(problem.message) for problem in problems] == []


@pytest.mark.parametrize("example", re.findall(r'^\|[^|]*\| `("x-[^`]+)` \|', FORMS, re.MULTILINE))
def test_an_example_of_a_key_is_accepted(example):
    field = {"type": "string", "title": "T"} | json.loads("{" + example + "}")
    whole = {"x-states", "x-checks", "x-layout", "x-list"} & set(field)
    form = {"x-kind": "form", "x-id": "0000000a", "x-key": "f", "title": "F", "type": "object"}
    form["properties"] = {"f": {"type": "string", "title": "T"} if whole else field}
    form |= {key: field[key] for key in whole}
    assert [str(problem.message) for problem in check_schema_of(form, kinds.get("form"))] == []


@pytest.mark.parametrize(
    "source",
    re.findall(
        r"`([^`]+)`",
        "".join(re.findall(r"^\|.*\|$", (GUIDE / "expressions.md").read_text("utf-8"), re.MULTILINE)),
    ),
)
def test_an_example_of_an_expression_can_be_read(source):
    assert read(source) is not None
