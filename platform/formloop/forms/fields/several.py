"""Several people or departments in one field."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

from formloop.core.expression import NUMBER, ListType, Type
from formloop.db import JsonText
from formloop.forms.spec import Field, FieldType


class Several(FieldType):
    """Makes a type whose value is one id into one whose value is a list of them (`x-multiple`).

    Stands before the type it extends: `class Members(Several, Member)`.
    """

    json_type = "array"
    operators: ClassVar[tuple[str, ...]] = ("has", "empty", "filled")
    sortable = False
    multiple = True

    def column(self, field: Field) -> TypeEngine[Any]:
        return JsonText()

    def expression_type(self, field: Field) -> Type:
        return ListType(NUMBER)

    def read(self, field: Field, raw: Any) -> Any:
        each = (
            raw if isinstance(raw, list | tuple) else [raw] if isinstance(raw, int) else str(raw).split(",")
        )
        found = (super(Several, self).read(field, one) for one in each)
        return list(dict.fromkeys(one for one in found if one is not None)) or None

    def read_filter(self, field: Field, raw: Any) -> Any:
        """A filter asks for one of them."""
        return super().read(field, raw)

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        return ", ".join((names or {}).get(one, f"#{one}") for one in value or ())

    def input_text(self, field: Field, value: Any) -> str:
        return ",".join(map(str, value or ()))
