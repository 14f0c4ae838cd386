"""The syntax tree: what a person wrote, and after checking, of which type each part is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from formloop.core.expression.types import Path, Type

if TYPE_CHECKING:
    from formloop.core.expression.functions.spec import Function


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression between two positions of its source."""

    start: int
    end: int

    @property
    def parts(self) -> tuple[Typed, ...]:
        """The parts directly below."""
        return ()


@dataclass(frozen=True, slots=True)
class Typed(Node):
    """A part whose type is known."""

    type: Type


@dataclass(frozen=True, slots=True)
class Literal(Typed):
    """A value that was written down: 3.5, "open", TRUE."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name(Typed):
    """A path such as `customer.credit_limit`; `steps` are the types on the way."""

    path: Path
    steps: tuple[Type, ...] = ()


@dataclass(frozen=True, slots=True)
class Unary(Typed):
    """A sign or a percent behind a value."""

    op: str
    operand: Typed

    @property
    def parts(self) -> tuple[Typed, ...]:
        """The operand."""
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Binary(Typed):
    """Arithmetic (+ - * / ^) or a comparison (= <> < <= > >=)."""

    op: str
    left: Typed
    right: Typed

    @property
    def parts(self) -> tuple[Typed, ...]:
        """Both sides."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Member(Typed):
    """`value IN (…)`: the choices are single values, or one list."""

    value: Typed
    choices: tuple[Typed, ...]

    @property
    def parts(self) -> tuple[Typed, ...]:
        """The value and the choices."""
        return (self.value, *self.choices)


@dataclass(frozen=True, slots=True)
class Call(Typed):
    """A function with its arguments; before checking `function` is only a name."""

    name: str
    arguments: tuple[Typed, ...]
    function: Function | None = None

    @property
    def parts(self) -> tuple[Typed, ...]:
        """The arguments."""
        return self.arguments


@dataclass(frozen=True, slots=True)
class Local(Typed):
    """A moment taken as a calendar day in the zone, put in by the checker."""

    operand: Typed

    @property
    def parts(self) -> tuple[Typed, ...]:
        """The moment."""
        return (self.operand,)
