"""A page of a list: what its address may ask for, and the records it answers with."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from werkzeug.datastructures import MultiDict

from formloop.access.actor import Actor
from formloop.api import bodies
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.datasets.addresses import PREFIX, read_address
from formloop.datasets.service import Reading
from formloop.datasets.spec import DatasetSpec
from formloop.db import reading
from formloop.forms import listing, reads, rows
from formloop.forms.filters import operators
from formloop.forms.list_query import read_query
from formloop.forms.spec import FormSpec

MOST = 200
PARAMETERS = ("q", "sort", "limit", "after", "lines", "total")
OF_DATASETS = ("q", "sort", "limit", "after", "total")
Args = MultiDict[str, str]


def answer(actor: Actor, spec: FormSpec, args: Args) -> dict[str, Any]:
    """The page that `args` ask for; Invalid with everything in them that is not understood."""
    problems = list(_problems(args, PARAMETERS))
    if problems:
        raise Invalid(problems)
    columns = tuple(f.key for f in spec.stored)
    query = replace(read_query(spec, args), columns=columns, limit=_limit(args))
    found = listing.list_records(actor, spec, query)
    if found.problems:
        raise Invalid(found.problems)
    if args.get("lines") == "1":
        with reading() as conn:
            rows.add_lines(conn, spec, {row["id"]: row for row in found.rows})
    page: dict[str, Any] = {
        "records": [
            bodies.shape(spec, _seen(spec, row, seen))
            for row, seen in zip(found.rows, found.visible, strict=True)
        ],
        "next": found.next,
    }
    if args.get("total") == "1":
        page |= _total(listing.count_records(actor, spec, query))
    return page


def answer_rows(actor: Actor, dataset: DatasetSpec, args: Args) -> dict[str, Any]:
    """The page of a dataset that `args` ask for, `p.<name>` being its parameters; Invalid as for a list."""
    problems = list(_problems(args, OF_DATASETS, tuple(f"{PREFIX}{key}" for key in dataset.parameters)))
    if problems:
        raise Invalid(problems)
    query, given = read_address(dataset, args)
    found = Reading(actor, dataset, given)
    rows = found.page(replace(query, limit=_limit(args)))
    if rows.problems:
        raise Invalid(rows.problems)
    shown = [{key: row[key] for key in dataset.fields if key in row} for row in rows.rows]
    page = {"rows": shown, "next": rows.next}
    return page | _total(found.count(query)) if args.get("total") == "1" else page


def _limit(args: Args) -> int:
    return min(max(int(args.get("limit") or listing.PAGE), 1), MOST)


def _total(count: int) -> dict[str, Any]:
    return {"total": min(count, listing.EXACT_TOTAL), "total_exact": count <= listing.EXACT_TOTAL}


def _seen(spec: FormSpec, row: dict[str, Any], seen: frozenset[str]) -> dict[str, Any]:
    """A row without what may not be seen, with those of its lines that were fetched."""
    projected = reads.project(spec, row, seen)
    return {key: value for key, value in projected.items() if key in row}


def _problems(args: Args, known: tuple[str, ...], own: tuple[str, ...] = ()) -> Iterator[Problem]:
    """What an address says that lists do not know, or says in a way that could be meant otherwise."""
    for name in args:
        values = args.getlist(name)
        if name.startswith("f."):
            yield from _filter_problems(name, values)
        elif name not in (*known, *own):
            text = M(
                "A list does not take “{name}”. It takes {known} and f.<field>.<operator>.",
                name=name[:80],
                known=", ".join((*known, *own)),
            )
            yield Problem("unknown_parameter", name, text)
        elif len(values) > 1:
            yield Problem("repeated", name, M("Give this once."))
        elif name in ("lines", "total") and values[0] not in ("0", "1"):
            yield Problem("unreadable", name, M("This is 0 or 1."))
        elif name == "limit" and not (values[0].isascii() and values[0].isdecimal() and len(values[0]) < 10):
            yield Problem("unreadable", name, M("This must be a number from 1 to {most}.", most=MOST))
        elif name == "sort" and values[0].count(",") >= listing.MOST_SORTS:
            yield Problem("too_many", name, M("At most {most} fields to sort by.", most=listing.MOST_SORTS))


def _filter_problems(name: str, values: list[str]) -> Iterator[Problem]:
    operator = operators.get(name.rpartition(".")[2])
    if operator is None:
        text = M(
            "“{name}” is no filter. Write f.<field>.<operator>; operators are {known}.",
            name=name[:80],
            known=", ".join(operators),
        )
        yield Problem("unknown_parameter", name, text)
    elif len(values) > max(operator.values, 1):
        yield Problem("repeated", name, M("Give this once."))
    elif operator.values and not all(value.strip() for value in values):
        yield Problem("empty_filter", name, M("Say what to compare with; “empty” asks for empty values."))
