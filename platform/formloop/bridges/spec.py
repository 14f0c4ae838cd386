"""What runs of a published bridge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from formloop.core.expression import Expression, Path
from formloop.core.expression.nodes import Name
from formloop.core.text import Message, Titled
from formloop.forms.reading import OWN

CANCELLED = "cancelled"  # the state that `cancelled` waits for and that `removed: cancel` sets
ASKED = "asked"  # nothing happens: somebody asks for it on the record's page
CLOCK = "clock"  # nothing happens: it is time
FOUND = "found"  # what expressions call the records that `find` finds
THERE = "there"  # what expressions call the record that is changed, as it is before
EARLIER = "earlier"  # what they call those with the same key before it, oldest first, as they are before


@dataclass(frozen=True, slots=True, eq=False)
class Find:
    """What a bridge looks up: records of another form, in whose `where` the source is `this`, or rows of a dataset,
    whose parameters are calculated from the source."""

    form: str | None
    where: Expression | None = None
    dataset: str | None = None
    given: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The lines of what is made: one for each line of the source, or else for each record found, that `when` lets in."""

    into: str
    values: Mapping[str, Expression]
    when: Expression | None = None

    @property
    def found_in(self) -> str | None:
        """The column that points to what a line is made of."""
        plain = (
            key
            for key, each in self.values.items()
            if isinstance(each.tree, Name) and each.tree.path == ("line",)
        )
        return next(plain, None)


@dataclass(frozen=True, eq=False)
class BridgeSpec:
    """A published bridge: which events of which form make or change which records of another.

    `each` is the subform whose lines give one target each, or None for one target a record. `by` are the
    target's key fields; without them a target is found again through the link to its source. One that is asked for
    makes one record at a time, with `lines`, and no second one while the first is in a state of `open`. With `every` it
    changes all records that have the key, and makes none.
    """

    id: str
    key: str
    version: int
    document: Mapping[str, Any]
    source: str
    on: tuple[str, ...]
    each: str | None
    when: Expression | None
    target: str
    by: tuple[str, ...]
    values: Mapping[str, Expression]
    removed: str
    together: bool
    find: Find | None = None
    lines: Lines | None = None
    open: tuple[str, ...] = ()
    every: bool = False

    @property
    def asked(self) -> bool:
        """Whether it waits for somebody to ask for it."""
        return ASKED in self.on

    @property
    def form(self) -> str:
        """The form whose events it hears."""
        return self.source

    @property
    def title(self) -> Message:
        """Its name."""
        return Titled(self.document)

    @property
    def step(self) -> str:
        """Its name in the chain of a cause."""
        return f"bridge:{self.key}"

    @property
    def states(self) -> tuple[str, ...]:
        """The states of a source that set it off."""
        return tuple(on.removeprefix("state:") for on in self.on if on.startswith("state:"))

    @cached_property
    def reads(self) -> frozenset[Path]:
        """Every path that its expressions read, as seen from the source record."""
        own = frozenset(path[1:] for path in self._where if path[0] == OWN)
        elsewhere = (path for path in self._paths if not self._is_found(path) and not self._is_there(path))
        return own | frozenset(self._from_record(path) for path in elsewhere)

    @cached_property
    def reads_found(self) -> frozenset[Path]:
        """Every path that they read of the records found, as seen from one of those."""
        own = frozenset(path for path in self._where if path[0] != OWN)
        return own | frozenset(path[1:] for path in self._paths if self._is_found(path) and path[1:])

    @cached_property
    def reads_there(self) -> frozenset[Path]:
        """Every path that they read of a record that is changed, as seen from it."""
        return frozenset(path[1:] for path in self._paths if self._is_there(path) and path[1:])

    @property
    def _where(self) -> frozenset[Path]:
        return self.find.where.reads if self.find and self.find.where else frozenset()

    @property
    def _paths(self) -> frozenset[Path]:
        of_lines = self.lines.values.values() if self.lines else ()
        given = self.find.given.values() if self.find else ()
        lets_in = self.lines.when if self.lines else None
        every = (self.when, lets_in, *self.values.values(), *of_lines, *given)
        return frozenset(path for each in every for path in (each.reads if each else ()))

    def _is_found(self, path: Path) -> bool:
        return self.find is not None and (path[0] == FOUND or (path[0] == "line" and not self.each))

    def _is_there(self, path: Path) -> bool:
        return self.every and path[0] in (THERE, EARLIER)

    def _from_record(self, path: Path) -> Path:
        if path[0] == "line" and self.each:
            return (self.each, *path[1:])
        return path[1:] if path[0] in ("record", "source") and len(path) > 1 else path
