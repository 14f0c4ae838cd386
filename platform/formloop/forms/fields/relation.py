"""A record of another form."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy import BigInteger
from sqlalchemy.types import TypeEngine

from formloop.core.clock import find_id
from formloop.core.expression import NUMBER, Type
from formloop.core.text import M
from formloop.forms.spec import Field, FieldType, Unreadable


class RelationField(FieldType):
    """Points to a record: `x-relation` says of which form, which may be chosen, and what is filled in with it."""

    name = "relation"
    title = M("Select data")
    icon = "link"
    group = "advanced"
    json_type = "integer"
    widget = "relation"
    unused: ClassVar[tuple[str, ...]] = ("default",)
    operators: ClassVar[tuple[str, ...]] = ("is", "is_not", "empty", "filled")
    options: ClassVar[Mapping[str, Any]] = {"x-relation": {"type": "object"}}
    sortable = False

    def column(self, field: Field) -> TypeEngine[Any]:
        return BigInteger()

    def expression_type(self, field: Field) -> Type:
        return NUMBER  # the form's own names make it a record type, see forms/names.py

    def source(self, field: Field) -> str | None:
        return field.relation.form if field.relation else None

    def read(self, field: Field, raw: Any) -> Any:
        text = str(raw).strip()
        if not text:
            return None
        if (found := find_id(text)) is None:
            raise Unreadable(M("Please choose a record from the list."))
        return found

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        return "" if value is None else (names or {}).get(value, f"#{value}")
