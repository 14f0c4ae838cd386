"""Names, constants, operators and comparisons in SQL.

PostgreSQL calculates with NUMERIC. SQLite holds columns as integers of the smallest unit: they are compared
and summed as they are, so indexes serve; everything else goes through the exact functions of `sqlite`.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Integer,
    Interval,
    Numeric,
    String,
    cast,
    extract,
    func,
    literal,
    null,
    or_,
    type_coerce,
)

from formloop.core.errors import Invalid, Problem
from formloop.core.expression.compile import compiled
from formloop.core.expression.context import Context
from formloop.core.expression.nodes import Binary, Call, Local, Member, Name, Node, Typed, Unary
from formloop.core.expression.operators import MAX_DAYS
from formloop.core.expression.sql_compare import Comparisons
from formloop.core.expression.sql_parts import (
    NOT_A_NUMBER,
    Calculated,
    Part,
    SqlNames,
    moment_within_years,
    within_years,
)
from formloop.core.expression.syntax import position
from formloop.core.expression.types import (
    ANY,
    BOOL,
    DATE,
    DATETIME,
    NUMBER,
    TEXT,
    ListType,
    Path,
    RecordType,
    Type,
    element,
)
from formloop.core.expression.values import Fault, Run, as_text, plain
from formloop.core.text import M, Message

Element = ColumnElement[Any]
MAX_PARTS = 3_000


class Basics(Comparisons):
    """Everything but the forms of functions."""

    def __init__(
        self, source: str, names: SqlNames, context: Context, dialect: str, over: Path | None = None
    ) -> None:
        self.source, self.names, self.context, self.over = source, names, context, over
        self.sqlite = dialect == "sqlite"
        self.built = 0

    # refusing

    def refuse(self, node: Node, message: Message) -> Invalid:
        """The refusal of a part that has no SQL form."""
        line, column = position(self.source, node.start)
        return Invalid([Problem("not_in_sql", "", message, line, column)])

    # parts

    def part(self, node: Typed) -> Part:
        """The SQL of a part."""
        self.built += 1
        if self.built > MAX_PARTS:
            raise self.refuse(
                node, M("This formula is too large for a filter. Calculate a part of it in a field.")
            )
        if not isinstance(node.type, ListType) and not _reads(node):
            return self.constant(node)
        match node:
            case Name():
                return self._name(node)
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Member():
                return self._member(node)
            case Local():
                return self._local(node)
            case Call():
                return self.call(node)
        raise self.refuse(node, M("This cannot be used in a filter."))

    def call(self, node: Call) -> Part:
        """The SQL of a call."""
        raise NotImplementedError

    def constant(self, node: Typed) -> Part:
        """A part without names, calculated now."""
        kind = element(node.type)
        try:
            value = compiled(node)(Run({}, self.context))
        except (Fault, ArithmeticError):
            return self.failed() if kind == NUMBER else Part(self._typed_null(kind), kind, constant=True)
        return self.known(value, kind)

    def failed(self) -> Part:
        """A number that cannot be calculated."""
        text = literal("NaN", String)
        return Part(text if self.sqlite else cast(text, Numeric), NUMBER, may_fail=True)

    def known(self, value: Any, kind: Type) -> Part:
        """A value as a bound parameter."""
        if value is None:
            return Part(self._typed_null(kind), kind, constant=True)
        if isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(int(value))
        if isinstance(value, Decimal):
            value = plain(value)
            shown = literal(as_text(value), String) if self.sqlite else literal(value, Numeric)
            return Part(shown, NUMBER, may_be_empty=False, constant=True, value=value)
        if isinstance(value, bool):
            return Part(literal(value, Boolean), BOOL, may_be_empty=False, constant=True, value=value)
        if isinstance(value, datetime):
            return Part(self._moment(value), DATETIME, may_be_empty=False, constant=True, value=value)
        if isinstance(value, date):
            return Part(literal(value, Date), DATE, may_be_empty=False, constant=True, value=value)
        return Part(literal(str(value), String), TEXT, may_be_empty=False, constant=True, value=value)

    def _typed_null(self, kind: Type) -> Element:
        types: dict[Type, Any] = {TEXT: String, BOOL: Boolean, DATE: Date, DATETIME: DateTime(timezone=True)}
        return cast(null(), types.get(kind, String if self.sqlite else Numeric))

    def _moment(self, value: datetime) -> Element:
        if self.sqlite:
            return literal(self.context.local(value).astimezone(UTC_ZONE).replace(tzinfo=None), DateTime)
        return literal(value, DateTime(timezone=True))

    def _name(self, node: Name) -> Part:
        if isinstance(node.type, ListType) and node.type.over != self.over:
            raise self.refuse(
                node, M("A list can be used in a filter only inside SUM, COUNT, MIN, MAX, ANY or ALL.")
            )
        found = self.names.column(node.path)
        kind = element(node.type)
        if kind == ANY:
            kind = _kind_of_column(found)
        if isinstance(found, BindParameter):  # a name that stands for a value
            return self.known(found.value, kind)
        if isinstance(found.type, Calculated):
            return Part(found if self.sqlite else type_coerce(found, Numeric), kind, may_fail=True)
        if kind == NUMBER or isinstance(kind, RecordType):
            scale = getattr(found.type, "scale", None)
            if isinstance(found.type, Integer):
                return Part(type_coerce(found, BigInteger), kind, scale=0)
            if self.sqlite:
                return Part(type_coerce(found, BigInteger), kind, scale=scale or 0)
        return Part(found, kind)

    # numbers

    def number(self, part: Part) -> Element:
        """The number as canonical text on SQLite, as NUMERIC on PostgreSQL."""
        if part.scale is None:
            return part.element
        if self.sqlite:
            return self.exact("fl_dec", part.element, literal(part.scale, Integer))
        return cast(part.element, Numeric)

    def filled(self, part: Part) -> Element:
        """The number, with 0 for nothing (PostgreSQL)."""
        found = self.number(part)
        return func.coalesce(found, 0) if part.may_be_empty else found

    def result(self, value: Element, may_be_empty: bool = False, may_fail: bool = False) -> Part:
        """A calculated number."""
        return Part(value, NUMBER, may_be_empty=may_be_empty, may_fail=may_fail)

    def exact(self, name: str, *values: Element) -> Element:
        """A call of one of our own functions on SQLite that gives a number."""
        called: Element = getattr(func, name)(*values, type_=String)
        return called

    def value(self, node: Typed) -> Element:
        """The canonical SQL of a part of any type."""
        part = self.part(node)
        return self.canonical(part)

    def canonical(self, part: Part) -> Element:
        """The SQL every function understands."""
        if part.kind == NUMBER or isinstance(part.kind, RecordType):
            return self.number(part)
        return part.element

    def _unary(self, node: Unary) -> Part:
        part = self.part(node.operand)
        if node.op == "%":
            return self.times(part, self.known(Decimal("0.01"), NUMBER))
        if node.op == "-":
            return self.sum([(1, self.known(Decimal(0), NUMBER)), (-1, part)])
        return self.sum([(1, part)])

    def _binary(self, node: Binary) -> Part:
        if node.op in ("=", "<>", "<", "<=", ">", ">="):
            return Part(self.compare(node.op, node.left, node.right), BOOL)
        one, two = element(node.left.type), element(node.right.type)
        if {one, two} & {DATE, DATETIME}:
            return self._calendar(node)
        if node.op in "+-":
            return self.sum(self._terms(node))
        left, right = self.part(node.left), self.part(node.right)
        if node.op == "*":
            return self.times(left, right)
        return self.over_by(left, right) if node.op == "/" else self.power(node, left, right)

    def _terms(self, node: Typed, sign: int = 1) -> list[tuple[int, Part]]:
        """A chain of + and - as a flat list, so that long chains stay shallow."""
        terms: list[tuple[int, Part]] = []
        while isinstance(node, Binary) and node.op in "+-":
            if {element(node.left.type), element(node.right.type)} - {NUMBER, ANY}:
                break
            terms.append((sign if node.op == "+" else -sign, self.part(node.right)))
            node = node.left
        terms.append((sign, self.part(node)))
        return terms[::-1]

    def sum(self, terms: list[tuple[int, Part]]) -> Part:
        """The exact sum of signed numbers."""
        fails = any(part.may_fail for _, part in terms)
        if self.sqlite:
            zero = literal("0", String)
            signed = [
                self.number(p) if s > 0 else self.exact("fl_sub", zero, self.number(p)) for s, p in terms
            ]
            while len(signed) > 100:  # SQLite takes at most 127 arguments
                signed = [self.exact("fl_add", *signed[i : i + 100]) for i in range(0, len(signed), 100)]
            return self.result(self.exact("fl_add", *signed), may_fail=fails)
        values = [self.filled(p) if s > 0 else -self.filled(p) for s, p in terms]
        return self.result(_balanced(values), may_fail=fails)

    def times(self, left: Part, right: Part) -> Part:
        """The product."""
        fails = left.may_fail or right.may_fail
        if self.sqlite:
            return self.result(self.exact("fl_mul", self.number(left), self.number(right)), may_fail=fails)
        return self.result(func.round(self.filled(left) * self.filled(right), 16), may_fail=fails)

    def over_by(self, left: Part, right: Part) -> Part:
        """The quotient; a division by zero travels on as NaN."""
        if self.sqlite:
            return self.result(self.exact("fl_div", self.number(left), self.number(right)), may_fail=True)
        by = func.coalesce(func.nullif(self.number(right), 0), NOT_A_NUMBER)
        return self.result(func.round(func.round(self.filled(left), 60) / by, 16), may_fail=True)

    def power(self, node: Typed, left: Part, right: Part) -> Part:
        """A whole power that is written down, by multiplication."""
        times = right.value
        if not isinstance(times, Decimal) or times != int(times) or not 0 <= times <= 8:
            raise self.refuse(
                node, M("A power can be used in a filter only with a whole number from 0 to 8.")
            )
        if self.sqlite:
            return self.result(self.exact("fl_pow", self.number(left), right.element), may_fail=left.may_fail)
        result = self.known(Decimal(1), NUMBER)
        for _ in range(int(times)):
            result = self.times(result, left)
        return result

    # dates

    def _calendar(self, node: Binary) -> Part:
        left, right = self.part(node.left), self.part(node.right)
        if left.kind == right.kind:
            return self._between(left, right)
        moment, count = (left, right) if left.kind in (DATE, DATETIME) else (right, left)
        kind = "day" if moment.kind == DATE else "moment"
        if self.sqlite:
            name = f"fl_{kind}_{'later' if node.op == '+' else 'earlier'}"
            shifted = getattr(func, name)(moment.element, self.number(count), type_=moment.element.type)
            return Part(shifted, moment.kind)
        return Part(self._shifted(moment, self.filled(count), 1 if node.op == "+" else -1), moment.kind)

    def _shifted(self, moment: Part, count: Element, sign: int) -> Element:
        sound = func.nullif(count, NOT_A_NUMBER)
        bounded = func.least(func.greatest(sound, -MAX_DAYS), MAX_DAYS) + sound * 0
        if moment.kind == DATE:
            days = cast(func.trunc(bounded), Integer) * sign
            return within_years(type_coerce(moment.element, Integer) + days)
        seconds = cast(bounded * 86_400 * sign, Double)
        return moment_within_years(moment.element + func.make_interval(0, 0, 0, 0, 0, 0, seconds))

    def _between(self, end: Part, start: Part) -> Part:
        if self.sqlite:
            name = "fl_days" if end.kind == DATE else "fl_time"
            return self.result(self.exact(name, end.element, start.element), may_be_empty=True)
        if end.kind == DATE:
            gap = type_coerce(end.element, Date) - type_coerce(start.element, Date)
            return self.result(cast(type_coerce(gap, Integer), Numeric), may_be_empty=True)
        seconds = cast(extract("epoch", end.element - start.element), Numeric)
        return self.result(func.round(func.round(seconds, 60) / 86_400, 16), may_be_empty=True)

    @property
    def zone(self) -> Element:
        """The zone of the context as a parameter."""
        zone = self.context.zone
        if isinstance(zone, ZoneInfo):
            return literal(zone.key, String)
        gap = zone.utcoffset(None)
        minutes = int(gap.total_seconds() // 60) if gap else 0
        text = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
        return literal(text, String) if self.sqlite else cast(literal(text, String), Interval)

    def _local(self, node: Local) -> Part:
        moment = self.part(node.operand).element
        whole = element(node.type) == DATETIME
        if self.sqlite:
            name = "fl_local" if whole else "fl_local_date"
            return Part(
                getattr(func, name)(moment, self.zone, type_=DateTime() if whole else Date()),
                element(node.type),
            )
        local = func.timezone(self.zone, moment, type_=DateTime())
        return Part(local if whole else cast(local, Date), element(node.type))

    def _member(self, node: Member) -> Part:
        value = self.part(node.value)
        (first, *rest) = node.choices
        if isinstance(first.type, ListType):
            return Part(self.among(value, first), BOOL)
        return Part(
            or_(*[self.compared("=", value, self.part(c)) for c in (first, *rest)]), BOOL, may_be_empty=False
        )

    def among(self, value: Part, choices: Typed) -> Element:
        """Whether a value is in a list."""
        raise NotImplementedError


UTC_ZONE = ZoneInfo("UTC")


def _balanced(values: list[Element]) -> Element:
    while len(values) > 1:
        pairs = [values[i : i + 2] for i in range(0, len(values), 2)]
        values = [pair[0] + pair[1] if len(pair) == 2 else pair[0] for pair in pairs]
    return values[0]


def _kind_of_column(column: Element) -> Type:
    kind = column.type
    if isinstance(kind, Boolean):
        return BOOL
    if isinstance(kind, String):
        return TEXT
    if isinstance(kind, Date):
        return DATE
    if isinstance(kind, DateTime) or isinstance(getattr(kind, "impl", None), DateTime):
        return DATETIME
    return NUMBER


def _reads(node: Node) -> bool:
    return isinstance(node, Name) or any(_reads(part) for part in node.parts)
