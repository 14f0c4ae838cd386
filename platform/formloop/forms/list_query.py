"""The query of a list in its address.

`q=text`, `sort=-order_date,customer` (or `s=` once for each), `c=` once for each column, `view=<id>`,
`after=<mark>`, `deleted=1`; a filter is `f.<field>.<operator>=value` – given again it is another one, or another
value of `any_of` – or, as the filter panel posts it, `o.<field>=<operator>` with `v.<field>=value` and `w.<field>=`
the upper end of a range.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from werkzeug.datastructures import MultiDict

from formloop.forms.filters import Filter, operators
from formloop.forms.listing import MOST_SORTS, Query
from formloop.forms.spec import Field
from formloop.forms.system_fields import system_field

Args = MultiDict[str, str]


class Listed(Protocol):
    """What has a list: a form, a dataset."""

    @property
    def fields(self) -> Mapping[str, Field]:
        """Its columns by key."""


def read_query(spec: Listed, args: Args) -> Query:
    """The query that an address asks for; what the form does not know is reported by the list itself."""
    sort = [key for key in args.get("sort", "").split(",") if key] or [k for k in args.getlist("s") if k]
    return Query(
        filters=tuple(_filters(args)),
        sort=tuple(dict.fromkeys(sort))[:MOST_SORTS],
        search=args.get("q", "")[:200],
        after=args.get("after", "")[:4_000],
        deleted=args.get("deleted") == "1",
        columns=tuple(k for k in dict.fromkeys(args.getlist("c")) if k in spec.fields or system_field(k)),
    )


def _filters(args: Args) -> list[Filter]:
    found: list[Filter] = []
    for name in args:
        kind, _, rest = name.partition(".")
        if kind == "f":
            field, _, operator = rest.rpartition(".")
            values = args.getlist(name)
            together = operator == "any_of" or (operator == "between" and not any("~" in v for v in values))
            for given in [values] if together else [[value] for value in values]:
                found += _one(field, operator, given)
        elif kind == "o" and args[name]:
            values = [v for v in args.getlist(f"v.{rest}") if v != ""]
            found += _one(rest, args[name], [*(values or [""]), args.get(f"w.{rest}", "")])
    return [each for place, each in enumerate(found) if each not in found[:place]]


def _one(field: str, operator: str, values: list[str]) -> list[Filter]:
    known = operators.get(operator)
    if known is not None and known.values == 0:
        return [Filter(field, operator)]
    low, high = values[0], values[1] if len(values) > 1 else ""
    if operator == "between":
        if "~" in low and not high:
            low, _, high = low.partition("~")
        if low and high:
            return [Filter(field, "between", low, high)]
        return [Filter(field, "at_least", low)] if low else [Filter(field, "at_most", high)] if high else []
    chosen = [v for v in values if v != ""]
    if not chosen:
        return []
    return [Filter(field, operator, chosen if operator == "any_of" else chosen[0])]


def address_args(query: Query) -> dict[str, Any]:
    """The query as arguments of an address, its page mark left out."""
    args: dict[str, Any] = {}
    for each in query.filters:
        name = f"f.{each.field}.{each.operator}"
        value = f"{each.value}~{each.other}" if each.operator == "between" else each.value
        if name not in args:
            args[name] = "1" if value is None else value
        elif each.operator == "any_of":  # whose values stand under one name
            args |= {f"o.{each.field}": "any_of", f"v.{each.field}": value}
        else:
            args[name] = [*(args[name] if isinstance(args[name], list) else [args[name]]), value]
    if query.search:
        args["q"] = query.search
    if query.sort:
        args["sort"] = ",".join(query.sort)
    if query.columns:
        args["c"] = list(query.columns)
    if query.deleted:
        args["deleted"] = "1"
    return args


def address_pairs(query: Query) -> list[tuple[str, str]]:
    """The query as names and values, for hidden inputs."""
    args = address_args(query)
    return [(name, str(one)) for name, v in args.items() for one in (v if isinstance(v, list) else [v])]
