"""From the text of a definition to a checked document of today's format."""

from typing import Any

from formloop.core.definitions.faults import check_schema_of, suggest
from formloop.core.definitions.kind import Doc, Kind, kinds
from formloop.core.definitions.parsing import parse
from formloop.core.errors import Problem
from formloop.core.text import M

_NO_KIND = M("This is no definition: it must be an object with “x-kind”.")


def read(text: str | bytes, kind: Kind | None = None) -> tuple[Doc | None, list[Problem]]:
    """The document in a text and what is wrong with it, each problem with path, line and column.

    Without `kind` the document says it (`x-kind`). The document is None when the text is no JSON or its
    kind is not known; older formats are brought up to today's.
    """
    parsed = parse(text)
    if parsed.problems:
        return None, parsed.problems
    if not isinstance(parsed.doc, dict):
        return None, parsed.locate([Problem("no_definition", "", _NO_KIND)])
    found, problems = (kind, []) if kind else find_kind(parsed.doc)
    if found is None:
        return None, parsed.locate(problems)
    doc, problems = upgrade(parsed.doc, found)
    return doc, parsed.locate(problems or check_schema_of(doc, found))


def find_kind(doc: Any) -> tuple[Kind | None, list[Problem]]:
    """The kind a document says it has."""
    name = doc.get("x-kind") if isinstance(doc, dict) else None
    if not isinstance(name, str):
        return None, [Problem("no_definition", "", _NO_KIND)]
    if kind := kinds.find(name):
        return kind, []
    near = suggest(name, kinds.names())
    if near:
        return None, [
            Problem("unknown_kind", "x-kind", M("There is no kind “{name}”. {near}", name=name, near=near))
        ]
    return None, [Problem("unknown_kind", "x-kind", M("There is no kind “{name}”.", name=name))]


def upgrade(doc: Doc, kind: Kind) -> tuple[Doc, list[Problem]]:
    """The document in today's format of its kind."""
    written = doc.get("x-format", 1)
    if isinstance(written, bool) or not isinstance(written, int) or written < 1:
        return doc, [Problem("format", "x-format", M("The format must be a whole number from 1."))]
    if written > kind.format:
        message = M("This was written by a newer version of Formloop (format {written}).", written=written)
        return doc, [Problem("format", "x-format", message)]
    try:
        for number in range(written, kind.format):
            doc = {**kind.upgrades[number - 1](doc), "x-format": number + 1}
    except (LookupError, TypeError, ValueError, AttributeError):
        message = M("This claims format {written}, but is not written in it.", written=written)
        return doc, [Problem("format", "x-format", message)]
    return doc, []
