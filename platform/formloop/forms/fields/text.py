"""Single-line text."""

from typing import Any

import re2

from formloop.core.text import M, Message
from formloop.forms.spec import Field, FieldType, Unreadable

LONGEST = 500


class TextField(FieldType):
    """A line of text; length and pattern as JSON Schema says them."""

    name = "text"
    title = M("Single-line text")
    icon = "cursor-text"
    searchable = True
    longest = LONGEST

    def read(self, field: Field, raw: Any) -> Any:
        if isinstance(raw, float | int) and not isinstance(raw, bool) and raw == int(raw):
            raw = int(raw)  # a spreadsheet gives the code 1001 as 1001.0
        if isinstance(raw, dict | list):
            raise Unreadable(M("This must be text."))
        text = str(raw).replace("\x00", "").strip()
        return text or None

    def check(self, field: Field, value: Any) -> Message | None:
        longest = field.schema.get("maxLength", self.longest)
        if len(value) > longest:
            return M("At most {count} characters; there are {length}.", count=longest, length=len(value))
        shortest = field.schema.get("minLength", 0)
        if len(value) < shortest:
            return M("At least {count} characters.", count=shortest)
        pattern = field.schema.get("pattern")
        if pattern and not re2.search(pattern, value):
            return M("This does not have the expected form.")
        return None
