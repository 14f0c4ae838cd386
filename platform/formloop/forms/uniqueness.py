"""Values that may occur only once: asked for before saving, and guarded by the database all the same."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Select, bindparam, select

from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.forms.spec import FormSpec, Values


@dataclass(frozen=True, slots=True)
class Claim:
    """A record that would have its unique values to itself; `known` are the paths whose values may be named."""

    before: Values | None
    after: Values
    problems: list[Problem]
    known: frozenset[str]

    def wants(self, key: str) -> bool:
        """Whether it has a new value there, which its person may give: who may not is told nothing about it."""
        value = self.after.get(key)
        if value is None or value == (self.before or {}).get(key):
            return False
        return not any(problem.code == "forbidden" and problem.at == key for problem in self.problems)

    def refuse(self, key: str) -> None:
        """Say that another record has the value already."""
        text = M("“{value}” exists already; it may occur only once.", value=self.after[key])
        hidden = M(
            "A value that may occur only once, and that you do not see, exists in another record already."
        )
        self.problems.append(
            Problem("taken", key, text) if key in self.known else Problem("taken", "", hidden)
        )


def check_unique(conn: Connection, spec: FormSpec, claims: list[Claim], known: Collection[str] = ()) -> None:
    """Add a problem to every draft whose unique value another record, or an earlier draft, has already.

    Of the fields in `known` the caller has looked himself.
    """
    for each in spec.stored:
        if each.key in known or not (each.unique or each.type.name == "serial"):
            continue
        wanted = [claim for claim in claims if claim.wants(each.key)]
        if not wanted:
            continue
        column = spec.table.c[each.key]
        values = {claim.after[each.key] for claim in wanted}
        taken: dict[Any, int] = {}
        ordered = sorted(values, key=str)
        for start in range(0, len(ordered), 500):
            asked = {"values": ordered[start : start + 500]}
            taken |= {row[0]: row[1] for row in conn.execute(_holders(column), asked)}
        for claim in wanted:
            value, record = claim.after[each.key], claim.after.get("id")
            if taken.get(value, record) != record or (value in taken and record is None):
                claim.refuse(each.key)
            else:
                taken[value] = record or -id(claim.after)


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
