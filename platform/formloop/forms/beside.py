"""Rows that ask the same of another form, as a table beside which the condition stands once."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Integer,
    Select,
    Subquery,
    bindparam,
    cast,
    column,
    literal,
    select,
    union_all,
)
from sqlalchemy.types import TypeEngine

from formloop.db import is_sqlite
from formloop.forms.elsewhere import This, own_fields, own_reads
from formloop.forms.spec import Field, FormSpec

AT_ONCE = 200  # rows asked for in one statement
Types = Mapping[str, TypeEngine[Any]]


def _name(key: str) -> str:
    """The column of a field of this record: keys begin with a letter, so no column of a form is called so."""
    return f"_this_{key}"


NUMBER = column("_number", Integer)  # the place of a row among those that ask


@lru_cache(maxsize=1_000)
def types_of(spec: FormSpec, field: Field, word: str) -> dict[str, TypeEngine[Any]] | None:
    """The types of what the condition of `word` reads of this record; None where one is kept in no column."""
    own, reads = own_fields(spec, field), own_reads(spec, field, word)
    if not all(key in own and own[key].type.stored for key in reads):
        return None
    return {key: own[key].type.column(own[key]) for key in reads}


def this_of(types: Types) -> This:
    """What `this` means beside the rows: their columns."""
    return lambda key: column(_name(key), types[key])


def table_of(scopes: Sequence[Mapping[str, Any]], types: Types) -> Subquery:
    """The rows that ask, numbered, with what each has of these fields."""
    return union_all(*(_row(number, scope, types) for number, scope in enumerate(scopes))).subquery()


def place_of(types: Types) -> Subquery:
    """One such row, whose values are handed over under their keys when it asks."""
    row: Select[Any] = _row(0, {key: bindparam(key, type_=kind) for key, kind in types.items()}, types)
    return row.subquery()


def _row(number: int, scope: Mapping[str, Any], types: Types) -> Any:
    """One row of what is asked; PostgreSQL is told the types, which nothing but the first row would tell it."""
    told = number == 0 and not is_sqlite()
    said = [(scope.get(key), kind) for key, kind in types.items()]
    given = [each if isinstance(each, BindParameter) else literal(each, kind) for each, kind in said]
    shown = (cast(each, each.type) if told else each for each in given)
    named = (each.label(_name(key)) for key, each in zip(types, shown, strict=True))
    return select(literal(number).label(NUMBER.name), *named)
