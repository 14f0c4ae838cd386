"""A value that a formula gives."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Date, Text
from sqlalchemy.types import TypeEngine

from formloop.core.expression import BOOL, DATE, DATETIME, NUMBER, TEXT, Type
from formloop.core.text import M
from formloop.db import UtcTime
from formloop.forms.fields.number import Number
from formloop.forms.spec import Field

_BY_JSON = {"number": NUMBER, "integer": NUMBER, "boolean": BOOL}
_COLUMNS = {TEXT: Text, BOOL: Boolean, DATE: Date, DATETIME: UtcTime}


class Calculation(Number):
    """The result of `x-formula`, kept with the record so that lists can filter and sort by it."""

    name = "calculation"
    title = M("Calculation")
    icon = "calculator"

    def expression_type(self, field: Field) -> Type:
        if field.schema.get("type") == "string":
            return {"date": DATE, "date-time": DATETIME}.get(field.schema.get("format", ""), TEXT)
        return _BY_JSON.get(str(field.schema.get("type")), NUMBER)

    def column(self, field: Field) -> TypeEngine[Any]:
        kind = self.expression_type(field)
        return super().column(field) if kind == NUMBER else _COLUMNS[kind]()

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        if self.expression_type(field) == NUMBER:
            return super().show(field, value, locale, names)
        return "" if value is None else str(value)

    def input_text(self, field: Field, value: Any) -> str:
        return super().input_text(field, value) if self.expression_type(field) == NUMBER else str(value or "")
