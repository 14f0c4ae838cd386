"""A value that a formula gives."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

from formloop.core.expression import BOOL, DATE, DATETIME, NUMBER, TEXT, Type
from formloop.core.text import M, Message
from formloop.forms.fields.datetime import DateTime
from formloop.forms.fields.number import Number
from formloop.forms.fields.switch import Switch
from formloop.forms.fields.text import TextField
from formloop.forms.spec import OF_INPUT, Field, FieldType

_BY_JSON = {"number": NUMBER, "integer": NUMBER, "boolean": BOOL}
_KINDS: dict[Type, FieldType] = {
    NUMBER: Number(),
    TEXT: TextField(),
    BOOL: Switch(),
    DATE: DateTime(),
    DATETIME: DateTime(),
}


class Calculation(Number):
    """The result of `x-formula`, kept with the record so that lists can filter and sort by it."""

    name = "calculation"
    title = M("Calculation")
    icon = "calculator"
    unused = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", *OF_INPUT, "x-aliases")
    sample: ClassVar[Mapping[str, Any]] = {"type": "number", "x-formula": "0"}

    def expression_type(self, field: Field) -> Type:
        if field.schema.get("type") == "string":
            return {"date": DATE, "date-time": DATETIME}.get(field.schema.get("format", ""), TEXT)
        return _BY_JSON.get(str(field.schema.get("type")), NUMBER)

    def column(self, field: Field) -> TypeEngine[Any]:
        return self._kind(field).column(field)

    def read(self, field: Field, raw: Any) -> Any:
        return self._kind(field).read(field, raw)

    def check(self, field: Field, value: Any) -> Message | None:
        return self._kind(field).check(field, value)

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        return self._kind(field).show(field, value, locale, names)

    def input_text(self, field: Field, value: Any) -> str:
        return self._kind(field).input_text(field, value)

    def _kind(self, field: Field) -> FieldType:
        """The field type that its result would have by itself."""
        return _KINDS[self.expression_type(field)]
