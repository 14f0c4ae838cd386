"""The records that a bridge's expressions reach from its source, one query for each form."""

from collections.abc import Iterable, Mapping
from typing import Any

from formloop.access.actor import SYSTEM
from formloop.core.expression import Path
from formloop.forms.links import Links
from formloop.forms.spec import FormSpec


class Reach(Links):
    """Like the links of a save, but of what a bridge reads; it sees all that the definition names."""

    def __init__(self, spec: FormSpec, rows: Iterable[Mapping[str, Any]], reads: frozenset[Path]) -> None:
        super().__init__(SYSTEM, spec, ())
        rows = list(rows)
        for top in spec.fields.values():
            for field in (top, *top.children):
                path = tuple(field.path.split("."))
                further = {r[len(path) :] for r in reads if r[: len(path)] == path and len(r) > len(path)}
                if field.relation is not None and further:
                    self.fetch(field.relation.form, _ids(rows, path), further)


def _ids(rows: list[Mapping[str, Any]], path: Path) -> set[int]:
    if len(path) == 1:
        return {int(row[path[0]]) for row in rows if row.get(path[0]) is not None}
    lines = [line for row in rows for line in row.get(path[0]) or ()]
    return {int(line[path[1]]) for line in lines if line.get(path[1]) is not None}
