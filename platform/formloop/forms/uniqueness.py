"""Values that may occur only once: asked for before saving, and guarded by the database all the same."""

from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Select, bindparam, select

from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.forms.spec import FormSpec, Values


def check_unique(
    conn: Connection, spec: FormSpec, work: list[tuple[Values | None, Values, list[Problem]]]
) -> None:
    """Add a problem to every draft whose unique value another record, or an earlier draft, has already."""
    for each in spec.stored:
        if not (each.unique or each.type.name == "serial"):
            continue
        wanted = [
            (after, problems, after[each.key])
            for before, after, problems in work
            if after.get(each.key) is not None and after[each.key] != (before or {}).get(each.key)
        ]
        if not wanted:
            continue
        column = spec.table.c[each.key]
        values = {value for _, _, value in wanted}
        taken: dict[Any, int] = {}
        ordered = sorted(values, key=str)
        for start in range(0, len(ordered), 500):
            asked = {"values": ordered[start : start + 500]}
            taken |= {row[0]: row[1] for row in conn.execute(_holders(column), asked)}
        for after, problems, value in wanted:
            if taken.get(value, after.get("id")) != after.get("id") or (
                value in taken and after.get("id") is None
            ):
                text = M("“{value}” exists already; it may occur only once.", value=value)
                problems.append(Problem("taken", each.key, text))
            else:
                taken[value] = after.get("id") or -id(after)


@lru_cache(maxsize=1_000)
def _holders(column: Column[Any]) -> Select[Any]:
    """Which live records hold one of `values`; prepared once, since every save asks it."""
    table = column.table
    fits = column.in_(bindparam("values", expanding=True))
    return select(column, table.c.id).where(fits, table.c.deleted_at.is_(None))


def taken_field(spec: FormSpec, error: str) -> Problem:
    """The problem behind a violated constraint: two saves of the same value at the same moment."""
    for each in spec.stored:
        if f"{spec.table.name}.{each.key}" in error or f"({each.key})=" in error:
            return Problem("taken", each.key, M("Somebody saved the same value at this moment. Try again."))
    return Problem("taken", "", M("Somebody saved the same value at this moment. Try again."))
