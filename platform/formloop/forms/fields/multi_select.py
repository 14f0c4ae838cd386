"""Several options of a list."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

from formloop.core.expression import TEXT, ListType, Type
from formloop.core.text import M, Message
from formloop.db import JsonText
from formloop.forms.fields.dropdown import by_title, choice_title
from formloop.forms.spec import Field, FieldType


class MultiSelect(FieldType):
    """`items.enum` lists the options, or `x-options` says where they come from; the value is a list of them."""

    name = "multi_select"
    title = M("Multi-select")
    icon = "checks"
    unused: ClassVar[tuple[str, ...]] = ("x-unique", "x-index")
    sample: ClassVar[Mapping[str, Any]] = {"items": {"type": "string", "enum": ["A", "B"]}}
    json_type = "array"
    widget = "multi_select"
    operators = ("has", "empty", "filled")
    options: ClassVar[Mapping[str, Any]] = {"x-titles": {"type": "object"}, "x-options": {"type": "object"}}
    sortable = False
    multiple = True

    def variant(self, schema: Mapping[str, Any]) -> FieldType:
        return ELSEWHERE if "x-options" in schema else self

    def column(self, field: Field) -> TypeEngine[Any]:
        return JsonText()

    def expression_type(self, field: Field) -> Type:
        return ListType(TEXT)

    def read(self, field: Field, raw: Any) -> Any:
        parts = (
            raw if isinstance(raw, list | tuple) else str(raw).replace("，", ",").replace(";", ",").split(",")
        )
        kept = dict.fromkeys(by_title(field, text) for each in parts if (text := str(each).strip()))
        return list(kept) or None

    def read_filter(self, field: Field, raw: Any) -> Any:
        """A filter asks for one of them."""
        return by_title(field, str(raw).strip()) or None

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


class SeveralElsewhere(MultiSelect):
    """A multi-select that searches its options in another form."""

    widget = "options"


ELSEWHERE = SeveralElsewhere()
