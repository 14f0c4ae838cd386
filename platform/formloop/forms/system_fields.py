"""What every record has beside its fields, as fields that lists filter and sort by."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import fields_in
from formloop.core.definitions.shape import fields_named
from formloop.core.text import LOCALES, M, Message
from formloop.definitions import library
from formloop.forms.fields import types
from formloop.forms.fields.text import TextField
from formloop.forms.spec import DEFAULT_STATES, Field, FieldType


class StateField(TextField):
    """The state of a record: one of those its form has, which a list asks for by their keys."""

    operators: ClassVar[tuple[str, ...]] = ("is", "any_of", *(o for o in TextField.operators if o != "is"))


_TYPES: dict[str, FieldType] = {
    "state": StateField(),
    "owner": types.get("member"),
    "department": types.get("department"),
}


SYSTEM_TITLES = {
    "state": M("State"),
    "owner": M("Owner"),
    "department": M("Department"),
    "created_at": M("Created"),
    "updated_at": M("Changed"),
    "id": M("Id"),
}


def named_beside(doc: Mapping[str, Any]) -> dict[str, Any]:
    """What every record of a form has, as fields with their titles; the state with those that it may be."""
    own = {key: titled(word) for key, word in SYSTEM_TITLES.items()}
    states = doc.get("x-states") or DEFAULT_STATES
    return {**own, "state": {**own["state"], "x-titles": states if isinstance(states, dict) else {}}}


def named_in_form(key: Any) -> dict[str, Any]:
    """The fields of a published form and what its records have besides, for texts that name them."""
    form = library.find_document("form", key) if isinstance(key, str) else None
    return {} if form is None else {**named_beside(form), **fields_in(form)}


fields_named.add("form", named_in_form)


def form_of(source: Any) -> Any:
    """The form that a source is, written shortly or as an object; None for sources of other kinds."""
    return source.get("form") if isinstance(source, dict) else source


def titled(word: Message) -> dict[str, Any]:
    """A message as the title of a field, in every language."""
    title, *others = (word.render(each) for each in LOCALES)
    return {"title": title, "x-title": dict(zip(LOCALES[1:], others, strict=True))}


def system_field(key: str) -> Field | None:
    """The system columns that lists may filter and sort by, as fields."""
    if key in _TYPES:
        return Field(key, key, _TYPES[key], {"title": key})
    if key in ("created_at", "updated_at"):
        return Field(key, key, types.get("datetime"), {"title": key, "format": "date-time"})
    if key == "id":
        return Field("id", "id", types.get("relation"), {"title": "id"})
    return None
