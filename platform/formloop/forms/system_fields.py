"""What every record has beside its fields, as fields that lists filter and sort by."""

from typing import ClassVar

from formloop.forms.fields import types
from formloop.forms.fields.text import TextField
from formloop.forms.spec import Field, FieldType


class StateField(TextField):
    """The state of a record: one of those its form has, which a list asks for by their keys."""

    operators: ClassVar[tuple[str, ...]] = ("is", "any_of", *(o for o in TextField.operators if o != "is"))


_TYPES: dict[str, FieldType] = {
    "state": StateField(),
    "owner": types.get("member"),
    "department": types.get("department"),
}


def system_field(key: str) -> Field | None:
    """The system columns that lists may filter and sort by, as fields."""
    if key in _TYPES:
        return Field(key, key, _TYPES[key], {"title": key})
    if key in ("created_at", "updated_at"):
        return Field(key, key, types.get("datetime"), {"title": key, "format": "date-time"})
    if key == "id":
        return Field("id", "id", types.get("relation"), {"title": "id"})
    return None
