"""Lines: a table inside a record."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.expression import ANY, ListType, Type
from formloop.core.text import M, Message
from formloop.forms.spec import Field, FieldType, Unreadable

MOST_LINES = 10_000


class Subform(FieldType):
    """A list of lines; `items.properties` are the columns. Kept in a table of its own; at most 10,000 lines."""

    name = "subform"
    title = M("Subform")
    icon = "table"
    unused: ClassVar[tuple[str, ...]] = ("default", "x-default", "x-unique", "x-index")
    sample: ClassVar[Mapping[str, Any]] = {"items": {"type": "object", "properties": {}}}
    group = "advanced"
    json_type = "array"
    widget = "subform"
    operators = ("empty", "filled")
    stored = False
    sortable = False

    def expression_type(self, field: Field) -> Type:
        return ListType(ANY)

    def read(self, field: Field, raw: Any) -> Any:
        if raw in ("", None):
            return []
        if not isinstance(raw, list) or any(not isinstance(line, dict) for line in raw):
            raise Unreadable(M("Lines must be a list."))
        return raw

    def check(self, field: Field, value: Any) -> Message | None:
        least, most = field.schema.get("minItems", 0), field.schema.get("maxItems", MOST_LINES)
        if len(value) < least:
            return M("At least {count} {count:line is|lines are} needed.", count=least)
        if len(value) > most:
            return M("At most {count} lines.", count=most)
        return None
