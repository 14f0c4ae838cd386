"""The canonical text."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.definitions.specimens import FORM, WORKFLOW, order_form
from formloop.core.definitions import Kind, complete, parse, read, write
from formloop.core.text import M

EXAMPLES = Path(__file__).parents[4] / "shared" / "examples"

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9),
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(st.text('abcx-中"\n', max_size=40), inner, max_size=6)
    ),
    max_leaves=40,
)


@given(
    doc=st.dictionaries(
        st.text(max_size=5).filter(lambda s: "\0" not in s and s.isprintable()), values, max_size=8
    )
)
def test_reading_and_writing_again_changes_nothing(doc):
    once = write(doc)
    again = parse(once)
    assert again.problems == []
    assert write(again.doc) == once


def test_known_keys_stand_in_the_order_of_the_kind_and_fields_keep_theirs():
    doc = order_form()
    shuffled = dict(sorted(doc.items(), reverse=True))
    shuffled["properties"] = {
        "customer": dict(reversed(doc["properties"]["customer"].items())),
        "amount": doc["properties"]["amount"],
    }
    assert write(shuffled, FORM) == write(doc, FORM)
    swapped = {**doc, "properties": dict(reversed(doc["properties"].items()))}
    assert write(swapped, FORM) != write(doc, FORM)


def test_what_fits_stands_on_one_line_and_settings_share_lines():
    doc = order_form()
    doc["properties"]["customer"] = {
        "type": "integer",
        "x-type": "relation",
        "title": "Customer",
        "x-title": {"zh-CN": "客户"},
        "x-relation": {
            "form": "customer",
            "where": "active",
            "fill": {"currency": "currency", "tax_rate": "tax_rate"},
        },
    }
    lines = write(doc, FORM).splitlines()
    start = lines.index('    "customer": {')
    assert lines[start + 1 : start + 4] == [
        '      "type": "integer", "x-type": "relation", "title": "Customer", "x-title": {"zh-CN": "客户"},',
        '      "x-relation": {"form": "customer", "where": "active", "fill": {"currency": "currency", "tax_rate": "tax_rate"}}',
        "    },",
    ]
    assert '    "amount": {"type": "number", "title": "Amount", "x-title": {"zh-CN": "金额"}}' in lines
    assert max(map(len, lines)) <= 120


def test_numbers_keep_their_digits():
    assert '"n": 1.50' in write({"n": Decimal("1.50")})


def test_long_lists_of_words_share_lines():
    text = write({"enum": [f"option {n}" for n in range(30)]})
    assert len(text.splitlines()) < 10


_OPEN = {"additionalProperties": True}


@pytest.mark.shared
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the reference data are not beside the project")
@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.glob("*.json")))
def test_the_examples_are_read_and_come_back_the_same(name):
    kind = {"form": FORM, "workflow": WORKFLOW}.get(name.split(".")[1])
    kind = kind or Kind(name=name.split(".")[1], title=M("Kind"), schema=complete(name.split(".")[1], _OPEN))
    source = (EXAMPLES / name).read_text("utf-8")
    doc, problems = read(source, kind)
    assert problems == []
    text = write(doc, kind)
    assert read(text, kind) == (doc, [])
    assert write(read(text, kind)[0], kind) == text
    assert len(text.splitlines()) <= 2 * len(source.splitlines())
