"""Records of another form that belong to this one, looked up whenever they are shown."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.expression import TEXT, Type
from formloop.core.text import M
from formloop.forms.spec import OF_INPUT, OF_TEXT, Field, FieldType


class QueryData(FieldType):
    """`x-query` says of which form, which records (`customer = this.customer`) and which columns. Nothing is kept."""

    name = "query"
    title = M("Query data")
    icon = "database-search"
    group = "advanced"
    widget = "query"
    operators = ()
    unused = ("x-formula", *OF_TEXT, *OF_INPUT, "x-aliases")
    options: ClassVar[Mapping[str, Any]] = {"x-query": {"type": "object"}}
    stored = False
    sortable = False

    def expression_type(self, field: Field) -> Type:
        return TEXT

    def read(self, field: Field, raw: Any) -> Any:
        return None

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        return ""
