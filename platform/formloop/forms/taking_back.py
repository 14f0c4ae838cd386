"""Taking an import back: what it created goes, what it changed gets its values again, what is not as left stays."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.errors import Conflict, FormloopError
from formloop.core.text import LOCALES, M, Message
from formloop.db import connection, transactional
from formloop.events import Cause
from formloop.events.jobs import Job
from formloop.forms import import_turns, service, staging
from formloop.forms.kind import get_form
from formloop.forms.service import How
from formloop.forms.spec import Field, FormSpec, Unreadable, Values
from formloop.forms.staging import Batch
from formloop.forms.tables import change
from formloop.forms.uses import InUse

CHUNK = 500  # records in one transaction, as when they are written
CHANGED = M("It has been changed since the import.")
NOT_AS_BEFORE = M("What it held before cannot be given back to it.")
_HOW = How(trusted=True, asks="import", restores=True)


def undo_step(job: Job, actor: Actor) -> bool:
    """Take back one chunk of what an import wrote; a step of the job `import_undo`."""
    batch = import_turns.batch_of(job)
    gate.require(actor, "import", get_form(batch.form).resource)
    if batch.state == "undone":
        job.result = staging.counts(batch.id)
        return True  # the worker died before it could say so
    if batch.state != "undoing":
        batch = import_turns.move(batch, "undoing")
    rows = staging.list_rows(batch.id, ("created", "updated"), limit=CHUNK)
    try:
        _take_back(actor, batch, rows)
    except FormloopError:  # of one of them: the others go without it
        _one_by_one(actor, batch, rows)
    found = staging.counts(
        batch.id
    )  # also of a step whose worker was killed before it could say how far it came
    job.done = found.get("undone", 0) + found.get("kept", 0)
    job.total = job.done + found.get("created", 0) + found.get("updated", 0)
    if len(rows) < CHUNK:
        import_turns.move(batch, "undone")
        job.result = found
        return True
    return False


def _one_by_one(actor: Actor, batch: Batch, rows: list[Any]) -> None:
    """Each row in its own transaction, so that a refusal leaves nothing half done."""
    for row in rows:
        try:
            _take_back(actor, batch, [row])
        except InUse as error:
            _keep(batch, row, error.message)
        except Conflict:
            _keep(batch, row, CHANGED)
        except FormloopError as error:
            _keep(batch, row, error.message)


@transactional
def _take_back(actor: Actor, batch: Batch, rows: list[Any]) -> None:
    """All of these rows, or none of them.

    Whoever may import may take their own import back, also where they may not delete otherwise.
    """
    rows = import_turns.still_waiting(batch, rows)
    if not rows:
        return
    cause = Cause(("import", f"undo:{batch.id}"))
    made = {row.record: row.revision for row in rows if row.state == "created"}
    if made:
        service.delete_records(replace(actor, administrator=True), batch.form, made, cause)
    whys = [None if row.state == "created" else _not_restored(actor, batch, row, cause) for row in rows]
    staging.mark(batch.id, [_mark(row, why) for row, why in zip(rows, whys, strict=True)])


@transactional
def _keep(batch: Batch, row: Any, why: Message) -> None:
    if import_turns.still_waiting(batch, [row]):
        staging.mark(batch.id, [_mark(row, why)])


def _mark(row: Any, why: Message | None) -> dict[str, Any]:
    """That a row was taken back, or why its record stays."""
    told: dict[str, Any] = {"state": "undone", "problems": None}
    if why is not None:
        said = {locale: why.render(locale) for locale in LOCALES}
        told = {
            "state": "kept",
            "problems": [{"row": row.number, "column": "", "field": dict.fromkeys(LOCALES, ""), **said}],
        }
    return {"number": row.number, "record": row.record, "revision": row.revision, **told}


def _not_restored(actor: Actor, batch: Batch, row: Any, cause: Cause) -> Message | None:
    """Why a record cannot have its old values again, and then nothing of it is touched; None once it has them."""
    spec = get_form(batch.form)
    now = connection().execute(select(spec.table.c.revision).where(spec.table.c.id == row.record)).scalar()
    if now != row.revision:
        return CHANGED
    query = select(change.c.id, change.c.old).where(
        change.c.form == batch.form, change.c.record == row.record, change.c.revision == row.revision
    )
    entry = connection().execute(query).one_or_none()
    if entry is None:
        return NOT_AS_BEFORE
    would_be = service.undo_change(actor, batch.form, row.record, entry.id, cause, replace(_HOW, dry=True))
    if not _is_as_before(spec, would_be, entry.old or {}):
        return NOT_AS_BEFORE
    service.undo_change(actor, batch.form, row.record, entry.id, cause, _HOW)
    return None


def _is_as_before(spec: FormSpec, record: Values, old: Mapping[str, Any]) -> bool:
    fields = {key: known for key in old if (known := spec.fields.get(key)) is not None}
    own = {key: old[key] for key, known in fields.items() if not known.children}
    return _holds(fields, record, own) and all(
        _lines_are_as_before(known, record.get(key) or [], old[key])
        for key, known in fields.items()
        if known.children
    )


def _lines_are_as_before(subform: Field, lines: list[Values], old: Mapping[str, Values | None]) -> bool:
    columns = {column.key: column for column in subform.children}
    by_id = {str(line["id"]): line for line in lines if line.get("id") is not None}
    for line_id, was in old.items():
        if was is None:
            if line_id in by_id:
                return False
            continue
        there = [by_id[line_id]] if line_id in by_id else lines  # a line that comes back has another id
        if not any(_holds(columns, line, was) for line in there):
            return False
    return True


def _holds(fields: Mapping[str, Field], values: Values, old: Mapping[str, Any]) -> bool:
    """Whether `values` are those of `old`, which stand as JSON; what formulas give is calculated anew."""
    return all(
        values.get(key) == _read(fields[key], value)
        for key, value in old.items()
        if key in fields and fields[key].formula is None
    )


def _read(field: Field, value: Any) -> Any:
    try:
        return None if value is None else field.type.read(field, value)
    except Unreadable:
        return value
