"""Yes or no."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import Boolean
from sqlalchemy.types import TypeEngine

from formloop.core.expression import BOOL, Type
from formloop.core.text import M, translate
from formloop.forms.spec import Field, FieldType, Unreadable

_TRUE = {"true", "yes", "y", "1", "1.0", "on", "是", "有", "启用", "✓"}
_FALSE = {"false", "no", "n", "0", "0.0", "off", "否", "无", "停用", ""}
YES, NO = M("Yes"), M("No")


class Switch(FieldType):
    """A switch: true or false."""

    name = "switch"
    title = M("Switch")
    icon = "toggle-right"
    json_type = "boolean"
    widget = "switch"
    operators = ("yes", "no")
    unused: ClassVar[tuple[str, ...]] = ("required", "x-required", "x-unique", "x-index")

    def column(self, field: Field) -> TypeEngine[Any]:
        return Boolean()

    def expression_type(self, field: Field) -> Type:
        return BOOL

    def read(self, field: Field, raw: Any) -> Any:
        if isinstance(raw, bool):
            return raw
        text = str(raw).strip().lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise Unreadable(M("“{text}” is neither yes nor no.", text=text[:40]))

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        return "" if value is None else translate((YES if value else NO).msgid, locale)

    def input_text(self, field: Field, value: Any) -> str:
        return "1" if value else ""
