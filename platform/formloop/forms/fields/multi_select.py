"""Several options of a list."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.types import TypeEngine

from formloop.core.expression import TEXT, ListType, Type
from formloop.core.text import M, Message
from formloop.db import JsonText
from formloop.forms.fields.dropdown import choice_title
from formloop.forms.spec import Field, FieldType


class MultiSelect(FieldType):
    """`items.enum` lists the options; the value is a list of them."""

    name = "multi_select"
    title = M("Multi-select")
    icon = "checks"
    json_type = "array"
    widget = "multi_select"
    operators = ("has", "empty", "filled")
    sortable = False
    multiple = True

    def column(self, field: Field) -> TypeEngine[Any]:
        return JsonText()

    def expression_type(self, field: Field) -> Type:
        return ListType(TEXT)

    def read(self, field: Field, raw: Any) -> Any:
        parts = (
            raw if isinstance(raw, list | tuple) else str(raw).replace("，", ",").replace(";", ",").split(",")
        )
        kept = dict.fromkeys(str(each).strip() for each in parts)
        return [each for each in kept if each] or None

    def check(self, field: Field, value: Any) -> Message | None:
        for each in value:
            if field.choices and each not in field.choices:
                return M(
                    "“{value}” is not one of: {choices}.",
                    value=each[:40],
                    choices=", ".join(field.choices[:20]),
                )
        return None

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        return ", ".join(choice_title(field, each, locale) for each in value or ())
