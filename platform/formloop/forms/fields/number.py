"""Numbers: exact decimals with a fixed count of digits after the point."""

import operator
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

from formloop.core.expression import NUMBER, Type
from formloop.core.text import M, Message
from formloop.db import Exact
from formloop.forms.spec import Field, FieldType, Unreadable

_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，－＋％", "0123456789.,-+%")
# digits in groups of three or without commas: "1,5" would be 15 to one reader and 1.5 to the next
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,6})?", re.ASCII)


class Number(FieldType):
    """A decimal number; `x-scale` is how many digits after the point are kept (6 unless said)."""

    name = "number"
    title = M("Number")
    icon = "hash"
    json_type = "number"
    widget = "number"
    operators = ("is", "is_not", "at_least", "at_most", "between", "empty", "filled")
    options: ClassVar[Mapping[str, Any]] = {
        "x-scale": {"type": "integer", "minimum": 0, "maximum": 10},
        "x-unit": {"type": "string"},
    }
    numeric = True
    scale = 6
    shown_least = 0

    def column(self, field: Field) -> TypeEngine[Any]:
        return Exact(field.scale)

    def expression_type(self, field: Field) -> Type:
        return NUMBER

    def read(self, field: Field, raw: Any) -> Any:
        if isinstance(raw, bool | list | dict):
            raise Unreadable(M("This must be a number."))
        # a float is read by its shortest text, so that a spreadsheet's 0.1 is 0.1
        text = str(raw).strip()
        if not text.isascii():
            text = text.translate(_FULL_WIDTH)
        text = text.lstrip("¥￥$€").replace(" ", "")
        if not text:
            return None
        number = read_number(text.removesuffix("%"))
        if number is None or (number and abs(number.adjusted()) > 30):
            raise Unreadable(M("“{text}” is not a number.", text=text[:40]))
        return number / 100 if text.endswith("%") else number

    def check(self, field: Field, value: Any) -> Message | None:
        if value and value.adjusted() >= 18 - field.scale:
            return M(
                "This number is too large; {count} digits before the point are the limit.",
                count=18 - field.scale,
            )
        if value != value.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP):
            return M("At most {count} digits after the point.", count=field.scale)
        if field.schema.get("type") == "integer" and value != int(value):
            return M("This must be a whole number.")
        return next((message for broken, limit, message in _limits_of(field) if broken(value, limit)), None)

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        if value is None:
            return ""
        text = format(trimmed(value, self.shown_least), "f" if field.unique else ",f")  # a name has no commas
        unit = field.schema.get("x-unit")
        return f"{text} {unit}" if unit else text

    def input_text(self, field: Field, value: Any) -> str:
        return "" if value is None else format(trimmed(Decimal(value), 0), "f")


def read_number(text: str) -> Decimal | None:
    """The number that a text is as people and programs write it, None when it is none."""
    return Decimal(text.replace(",", "")) if _NUMBER.fullmatch(text) else None


def trimmed(value: Decimal, least: int) -> Decimal:
    """`value` without zeros at the end beyond `least` digits after the point."""
    room = Context(
        prec=len(value.as_tuple().digits) + abs(value.adjusted()) + least + 1
    )  # nothing is rounded
    short = value.normalize(room)
    digits = -int(short.as_tuple().exponent)
    return short.quantize(Decimal(1).scaleb(-max(digits, least, 0)), context=room)


@lru_cache(maxsize=4_000)
def _limits_of(field: Field) -> list[tuple[Callable[[Decimal, Decimal], bool], Decimal, Message]]:
    """What the schema of a field says of its smallest and largest value, with the words for it."""
    schema = field.schema
    return [
        (broken, Decimal(str(schema[key])), Message(message.msgid, {"limit": schema[key]}))
        for key, (broken, message) in _LIMITS.items()
        if key in schema
    ]


_LIMITS: Mapping[str, tuple[Callable[[Decimal, Decimal], bool], Message]] = {
    "minimum": (operator.lt, M("This must be at least {limit}.")),
    "maximum": (operator.gt, M("This must be at most {limit}.")),
    "exclusiveMinimum": (operator.le, M("This must be more than {limit}.")),
    "exclusiveMaximum": (operator.ge, M("This must be less than {limit}.")),
}
