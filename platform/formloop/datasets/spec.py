"""What runs of a published dataset, and the contract of the places its rows come from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from sqlalchemy import ColumnElement, FromClause

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.expression import Context, Expression, Path, SqlNames, Type
from formloop.core.text import Message, Titled, localized
from formloop.forms import permits
from formloop.forms.permits import Permit
from formloop.forms.spec import Field, FormSpec

Element = ColumnElement[Any]
Find = Callable[[str, str], Any]  # what runs of a definition by kind and key, or None
Read = tuple[str, str]  # a form and the path of a field in it

PARAMETERS, LINE, ROWS = "parameters", "line", "rows"
MOST_TABLES = 60  # SQLite joins 64 at once
RESERVED = (PARAMETERS, LINE, ROWS)


@dataclass(frozen=True, eq=False)
class View:
    """Who looks, by which rights, at which moment, and with which values of the parameters.

    What is shown needs every one of `actions`: an export needs to be seen and to be exported.
    """

    actor: Actor
    actions: tuple[str, ...]
    context: Context
    dialect: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def permits(self, spec: FormSpec) -> tuple[Permit, ...] | None:
        """The person's rights on a form; None when one of the actions is not theirs."""
        found = [permits.find_permit(self.actor, action, spec) for action in self.actions]
        whole = tuple(permit for permit in found if permit is not None)
        return whole if len(whole) == len(found) else None


class Rows(SqlNames, Protocol):
    """The rows of one place as somebody may see them, in SQL."""

    @property
    def source(self) -> FromClause:
        """The table, or tables joined."""

    @property
    def where(self) -> Sequence[ColumnElement[bool]]:
        """What its rows must fulfil."""

    @property
    def keys(self) -> Sequence[Element]:
        """What tells its rows apart."""

    @property
    def record(self) -> Element | None:
        """The id of the record a row stands for, if it stands for one."""


class Origin(Protocol):
    """One place rows come from, as a dataset names it. `identified`: its first key is never empty; `tables`: how
    many tables it reads."""

    names: Mapping[str, Type]

    tables: int

    @property
    def identified(self) -> bool: ...

    def find_field(self, path: Path) -> Field | None:
        """What stands at a path, for its title and the way it is shown."""

    def reads(self, path: Path) -> Iterator[Read]:
        """The fields of forms that are read at a path."""

    def rows(self, view: View) -> Rows:
        """Its rows for one person."""

    def require(self, view: View) -> None:
        """Raise Forbidden when the person may see nothing of it at all."""

    def whole(self, view: View) -> bool:
        """Whether the person may see every row of it."""

    def closed(self, view: View, path: Path) -> bool:
        """Whether what stands at a path is hidden from the person in every row."""


class SourceKind:
    """The contract of a kind of source: one subclass a file in `sources/`. `name` is the word under `from`."""

    name: ClassVar[str]
    schema: ClassVar[Mapping[str, Any]] = {}  # its words under `from`, its own name included

    def references(self, said: Mapping[str, Any]) -> set[tuple[str, str]]:
        """The definitions it needs, by kind and key."""
        return set()

    def open(
        self, said: Mapping[str, Any], find: Find, parameters: Mapping[str, Type]
    ) -> tuple[Origin | None, list[Problem]]:
        """The place that is meant, or None, and what is wrong with it; `at` within `from`."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """Rows of another place beside those so far: where its `left` equals what stands before, `right`."""

    name: str
    origin: Origin
    on: tuple[tuple[Expression, Expression], ...]
    required: bool


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One source of rows with what is joined to it; several parts are put one below the other."""

    origin: Origin
    joins: tuple[Join, ...]
    where: Expression | None
    columns: Mapping[str, Expression]


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """A running total of a column in the order of the dataset, begun anew for each set of the columns `within`."""

    of: str
    within: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Leads:
    """The dataset that each row leads to, and what its columns must be there; a row without one of these leads nowhere.

    `names` is what these expressions can name.
    """

    dataset: str
    of: Mapping[str, Expression]
    names: Mapping[str, Type]


@dataclass(frozen=True, slots=True, eq=False)
class DatasetSpec:
    """A published dataset, prepared once. `fields` and `types` are its columns as it gives them.

    `group` is None where rows are not grouped; `inner` are the types before grouping; `subtotals` are the first
    columns of the sort, at whose changes the page shows totals.
    """

    id: str
    key: str
    version: int
    document: Mapping[str, Any]
    parameters: Mapping[str, Field]
    parts: tuple[Part, ...]
    inner: Mapping[str, Type]
    group: tuple[str, ...] | None
    measures: Mapping[str, Expression]
    having: Expression | None
    running: Mapping[str, Running]
    subtotals: tuple[str, ...]
    leads: Leads | None
    fields: Mapping[str, Field]
    types: Mapping[str, Type]
    sort: tuple[str, ...]
    reads: frozenset[Read]

    def title(self, locale: str) -> str:
        """Its name in `locale`."""
        return localized(self.document, "title", locale) or self.key

    @property
    def narrows(self) -> bool:
        """Whether it leaves out rows by a condition."""
        return self.having is not None or any(part.where is not None for part in self.parts)

    @property
    def name(self) -> Message:
        """Its name, as a part of sentences."""
        return Titled(self.document)

    @property
    def form(self) -> str | None:
        """The form whose records the rows stand for, if they do."""
        if self.group is not None or len(self.parts) > 1:
            return None
        return getattr(self.parts[0].origin, "form", None)

    @property
    def identified(self) -> bool:
        """Whether the first key of its rows is never empty."""
        return self.group is None and all(part.origin.identified for part in self.parts)

    @property
    def tables(self) -> int:
        """How many tables its statement joins and puts together."""
        joined = (join.origin for part in self.parts for join in part.joins)
        return sum(origin.tables for origin in (*(part.origin for part in self.parts), *joined))

    @property
    def filters(self) -> tuple[str, ...]:
        """The columns a filter is offered for at once."""
        return tuple(self.document.get("filters", ()))
