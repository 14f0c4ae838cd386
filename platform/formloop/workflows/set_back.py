"""A record as it was before it was submitted, inside a transaction that is taken back."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import NotFound
from formloop.db import connection
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.history import was_after
from formloop.forms.kind import get_form
from formloop.forms.spec import Values
from formloop.forms.tables import change
from formloop.workflows.kind import find_workflow
from formloop.workflows.tables import case, case_log


def set_back(form: str, record: int, since: int | None) -> None:
    """Let the record be as before it was submitted: whatever runs ends, and its state is the first one."""
    spec, workflow = get_form(form), find_workflow(form)
    there = rows.load(connection(), spec, [record]).get(record)
    if workflow is None or there is None:
        raise NotFound
    ended = update(case).where(case.c.form == form, case.c.record == record, case.c.ended_at.is_(None))
    connection().execute(ended.values(ended_at=clock.now()))
    records.set_state(SYSTEM, form, record, workflow.states["returned"])
    raw: Values = {}
    for old in _taken_since(form, record, since) if since is not None else ():
        raw |= rows.laid(spec, {**there, **raw}, old)
    if raw:
        how = records.How(trusted=True, unlocked=True)
        records.change_record(SYSTEM, form, record, raw, how=how)


def _taken_since(form: str, record: int, since: int) -> list[Mapping[str, Any]]:
    """What changes from outside of its workflow took away from a record, newest first."""
    moment = select(case_log.c.at).where(case_log.c.id == since).scalar_subquery()
    changed = select(change.c.old, change.c.cause).where(
        change.c.form == form,
        change.c.record == record,
        change.c.old.is_not(None),
        was_after(moment, since),
    )
    found = connection().execute(changed.order_by(change.c.revision.desc()))
    return [row.old for row in found if not (row.cause or {}).get("chain", [""])[-1].startswith("workflow:")]
