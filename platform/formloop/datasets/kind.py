"""The kind of definition "dataset": what can be wrong with one, and what runs of it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from formloop.core.definitions import Doc, Kind, Library, complete, kinds, name_pattern
from formloop.core.errors import NotFound, Problem
from formloop.core.text import M
from formloop.datasets.checking import check_leads
from formloop.datasets.reading import Reader
from formloop.datasets.sources import sources
from formloop.datasets.sources.ledger import LedgerOrigin
from formloop.datasets.spec import DatasetSpec
from formloop.definitions import library
from formloop.forms.system_fields import form_of, named_in_form


def prepare(doc: Doc, version: int) -> DatasetSpec:
    """What runs of a dataset document that has been checked."""
    found = Reader(doc, library.find_published).dataset(version)
    for part in found.parts:
        if isinstance(part.origin, LedgerOrigin) and found.group is not None:
            part.origin.sum_up(part, found.group, tuple(found.measures.values()))
    return found


def check(doc: Doc, lib: Library) -> list[Problem]:
    """What is wrong with a dataset beyond its schema."""
    if circle := _circle(doc, lib):
        text = M("These datasets read each other in a circle: {circle}", circle=" → ".join(circle))
        return [Problem("circle", "from", text)]
    reader = Reader(doc, lib.find_prepared)
    check_leads(reader, reader.dataset(0))
    return reader.problems


def references(doc: Doc) -> set[tuple[str, str]]:
    """The forms and datasets that rows come from, and the forms its parameters point to."""
    found = _sources(doc)
    if "why" in doc:
        found.add(("ledger", doc["why"]["ledger"]))
    if "leads" in doc:
        found.add(("dataset", doc["leads"]["dataset"]))
    for parameter in doc.get("parameters", {}).values():
        if "x-relation" in parameter:
            found.add(("form", parameter["x-relation"]["form"]))
    return found


def _sources(doc: Doc) -> set[tuple[str, str]]:
    """What its rows come from."""
    return {each for said in _origins(doc) for each in _needed(said)}


def _origins(doc: Doc) -> Iterator[Any]:
    for part in (doc, *doc.get("union", ())):
        yield part["from"]
        for join in part.get("join", {}).values():
            yield join["from"]


def _needed(said: Any) -> set[tuple[str, str]]:
    words = {"form": said} if isinstance(said, str) else said
    return {each for kind in sources if kind.name in words for each in kind.references(words)}


def _circle(doc: Doc, lib: Library) -> list[str]:
    """The way from a dataset back to itself, if there is one."""
    own = doc["x-key"]

    def search(current: Doc, way: tuple[str, ...]) -> list[str]:
        for kind, key in sorted(_sources(current)):
            if kind != "dataset" or key in way[1:]:
                continue
            if key == own:
                return [*way, own]
            following = lib.find_document("dataset", key)
            if following and (found := search(following, (*way, key))):
                return found
        return []

    return search(doc, (own,))


def _schema(kinds_of_sources: Iterable[Any]) -> dict[str, Any]:
    """The room's schema with the words of every kind of source."""
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text("utf-8"))
    words = schema["$defs"]["from"]["anyOf"][1]["properties"]
    for kind in kinds_of_sources:
        words.update(kind.schema)
    return schema


def get_dataset(key: str) -> DatasetSpec:
    """The published dataset `key`, or NotFound."""
    found = library.published("dataset", key)
    if not isinstance(found, DatasetSpec):
        raise NotFound
    return found


DATASET = kinds.add(
    "dataset",
    Kind(
        name="dataset",
        title=M("Dataset"),
        schema=complete("dataset", _schema(sources)),
        check=check,
        references=references,
        prepare=prepare,
        identities={"group": "", "sort": "", "union": "", "enum": "", "filters": "", "subtotals": ""},
        named=lambda doc: named_in_form(form_of(doc.get("from"))),
    ),
)

name_pattern(
    r"^-?[a-z][a-z0-9_]{0,40}$",
    M("“{value}” is no column to sort by."),
)
