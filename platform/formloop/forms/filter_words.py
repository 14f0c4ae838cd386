"""The filters of a list in words, and the list without each of them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from formloop.forms.filters import Filter, operators
from formloop.forms.list_query import address_args
from formloop.forms.listing import Query


def say_filter(title: str, filter: Filter, words: Mapping[Any, str], locale: str) -> str:
    """A filter of a field called `title` in a sentence; `words` are what its values are called."""
    given = filter.value if isinstance(filter.value, list) else [filter.value, filter.other]
    values = [words.get(each, str(each)) for each in given if each is not None]
    comma = "、" if locale.startswith("zh") else ", "
    joined = (" – " if filter.operator == "between" else comma).join(values)
    return f"{title} {operators[filter.operator].title.render(locale)} {joined}".strip()


def list_without(query: Query, begins: bool) -> Iterator[tuple[Filter, dict[str, Any]]]:
    """Each filter with the arguments of the list without it, which does not begin anew with its default filters."""
    for each in query.filters:
        rest = replace(query, filters=tuple(other for other in query.filters if other is not each))
        yield each, address_args(rest) or ({"q": ""} if begins else {})
