"""Lines of the records that a record, or its lines, name: a posting can enter once for each of these, too."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from formloop.access.actor import SYSTEM
from formloop.core.expression import Path
from formloop.db import reading
from formloop.forms import rows
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.spec import FormSpec, Values
from formloop.ledgers.engine import OUTER, PLACE


class Beyond:
    """For each way such as `services.landed.lines` the lines at its end, by the record they belong to; those of one
    save are read together."""

    def __init__(
        self, spec: FormSpec, records: Sequence[Values], ways: Collection[str], reads: Collection[Path]
    ) -> None:
        self._lines = {way: _read(spec, records, tuple(way.split(".")), reads) for way in ways}

    def of(self, env: Mapping[str, Any]) -> dict[str, list[Values]]:
        """The lines of one record by way, each with the line that leads to it and where that stands."""
        found: dict[str, list[Values]] = {}
        for way, lines in self._lines.items():
            *own, relation, _ = way.split(".")
            holders = env.get(own[0]) or () if own else [env]
            found[way] = [
                {**line, OUTER: holder, PLACE: place}
                for place, holder in enumerate(holders)
                for line in lines.get(int(holder.get(relation) or 0), ())
            ]
        return found


def _read(
    spec: FormSpec, records: Sequence[Values], way: Path, reads: Collection[Path]
) -> dict[int, list[Values]]:
    *named, last = way
    field = spec.find(".".join(named))
    if field is None or field.relation is None:
        return {}
    target = get_form(field.relation.form)
    holders = [h for r in records for h in (r.get(named[0]) or () if len(named) > 1 else [r])]
    found: dict[int, Values] = {int(h[named[-1]]): {} for h in holders if h.get(named[-1]) is not None}
    if not found:
        return {}
    with reading() as conn:
        rows.add_lines(conn, target, found, [last])
    asked = {path[len(named) :] for path in reads if path[: len(named)] == tuple(named)}
    links = Links(SYSTEM, target, found.values(), reads=asked)
    return {id: links.environment(target, record).get(last) or [] for id, record in found.items()}
