"""What others rest on is asked beside the editing, not within it; what they cannot feel is not asked at all."""

import re
from typing import Any

import pytest

from formloop.core.definitions import Doc
from formloop.definitions import checking
from formloop.definitions import service as definitions
from formloop.definitions.checking import Candidate, is_felt
from formloop.forms.kind import FORM
from studio.conftest import PAPER
from studio.test_pages import HTMX

OLD: Doc = {
    "x-key": "paper",
    "title": "Paper",
    "required": ["title"],
    "properties": {
        "title": {"type": "string", "title": "Title"},
        "size": {"type": "number", "title": "Size"},
    },
    "x-states": {"open": {"title": "Open"}},
}


def changed(**fields: Any) -> Doc:
    properties = {**OLD["properties"], **fields}
    return {**OLD, "properties": {key: each for key, each in properties.items() if each}}


@pytest.mark.parametrize(
    ("new", "felt"),
    [
        ({**OLD, "title": "Sheet", "description": "Of paper", "x-list": {"columns": ["size"]}}, False),
        (changed(size={"type": "number", "title": "Width", "minimum": 1}), False),
        (changed(colour={"type": "string", "title": "Colour"}), False),
        ({**OLD, "x-states": {**OLD["x-states"], "shut": {"title": "Shut"}}}, False),
        (changed(size={"type": "string", "title": "Size"}), True),
        (changed(size={"type": "number", "title": "Size", "x-scale": 2}), True),
        (changed(size={"type": "number", "title": "Size", "x-formula": "1"}), True),
        (changed(title=None), True),  # the name of a field is no word that is only shown
        ({**OLD, "required": ["title", "size"]}, True),
        ({**OLD, "x-states": {}}, True),
    ],
)
def test_others_feel_what_is_gone_or_another(new: Doc, felt: bool) -> None:
    assert is_felt(Candidate(FORM, new, OLD, 1)) is felt


def test_a_formula_that_is_changed_is_not_felt() -> None:
    old, new = (changed(size={"type": "number", "x-formula": text}) for text in ("1", "2"))
    assert not is_felt(Candidate(FORM, new, old, 1))


def test_the_page_asks_others_once_it_stands(studio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.app.config["WTF_CSRF_ENABLED"] = False
    client = studio.client(studio.mei)

    def do(act: str, **values: Any) -> str:
        data = {"revision": studio.desk().revision, **values}
        return client.post(f"/studio/{studio.id}/do/{act}", data=data, headers=HTMX).text

    asked = list[int]()
    ask = checking.broken_dependents
    with studio.app.app_context():
        reader = {
            **PAPER,
            "x-layout": [],
            "required": [],
            "x-id": "0000004e",
            "x-key": "reader",
            "title": "Reader",
        }
        properties = {
            "paper": {
                "type": "integer",
                "x-type": "relation",
                "title": "Paper",
                "x-relation": {"form": "request"},
            }
        }
        known = {"type": "number", "title": "Known", "x-formula": "paper.quantity"}
        reader["properties"] = {**properties, "known": known}
        definitions.publish_many(studio.mei, [reader], "reads it")
    monkeypatch.setattr(checking, "broken_dependents", lambda c: asked.append(1) or ask(c))
    page = do("fill", at="", **{"v-description": "Said"})
    assert not asked and "/check" not in page
    page = do("field-remove", at="properties/quantity")
    (address,) = re.findall(r'hx-get="(/studio/\w+/check)"', page)
    assert not asked and "would no longer work" not in page
    for _ in range(2):
        assert "Reader would no longer work" in client.get(address).text
    assert asked == [1]
