"""Whatever lock stages look at stays as it is until a proposal is applied.

On PostgreSQL others write meanwhile, so the rows are locked, always in the same order: the record, which also keeps
new records from pointing to it, then what depends on it, then what any of these point to. SQLite has one writer.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import select

from formloop.core.expression import Path
from formloop.db import connection, is_sqlite, kept_standing
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.forms.standing import note_held
from formloop.workflows.amendments.impact import find_dependents
from formloop.workflows.spec import Workflow

Rows = tuple[str, tuple[int, ...]]  # form, ids


def hold(workflow: Workflow, spec: FormSpec, record: int) -> None:
    """Let nobody change what the stages read of a record until the transaction ends; once in it is enough."""
    held: set[Rows] = kept_standing("amendments.held", set)
    if workflow.amends is None or is_sqlite() or (spec.key, (record,)) in held:
        return
    held.add((spec.key, (record,)))
    _lock((spec.key, (record,)))
    reads = {path for stage in workflow.amends.stages if stage.when is not None for path in stage.when.reads}
    looked_at = sorted({path[1] for path in reads if path[0] == "dependents" and len(path) > 1})
    found = find_dependents(spec, record, looked_at)
    for key in looked_at:
        _lock((key, found[key].ids))
    pointed = set(_pointed_to(spec, (record,), reads))
    for key in looked_at:
        inner = {path[2:] for path in reads if path[:2] == ("dependents", key)}
        pointed |= set(_pointed_to(get_form(key), found[key].ids, inner))
    for rows in sorted(pointed):
        _lock(rows, shared=True)


def _lock(rows: Rows, shared: bool = False) -> None:
    table = get_form(rows[0]).table
    query = select(table.c.id).where(table.c.id.in_(rows[1])).order_by(table.c.id)
    connection().execute(query.with_for_update(read=shared)).all()
    note_held(rows[0])


def _pointed_to(spec: FormSpec, ids: tuple[int, ...], paths: Iterable[Path]) -> Iterator[Rows]:
    """The records that paths lead to from these ones, step by step."""
    behind: dict[tuple[str, ...], set[Path]] = {}
    for path in paths:
        for length in (1, 2):
            field = spec.find(".".join(path[:length]))
            if len(path) > length and field is not None and field.relation is not None:
                behind.setdefault(path[:length], set()).add(path[length:])
    for head, tails in sorted(behind.items()):
        field = spec.find(".".join(head))
        if field is None or field.relation is None:
            continue
        table = spec.table if len(head) == 1 else spec.line_tables[head[0]]
        own = table.c.id if len(head) == 1 else table.c.record
        column = table.c[head[-1]]
        query = select(column).where(own.in_(ids), column.is_not(None)).distinct().order_by(column)
        found = tuple(connection().execute(query).scalars())
        if found:
            yield field.relation.form, found
            yield from _pointed_to(get_form(field.relation.form), found, tails)
