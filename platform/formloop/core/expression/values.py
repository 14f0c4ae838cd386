"""Values while an expression runs: exact numbers, empties, text forms, limits.

Numbers are decimals of at most 34 digits, 16 of them behind the point. Sums are exact; products and
quotients are rounded half up at the 16th decimal. The same rule holds in SQL, so both give the same digits.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Any, Protocol

from formloop.core.errors import FormloopError
from formloop.core.expression.context import Context as Surroundings
from formloop.core.text import M, Message

PRECISION, DECIMALS = 34, 16
MAX_STEPS, MAX_TEXT, MAX_LIST = 50_000, 65_536, 10_000
TEXT_PER_STEP = 64  # characters that cost as much as one step

ZERO, ONE, HUNDREDTH = Decimal(0), Decimal(1), Decimal("0.01")
_GRAIN = Decimal(1).scaleb(-DECIMALS)
_traps = [InvalidOperation, DivisionByZero]
_exact = Context(prec=PRECISION, rounding=ROUND_HALF_UP, traps=[*_traps, Inexact])
_fit = Context(prec=PRECISION, rounding=ROUND_HALF_UP, traps=_traps)
_cut = Context(prec=PRECISION, rounding=ROUND_DOWN, traps=_traps)
_wide = Context(prec=2 * PRECISION + 4, rounding=ROUND_HALF_UP, traps=_traps)

_entry = Context(prec=PRECISION, Emax=17, Emin=-17, rounding=ROUND_HALF_UP, traps=[*_traps, Overflow])

plus, minus = _exact.add, _exact.subtract
entered = _entry.plus  # a number from outside, bounded in digits and size whatever it is
_quantize, _multiply, _divide = _fit.quantize, _wide.multiply, _wide.divide


class Record(Protocol):
    """What a relation leads to: a mapping, or anything with `get`."""

    def get(self, name: str, /) -> Any:
        """The value of a field, or None."""


class Linked(int):
    """The id of a related record, together with the record."""

    record: Record | None

    def __new__(cls, id_: int, record: Record | None = None) -> "Linked":
        linked = super().__new__(cls, id_)
        linked.record = record
        return linked


class Fault(Exception):
    """A calculation went wrong inside; `EvaluationError` adds where."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.msgid)
        self.message = message


class OutOfSteps(Fault):
    """The evaluation has used up its steps; nothing may catch it, and no position is worth a second run."""

    def __init__(self) -> None:
        super().__init__(M("This formula needs too many steps. Use fewer lines or a simpler formula."))


class EvaluationError(FormloopError):
    """An expression could not be calculated with these values; `line` and `column` say where, from 1."""

    code = "evaluation"
    status = 422

    def __init__(self, message: Message, start: int = 0, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.start, self.line, self.column = start, line, column


class Run:
    """One evaluation: the names, the surroundings and the steps that are left."""

    __slots__ = ("context", "env", "left", "trail")
    trail: list[list[Any]]  # only where a trace is made

    def __init__(self, env: Mapping[str, Any], context: Surroundings) -> None:
        self.env = env
        self.context = context
        self.left = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Use up steps; too many end the evaluation."""
        self.left -= steps
        if self.left < 0:
            raise OutOfSteps


def message_of(error: Exception) -> Message:
    """What went wrong, for people."""
    if isinstance(error, Fault):
        return error.message
    if isinstance(error, DivisionByZero) or (isinstance(error, InvalidOperation) and _is_zero_by_zero(error)):
        return M("This divides by zero. Guard it, for example IF(b = 0, 0, a / b).")
    if isinstance(error, OverflowError):
        return M("This date lies outside the years 1 to 9999.")
    return M("This number is too large: at most 18 digits before the point are possible.")


def _is_zero_by_zero(error: InvalidOperation) -> bool:
    return "DivisionUndefined" in str(error)


def number(value: Decimal) -> Decimal:
    """The value with at most 16 decimals; one that is too large is an error."""
    return _quantize(value, _GRAIN)


def truncated(value: Decimal) -> Decimal:
    """Like `number`, but cutting instead of rounding."""
    return _cut.quantize(value, _GRAIN)


def plain(value: Decimal) -> Decimal:
    """The same number without needless zeros and without an exponent."""
    return plus(value.normalize(_fit), ZERO)


def add(a: Decimal | None, b: Decimal | None) -> Decimal:
    """The exact sum; an empty number counts as 0."""
    return plus(ZERO if a is None else a, ZERO if b is None else b)


def subtract(a: Decimal | None, b: Decimal | None) -> Decimal:
    """The exact difference; an empty number counts as 0."""
    return minus(ZERO if a is None else a, ZERO if b is None else b)


def multiply(a: Decimal | None, b: Decimal | None) -> Decimal:
    """The product; an empty number counts as 0."""
    if a is None or b is None:
        return ZERO
    return _quantize(_multiply(a, b), _GRAIN)


def divide(a: Decimal | None, b: Decimal | None) -> Decimal:
    """The quotient; an empty number counts as 0."""
    return _quantize(_divide(ZERO if a is None else a, ZERO if b is None else b), _GRAIN)


def power(a: Decimal | None, b: Decimal | None) -> Decimal:
    """`a` to the power of `b`; whole powers up to 64 by multiplication, others by logarithm."""
    a, b = ZERO if a is None else a, ZERO if b is None else b
    if b == b.to_integral_value() and abs(b) <= 64:
        result = ONE
        for _ in range(abs(int(b))):
            result = multiply(result, a)
        return result if b >= 0 else divide(ONE, result)
    if a < 0 or abs(b) > 64:
        raise Fault(
            M("This power cannot be calculated: use powers from -64 to 64, whole ones for negatives.")
        )
    if a == 0 and b < 0:
        raise DivisionByZero
    return number(_fit.power(a, b))


def square_root(a: Decimal) -> Decimal:
    """The square root, cut after the last decimal."""
    if a < 0:
        raise Fault(M("There is no square root of a negative number."))
    return truncated(_wide.sqrt(a))


def possible(day: date) -> date:
    """The date, unless it is the very first or last there is, which SQL takes as out of range."""
    if day in (date.min, date.max):
        raise OverflowError
    return day


def as_text(value: Any) -> str:
    """The value as `&` shows it: empty as nothing, numbers plainly, dates as 2026-01-31."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Decimal):
        return format(plain(value), "f")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return str(int(value)) if isinstance(value, int) else str(value)


def is_empty(value: Any) -> bool:
    """Whether there is nothing: no value, an empty text, an empty list."""
    return value is None or ((value.__class__ is str or value.__class__ is list) and not value)
