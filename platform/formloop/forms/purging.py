"""Purging: what lies in the recycle bin goes for ever, with its lines, comments, links and history.

That it was there, who purged it and which numbers it had stays: in the change log and in the audit trail.
"""

from datetime import timedelta

from sqlalchemy import delete, insert, or_, select

from formloop.access import audit
from formloop.access.actor import SYSTEM, Actor
from formloop.core import clock
from formloop.core.errors import Forbidden, NotFound
from formloop.db import connection, reading, transactional
from formloop.definitions import library
from formloop.events import Cause, Event, emit
from formloop.forms import permits, rows
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.forms.tables import change, comment, fill, record_link, share
from formloop.forms.uses import InUse, list_uses


@transactional
def purge_record(actor: Actor, form: str, record: int, cause: Cause | None = None) -> None:
    """Take a record out of the recycle bin for ever; InUse while others point to it, in the bin or not."""
    spec = get_form(form)
    where = permits.require_permit(actor, "purge", spec).where(context_of(actor))
    before = rows.load(connection(), spec, [record], where).get(record)
    if before is None or before["deleted_at"] is None:
        raise NotFound
    if uses := list_uses(actor, spec, record, in_bin_too=True):
        raise InUse(uses)
    rows.remove(connection(), spec, record)
    _forget(form, record)
    numbers = {f.key: before[f.key] for f in spec.stored if f.type.name == "serial" and before.get(f.key)}
    _keep_trace(actor, spec, before, numbers, cause or Cause())
    title = before.get(spec.title_field)
    audit.note(actor, "record.purged", spec.resource, record=record, title=str(title or ""), **numbers)
    emit(Event("purged", form, record, actor, before, before, cause=cause or Cause(), version=spec.version))


def _forget(form: str, record: int) -> None:
    conn = connection()
    for table in (change, comment, fill, share):
        conn.execute(delete(table).where(table.c.form == form, table.c.record == record))
    from_it = (record_link.c.from_form == form) & (record_link.c.from_record == record)
    to_it = (record_link.c.to_form == form) & (record_link.c.to_record == record)
    conn.execute(delete(record_link).where(or_(from_it, to_it)))


def _keep_trace(actor: Actor, spec: FormSpec, before: Values, numbers: Values, cause: Cause) -> None:
    connection().execute(
        insert(change).values(
            id=clock.new_id(),
            form=spec.key,
            record=before["id"],
            revision=before["revision"] + 1,
            form_version=spec.version,
            action="purged",
            person=actor.person_id,
            at=clock.now(),
            old=numbers,
            new={},
            cause={"chain": list(cause.chain), "form": cause.form, "record": cause.record},
        )
    )


def purge_older(days: int) -> tuple[int, int]:
    """Purge what was deleted more than `days` days ago; returns how many went and how many others still use."""
    before, gone, kept = clock.now() - timedelta(days=days), 0, 0
    for entry in library.list_entries("form"):
        table = get_form(entry.key).table
        with reading() as conn:
            query = select(table.c.id).where(table.c.deleted_at < before).order_by(table.c.id.desc())
            found = list(conn.execute(query).scalars())
        for record in found:  # the newest first: they point to older ones
            try:
                purge_record(SYSTEM, entry.key, record, Cause(("sweep",)))
                gone += 1
            except (InUse, Forbidden, NotFound):
                kept += 1
    return gone, kept
