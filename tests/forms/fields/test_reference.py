"""The reference of field types is what the registry says."""

from pathlib import Path

import formloop
from formloop.core.text import load_catalogues
from formloop.forms.fields import types
from formloop.forms.fields.reference import page

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "fields.md"


def test_the_page_is_current() -> None:
    load_catalogues(Path(formloop.__file__).parent)
    assert DOCUMENT.read_text("utf-8") == page()


def test_every_type_has_its_row() -> None:
    assert all(f"| `{each.name}` |" in DOCUMENT.read_text("utf-8") for each in types)
