"""What columns are called where that hangs on a parameter: “Over {first} up to {second} days”."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from formloop.forms.spec import Field, filled_in


def with_parameters(fields: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, Field]:
    """The fields, those whose title names a parameter in braces with the value it has now."""
    return {
        key: _named(each, values) if "{" in each.schema.get("title", "") else each
        for key, each in fields.items()
    }


def _named(field: Field, values: Mapping[str, Any]) -> Field:
    said = {name: "…" if value is None else value for name, value in values.items()}
    others = field.schema.get("x-title", {})
    titles = {
        "title": filled_in(field.schema["title"], said),
        "x-title": {locale: filled_in(text, said) for locale, text in others.items()},
    }
    return replace(field, schema={**field.schema, **titles})
