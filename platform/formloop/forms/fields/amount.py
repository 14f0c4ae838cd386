"""Amounts of money."""

from collections.abc import Mapping
from typing import Any, ClassVar

from babel.numbers import get_currency_symbol

from formloop.core.expression.functions.rmb import in_capitals
from formloop.core.text import M
from formloop.forms.fields.number import Number
from formloop.forms.spec import Field


class Amount(Number):
    """Money: a number with four digits after the point unless `x-scale` says otherwise, shown with at least two.

    `x-currency` is a currency (`CNY`) or the key of the field that holds it; `x-capital` shows the amount
    in Chinese capitals below.
    """

    name = "amount"
    title = M("Amount")
    icon = "cash"
    options: ClassVar[Mapping[str, Any]] = {
        **Number.options,
        "x-currency": {"type": "string"},
        "x-capital": {"type": "boolean"},
    }
    sample: ClassVar[Mapping[str, Any]] = {
        "x-scale": 2
    }  # what is drawn in the studio is mostly money that is paid
    scale = 4
    shown_least = 2

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        text = super().show(field, value, locale, names)
        code = str(field.schema.get("x-currency", ""))
        if not text or not _is_code(code):
            return text
        symbol = get_currency_symbol(code, locale.replace("-", "_"))
        return f"-{symbol}{text[1:]}" if text.startswith("-") else f"{symbol}{text}"

    def note(self, field: Field, value: Any, env: Mapping[str, Any], locale: str) -> str:
        said = str(field.schema.get("x-currency", ""))
        found = "" if _is_code(said) or not said else env.get(said)
        record = getattr(found, "record", None)
        currency = record.get("code") if record else found if isinstance(found, str) else ""
        words = in_capitals(value) if field.schema.get("x-capital") and value is not None else ""
        return " · ".join(filter(None, (str(currency or ""), words)))


def _is_code(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isupper()
