"""Values that come in from outside: steps into records and lists, and what a value of a type must be."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from formloop.core.expression.types import BOOL, DATE, DATETIME, NUMBER, TEXT, Type
from formloop.core.expression.values import MAX_TEXT, Fault, Linked, Run, entered
from formloop.core.text import M


def flat(values: list[Any]) -> list[Any]:
    """One list of what may be a list of lists."""
    if not any(isinstance(v, (list, tuple)) for v in values):
        return values
    return [one for v in values for one in (v if isinstance(v, (list, tuple)) else [v])]


def step_into(value: Any, name: str) -> Any:
    """The field `name` of a value: of a mapping, or of the record a relation leads to."""
    if value is None:
        return None
    if value.__class__ is dict or isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, (list, tuple)):
        return flat([step_into(v, name) for v in value])
    if name == "id" and isinstance(value, int):
        return int(value)
    record = getattr(value, "record", None)
    return None if record is None else record.get(name)


def _number(run: Run, value: Any) -> Decimal:
    if isinstance(value, Decimal) and value.is_finite():
        return entered(value)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 64:
        return Decimal(int(value))
    raise _wrong(value, NUMBER)


def _text(run: Run, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(value, TEXT)
    if len(value) > MAX_TEXT:
        raise Fault(M("This text is too long: 65,536 characters are possible."))
    return value


def _bool(run: Run, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in (0, 1) and isinstance(value, int):
        return bool(value)
    raise _wrong(value, BOOL)


def _date(run: Run, value: Any) -> date:
    if isinstance(value, datetime):
        return run.context.local(value).date()
    if not isinstance(value, date):
        raise _wrong(value, DATE)
    return value


def _datetime(run: Run, value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise _wrong(value, DATETIME)
    return value if value.tzinfo else run.context.local(value)


def _any(run: Run, value: Any) -> Any:
    if isinstance(value, str):
        return _text(run, value)
    if isinstance(value, Decimal):
        return _number(run, value)
    if isinstance(value, int) and not isinstance(value, (bool, Linked)):
        return _number(run, value)
    return value


def _wrong(value: Any, kind: Type) -> Fault:
    return Fault(M("A value here is not {kind}.", kind=kind.title))


ADMIT: dict[str, Callable[[Run, Any], Any]] = {
    "number": _number,
    "text": _text,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "clock": _datetime,
    "any": _any,
}
