"""What runs of a published ledger and of a published posting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import Table

from formloop.core.expression import Expression, Path
from formloop.core.text import Message, Titled
from formloop.definitions import library

ZERO = Decimal(0)
Amounts = dict[str, Decimal]
Dims = Mapping[str, Any]  # an id, a text, or the dimension's own emptiness


@dataclass(frozen=True, slots=True, eq=False)
class Dimension:
    """What entries are told apart by: a record of one of `forms`, or a short text when there are none."""

    key: str
    forms: tuple[str, ...]
    optional: bool
    required: Expression | None
    keeps: tuple[str, ...]  # the fields of its records that stay once there ever was an entry
    document: Mapping[str, Any]

    @property
    def empty(self) -> Any:
        """What the column holds when nothing is said; not NULL, so that balances stay unique."""
        return 0 if self.forms else ""

    @property
    def column(self) -> str:
        """The name of its column."""
        return f"d_{self.key}"

    @property
    def title(self) -> Message:
        """Its name; without one of its own that of the form whose records it holds."""
        form = None
        if "title" not in self.document and len(self.forms) == 1:
            form = library.find_document("form", self.forms[0])
        return Titled(form or self.document, self.key)


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """What is counted, with its digits after the point."""

    key: str
    scale: int
    document: Mapping[str, Any]

    @property
    def column(self) -> str:
        """The name of its column."""
        return f"m_{self.key}"

    @property
    def title(self) -> Message:
        """Its name."""
        return Titled(self.document, self.key)


@dataclass(frozen=True, slots=True, eq=False)
class Never:
    """A limit of the balances over the dimensions `per`; an entry for which `unless` holds lifts it."""

    id: str
    measure: str
    below: Decimal
    unless: Expression | None
    per: tuple[str, ...]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Balanced:
    """Weighted measures that must come to nothing in each group, for each value of the dimensions `by`."""

    id: str
    sum: Mapping[str, int]
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Agrees:
    """A measure whose change in a group equals that of another ledger, over the entries where `where` holds."""

    id: str
    measure: str
    ledger: str
    sum: Mapping[str, int]
    where: Expression | None


@dataclass(frozen=True, slots=True, eq=False)
class Valuation:
    """How the measure `value` follows from `quantity`, kept for each set of the dimensions `per`."""

    method: Expression
    quantity: str
    value: str
    per: tuple[str, ...]
    standard: Expression | None
    when: Expression | None
    day_end: bool


@dataclass(frozen=True, slots=True, eq=False)
class OpenItems:
    """Entries that wait for others to settle them: the weighted measures, and for which entries this holds."""

    sum: Mapping[str, int]
    when: Expression | None
    within: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The tables of one ledger."""

    entry: Table
    balance: Table
    turnover: Table
    open: Table
    match: Table


@dataclass(frozen=True, slots=True, eq=False)
class LedgerSpec:
    """A published ledger."""

    id: str
    key: str
    version: int
    document: Mapping[str, Any]
    dimensions: Mapping[str, Dimension]
    measures: Mapping[str, Measure]
    never: tuple[Never, ...]
    balanced: tuple[Balanced, ...]
    agrees: tuple[Agrees, ...]
    valuation: Valuation | None
    open: OpenItems | None
    calendar: str
    settings: str | None
    sets: tuple[tuple[str, ...], ...]  # which dimensions have balances: all of them first
    tables: Tables

    @property
    def title(self) -> Message:
        """Its name."""
        return Titled(self.document)

    @property
    def resource(self) -> str:
        """Its name at the gate."""
        return f"ledger:{self.key}"

    @property
    def amounts(self) -> tuple[str, ...]:
        """The columns of measures: those defined, and what a valuation leaves aside."""
        own = tuple(self.measures)
        return (*own, "variance") if self.valuation else own

    def scale(self, amount: str) -> int:
        """The digits after the point of a measure, or of the variance."""
        return self.measures[
            self.valuation.value if amount == "variance" and self.valuation else amount
        ].scale

    def weigh(self, weights: Mapping[str, int], amounts: Mapping[str, Decimal]) -> Decimal:
        """The weighted sum of measures."""
        return sum((amounts.get(key, ZERO) * weight for key, weight in weights.items()), ZERO)

    def key_of(self, dims: Dims, per: tuple[str, ...] | None = None) -> str:
        """The text that names a balance; dimensions that are empty do not appear, so that new ones change none."""
        full = per is None or per == self.sets[0]
        names = self.sets[0] if full or per is None else per
        text = ";".join([f"{name}={dims[name]}" for name in sorted(names) if dims[name]])
        return text if full else f"{','.join(sorted(names))}|{text}"


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """A part of a total: the total is shared over the lines by weight, to the last digit."""

    total: Expression
    weight: Expression


@dataclass(frozen=True, slots=True, eq=False)
class EntryRule:
    """One entry that a posting makes, of the whole record or of each line of `each`.

    `each` is a subform, or a way to lines of another record: `order.lines`, `services.landed.lines`.
    """

    index: int
    id: str
    ledger: str
    each: str | None
    when: Expression | None
    dims: Mapping[str, Expression]
    measures: Mapping[str, Expression | Share]
    dependent: frozenset[str]  # the measures that read the values of other entries
    pending: bool
    expires: Expression | None
    due: Expression | None
    carries: str | None
    returns: Expression | None
    adds_to: Expression | None
    uses: Expression | None
    settles: Expression | None
    check: Expression | None = None  # what must hold, the balance before it included
    says: Mapping[str, Any] | None = None  # the refusal when it does not, as the definition brings it
    stays: bool = (
        False  # what is entered later for that day or an earlier one leaves it holding, or is refused
    )
    tells: Mapping[str, Expression] = field(default_factory=dict)  # the values that stand in it
    per: tuple[str, ...] | None = None  # the dimensions of the balance before it, where not all

    @property
    def expressions(self) -> tuple[tuple[str, Expression], ...]:
        """Everything it calculates, by name."""
        found: list[tuple[str, Expression]] = [*self.dims.items()]
        for key, each in self.measures.items():
            found += [(key, each.total), (key, each.weight)] if isinstance(each, Share) else [(key, each)]
        for key in ("when", "expires", "due", "returns", "adds_to", "uses", "settles", "check"):
            if (expression := getattr(self, key)) is not None:
                found.append((key, expression))
        return (*found, *self.tells.items())


@dataclass(frozen=True, eq=False)
class PostingSpec:
    """A published posting: what a record writes into ledgers when it comes to a state."""

    id: str
    key: str
    version: int
    document: Mapping[str, Any]
    form: str
    state: str
    until: tuple[str, ...]
    when: Expression | None
    date: Expression | None
    rules: tuple[EntryRule, ...]
    settings: str | None

    @cached_property
    def title(self) -> Message:
        """Its name."""
        return Titled(self.document)

    @cached_property
    def ledgers(self) -> tuple[str, ...]:
        """The ledgers it writes into."""
        return tuple(dict.fromkeys(rule.ledger for rule in self.rules))

    @cached_property
    def reads(self) -> frozenset[Path]:
        """Every path that its expressions read, as seen from the record."""
        found: set[Path] = set()
        for alone in (self.when, self.date):
            found |= alone.reads if alone else set()
        for rule in self.rules:
            for _, expression in rule.expressions:
                found |= {from_record(path, rule.each) for path in expression.reads}
        return frozenset(path for path in found if path[0] not in ("entries", "settings", "before"))

    @cached_property
    def ways(self) -> frozenset[str]:
        """The lines of other records of which it makes entries."""
        return frozenset(rule.each for rule in self.rules if rule.each and "." in rule.each)

    @cached_property
    def fields_read(self) -> Mapping[str, frozenset[str]]:
        """The fields of the record that it reads, of lines the columns; none where it reads all of a field."""
        whole = {path[0] for path in self.reads if len(path) == 1}
        return {
            key: frozenset(() if key in whole else (path[1] for path in self.reads if path[0] == key))
            for key in {path[0] for path in self.reads}
        }

    @cached_property
    def setting_reads(self) -> frozenset[Path]:
        """What it reads of the settings, beyond their own fields too."""
        found = {p for rule in self.rules for _, e in rule.expressions for p in e.reads}
        return frozenset(path[1:] for path in found if path[0] == "settings" and len(path) > 1)


def from_record(path: Path, each: str | None) -> Path:
    """A path of a rule as seen from the record: `line.item` of a rule for each of `lines` is `lines.item`.

    For each of `services.landed.lines` it is `services.landed.lines.item`, and `outer.net` is `services.net`.
    """
    if path[0] == "line" and each:
        return (*each.split("."), *path[1:])
    if path[0] == "outer" and each:
        return (each.split(".")[0], *path[1:])
    return path[1:] if path[0] == "record" and len(path) > 1 else path
