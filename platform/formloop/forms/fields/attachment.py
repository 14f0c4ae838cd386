"""Uploaded files."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

from formloop.core.expression import TEXT, ListType, Type
from formloop.core.text import M, Message
from formloop.db import JsonText
from formloop.forms.spec import Field, FieldType, Unreadable

MOST_FILES = 50
MEGABYTES = 20
_TOKEN = re.compile(r"[0-9a-f]{32}")


class Attachment(FieldType):
    """A list of the keys of uploaded files. The keys cannot be guessed; names and contents are kept apart.

    `x-accept` names the kinds that may be chosen (`.pdf`, `image/*`), `x-max-mb` the largest size.
    """

    name = "attachment"
    title = M("Attachment")
    icon = "paperclip"
    unused: ClassVar[tuple[str, ...]] = ("default", "x-default", "x-unique", "x-index")
    sample: ClassVar[Mapping[str, Any]] = {"items": {"type": "string"}}
    json_type = "array"
    widget = "files"
    operators = ("empty", "filled")
    options: ClassVar[Mapping[str, Any]] = {
        "x-accept": {"type": "array", "items": {"type": "string"}},
        "x-max-mb": {"type": "integer"},
    }
    sortable = False
    multiple = True
    accept: ClassVar[tuple[str, ...]] = ()

    def column(self, field: Field) -> TypeEngine[Any]:
        return JsonText()

    def expression_type(self, field: Field) -> Type:
        return ListType(TEXT)

    def source(self, field: Field) -> str | None:
        return "@file"

    def read(self, field: Field, raw: Any) -> Any:
        keys = raw if isinstance(raw, list | tuple) else str(raw).split(",")
        found = list(dict.fromkeys(str(key).strip() for key in keys if str(key).strip()))
        if not all(_TOKEN.fullmatch(key) for key in found):
            raise Unreadable(M("Please upload the file here."))
        return found or None

    def check(self, field: Field, value: Any) -> Message | None:
        most = field.schema.get("maxItems", MOST_FILES)
        return M("At most {count} files.", count=most) if len(value) > most else None

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        return ", ".join((names or {}).get(key, key[:8]) for key in value or ())

    def input_text(self, field: Field, value: Any) -> str:
        return ",".join(value or ())

    def accepted(self, field: Field) -> tuple[str, ...]:
        """The kinds of files that may be uploaded; empty: all."""
        return tuple(field.schema.get("x-accept", self.accept))

    def most_bytes(self, field: Field) -> int:
        """How large one file may be."""
        return int(field.schema.get("x-max-mb", MEGABYTES)) * 1024 * 1024
