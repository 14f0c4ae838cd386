"""Rows that a statement is given and reads like a table: one JSON text, however many there are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, FromClause, Text, cast, func, literal, select, type_coerce
from sqlalchemy.types import TypeEngine

from formloop.core.json_text import dumps
from formloop.db.engines import engine, is_sqlite


def given(columns: Mapping[str, TypeEngine[Any]], rows: Iterable[Sequence[Any]]) -> FromClause:
    """`rows` with these columns, as something to select from; no column may have a type that is JSON itself."""
    binds = [
        each.dialect_impl(engine().dialect).bind_processor(engine().dialect) for each in columns.values()
    ]
    text = dumps([[bind(v) if bind else v for bind, v in zip(binds, row, strict=True)] for row in rows])
    if is_sqlite():
        row = func.json_each(text).table_valued("value").c.value
        found = [
            type_coerce(func.json_extract(row, f"$[{place}]"), kind).label(name)
            for place, (name, kind) in enumerate(columns.items())
        ]
    else:
        row = func.json_array_elements(cast(literal(text, Text()), JSON)).table_valued("value").c.value
        found = [
            cast(row.op("->>")(place), kind).label(name) for place, (name, kind) in enumerate(columns.items())
        ]
    return select(*found).subquery()
