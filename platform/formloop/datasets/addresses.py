"""A dataset's query in its address: as lists have it, and `p.<parameter>=value`."""

from typing import Any

from formloop.datasets.spec import DatasetSpec
from formloop.forms.list_query import Args, address_args, read_query
from formloop.forms.listing import Query

PREFIX = "p."


def read_address(dataset: DatasetSpec, args: Args) -> tuple[Query, dict[str, str]]:
    """The query and the values of parameters that an address asks for."""
    given = {name.removeprefix(PREFIX): args[name][:4_000] for name in args if name.startswith(PREFIX)}
    return read_query(dataset, args), given


def to_address(query: Query, given: dict[str, str]) -> dict[str, Any]:
    """Both as arguments of an address."""
    return {**address_args(query), **{f"{PREFIX}{key}": value for key, value in given.items()}}
