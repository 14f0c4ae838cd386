"""What the tutorial tells is done here: its documents are published, its labels typed, its story played."""

import re
from pathlib import Path

import pytest

import formloop
from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.core.definitions import kinds, read, write
from formloop.core.json_text import loads
from formloop.definitions import editor
from formloop.definitions import service as definitions
from formloop.forms.kind import get_form
from formloop.packs import demonstration, scenario

FOLDER = Path(formloop.__file__).parents[2] / "docs" / "tutorial"
PAGE = (FOLDER.parent / "tutorial.md").read_text("utf-8")
DOCUMENTS = sorted(path.name for path in FOLDER.glob("*.*.json"))


def document(name: str):
    """One of the tutorial's definitions."""
    doc, problems = read((FOLDER / name).read_text("utf-8"))
    assert problems == [] and doc is not None
    return doc


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_canonical_and_shown_on_the_page(app, name):
    text = (FOLDER / name).read_text("utf-8")
    doc = document(name)
    assert text == write(doc, kinds.get(doc["x-kind"]))
    assert f"(tutorial/{name})" in PAGE


def test_every_piece_of_json_on_the_page_stands_in_one_of_the_documents():
    def plain(text):
        return re.sub(r"\s+", "", text)

    whole = [plain((FOLDER / name).read_text("utf-8")) for name in DOCUMENTS]
    pieces = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert len(pieces) >= 4
    assert [piece for piece in pieces if not any(plain(piece).rstrip(",") in text for text in whole)] == []


def test_the_labels_on_the_page_become_the_fields_it_names(app):
    labels = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert labels
    made = editor.start_from_lines(SYSTEM, kinds.get("form"), "Purchase request", labels[1])
    draft = definitions.find_draft(made.id)
    assert made.key == "purchase_request"
    assert list(draft.doc["properties"]) == ["subject", "wanted_by", "priority", "reason"]
    assert draft.doc["required"] == ["subject"]
    assert definitions.check_draft(SYSTEM, made.id) == []


def test_the_story_is_played(app):
    demonstration._add_people()
    definitions.publish_many(SYSTEM, [document(name) for name in DOCUMENTS], "tutorial")
    seller = people.find_person("seller")
    people.change_person(SYSTEM, seller.id, roles=("request_writer",))
    story = loads((FOLDER / "scenario.json").read_text("utf-8"))
    assert scenario.play(story) == []
    assert get_form("to_buy").version == 1


def test_nothing_of_the_tutorial_is_called_like_what_the_demo_has():
    shipped = FOLDER.parents[1] / "templates_library"
    assert [name for name in DOCUMENTS if [*shipped.glob(f"*/{name}")]] == []


def test_the_pages_say_what_the_tutorial_calls_them(app):
    with app.test_request_context():
        source = app.jinja_env.get_or_select_template
        pages = "".join(
            Path(str(source(name).filename)).read_text("utf-8")
            for name in (
                "studio/new.html",
                "studio/new_bridge.html",
                "definitions/new.html",
                "studio/_bar.html",
            )
        )
    for label in (
        "From a list of labels",
        "Name of the form",
        "Labels",
        "Make the draft",
        "Write it as text",
        "Begin",
    ):
        assert f"*{label}" in PAGE or f"→ {label}" in PAGE, label
        assert f'_("{label}")' in pages, label
