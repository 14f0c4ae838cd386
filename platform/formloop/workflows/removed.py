"""A record that is deleted ends what was still with its initiator; of one that is purged nothing stays with its
approvals but who decided what and when."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Row

from formloop import events
from formloop.bridges import notices
from formloop.db import connection
from formloop.workflows import announcing, cases, watching
from formloop.workflows.state import Note, State
from formloop.workflows.tables import case, proposal, task

ORDER = 310
MOST = 500  # records that are asked about at once


def start() -> None:
    """Listen to what is deleted and purged; doing it twice counts once."""
    events.subscribe_many(on_events, ORDER)


def on_events(changes: Sequence[events.Event]) -> None:
    """End what is open still, and for ever forget what was said."""
    gone = [event for event in changes if event.name in ("deleted", "purged")]
    for form in {event.form for event in gone}:
        mine = {event.record: event for event in gone if event.form == form}
        found = list(_list_cases(form, mine))
        for each in found:
            if each.ended_at is None:
                _end(each, mine[each.record].actor.person_id)
        if purged := [each for each in found if mine[each.record].name == "purged"]:
            _forget(purged)


def _list_cases(form: str, records: Collection[int]) -> Iterator[Row[Any]]:
    """The cases of these records, asked for together."""
    wanted = sorted(records)
    for start in range(0, len(wanted), MOST):
        part = case.c.record.in_(wanted[start : start + MOST])
        yield from connection().execute(select(case).where(case.c.form == form, part)).all()


def _end(found: Row[Any], by: int | None) -> None:
    """Nobody can submit it again, and a step that waits for its outcome goes on."""
    state = replace(State.from_json(found.state), status="withdrawn", tokens=())
    notices.forget([each.person for each in cases.list_waiting(found.id)], announcing.link_of(found.id))
    cases.cancel_open(found.id)
    cases.move(found.id, found.revision, state, ended=True)
    cases.add_notes(found.id, [Note("withdraw", person=by)], None)
    watching.tell([f"case:{found.id}"], {"case": found.id, "status": state.status})


def _forget(found: Sequence[Row[Any]]) -> None:
    """Titles, summaries, proposed values and messages."""
    conn, ids = connection(), [each.id for each in found]
    conn.execute(update(case).where(case.c.id.in_(ids)).values(title="", summary=[]))
    conn.execute(delete(proposal).where(proposal.c.case.in_(ids)))
    messages = select(task.c.id, task.c.case, task.c.person, task.c.why).where(
        task.c.case.in_(ids), task.c.kind == "message"
    )
    for each in found:
        notices.forget([each.initiator], announcing.link_of(each.id))
    for row in conn.execute(messages).all():
        notices.forget([row.person], announcing.link_of(row.case))
        why = {key: value for key, value in row.why.items() if key != "text"}
        conn.execute(update(task).where(task.c.id == row.id).values(why=why))
