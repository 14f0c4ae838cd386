"""The records that other records point to, fetched in one query for each form however many rows ask."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, literal

from formloop.access.actor import SYSTEM, Actor
from formloop.core.expression import Context, Linked, Path
from formloop.forms import permits, standing
from formloop.forms.elsewhere import condition_of
from formloop.forms.kind import get_form
from formloop.forms.linkages import Linkages
from formloop.forms.names import context_of
from formloop.forms.reading import OWN
from formloop.forms.spec import Field, FormSpec, Values

Fetched = dict[tuple[str, int], Values]
Paths = frozenset[Path]

_NOTHING: Paths = frozenset()
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
        self.reads = None if reads is None else frozenset(reads)
        self.also = frozenset(also)
        self.every = every
        self.held = held
        self.records: Fetched = {}
        self._fetched: set[tuple[str, int, Paths]] = set()
        self.linkages = Linkages(actor, spec)
        self.add(spec, rows)

    def add(self, spec: FormSpec, rows: Iterable[Mapping[str, Any]]) -> None:
        """Fetch what these rows point to and is not there yet."""
        rows = list(rows)
        for path, form, behind in _pointing(spec, self.reads, self.also, self.every):
            # one that another path leads to, too, may lack what is read behind this one
            self.fetch(form, {i for i in _ids(rows, path) if (form, i, behind) not in self._fetched}, behind)

    def fetch(self, form: str, ids: set[int], paths: Paths = _NOTHING) -> None:
        """Fetch what `paths` read of the records of `form` with these ids, and of those they point to."""
        if not ids:
            return
        target = get_form(form)
        if not target.is_there:
            return
        keys, deeper = _behind(target, paths)
        seen = self._seen(target)
        rows = standing.read(target, ids, keys, seen, target.key in self.held)
        self._fetched.update((form, i, paths) for i in ids)
        for i in ids & rows.keys():
            known = self.records.setdefault((form, i), {"_seen": True})
            known.update({key: rows[i][key] for key in keys if key not in known})
            if seen is not None:
                known["_seen"] = rows[i]["_seen"]
        for field, further in deeper:
            assert field.relation is not None
            here = [self.records[(form, i)] for i in ids if (form, i) in self.records]
            self.fetch(
                field.relation.form, {r[field.key] for r in here if r.get(field.key) is not None}, further
            )
            for record in here:
                record[field.key] = self.linked(field, record.get(field.key))

    def _seen(self, target: FormSpec) -> ColumnElement[bool] | None:
        """The records of a form that the actor may see; None when it is all of them."""
        if self.actor is SYSTEM:
            return None
        permit = permits.find_permit(self.actor, "view", target)
        return permit.where(self._context) if permit else _NOBODY

    @cached_property
    def _context(self) -> Context:
        return context_of(self.actor)

    def linked(self, field: Field, value: Any) -> Any:
        """`value` as expressions want it: the id, carrying its record when that was fetched."""
        if value is None or field.relation is None:
            return value
        record = self.records.get((field.relation.form, int(value)))
        return value if record is None else Linked(int(value), record)

    def environment(self, spec: FormSpec, values: Mapping[str, Any]) -> Values:
        """`values` with every relation linked, in the record and in its lines."""
        env = dict(values)
        for field in spec.relations:
            env[field.key] = self.linked(field, values.get(field.key))
        for subform in spec.subforms:
            env[subform.key] = [
                {**line, **{c.key: self.linked(c, line.get(c.key)) for c in subform.pointing}}
                for line in values.get(subform.key) or ()
            ]
        return env


def _ids(rows: Iterable[Mapping[str, Any]], path: tuple[str, ...]) -> set[int]:
    if len(path) == 1:
        return {int(row[path[0]]) for row in rows if row.get(path[0]) is not None}
    return {
        int(line[path[1]]) for row in rows for line in row.get(path[0]) or () if line.get(path[1]) is not None
    }


@lru_cache(maxsize=4_000)
def _pointing(
    spec: FormSpec, reads: Paths | None, also: Paths, every: bool
) -> tuple[tuple[Path, str, Paths], ...]:
    """The relations whose records are fetched: where each stands, its form, and what is read behind it."""
    if reads is not None:
        found = _asked(spec, reads)
    else:
        found = {path: behind for path, behind in _wanted(spec).items() if behind or every}
        for path, behind in _asked(spec, also).items():
            found.setdefault(path, set()).update(behind)
    forms = {path: field.relation.form for path, field in _relations(spec) if field.relation}
    return tuple((path, forms[path], frozenset(behind)) for path, behind in found.items())


@lru_cache(maxsize=4_000)
def _behind(target: FormSpec, paths: Paths) -> tuple[frozenset[str], tuple[tuple[Field, Paths], ...]]:
    """The columns that `paths` read of records of a form, and what of the records that these point to."""
    keys = {path[0] for path in paths if path[0] in target.table.c} | {"id", "deleted_at"}
    deeper = {path[0] for path in paths if len(path) > 1}
    fields = [field for field in target.relations if field.key in deeper]
    further = [frozenset(path[1:] for path in paths if len(path) > 1 and path[0] == f.key) for f in fields]
    return frozenset(keys), tuple(zip(fields, further, strict=True))


def _relations(spec: FormSpec) -> Iterator[tuple[Path, Field]]:
    for top in spec.fields.values():
        for field in (top, *top.children):
            if field.relation is not None:
                yield tuple(field.path.split(".")), field


def _asked(spec: FormSpec, reads: Paths) -> dict[Path, set[Path]]:
    """For each relation field that some of `reads` goes through, by path, what is read behind it."""
    found: dict[Path, set[Path]] = {}
    for path, _ in _relations(spec) if reads else ():
        behind = {read[len(path) :] for read in reads if read[: len(path)] == path and len(read) > len(path)}
        if behind:
            found[path] = behind
    return found


def _wanted(spec: FormSpec) -> dict[Path, set[Path]]:
    """For each relation field, by path, what the form itself reads from the records it points to."""
    found = _asked(spec, spec.reads)
    for path, field in _relations(spec):
        assert field.relation is not None
        reads = found.setdefault(path, set())
        reads |= {(key,) for key in field.relation.fill.values()}
        condition = condition_of(spec, field, "x-relation")
        if condition:
            reads |= {("id",), *(tuple(read) for read in condition.reads if read[0] != OWN)}
    return found
