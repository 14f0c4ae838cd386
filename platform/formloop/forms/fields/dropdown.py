"""One of several options, from a list that opens."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.text import M, Message, localized
from formloop.forms.spec import OF_TEXT, Field, FieldType


class Dropdown(FieldType):
    """`enum` lists the options; `x-titles` gives each its words: `{"open": {"title": "Open", "x-title": …}}`.

    Or `x-options` says of which form and field the values are the options.
    """

    name = "dropdown"
    title = M("Dropdown")
    icon = "list-check"
    unused = OF_TEXT
    sample: ClassVar[Mapping[str, Any]] = {"enum": ["A", "B"]}
    widget = "dropdown"
    operators = ("is", "is_not", "any_of", "empty", "filled")
    options: ClassVar[Mapping[str, Any]] = {"x-titles": {"type": "object"}, "x-options": {"type": "object"}}

    def variant(self, schema: Mapping[str, Any]) -> FieldType:
        return ELSEWHERE if "x-options" in schema else self

    def read(self, field: Field, raw: Any) -> Any:
        text = str(raw).strip()
        return by_title(field, text) if text else None

    def check(self, field: Field, value: Any) -> Message | None:
        if field.choices and value not in field.choices:
            return M(
                "“{value}” is not one of: {choices}.",
                value=str(value)[:40],
                choices=", ".join(field.choices[:20]),
            )
        return None

    def show(self, field: Field, value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        return "" if value is None else choice_title(field, str(value), locale)


class OptionsElsewhere(Dropdown):
    """A dropdown that searches its options in another form."""

    widget = "options"
    searchable = True


ELSEWHERE = OptionsElsewhere()


def choice_title(field: Field, choice: str, locale: str) -> str:
    """The words for one option."""
    return localized(field.schema.get("x-titles", {}).get(choice, {}), "title", locale) or choice


def by_title(field: Field, text: str) -> str:
    """Options may also be given by their words in either language, as spreadsheets do."""
    if text not in field.choices:
        for choice in field.choices:
            if text in (choice_title(field, choice, "en"), choice_title(field, choice, "zh-CN")):
                return choice
    return text
