"""What runs of a published bridge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from formloop.core.expression import Expression, Path
from formloop.core.text import Message, Titled

CANCELLED = "cancelled"  # the state that `cancelled` waits for and that `removed: cancel` sets


@dataclass(frozen=True, slots=True, eq=False)
class BridgeSpec:
    """A published bridge: which events of which form make or change which records of another.

    `each` is the subform whose lines give one target each, or None for one target a record. `by` are the
    target's key fields; without them a target is found again through the link to its source.
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

    @property
    def reads(self) -> frozenset[Path]:
        """Every path that its expressions read, as seen from the source record."""
        return frozenset(
            self._from_record(path)
            for each in (self.when, *self.values.values())
            for path in (each.reads if each else ())
        )

    def _from_record(self, path: Path) -> Path:
        if path[0] == "line" and self.each:
            return (self.each, *path[1:])
        return path[1:] if path[0] in ("record", "source") and len(path) > 1 else path
