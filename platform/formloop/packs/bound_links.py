"""Where what a pack names by number is chosen anew: in the designer of its definition, once that is here."""

from collections.abc import Iterable

from flask import url_for

from formloop.access import gate
from formloop.access.signing import current
from formloop.core.definitions import Doc, kinds
from formloop.definitions import library
from formloop.packs.bound import Bound, list_bound
from formloop.studio.designer import designer_of
from formloop.studio.operations import write_path
from formloop.studio.pickers import Around
from formloop.web import viewer


def list_linked(docs: Iterable[Doc]) -> list[tuple[Bound, str]]:
    """What names something by its number, with the address of its place; without one for who may not design."""
    may_design = gate.allows(current(), "design", "definition")
    return [(each, _address(each.doc, each.at) if may_design else "") for each in list_bound(docs)]


def _address(doc: Doc, at: str) -> str:
    kind = kinds.get(doc["x-kind"])
    entry = library.find_entry(kind.name, doc["x-key"])
    if entry is None or entry.id != doc["x-id"]:
        return ""
    place = designer_of(kind.name).selected(Around(kind, doc, viewer.locale(), {}), tuple(at.split(".")))
    return url_for("studio.design", definition_id=entry.id, at=write_path(place) or None)
