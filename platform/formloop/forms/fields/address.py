"""A postal address in its parts."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

from formloop.core.expression import TEXT, RecordType, Type
from formloop.core.text import M, Message
from formloop.db import JsonText
from formloop.forms.spec import Field, FieldType, Unreadable

LONGEST = 200


class Address(FieldType):
    """An object of country, province, city, district, street and postcode, each of them text."""

    name = "address"
    title = M("Address")
    icon = "map-pin"
    json_type = "object"
    widget = "address"
    operators = ("contains", "empty", "filled")
    sortable = False
    searchable = True
    unused: ClassVar[tuple[str, ...]] = ("default", "x-default", "x-unique", "x-index")
    parts: ClassVar[Mapping[str, Message]] = {
        "country": M("Country"),
        "province": M("Province"),
        "city": M("City"),
        "district": M("District"),
        "street": M("Street and number"),
        "postcode": M("Postcode"),
    }

    def column(self, field: Field) -> TypeEngine[Any]:
        return JsonText()

    def expression_type(self, field: Field) -> Type:
        return RecordType("address", lambda: dict.fromkeys(self.parts, TEXT))

    def read(self, field: Field, raw: Any) -> Any:
        given = raw if isinstance(raw, Mapping) else {"street": raw}
        unknown = set(given) - set(self.parts)
        if unknown or any(isinstance(part, dict | list) for part in given.values()):
            raise Unreadable(M("An address has the parts {parts}.", parts=", ".join(self.parts)))
        kept = {key: str(given[key] or "").strip() for key in self.parts if key in given}
        return {key: text for key, text in kept.items() if text} or None

    def read_filter(self, field: Field, raw: Any) -> Any:
        """A filter looks for words anywhere in it."""
        return str(raw).strip() or None

    def check(self, field: Field, value: Any) -> Message | None:
        longest = max(map(len, value.values()))
        if longest > LONGEST:
            return M("At most {count} characters; there are {length}.", count=LONGEST, length=longest)
        return None

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        """Large to small as one writes it in Chinese, small to large in English."""
        if not value:
            return ""
        order = list(self.parts)[:5]
        parts = [value[key] for key in order if key in value]
        line = " ".join(parts) if locale.startswith("zh") else ", ".join(reversed(parts))
        return " ".join(filter(None, (line, value.get("postcode", ""))))

    def input_text(self, field: Field, value: Any) -> str:
        return self.show(field, value, "en")
