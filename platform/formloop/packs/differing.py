"""How an application as it runs here differs from a pack in a folder, in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.definitions import Change, Doc, diff, kinds
from formloop.core.text import M, Message
from formloop.packs.reading import Pack
from formloop.packs.service import documents_of, file_name


@dataclass(frozen=True, slots=True)
class Difference:
    """A definition that differs: its file in the pack, where it is alone or what changed, from the folder to here."""

    file: str
    alone: Message | None
    changes: tuple[Change, ...] = ()

    def sentences(self, locale: str) -> list[str]:
        """What differs, in words."""
        return [self.alone.render(locale)] if self.alone else [each.describe(locale) for each in self.changes]


def compare(actor: Actor, app: str, pack: Pack) -> list[Difference]:
    """What differs between the published definitions of an application and those of a pack, matched by stable id."""
    gate.require(actor, "design", "definition")
    here = {doc["x-id"]: doc for doc in documents_of(app)}
    there = {doc["x-id"]: doc for doc in pack.documents.values()}
    return [found for key in dict.fromkeys([*there, *here]) if (found := _difference(there, here, key))]


def _difference(there: Mapping[str, Doc], here: Mapping[str, Doc], key: str) -> Difference | None:
    if key not in here:
        return Difference(file_name(there[key]), M("only in the pack"))
    if key not in there:
        return Difference(file_name(here[key]), M("only on this site"))
    old, new = there[key], here[key]
    changes = tuple(diff(old, new, kinds.get(new["x-kind"])))
    return Difference(file_name(new), None, changes) if changes else None
