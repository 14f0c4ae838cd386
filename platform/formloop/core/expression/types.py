"""The types a value in an expression can have.

A type is known before anything runs: forms, datasets and ledgers say which names there are and of which
type. `ANY` is the type of what nobody knows; it fits everywhere and is examined when the expression runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from formloop.core.text import M, Message

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """A plain type, known by its name; the constants below are all there are."""

    name: str

    @property
    def title(self) -> Message:
        """What a business user calls it."""
        return _TITLES[self.name]


NUMBER = Type("number")
TEXT = Type("text")
BOOL = Type("bool")
DATE = Type("date")
DATETIME = Type("datetime")
ANY = Type("any")

_TITLES = {
    "number": M("a number"),
    "text": M("a text"),
    "bool": M("yes or no"),
    "date": M("a date"),
    "datetime": M("a date with time"),
    "any": M("any value"),
}


@dataclass(frozen=True, slots=True)
class RecordType(Type):
    """A relation to a record. Its value is the record's id; `fields` is asked only when a path steps into it."""

    fields: Callable[[], Mapping[str, Type]] = field(compare=False, repr=False)

    @property
    def title(self) -> Message:
        """What a business user calls it."""
        return M("a record of “{name}”", name=self.name)


@dataclass(frozen=True, slots=True, init=False)
class ListType(Type):
    """Several values of one type. Lists `over` the same path have equal length and can be calculated together."""

    of: Type
    over: Path | None

    def __init__(self, of: Type, over: Path | None = None) -> None:
        object.__setattr__(self, "name", f"list of {of.name}")
        object.__setattr__(self, "of", of)
        object.__setattr__(self, "over", over)

    @property
    def title(self) -> Message:
        """What a business user calls it."""
        return M("a list ({of})", of=self.of.title)


def element(kind: Type) -> Type:
    """The type of one element of a list, or the type itself."""
    return kind.of if isinstance(kind, ListType) else kind


def is_same_kind(left: Type, right: Type) -> bool:
    """Whether values of both types may stand for each other: a relation counts as the id it holds."""
    if ANY in (left, right) or left == right:
        return True
    if isinstance(left, ListType) and isinstance(right, ListType):
        return is_same_kind(left.of, right.of)
    return _is_id(left) and _is_id(right)


def _is_id(kind: Type) -> bool:
    return isinstance(kind, RecordType) or kind == NUMBER
