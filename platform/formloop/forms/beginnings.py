"""What a list begins with until somebody chooses otherwise: fields, and as text what each of them is."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from werkzeug.datastructures import MultiDict

from formloop.core.definitions.shape import called
from formloop.core.text import LOCALES, join_words
from formloop.forms.filters import operators
from formloop.forms.spec import Field
from formloop.forms.system_fields import system_field

ME = "me"  # whoever looks at the list
YES = ("yes", "true", "1", "是")
PERIODS = ("today", "this_week", "this_month")
_RANGE = re.compile(r"([-+.:T\d ]*?) *~ *([-+.:T\d ]*)")
Choices = Callable[[str, str], Sequence[tuple[str, str]]]  # those of a field, by its key, in a language


def ways(field: Field) -> tuple[str, ...]:
    """The operators with which a list may begin; none where values of the field cannot be written down."""
    known = field.type.operators
    if "between" in known:
        days = field.schema.get("format") != "time"
        return ("at_least", "at_most", *(each for each in PERIODS if days and each in known))
    if field.type.source(field) == "@person":
        return known[:1]
    if field.type.json_type == "integer" or known[:1] in ((), ("empty",)):
        return ()
    if "yes" in known or "any_of" in known:
        return ("yes", "no") if "yes" in known else ("any_of",)
    return known[:1]


def asked(field: Field, said: str, names: Mapping[str, str]) -> tuple[str, list[str]]:
    """The operator and the values that a text asks for; `names` are values by their titles in small letters."""
    known, word = ways(field), said.strip()
    if (period := _periods().get(word.casefold())) in known:
        return str(period), ["1"]
    if "yes" in known:
        return ("yes" if word.casefold() in YES else "no"), ["1"]
    if "at_least" in known:
        return "between", [each.strip() for each in word.split(",")]
    if known == ("any_of",):
        values = _values(word, names)
        return ("any_of" if len(values) > 1 else "is"), values
    if known == ("has",):
        return "has", _values(word, names)[:1]
    return known[0], [names.get(word.casefold(), word)]


def written(said: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Operators with their values, all of one field, as the text that asks for them."""
    found = dict(said)
    first, values = said[0]
    if first in ("at_least", "at_most"):
        low, high = ("".join(found.get(each, ())) for each in ("at_least", "at_most"))
        return f"{low}~{high}"
    return ",".join(values) if values else first


def _range_in_words(said: str, locale: str) -> str:
    """What begins between two ends, one of which may be open, as the designer says it; nothing of another text."""
    found = _RANGE.fullmatch(said)
    ends = zip(("at_least", "at_most"), found.groups() if found else (), strict=False)
    return join_words((f"{operators[each].title.render(locale)} {end}" for each, end in ends if end), locale)


called.add("range", _range_in_words)


def beginning(
    begins: Mapping[str, str], fields: Mapping[str, Field], choices: Choices, me: int | None
) -> "MultiDict[str, str]":
    """What a list begins with as a query; options and states may be said by their titles."""
    query: MultiDict[str, str] = MultiDict()
    for key, said in begins.items():
        field = fields.get(key) or system_field(key)
        if field is None or not ways(field):
            continue
        operator, values = asked(field, said, names_of(key, choices))
        if field.type.source(field) == "@person":
            values = [str(me)] if me is not None and values == [ME] else []
        if values:
            query.setlist(f"f.{key}.{operator}", values)
    return query


def names_of(key: str, choices: Choices) -> dict[str, str]:
    """The values of a field by what they are called in any language."""
    found = [pair for locale in LOCALES for pair in choices(key, locale)]
    return {title.casefold(): value for value, title in found} | {
        value.casefold(): value for value, _ in found
    }


def _values(said: str, names: Mapping[str, str]) -> list[str]:
    """The values between commas; a title with a comma in it is one."""
    parts, found = said.split(","), list[str]()
    while parts:
        spans = range(len(parts), 0, -1)
        whole = ((span, ",".join(parts[:span]).strip()) for span in spans)
        span, word = next((each for each in whole if each[1].casefold() in names), (1, parts[0].strip()))
        found += [names.get(word.casefold(), word)] if word else []
        parts = parts[span:]
    return found


def _periods() -> dict[str, str]:
    return {
        word.casefold(): each
        for each in PERIODS
        for word in (each, *(operators[each].title.render(locale) for locale in LOCALES))
    }


def unknown(said: str, known: Mapping[str, str]) -> Iterable[str]:
    """Of a text the values that there are none of."""
    return [each for each in _values(said, known) if each.casefold() not in known]
