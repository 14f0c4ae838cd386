"""The functions SQLite lacks: exact decimals as canonical text, and every plain function of the language.

They are the Python functions themselves, so SQLite cannot differ from Python. A number that cannot be
calculated travels as "NaN" through arithmetic, is empty in comparisons, and comes out as nothing.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import timezone as fixed
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from formloop.core.expression.check_calls import kinds_of
from formloop.core.expression.compile import strict_places
from formloop.core.expression.functions import FUNCTIONS, Function
from formloop.core.expression.functions.formats import formatted
from formloop.core.expression.operators import distance, earlier, later
from formloop.core.expression.values import (
    HUNDREDTH,
    MAX_TEXT,
    ZERO,
    Fault,
    add,
    divide,
    multiply,
    number,
    plain,
    power,
    subtract,
)

NAN = "NaN"
STAMP = "%Y-%m-%d %H:%M:%S.%f"


class _Failed(Exception):
    """An argument is a number that could not be calculated."""


def to_decimal(value: Any) -> Decimal | None:
    """The number in canonical text, or None."""
    if value is None:
        return None
    if value == NAN:
        raise _Failed
    return Decimal(value)


def from_decimal(value: Decimal | None) -> str | None:
    """The canonical text of a number."""
    return None if value is None else format(plain(value), "f")


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _wall(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value[:10])


def _stamp(value: datetime) -> str:
    return (value.astimezone(UTC) if value.tzinfo else value).strftime(STAMP).rjust(26, "0")


def _out(value: Any) -> Any:
    if isinstance(value, Decimal):
        return from_decimal(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return _stamp(value)
    return value.isoformat() if isinstance(value, date) else value


_IN: dict[str, Callable[[Any], Any]] = {
    "number": to_decimal,
    "date": _day,
    "datetime": _moment,
    "clock": _wall,
    "bool": lambda value: None if value is None else bool(value),
    "text": lambda value: "" if value is None else str(value),
}


def _guarded(call: Callable[..., Any], *kinds: str, fails: Any = None) -> Callable[..., Any]:
    """A function on SQLite's values; the last kind repeats, and `fails` stands for what went wrong."""

    def guarded(*values: Any) -> Any:
        try:
            arguments = [_IN[kinds[min(i, len(kinds) - 1)]](value) for i, value in enumerate(values)]
            result = _out(call(*arguments))
            return fails if isinstance(result, str) and len(result) > MAX_TEXT else result
        except (_Failed, Fault, ArithmeticError, ValueError):
            return fails

    return guarded


def plain_function(function: Function) -> Callable[..., Any]:
    """One function of the language with the rule for empty arguments around it."""

    def call(*values: Any) -> Any:
        places = strict_places(function, kinds_of(function, len(values)))
        if any(values[i] is None for i in places):
            return None
        result = function.call(*values)
        return number(result) if isinstance(result, Decimal) else result

    kinds = [p.kind for p in function.parameters]
    return _guarded(call, *kinds, fails=NAN if function.returns == "number" else None)


def zone_of(name: str) -> Any:
    """The zone of a name such as Asia/Shanghai or +08:00."""
    if name[:1] in "+-":
        sign = -1 if name[0] == "-" else 1
        return fixed(sign * timedelta(hours=int(name[1:3]), minutes=int(name[4:6])))
    return ZoneInfo(name)


def _decimal(value: int | None, scale: int) -> str | None:
    return None if value is None else from_decimal(Decimal(value).scaleb(-scale))


def _scaled(value: str, scale: int) -> int | None:
    return None if value is None or value == NAN else int(Decimal(value).scaleb(scale))


def _cmp(left: Decimal | None, right: Decimal | None) -> int | None:
    return None if left is None or right is None else int(left.compare(right))


def _least(*values: Any) -> Any:
    return min((v for v in values if v is not None), default=None)


def _greatest(*values: Any) -> Any:
    return max((v for v in values if v is not None), default=None)


def _sum(*values: Decimal | None) -> Decimal:
    total = ZERO
    for value in values:
        total = add(total, value)
    return total


def _local(moment: str | None, zone: str) -> str | None:
    found = _moment(moment)
    return None if found is None else found.astimezone(zone_of(zone)).strftime(STAMP)


def _average(total: Decimal, count: Decimal) -> Decimal | None:
    return divide(total, count) if count else None


class _Total:
    """SUM over canonical decimals, exact."""

    def __init__(self) -> None:
        self.total: Decimal | None = None
        self.failed = False

    def step(self, value: str | None) -> None:
        try:
            found = to_decimal(value)
            self.total = self.total if found is None else add(self.total, found)
        except (_Failed, ArithmeticError):
            self.failed = True

    def finalize(self) -> str | None:
        return NAN if self.failed else from_decimal(self.total)

    value = finalize  # what a running total has come to

    def inverse(self, value: str | None) -> None:
        """A running total begins at the first row and gives none back."""
        raise NotImplementedError


class _Smallest:
    """MIN over canonical decimals."""

    choose = staticmethod(min)

    def __init__(self) -> None:
        self.best: Decimal | None = None
        self.failed = False

    def step(self, value: str | None) -> None:
        try:
            found = to_decimal(value)
        except _Failed:
            self.failed = True
            return
        if found is not None:
            self.best = found if self.best is None else type(self).choose(self.best, found)

    def finalize(self) -> str | None:
        return NAN if self.failed else from_decimal(self.best)


class _Largest(_Smallest):
    """MAX over canonical decimals."""

    choose = staticmethod(max)


def _collate(left: str, right: str) -> int:
    try:
        return int(Decimal(left).compare(Decimal(right)))
    except (InvalidOperation, ValueError):
        return (left > right) - (left < right)


def _arithmetic() -> dict[str, Callable[..., Any]]:
    numeric: dict[str, Callable[..., Any]] = {
        "fl_add": _sum,
        "fl_sub": subtract,
        "fl_mul": multiply,
        "fl_div": divide,
        "fl_pow": power,
        "fl_percent": lambda value: multiply(value, HUNDREDTH),
        "fl_least": _least,
        "fl_greatest": _greatest,
        "fl_average": _average,
    }
    return {name: _guarded(call, "number", fails=NAN) for name, call in numeric.items()}


def _others() -> dict[str, Callable[..., Any]]:
    return {
        "fl_dec": _decimal,
        "fl_scaled": _scaled,
        "fl_cmp": _guarded(_cmp, "number"),
        "fl_if_error": lambda value, instead: instead if value == NAN else value,
        "fl_first": _least,
        "fl_last": _greatest,
        "fl_local": _local,
        "fl_local_date": lambda moment, zone: (_local(moment, zone) or "")[:10] or None,
        "fl_day_later": _guarded(later, "date", "number"),
        "fl_day_earlier": _guarded(earlier, "date", "number"),
        "fl_moment_later": _guarded(later, "datetime", "number"),
        "fl_moment_earlier": _guarded(earlier, "datetime", "number"),
        "fl_days": _guarded(distance, "date", fails=NAN),
        "fl_time": _guarded(distance, "datetime", fails=NAN),
        "fl_text_number": _guarded(formatted, "number", "text"),
        "fl_text_date": _guarded(formatted, "date", "text"),
        "fl_text_moment": _guarded(formatted, "clock", "text"),
    }


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **_arithmetic(),
    **_others(),
    **{f"fl_{f.name.lower()}": plain_function(f) for f in FUNCTIONS.values() if f.sql and not f.lazy},
}


def register_sqlite(dbapi_connection: Any) -> None:
    """Make the functions known to one connection; called once when it opens."""
    for name, call in _FUNCTIONS.items():
        dbapi_connection.create_function(name, -1, call, deterministic=True)
    dbapi_connection.create_window_function("fl_total", 1, _Total)
    for name, kind in (("fl_min", _Smallest), ("fl_max", _Largest)):
        dbapi_connection.create_aggregate(name, 1, kind)
    dbapi_connection.create_collation("fl_number", _collate)
