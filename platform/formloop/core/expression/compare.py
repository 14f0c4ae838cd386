"""Equal, smaller, larger. Empty equals empty; ordering against an empty value is itself empty."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from formloop.core.expression.values import Fault, is_empty
from formloop.core.text import M


def is_same(left: Any, right: Any) -> bool:
    """Whether both are equal; empties of any type equal each other, different types never."""
    if is_empty(left) or is_empty(right):
        return is_empty(left) and is_empty(right)
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def is_different(left: Any, right: Any) -> bool:
    """The opposite of `is_same`."""
    return not is_same(left, right)


def ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    """A comparison that is empty when a side is, and a fault when the sides cannot be compared."""

    def compare(left: Any, right: Any) -> bool | None:
        if is_empty(left) or is_empty(right):
            return None
        if left.__class__ is not right.__class__ and _family(left) != _family(right):
            raise Fault(M("These two values cannot be compared: one is of another kind."))
        return test(left, right)

    return compare


def _family(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (Decimal, int)):
        return "number"
    if isinstance(value, datetime):
        return "datetime"
    return "date" if isinstance(value, date) else "text"


COMPARISONS: dict[str, Callable[[Any, Any], bool | None]] = {
    "=": is_same,
    "<>": is_different,
    "<": ordered(lambda a, b: a < b),
    "<=": ordered(lambda a, b: a <= b),
    ">": ordered(lambda a, b: a > b),
    ">=": ordered(lambda a, b: a >= b),
}
