"""Values that come from another form: looked up for a field (`x-linkage`), offered (`x-options`), listed (`x-query`).

Their conditions, and those of relations, name the other form's fields bare and this record's own as
`this.customer`; in lines `this` is the line, with the record's fields behind it. What the person may not see there is not found.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, null, select

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
MOST_ROWS = 50
This = Callable[[str], ColumnElement[Any]]  # what a field of this record is in SQL


class _Names(FormNames):
    """The other form's columns, with what `this` says of this record and nothing in fields that are `blind`."""

    def __init__(self, target: FormSpec, this: This, blind: frozenset[str]) -> None:
        super().__init__(target)
        self.this, self.blind = this, blind

    def column(self, path: Path) -> ColumnElement[Any]:
        """The column at `path`, or the value of `this.…`."""
        if path[0] in self.blind:
            return null()
        return self.this(path[1]) if path[0] == OWN else super().column(path)

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


def own_fields(spec: FormSpec, field: Field) -> dict[str, Field]:
    """The fields that `this` means in a condition of `field`."""
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
    return narrowed(actor, spec, field, word, constants(own_fields(spec, field), env))


def narrowed(actor: Actor, spec: FormSpec, field: Field, word: str, this: This) -> Any:
    """The condition of `word` in SQL, with `this` being whatever the caller says; None when there is none."""
    condition = condition_of(spec, field, word)
    if condition is None:
        return None
    target = get_form(field.schema[word]["form"])
    return in_sql(actor, condition, target, this, blind_in(actor, spec, field, word))


def in_sql(
    actor: Actor, condition: Expression, target: FormSpec, this: This, blind: frozenset[str] = frozenset()
) -> ColumnElement[Any]:
    """A condition over the records of `target` in SQL."""
    return to_sql(condition, _Names(target, this, blind), context_of(actor), database().dialect.name)


def constants(own: Mapping[str, Field], env: Mapping[str, Any]) -> This:
    """`this` as what `env` has of the fields `own`."""

    def this(key: str) -> ColumnElement[Any]:
        value, field = env.get(key), own.get(key)
        if field and field.type.stored:
            return literal(value, field.type.column(field))
        return null() if value is None else literal(value)

    return this


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
    """The records that a query field shows: their form, the columns, the rows, and whether there are more.

    What points to this record is asked for once it is saved; before, that would find what points to nothing.
    """
    said = field.schema["x-query"]
    target = get_form(said["form"])
    permit = permits.find_permit(actor, "view", target)
    columns = [key for key in said["columns"] if permit and key in permit.anywhere]
    unsaved = "id" in own_reads(spec, field, "x-query") and not env.get("id")
    if permit is None or not columns or unsaved:
        return target, columns, [], False
    query = listing.Query(columns=tuple(columns), limit=MOST_ROWS)
    found = listing.list_records(actor, target, query, also=fitting(actor, spec, field, "x-query", env))
    return target, columns, list(found.rows), found.next is not None
