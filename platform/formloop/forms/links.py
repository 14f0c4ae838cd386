"""The records that other records point to, fetched in one query for each form however many rows ask."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, literal

from formloop.access.actor import Actor
from formloop.core.expression import Linked, Path
from formloop.forms import permits, standing
from formloop.forms.elsewhere import condition_of
from formloop.forms.kind import get_form
from formloop.forms.linkages import Linkages
from formloop.forms.names import context_of
from formloop.forms.reading import OWN
from formloop.forms.spec import Field, FormSpec, Values

Fetched = dict[tuple[str, int], Values]

_NOBODY: ColumnElement[bool] = literal(False)


class Links:
    """What the rows of one save or one calculation point to.

    `records` has, for every id pointed to that exists and of which something is read, the columns that expressions,
    filling in and the relation's own condition read; `_seen` in it tells whether the actor may choose it. With
    `reads`, only what these paths read, for expressions that are not the form's own; with `also`, what they read
    besides; with `every`, the records of which nothing is read too. Records of the forms in `held` are read as they
    stay until the transaction ends: nobody else changes them meanwhile.
    """

    def __init__(
        self,
        actor: Actor,
        spec: FormSpec,
        rows: Iterable[Mapping[str, Any]],
        reads: Collection[Path] | None = None,
        also: Collection[Path] = (),
        every: bool = False,
        held: frozenset[str] = frozenset(),
    ) -> None:
        self.actor = actor
        self.reads = reads
        self.also = also
        self.every = every
        self.held = held
        self.records: Fetched = {}
        self._context = context_of(actor)
        self.linkages = Linkages(actor, spec)
        self.add(spec, rows)

    def add(self, spec: FormSpec, rows: Iterable[Mapping[str, Any]]) -> None:
        """Fetch what these rows point to and is not there yet."""
        rows = list(rows)
        for path, wanted in self._paths(spec).items():
            field = spec.find(".".join(path))
            if field is not None and field.relation is not None:
                form = field.relation.form
                self.fetch(form, {i for i in _ids(rows, path) if (form, i) not in self.records}, wanted)

    def _paths(self, spec: FormSpec) -> dict[Path, set[Path]]:
        if self.reads is not None:
            return _asked(spec, self.reads)
        wanted = _wanted(spec)
        if not self.every:
            wanted = {path: reads for path, reads in wanted.items() if reads}
        more = _asked(spec, self.also) if self.also else {}
        return {path: wanted.get(path, set()) | more.get(path, set()) for path in {**wanted, **more}}

    def fetch(self, form: str, ids: set[int], paths: set[tuple[str, ...]]) -> None:
        """Fetch what `paths` read of the records of `form` with these ids, and of those they point to."""
        if not ids:
            return
        target = get_form(form)
        if not target.is_there:
            return
        keys = {p[0] for p in paths if p[0] in target.table.c}
        permit = permits.find_permit(self.actor, "view", target)
        seen = permit.where(self._context) if permit else _NOBODY
        rows = standing.read(target, ids, keys | {"id", "deleted_at"}, seen, target.key in self.held)
        for i in ids & rows.keys():
            known = self.records.setdefault((form, i), {"_seen": True})
            known.update({key: rows[i][key] for key in keys}, id=i, deleted_at=rows[i]["deleted_at"])
            if seen is not None:
                known["_seen"] = rows[i]["_seen"]
        deeper: dict[str, set[tuple[str, ...]]] = {}
        for path in paths:
            if len(path) > 1:
                deeper.setdefault(path[0], set()).add(path[1:])
        for key, rest in deeper.items():
            field = target.fields.get(key)
            if field is None or field.relation is None:
                continue
            here = [self.records[(form, i)] for i in ids if (form, i) in self.records]
            self.fetch(field.relation.form, {r[key] for r in here if r.get(key) is not None}, rest)
            for record in here:
                record[key] = self.linked(field, record.get(key))

    def linked(self, field: Field, value: Any) -> Any:
        """`value` as expressions want it: the id, carrying its record when that was fetched."""
        if value is None or field.relation is None:
            return value
        record = self.records.get((field.relation.form, int(value)))
        return value if record is None else Linked(int(value), record)

    def environment(self, spec: FormSpec, values: Mapping[str, Any]) -> Values:
        """`values` with every relation linked, in the record and in its lines."""
        env = dict(values)
        for field in spec.fields.values():
            if field.relation is not None:
                env[field.key] = self.linked(field, values.get(field.key))
            elif field.children:
                pointing = [c for c in field.children if c.relation]
                env[field.key] = [
                    {**line, **{c.key: self.linked(c, line.get(c.key)) for c in pointing}}
                    for line in values.get(field.key) or ()
                ]
        return env


def _ids(rows: Iterable[Mapping[str, Any]], path: tuple[str, ...]) -> set[int]:
    if len(path) == 1:
        return {int(row[path[0]]) for row in rows if row.get(path[0]) is not None}
    return {
        int(line[path[1]]) for row in rows for line in row.get(path[0]) or () if line.get(path[1]) is not None
    }


def _asked(spec: FormSpec, reads: Collection[Path]) -> dict[Path, set[Path]]:
    """For each relation field that some of `reads` goes through, by path, what is read behind it."""
    found: dict[Path, set[Path]] = {}
    for read in reads:
        for length in (1, 2):
            field = spec.find(".".join(read[:length]))
            if field is not None and field.relation is not None and len(read) > length:
                found.setdefault(read[:length], set()).add(read[length:])
                break
    return found


def _wanted(spec: FormSpec) -> dict[tuple[str, ...], set[tuple[str, ...]]]:
    """For each relation field, by path, what is read from the records it points to. Prepared once per version."""
    if spec.key in _prepared and _prepared[spec.key][0] is spec:
        return _prepared[spec.key][1]
    found: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for top in spec.fields.values():
        for field in (top, *top.children):
            if field.relation is None:
                continue
            path = tuple(field.path.split("."))
            reads = {
                read[len(path) :]
                for read in spec.reads
                if read[: len(path)] == path and len(read) > len(path)
            }
            reads |= {(key,) for key in field.relation.fill.values()}
            condition = condition_of(spec, field, "x-relation")
            if condition:
                reads |= {("id",), *(tuple(read) for read in condition.reads if read[0] != OWN)}
            found[path] = reads
    _prepared[spec.key] = (spec, found)
    return found


_prepared: dict[str, tuple[FormSpec, dict[tuple[str, ...], set[tuple[str, ...]]]]] = {}
