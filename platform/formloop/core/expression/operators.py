"""What the operators do with values of the types they were given."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from formloop.core.expression.compare import COMPARISONS
from formloop.core.expression.nodes import Binary
from formloop.core.expression.types import ANY, DATE, DATETIME, element
from formloop.core.expression.values import Fault, add, divide, multiply, possible, power, subtract
from formloop.core.text import M

MAX_DAYS = 1_460_000  # 4,000 years


def _shift(days: int) -> Callable[[Any, Any], Any]:
    def moved(moment: Any, count: Decimal | None) -> Any:
        if moment is None or count is None:
            return moment
        if abs(count) > MAX_DAYS:
            raise OverflowError
        if isinstance(moment, datetime):
            return moment + days * timedelta(microseconds=int(count * 86_400_000_000))
        return possible(moment + days * timedelta(days=int(count)))

    return moved


later, earlier = _shift(1), _shift(-1)


def distance(end: Any, start: Any) -> Decimal | None:
    """The days from `start` to `end`, with a fraction between moments."""
    if end is None or start is None:
        return None
    gap: timedelta = end - start
    micros = Decimal((gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds)
    return divide(micros, Decimal(86_400_000_000))


def _dynamic(op: str) -> Callable[[Any, Any], Any]:
    """Plus and minus where a side is known only when the expression runs."""

    def calculate(left: Any, right: Any) -> Any:
        if isinstance(left, (str, bool)) or isinstance(right, (str, bool)):
            raise Fault(M("“{op}” works on numbers and dates. Join texts with &.", op=op))
        if isinstance(left, date):
            if isinstance(right, date):
                if op == "+" or isinstance(left, datetime) != isinstance(right, datetime):
                    raise Fault(M("These two dates cannot be calculated with each other."))
                return distance(left, right)
            return (later if op == "+" else earlier)(left, right)
        if isinstance(right, date):
            if op == "-":
                raise Fault(M("A date cannot be taken from a number."))
            return later(right, left)
        return (add if op == "+" else subtract)(left, right)

    return calculate


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "^": power,
}


def operation(node: Binary) -> Callable[[Any, Any], Any]:
    """What an operator does with values of these types."""
    if node.op in COMPARISONS:
        return COMPARISONS[node.op]
    one, two = element(node.left.type), element(node.right.type)
    if node.op in "+-" and ANY in (one, two):
        return _dynamic(node.op)
    if one in (DATE, DATETIME):
        return distance if two == one else later if node.op == "+" else earlier
    if two in (DATE, DATETIME):
        return lambda count, moment: later(moment, count)
    return _ARITHMETIC[node.op]
