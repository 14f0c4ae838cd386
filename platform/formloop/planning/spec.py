"""The contract of operators, and what runs of a published plan."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from formloop.core.errors import Problem
from formloop.core.expression import ANY, BOOL, DATE, NUMBER, TEXT, Expression, RecordType, Type
from formloop.core.text import M, Message, localized
from formloop.forms.spec import Field

Row = dict[str, Any]
KINDS: Mapping[str, Type] = {"key": ANY, "number": NUMBER, "text": TEXT, "date": DATE, "bool": BOOL}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a port: `kind` is key (what things are told apart by: a record or a text), number, text, date
    or bool. An empty cell of a column that is not required counts as `default`."""

    title: Message
    kind: str
    required: bool = False
    default: Any = None

    @property
    def type(self) -> Type:
        """What expressions see of it."""
        return KINDS[self.kind]

    def fits(self, kind: Type) -> bool:
        """Whether a column of a dataset can be read here."""
        if self.kind == "key":
            return kind in (TEXT, NUMBER, ANY) or isinstance(kind, RecordType)
        return kind in (self.type, ANY)


@dataclass(frozen=True, slots=True)
class Port:
    """A table that an operator reads or gives, by its columns."""

    title: Message
    columns: Mapping[str, Column]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """What an operator gives: rows by output; problems of severity "error" mean that nothing counts."""

    outputs: Mapping[str, Sequence[Row]]
    problems: Sequence[Problem] = ()


class Operator:
    """The contract of a calculation: one subclass a file in `operators/`, pure functions inside.

    `calculate` gets rows by port, checked and with defaults filled in, the values of the parameters, and which
    outputs are wanted; what nobody wants it may leave out. `parameters` are described like fields of a form.
    """

    name: ClassVar[str]
    title: ClassVar[Message]
    icon: ClassVar[str] = "calculator"
    ports: ClassVar[Mapping[str, Port]]
    outputs: ClassVar[Mapping[str, Port]]
    parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def calculate(
        self, rows: Mapping[str, Sequence[Row]], parameters: Mapping[str, Any], wanted: frozenset[str]
    ) -> Result:
        """The outputs."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """Where an output goes: a form, by which fields a record is found again, which records are left alone.

    Without `by` every run puts new records in the place of those it made before.
    """

    name: str
    form: str
    by: tuple[str, ...]
    keep: Expression | None
    values: Mapping[str, Expression]


@dataclass(frozen=True, slots=True, eq=False)
class PlanSpec:
    """A published plan, prepared once. `parameters` are those of its operator and of its datasets."""

    id: str
    key: str
    version: int
    document: Mapping[str, Any]
    operator: Operator
    ports: Mapping[str, str]  # port → dataset
    parameters: Mapping[str, Field]
    values: Mapping[str, Any]  # of parameters, as the plan says them
    outputs: tuple[Output, ...]

    def title(self, locale: str) -> str:
        """Its name in `locale`."""
        return localized(self.document, "title", locale) or self.key


@dataclass(slots=True)
class Written:
    """What one output did to its form."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    kept: int = 0


@dataclass(slots=True)
class Run:
    """One run of a plan: running, done or failed; how many rows each port read, what each output wrote."""

    id: int
    plan: str
    version: int
    person: int | None
    state: str
    parameters: Mapping[str, Any]
    read: dict[str, int] = field(default_factory=dict)
    written: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[dict[str, str]] = field(default_factory=list)
    at: Any = None
    ended_at: Any = None
    job: int | None = None
    first: dict[str, Sequence[Row]] = field(default_factory=dict)  # rows as they are written; kept nowhere


def checked(name: str, port: Port, rows: Iterable[Mapping[str, Any]]) -> tuple[list[Row], list[Problem]]:
    """Rows as an operator takes them, and what is wrong with them: at most 20 are told."""
    found: list[Row] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows, 1):
        taken = {}
        for key, column in port.columns.items():
            value = row.get(key)
            if value is None:
                if column.required and len(problems) < 20:
                    text = M(
                        "Row {row} of “{port}” has no “{column}”.",
                        row=number,
                        port=port.title,
                        column=column.title,
                    )
                    problems.append(Problem("empty", f"ports.{name}", text))
                value = column.default
            elif column.kind == "number":
                value = Decimal(value)
            elif column.kind == "key" and isinstance(value, int | Decimal):
                value = int(value)
            taken[key] = value
        found.append(taken)
    return found, problems
