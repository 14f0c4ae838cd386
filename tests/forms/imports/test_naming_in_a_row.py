"""What several records are called alike is told apart by what else the row says."""

from pathlib import Path

import pytest

from formloop.access.actor import SYSTEM
from formloop.forms import service
from formloop.forms.importing import import_file
from formloop.settings import Settings
from forms.conftest import form, number, publish, relation, text
from forms.imports.bringing import Write, lines_of, mapping

SIZE = form(
    "size",
    {"code": text("Code", **{"x-unique": True}), "name": text("Name")},
    **{"x-list": {"title": "name"}},
)
THING = form("thing", {"code": text("Code", **{"x-unique": True})})
PACKING = form(
    "packing",
    {
        "name": text("Name"),
        "size": relation("Size", "size"),
        "thing": relation("Thing", "thing"),
        "kind": text("Kind"),
    },
    **{"x-list": {"title": "name"}},
)
LINES = {
    "type": "array",
    "title": "Lines",
    "items": {
        "type": "object",
        "properties": {
            "size": relation("Size", "packing", where="AND(thing = this.thing, kind = this.kind)"),
            "thing": relation("Thing", "thing"),
            "qty": number("Qty"),
        },
    },
}
SHIPMENT = form("shipment", {"kind": text("Kind"), "lines": LINES})
HEAD = ["Kind", "Size", "Thing", "Qty"]
COLUMNS = {"Kind": "kind", "Size": "lines.size", "Thing": "lines.thing", "Qty": "lines.qty"}


@pytest.fixture
def packings(site: Settings) -> dict[tuple[str, str], int]:
    """A box and a bag of two things, and of the second a box for another kind."""
    for document in (SIZE, THING, PACKING, SHIPMENT):
        publish(document)
    made = {}
    sizes = {
        code: service.create(SYSTEM, "size", {"code": code, "name": name})["id"]
        for code, name in (("B", "Box"), ("S", "Bag"))
    }
    for thing in ("nut", "bolt"):
        held = service.create(SYSTEM, "thing", {"code": thing})["id"]
        for code, size in sizes.items():
            given = {"name": f"{code} = 12", "size": size, "thing": held, "kind": "out"}
            made[thing, code] = int(service.create(SYSTEM, "packing", given)["id"])
    service.create(SYSTEM, "packing", {"name": "B = 12", "size": sizes["B"], "thing": held, "kind": "in"})
    return made


@pytest.mark.parametrize("relations", [{}, {"lines.size": "size"}])
def test_the_row_says_which_one_is_meant(
    packings: dict[tuple[str, str], int], write: Write, tmp_path: Path, relations: dict[str, str]
) -> None:
    path = write(HEAD, ["out", "B", "nut", "1"], ["out", "Box", "bolt", "2"], ["out", "S", "bolt", "3"])
    found = import_file("shipment", path, mapping(tmp_path, columns=COLUMNS, relations=relations))
    assert found.problems == []
    named = [line["size"] for line in lines_of("shipment")]
    assert named == [packings["nut", "B"], packings["bolt", "B"], packings["bolt", "S"]]


def test_so_it_does_by_its_own_name(
    packings: dict[tuple[str, str], int], write: Write, tmp_path: Path
) -> None:
    path = write(HEAD, ["out", "B = 12", "nut", "1"], ["out", "B = 12", "bolt", "2"])
    assert import_file("shipment", path, mapping(tmp_path, columns=COLUMNS)).problems == []
    assert [line["size"] for line in lines_of("shipment")] == [packings["nut", "B"], packings["bolt", "B"]]


def test_where_the_row_leaves_none_or_several_that_is_told(
    packings: dict[tuple[str, str], int], write: Write, tmp_path: Path
) -> None:
    path = write(HEAD, ["lost", "B", "nut", "1"], ["out", "C", "nut", "1"])
    found = import_file("shipment", path, mapping(tmp_path, columns=COLUMNS))
    assert [told.partition(".")[0] for told in found.problems] == [
        "Row 2, Size: Several “Packing” are called “B”, but not exactly one of them can be chosen in this row",
        "Row 3, Size: There is no “Packing” called “C”",
    ]
    assert lines_of("shipment") == []
