"""Named things of one kind: field types, nodes, connectors, charts… in the order they were added."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from formloop.core.errors import NotFound
from formloop.core.text import M

T = TypeVar("T")


class Registry(Generic[T]):
    """A closed table of plug-ins. `what` names them in the error text ("field type")."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        """Add `thing` under `name`; a second one of the same name is a programming error."""
        if name in self._things:
            raise ValueError(f"{self.what} {name!r} is there already")
        self._things[name] = thing
        return thing

    def get(self, name: str) -> T:
        """The thing called `name`, or NotFound."""
        if name not in self._things:
            raise NotFound(M("There is no {what} “{name}”.", what=M(self.what), name=name))
        return self._things[name]

    def find(self, name: str) -> T | None:
        """The thing called `name`, or None."""
        return self._things.get(name)

    def names(self) -> tuple[str, ...]:
        """All names, in the order they were added."""
        return tuple(self._things)

    def __iter__(self) -> Iterator[T]:
        return iter(self._things.values())

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __len__(self) -> int:
        return len(self._things)
