"""Values that come from another form: looked up for a field (`x-linkage`), offered (`x-options`), listed (`x-query`).

Their conditions, and those of relations, name the other form's fields bare and this record's own as
`this.customer`; in lines `this` is the line, with the record's fields behind it. What the person may not see there is not found.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, null, select, union_all

from formloop.access.actor import Actor
from formloop.core.expression import (
    BOOL,
    Context,
    EvaluationError,
    Expression,
    Linked,
    Path,
    RecordType,
    SqlNames,
    parse,
    to_sql,
)
from formloop.db import engine as database
from formloop.db import reading
from formloop.forms import listing, permits
from formloop.forms.kind import get_form
from formloop.forms.names import FormNames, context_of
from formloop.forms.reading import OWN, line_names
from formloop.forms.spec import Field, FormSpec, Values

CONDITIONED = {"x-relation", "x-linkage", "x-options", "x-query"}  # the words that may have a condition
AT_ONCE = 200  # rows asked for in one statement
MOST_ROWS = 50


class _Names(FormNames):
    """The other form's columns, with this record's values as constants and nothing in fields that are `blind`."""

    def __init__(
        self, target: FormSpec, own: Mapping[str, Field], env: Mapping[str, Any], blind: frozenset[str]
    ) -> None:
        super().__init__(target)
        self.own, self.env, self.blind = own, env, blind

    def column(self, path: Path) -> ColumnElement[Any]:
        """The column at `path`, or the value of `this.…`."""
        if path[0] in self.blind:
            return null()
        if path[0] != OWN:
            return super().column(path)
        value, field = self.env.get(path[1]), self.own.get(path[1])
        if field and field.type.stored:
            return literal(value, field.type.column(field))
        return null() if value is None else literal(value)

    def aggregate(self, path: Path, build: Callable[[SqlNames], ColumnElement[Any]]) -> ColumnElement[Any]:
        """A value over the lines of the other form."""
        return null() if path[0] in self.blind else super().aggregate(path, build)


@lru_cache(maxsize=500)
def condition_of(spec: FormSpec, field: Field, word: str) -> Expression | None:
    """The condition of `word` in a field, parsed once for a version."""
    source = field.schema[word].get("where")
    if not source:
        return None
    subform = field.subform
    own = line_names(dict(spec.document), subform, _document) if subform else spec.names
    names = {**get_form(field.schema[word]["form"]).names, OWN: RecordType(OWN, lambda: own)}
    return parse(source, names, BOOL)


def _document(key: str) -> dict[str, Any]:
    return dict(get_form(key).document)


def own_reads(spec: FormSpec, field: Field, word: str) -> tuple[str, ...]:
    """The fields of this record that the condition of `word` reads."""
    condition = condition_of(spec, field, word)
    return tuple(sorted({p[1] for p in condition.reads if p[0] == OWN})) if condition else ()


def _own_fields(spec: FormSpec, field: Field) -> dict[str, Field]:
    columns = {c.key: c for c in spec.fields[field.subform].children} if field.subform else {}
    return {**spec.fields, **columns}


def blind_in(actor: Actor, spec: FormSpec, field: Field, word: str) -> frozenset[str]:
    """The other form's fields that a condition holds against `this.…` though the actor may not see what they say.

    To them they say nothing, or trying one value of their own after another would tell. A condition that names
    nothing of this record is its builder's alone, who may see what it asks.
    """
    condition = condition_of(spec, field, word)
    if condition is None or not any(path[0] == OWN for path in condition.reads):
        return frozenset()
    target = get_form(field.schema[word]["form"])
    return frozenset(p[0] for p in condition.reads if p[0] != OWN and _hides(actor, target, p))


def _hides(actor: Actor, spec: FormSpec, path: Path) -> bool:
    field = spec.fields.get(path[0])
    if field is None:
        return False
    permit = permits.find_permit(actor, "view", spec)
    said = ".".join(path[:2]) if field.children else path[0]
    if permit is None or said not in permit.everywhere:
        return True
    if field.relation is None or len(path) == 1:
        return False
    behind = get_form(field.relation.form)
    rows = permits.find_permit(
        actor, "view", behind
    )  # which of its records they may see, a condition does not ask
    return rows is None or None not in rows.conditions or _hides(actor, behind, path[1:])


def fits(actor: Actor, spec: FormSpec, field: Field, record: Values, row: Values, context: Context) -> bool:
    """Whether a relation may point to `record` from `row`, which holds what `this` means."""
    condition = condition_of(spec, field, "x-relation")
    if condition is None:
        return True
    blind = dict.fromkeys(blind_in(actor, spec, field, "x-relation"))
    try:
        env = {**record, **blind, OWN: Linked(row.get("id") or 0, row)}
        return condition.evaluate(env, context) is True
    except EvaluationError:
        return False


def fitting(actor: Actor, spec: FormSpec, field: Field, word: str, env: Mapping[str, Any]) -> Any:
    """The condition of `word` in SQL, None when there is none."""
    condition = condition_of(spec, field, word)
    if condition is None:
        return None
    target = get_form(field.schema[word]["form"])
    blind = blind_in(actor, spec, field, word)
    return in_sql(actor, condition, target, _own_fields(spec, field), env, blind)


def in_sql(
    actor: Actor,
    condition: Expression,
    target: FormSpec,
    own: Mapping[str, Field],
    env: Mapping[str, Any],
    blind: frozenset[str] = frozenset(),
) -> ColumnElement[Any]:
    """A condition over the records of `target` in SQL; `this` is what `env` has of the fields `own`."""
    names = _Names(target, own, env, blind)
    return to_sql(condition, names, context_of(actor), database().dialect.name)


class Linkages:
    """The looked-up values of one save: one statement however many rows ask, each distinct question once."""

    def __init__(self, actor: Actor, spec: FormSpec) -> None:
        self.actor, self.spec = actor, spec
        self.fields = _looked_up(spec)
        self._found: dict[tuple[Any, ...], Any] = {}

    def prepare(self, rows: Iterable[Mapping[str, Any]], again: bool = False) -> None:
        """Look up what these rows will ask: new ones, or with `again` all, whose field is empty."""
        rows = list(rows) if self.fields else []
        for field in self.fields:
            asking = ((row, line) for row in rows for line in _lines(row, field))
            self._ask(
                field,
                [
                    {**row, **line}
                    for row, line in asking
                    if line.get(field.key) is None and (again or "id" not in line)
                ],
            )

    def find(self, field: Field, scope: Mapping[str, Any]) -> Any:
        """The value for one row; None when no record fits."""
        key = self._key(field, scope)
        if key not in self._found:
            self._ask(field, [scope])
        return self._found.get(key)

    def _key(self, field: Field, scope: Mapping[str, Any]) -> tuple[Any, ...]:
        return (field.path, *(_plain(scope.get(k)) for k in own_reads(self.spec, field, "x-linkage")))

    def _ask(self, field: Field, scopes: Sequence[Mapping[str, Any]]) -> None:
        wanted = {key: s for s in scopes if (key := self._key(field, s)) not in self._found}
        keys = list(wanted)
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            self._found |= dict.fromkeys(part)
            statement = self._statement(field, [wanted[k] for k in part])
            if statement is None:
                continue
            with reading() as conn:
                for number, value in conn.execute(statement):
                    self._found[part[number]] = value

    def _statement(self, field: Field, scopes: Sequence[Mapping[str, Any]]) -> Any:
        target = get_form(field.schema["x-linkage"]["form"])
        permit = permits.find_permit(self.actor, "view", target)
        value = field.schema["x-linkage"]["value"]
        if permit is None or value not in target.table.c:
            return None
        context = context_of(self.actor)
        seen = permit.seen(target.table.c[value], value, context).label("value")
        rows = [target.table.c.deleted_at.is_(None), permit.where(context)]
        branches = []
        for number, scope in enumerate(scopes):
            narrowed = fitting(self.actor, self.spec, field, "x-linkage", scope)
            conditions = [c for c in (*rows, narrowed) if c is not None]
            newest = (
                select(literal(number).label("number"), seen)
                .where(and_(*conditions))
                .order_by(target.table.c.id.desc())
                .limit(1)
            ).subquery()
            branches.append(select(newest.c.number, newest.c.value))
        return union_all(*branches) if len(branches) > 1 else branches[0]


@lru_cache(maxsize=1_000)
def _looked_up(spec: FormSpec) -> tuple[Field, ...]:
    every = [f for top in spec.fields.values() for f in (top, *top.children)]
    return tuple(f for f in every if "x-linkage" in f.schema)


def _lines(row: Mapping[str, Any], field: Field) -> Sequence[Mapping[str, Any]]:
    return (row.get(field.subform) or ()) if field.subform else (row,)


def _plain(value: Any) -> Any:
    if isinstance(value, list | dict):
        return repr(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def list_options(actor: Actor, spec: FormSpec, field: Field, text: str, limit: int) -> list[str]:
    """Distinct values of the field that `x-options` names, of records the person may see, that contain `text`."""
    found = _options(actor, spec, field)
    if found is None:
        return []
    query, column = found
    if text.strip():
        query = query.where(func.lower(column).like(f"%{_escaped(text.strip().lower())}%", escape="\\"))
    with reading() as conn:
        return [str(row[0]) for row in conn.execute(query.order_by(column).limit(limit))]


def known_options(actor: Actor, spec: FormSpec, field: Field, values: Iterable[str]) -> set[str]:
    """Those of `values` that are options."""
    found = _options(actor, spec, field)
    if found is None:
        return set()
    query, column = found
    with reading() as conn:
        return {str(row[0]) for row in conn.execute(query.where(column.in_(list(values))))}


def _options(actor: Actor, spec: FormSpec, field: Field) -> tuple[Select[Any], ColumnElement[Any]] | None:
    said = field.schema["x-options"]
    target = get_form(said["form"])
    permit = permits.find_permit(actor, "view", target)
    if permit is None or said["field"] not in permit.anywhere or said["field"] not in target.table.c:
        return None
    context = context_of(actor)
    column = permit.seen(target.table.c[said["field"]], said["field"], context)
    parts = [permit.where(context), fitting(actor, spec, field, "x-options", {})]
    query = select(column).distinct().where(target.table.c.deleted_at.is_(None), column.is_not(None))
    return query.where(*(p for p in parts if p is not None)), column


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def query_rows(
    actor: Actor, spec: FormSpec, field: Field, env: Mapping[str, Any]
) -> tuple[FormSpec, list[str], list[Values], bool]:
    """The records that a query field shows: their form, the columns, the rows, and whether there are more."""
    said = field.schema["x-query"]
    target = get_form(said["form"])
    permit = permits.find_permit(actor, "view", target)
    columns = [key for key in said["columns"] if permit and key in permit.anywhere]
    if permit is None or not columns:
        return target, [], [], False
    query = listing.Query(columns=tuple(columns), limit=MOST_ROWS)
    found = listing.list_records(actor, target, query, also=fitting(actor, spec, field, "x-query", env))
    return target, columns, list(found.rows), found.next is not None
