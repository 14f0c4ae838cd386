"""What a kind of definition is: its schema, its checks, and what publishing one of it does.

Each room adds its kinds to `kinds` when it is imported. Nothing here knows which kinds there are.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import jsonschema_rs
from sqlalchemy import Connection

from formloop.core.definitions.shape import Shape
from formloop.core.errors import Problem
from formloop.core.registry import Registry
from formloop.core.text import Message

Doc: TypeAlias = dict[str, Any]
Reference: TypeAlias = tuple[str, str]  # kind and key
Upgrade: TypeAlias = Callable[[Doc], Doc]


class Library(Protocol):
    """The definitions a check may look at: what is published, with what is about to be published on top."""

    def find_document(self, kind: str, key: str) -> Doc | None:
        """The document of a definition, or None."""

    def find_prepared(self, kind: str, key: str) -> Any | None:
        """What runs of a definition, or None."""

    def list_keys(self, kind: str) -> list[str]:
        """The keys of all definitions of a kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRow:
    """One thing publishing will do: "12 rows become empty". An "error" stops it, a "warning" asks for care."""

    message: Message
    severity: str = "info"
    at: str = ""
    count: int | None = None


class Ahead(Protocol):
    """What a kind can do ahead of a publication, while everybody goes on working, so that `apply` is soon done.

    `is_long` says whether it is worth it. `go_on` does one more step, in transactions of its own, and says whether
    there is nothing left to do; a step may be done again. `state` is kept from step to step: its `stage` is begin,
    fill, index or settle, `done` of `total` rows are filled, the rest is the kind's own. `list_losses` says what
    did not survive. `give_up` takes back what would be in the way if the publication does not come.
    """

    def is_long(self, connection: Connection, new: Doc) -> bool:
        """Whether publishing `new` at once would keep others waiting."""

    def go_on(self, new: Doc, state: dict[str, Any]) -> bool:
        """One step; whether it was the last."""

    def list_losses(self, new: Doc, state: Mapping[str, Any]) -> list[Message]:
        """Which values are empty afterwards, in words."""

    def give_up(self, new: Doc) -> None:
        """The publication does not come."""


def _no_problems(_doc: Doc, _library: Library) -> list[Problem]:
    return []


def _no_references(_doc: Doc) -> set[Reference]:
    return set()


def _names_nothing(_doc: Doc) -> Mapping[str, Any]:
    return {}


def _as_it_stands(doc: Doc, _version: int) -> Any:
    return doc


def _nothing(_connection: Connection, _old: Doc | None, _new: Doc) -> None:
    return None


def _no_impact(_connection: Connection, _old: Doc | None, _new: Doc) -> list[ImpactRow]:
    return []


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """One kind of definition. Everything but name, title and schema has a harmless default.

    - `schema`: meta-schema (JSON Schema 2020-12, closed); see `envelope.complete` for the common keys.
      The order of its `properties` is the order in the canonical text, its `title` and `x-title`
      are how properties are called in differences and property panels.
    - `check`: what a schema cannot say. `references`: the definitions a document needs, by kind and key.
    - `prepare`: from document and version number to the object that runs; made once per version.
    - `apply`: tables and the like, inside the transaction that publishes, referenced definitions first;
      `connect`: a second pass after all were applied (foreign keys of definitions that need each other).
    - `impact`: what `apply` would do, without doing it. `ahead`: what can be done before it, a step at a time.
    - `upgrades`: from format n to n + 1; a document without `x-format` has format 1.
    - `identities`: the property that identifies the members of a list, by the name of the list, where
      it is not `id`; an empty text says that the list can only be taken as a whole.
    - `tells`: for keys of a document whose changes it tells in words of its own, from the old document, the new one
      and the shape of that place to `Change`s.
    - `named`: the fields that a document's texts may name besides its own, by key, such as those of its form.
    - `spaces`: the names behind which its expressions name other definitions (`entries.stock`), with their kinds.
    """

    name: str
    title: Message
    schema: Mapping[str, Any]
    check: Callable[[Doc, Library], list[Problem]] = _no_problems
    references: Callable[[Doc], set[Reference]] = _no_references
    prepare: Callable[[Doc, int], Any] = _as_it_stands
    apply: Callable[[Connection, Doc | None, Doc], None] = _nothing
    connect: Callable[[Connection, Doc | None, Doc], None] = _nothing
    impact: Callable[[Connection, Doc | None, Doc], list[ImpactRow]] = _no_impact
    ahead: Ahead | None = None
    upgrades: tuple[Upgrade, ...] = ()
    identities: Mapping[str, str] = field(default_factory=dict)
    tells: Mapping[str, Callable[[Doc, Doc, Shape], Iterable[Any]]] = field(default_factory=dict)
    named: Callable[[Doc], Mapping[str, Any]] = _names_nothing
    spaces: Mapping[str, str] = field(default_factory=dict)

    @property
    def format(self) -> int:
        """The format documents of this kind have now."""
        return len(self.upgrades) + 1

    @cached_property
    def shape(self) -> Shape:
        """What the schema says about each place of a document."""
        return Shape.of(self.schema)

    @cached_property
    def validator(self) -> jsonschema_rs.Draft202012Validator:
        """The compiled schema; it reaches for nothing outside itself and its patterns run in linear time."""
        return jsonschema_rs.Draft202012Validator(
            dict(self.schema), offline=True, pattern_options=jsonschema_rs.RegexOptions()
        )


kinds: Registry[Kind] = Registry("kind of definition")
