"""Records as they stand until the open transaction ends: it has written or locked them, so nobody else changes them.

What a step has just found or written, the next one need not read again.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Table

from formloop.core.json_text import dumps
from formloop.db import Exact, JsonText, UtcTime, in_transaction, kept_standing
from formloop.forms.spec import FormSpec, Values

MOST = 500  # records; a transaction that writes more is an import, which reads little of what it wrote

Known = dict[tuple[Table, int], Values]


def note(spec: FormSpec, records: Iterable[Values]) -> None:
    """These records, with all their lines, are this transaction's own from now on."""
    if not in_transaction():
        return
    known = _known()
    for record in records:
        known[spec.table, record["id"]] = {
            **record,
            **{each.key: [dict(line) for line in record.get(each.key) or ()] for each in spec.subforms},
        }
    if len(known) > MOST:
        known.clear()


def forget(spec: FormSpec, record: int) -> None:
    """A record is gone for ever."""
    _known().pop((spec.table, record), None)


def find(spec: FormSpec, ids: Iterable[int], lines: bool = True) -> dict[int, Values]:
    """Those of the records that are known, as the database would give them: with or without their lines."""
    if not in_transaction() or not (known := _known()):
        return {}
    found = {i: record for i in ids if (record := known.get((spec.table, i))) is not None}
    return {i: _as_read(spec, record, lines) for i, record in found.items()}


def _as_read(spec: FormSpec, record: Values, lines: bool) -> Values:
    """A record as the database would give it: the same digits, the same zone, values of JSON as text holds them."""
    found = _row(spec.table, record)
    for each in spec.subforms if lines else ():
        table = spec.line_tables[each.key]
        found[each.key] = [
            {**_row(table, line, "record"), "position": place} for place, line in enumerate(record[each.key])
        ]
    return found


def _row(table: Table, values: Mapping[str, Any], without: str = "") -> Values:
    return {
        key: value if (value := values.get(key)) is None or read is None else read(value)
        for key, read in _readers(table)
        if key != without
    }


@lru_cache(maxsize=2_000)
def _readers(table: Table) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """What a value becomes by being stored and read again, for each column."""
    return tuple((column.key, _reader(column.type)) for column in table.c)


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    if isinstance(kind, Exact):
        unit = Decimal(1).scaleb(-kind.scale)
        return lambda value: _exact(value, unit)
    if isinstance(kind, UtcTime):
        return _in_utc
    return _as_json if isinstance(kind, JsonText) else None


def _exact(value: Any, unit: Decimal) -> Decimal:
    found = Decimal(value).quantize(unit)
    return found if found else found.copy_abs()  # no database knows −0


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _as_json(value: Any) -> Any:
    return json.loads(dumps(value), parse_float=Decimal)


def _known() -> Known:
    return kept_standing("forms.known", dict)
