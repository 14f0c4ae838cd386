"""How a function is declared: signature, meaning, example, Python, SQL.

A signature reads `ROUND(number: number, digits?: number) -> number`. Kinds of parameters:
`number text bool date datetime any` one value · `clock` a moment on the wall clock · `shown` any value as
people read it · `T` one value of the same type as the other T · `[T]` a list · `T*` a value or a list ·
`?` may be left out · `...` any number of times. A list given for one value calculates element by element.

An empty number, date or yes/no makes the result of a plain function empty; an empty text counts as "".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement

_SIGNATURE = re.compile(r"(\w+)\((.*)\) -> (\S+)")
_PARAMETER = re.compile(r"(\w+)(\?|\.\.\.)?: (\S+)")

Element = ColumnElement[Any]
Builder = Callable[..., Element]
Plain = TypeVar("Plain", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Parameter:
    """One place in a signature. `mode`: "one" value, a "list", or "either"."""

    name: str
    kind: str
    mode: str = "one"
    optional: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the closed table.

    `sql` builds the PostgreSQL form from its arguments' forms (SQLite calls the Python function itself);
    `form` builds both from the tree. Without either, the function cannot be used in filters. One that
    `fails` for some numbers gives NaN there.
    """

    name: str
    group: str
    signature: str
    parameters: tuple[Parameter, ...]
    returns: str
    call: Callable[..., Any]
    says: str
    says_chinese: str
    example: str
    result: str
    sql: Builder | None = None
    form: Builder | None = None
    lazy: bool = False
    contextual: bool = False
    fails: bool = False
    cost: int = 1

    def parameter(self, index: int) -> Parameter | None:
        """The parameter the argument at `index` is for."""
        if index < len(self.parameters):
            return self.parameters[index]
        return self.parameters[-1] if self.parameters and self.parameters[-1].repeated else None

    @property
    def least(self) -> int:
        """How many arguments must be given."""
        return sum(not p.optional for p in self.parameters)

    @property
    def is_scalar(self) -> bool:
        """Whether it takes and gives single values only."""
        return all(p.mode == "one" for p in self.parameters) and not self.returns.startswith("[")


class Group:
    """Collects the functions of one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.functions: list[Function] = []

    def __call__(
        self, signature: str, says: str, chinese: str, example: str, result: str, **options: Any
    ) -> Callable[[Plain], Plain]:
        """Declare the decorated Python function under `signature`."""

        def declare(call: Plain) -> Plain:
            self.functions.append(
                _read(self.name, signature, call, (says, chinese), (example, result), options)
            )
            return call

        return declare


def _read(
    group: str,
    signature: str,
    call: Callable[..., Any],
    says: tuple[str, str],
    example: tuple[str, str],
    options: dict[str, Any],
) -> Function:
    found = _SIGNATURE.fullmatch(signature)
    if not found:
        raise ValueError(f"unreadable signature {signature!r}")
    name, inside, returns = found.groups()
    parameters = tuple(_parameter(text) for text in inside.split(", ") if text)
    return Function(name, group, signature, parameters, returns, call, *says, *example, **options)


def _parameter(text: str) -> Parameter:
    found = _PARAMETER.fullmatch(text)
    if not found:
        raise ValueError(f"unreadable parameter {text!r}")
    name, mark, kind = found.groups()
    mode = "list" if kind.startswith("[") else "either" if kind.endswith("*") else "one"
    return Parameter(name, kind.strip("[]*"), mode, mark is not None, mark == "...")
