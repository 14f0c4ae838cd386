"""Rows that a statement is given and reads like a table: one JSON text, however many there are."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, FromClause, Text, cast, func, literal, select, type_coerce
from sqlalchemy.types import TypeEngine

from formloop.db.engines import engine, is_sqlite


def given(columns: Mapping[str, TypeEngine[Any]], rows: Iterable[Sequence[Any]]) -> FromClause:
    """`rows` with these columns, as something to select from; no column may have a type that is JSON itself."""
    dialect = engine().dialect
    binds = [each.dialect_impl(dialect).bind_processor(dialect) for each in columns.values()]
    listed = zip(binds, zip(*rows, strict=True), strict=False)  # column by column, which is the faster way
    bound = [map(bind, values) if bind else values for bind, values in listed]
    text = json.dumps(list(zip(*bound, strict=True)), default=str, ensure_ascii=False)
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
