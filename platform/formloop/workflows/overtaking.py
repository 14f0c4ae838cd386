"""Changes that are made in the very moment when a case begins to wait for them, by somebody who writes at the same time.

Whoever makes such a change cannot see yet that anybody waits for it, and who begins to wait cannot see the change.
So a wait notes which changes of the last minutes it knows of, and for as long the change log is asked, once a minute,
for others. SQLite lets only one write at a time, so there nothing can be overtaken.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.engine import Row

from formloop.core import clock
from formloop.db import connection
from formloop.forms.tables import change
from formloop.workflows.nodes.wait import OWN
from formloop.workflows.tables import watch

UPDATED = "updated"
LONGEST = 600.0  # seconds that writing takes at most, and clocks of machines differ
_KNOWS = (
    update(watch)
    .where(watch.c.id == bindparam("wait"))
    .values(known=bindparam("now", type_=watch.c.known.type))
)


def list_known(key: str, wait: int) -> list[int] | None:
    """The changes that a wait for `key` comes after, of the minutes before it; None where none can be overtaken."""
    if key.startswith("case:") or connection().dialect.name == "sqlite":
        return None
    return [row.id for row in _changes(key, clock.first_id(LONGEST, wait))]


def list_overtaken() -> list[tuple[Row[Any], int]]:
    """The waits for which a change came in the moment they began, each with the record that changed."""
    found, noted, settled = [], [], clock.first_id(LONGEST)
    for each, new in _list_new():
        if new:
            found.append((each, int(new[0].record)))
        if new or each.id < settled:
            known = None if each.id < settled else [*each.known, *(row.id for row in new)]
            noted.append({"wait": each.id, "now": known})
    if noted:
        connection().execute(_KNOWS, noted)
    return found


def _list_new() -> Iterator[tuple[Row[Any], list[Row[Any]]]]:
    """Each wait with the changes it did not know of; the log is asked once for all that wait for the same."""
    query = select(watch).where(watch.c.known.is_not(None)).order_by(watch.c.key, watch.c.id)
    asked, changes = "", list[Row[Any]]()
    few = {"yield_per": 100}  # what each knows of can be long
    for each in connection().execute(query, execution_options=few):
        since, known = clock.first_id(LONGEST, each.id), set(each.known)
        if each.key != asked:  # its oldest wait comes first
            asked, changes = each.key, list(_changes(each.key, since))
        yield each, [row for row in changes if row.id >= since and row.id not in known]


def _changes(key: str, since: int) -> Sequence[Row[Any]]:
    form, record, event = _wanted(key)
    query = _matching(form, record, event).where(change.c.id >= since)
    found = connection().execute(query.order_by(change.c.id)).all()
    return [
        row for row in found if event != UPDATED or row.action == UPDATED or set(row.new or ()) - {"state"}
    ]


def _wanted(key: str) -> tuple[str, int | None, str]:
    """The form, the record and the event that a wait is for; of its own record any event, which has no name."""
    form, *rest = key.split(":")
    if form == OWN:
        return rest[0], int(rest[1]), ""
    record = int(rest.pop()) if rest[-1].isdecimal() else None
    return form, record, ":".join(rest)


def _matching(form: str, record: int | None, event: str) -> Select[Any]:
    """The rows of the change log that a wait is for: of its own record, of one other, or of any of a form."""
    columns = (change.c.id, change.c.record, change.c.action, change.c.new)
    query = select(*columns).where(change.c.form == form)
    if record is not None:
        query = query.where(change.c.record == record)
    if not event:
        return query
    action = change.c.action == event
    if event == UPDATED:  # values may change together with the state
        action = action | change.c.action.startswith("state:")
    return query.where(action)
