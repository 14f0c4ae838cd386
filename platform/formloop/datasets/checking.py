"""What is wrong with a dataset as a whole: its sort, subtotals and filters, where its rows lead, and how much it reads."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from formloop.core.expression import DATE, Type
from formloop.core.expression.nodes import Call, Name
from formloop.core.text import M
from formloop.datasets.columns import single, source_field
from formloop.datasets.leading import towards
from formloop.datasets.spec import MOST_TABLES, RESERVED, DatasetSpec
from formloop.ledgers.spec import LedgerSpec

if TYPE_CHECKING:
    from formloop.datasets.reading import Reader


def check(reader: "Reader", found: DatasetSpec) -> None:
    """Add the problems of a dataset that was read."""
    outer = single(found.types)
    _check_sort(reader, outer)
    _check_names(reader)
    _check_why(reader, outer)
    _check_sums(reader, found)
    if found.tables > MOST_TABLES:
        text = M(
            "This reads {count} tables at once; {most} are possible.", count=found.tables, most=MOST_TABLES
        )
        reader.say("too_large", "from", text)


def _check_sort(reader: "Reader", outer: Mapping[str, Type]) -> None:
    doc = reader.doc
    subtotals, said = doc.get("subtotals", []), _said(reader)
    if [key.lstrip("-") for key in doc.get("sort", ())][: len(subtotals)] != subtotals:
        reader.say("subtotals", "subtotals", M("Subtotals are made for the first columns of the sort."))
    folded = "group" in doc or "measures" in doc
    for place in ("sort", "filters"):
        for index, key in enumerate(doc.get(place, ())):
            name = key.lstrip("-")
            if name not in outer and (folded or name not in said):
                reader.no_column(name, f"{place}.{index}")


def _check_names(reader: "Reader") -> None:
    for key in _said(reader):
        if key in RESERVED:
            text = M("“{name}” means something else here. Choose another name.", name=key)
            reader.say("reserved", f"columns.{key}", text)


def _said(reader: "Reader") -> list[str]:
    doc = reader.doc
    return [*doc["columns"], *doc.get("measures", {}), *doc.get("running", {})]


def _check_why(reader: "Reader", outer: Mapping[str, Type]) -> None:
    """Rows can only lead to entries of a ledger that there is, by columns and parameters that there are."""
    said = reader.doc.get("why")
    if said is None:
        return
    ledger = reader.find("ledger", said["ledger"])
    if not isinstance(ledger, LedgerSpec):
        text = M("There is no ledger “{ledger}”.", ledger=said["ledger"])
        reader.say("no_ledger", "why.ledger", text)
        return
    for dimension, column in said["of"].items():
        if dimension not in ledger.dimensions:
            text = M("The ledger “{ledger}” has no dimension “{key}”.", ledger=ledger.key, key=dimension)
            reader.say("no_dimension", f"why.of.{dimension}", text)
        if column not in outer:
            reader.no_column(column, f"why.of.{dimension}")
    for word in ("since", "until"):
        if word in said and reader.given.get(said[word]) != DATE:
            text = M("There is no parameter “{key}” that is a date.", key=said[word])
            reader.say("no_parameter", f"why.{word}", text)


def _check_sums(reader: "Reader", found: DatasetSpec) -> None:
    """People and departments are numbers to a formula, but nobody wants their sum."""
    part, said = found.parts[0] if found.parts else None, reader.doc.get("measures", {})
    for key, measure in found.measures.items():
        tree = measure.tree
        if part is None or not isinstance(tree, Call) or tree.name not in ("SUM", "AVERAGE"):
            continue
        for each in tree.arguments:
            column = each.path[0] if isinstance(each, Name) and len(each.path) == 1 else ""
            field = source_field(part, column) if column in part.columns else None
            if field is not None and field.type.source(field):
                text = M(
                    "“{column}” is no number that could be added up. Count its rows instead.", column=column
                )
                at = f"measures.{key}" if isinstance(said[key], str) else f"measures.{key}.value"
                reader.say("no_number", at, text)


def check_leads(reader: "Reader", found: DatasetSpec) -> None:
    """Rows can only lead to rows of a dataset that there is, be it their own, by columns that it has."""
    if found.leads is None:
        return
    key = found.leads.dataset
    target = found if key == found.key else reader.find("dataset", key)
    if isinstance(target, DatasetSpec):
        reader.problems += towards(found.leads, target)[1]
    else:
        reader.say("no_dataset", "leads.dataset", M("There is no dataset “{dataset}”.", dataset=key))
