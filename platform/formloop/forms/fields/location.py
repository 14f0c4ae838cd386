"""A place on the map."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

from formloop.core.expression import NUMBER, RecordType, Type
from formloop.core.text import M, Message
from formloop.db import JsonText
from formloop.forms.fields.number import read_number, trimmed
from formloop.forms.spec import Field, FieldType, Unreadable, Values

_LIMITS = {"latitude": 90, "longitude": 180}
_DIGITS = Decimal("0.000001")  # eleven centimetres


class Location(FieldType):
    """Latitude and longitude in degrees, typed in or taken from the device."""

    name = "location"
    title = M("Location")
    icon = "map-pin"
    json_type = "object"
    widget = "location"
    operators = ("empty", "filled")
    sortable = False
    unused: ClassVar[tuple[str, ...]] = ("default", "x-default", "x-unique", "x-index")
    parts: ClassVar[Mapping[str, Message]] = {"latitude": M("Latitude"), "longitude": M("Longitude")}

    def column(self, field: Field) -> TypeEngine[Any]:
        return JsonText()

    def expression_type(self, field: Field) -> Type:
        return RecordType("location", lambda: dict.fromkeys(self.parts, NUMBER))

    def read(self, field: Field, raw: Any) -> Any:
        given = raw if isinstance(raw, Mapping) else _pair(str(raw))
        texts = {key: str(given.get(key) if given.get(key) is not None else "").strip() for key in self.parts}
        if not any(texts.values()):
            return None
        found: Values = {}
        for key, text in texts.items():
            number = read_number(text)
            if number is None or number.adjusted() > 3:
                raise Unreadable(M("A location is two numbers, such as 30.2741, 120.1551."))
            found[key] = Decimal(format(number.quantize(_DIGITS).normalize(), "f"))
        return found

    def check(self, field: Field, value: Any) -> Message | None:
        if any(abs(value[key]) > limit for key, limit in _LIMITS.items()):
            return M("Latitude goes from -90 to 90, longitude from -180 to 180.")
        return None

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        return (
            ", ".join(format(trimmed(Decimal(value[part]), 0), "f") for part in self.parts) if value else ""
        )

    def input_text(self, field: Field, value: Any) -> str:
        return self.show(field, value, "en")


def _pair(text: str) -> dict[str, str]:
    latitude, _, longitude = text.replace("，", ",").partition(",")
    return {"latitude": latitude, "longitude": longitude}
