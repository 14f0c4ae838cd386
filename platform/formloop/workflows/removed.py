"""A record that is deleted ends what was still with its initiator; of one that is purged nothing stays with its
approvals but who decided what and when."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.engine import Row

from formloop import events
from formloop.bridges import notices
from formloop.db import Prepared, connection
from formloop.workflows import announcing, cases, watching
from formloop.workflows.state import Note, State
from formloop.workflows.tables import case, proposal, task

ORDER = 310
_OF_RECORD = Prepared(
    select(case).where(case.c.form == bindparam("of_form"), case.c.record == bindparam("of_record"))
)  # an import that is taken back asks it for each record


def start() -> None:
    """Listen to what is deleted and purged; doing it twice counts once."""
    events.subscribe(on_event, ORDER)


def on_event(event: events.Event) -> None:
    """End what is open still, and for ever forget what was said."""
    if event.name not in ("deleted", "purged"):
        return
    found = _OF_RECORD.rows(connection(), {"of_form": event.form, "of_record": event.record}).all()
    for each in found:
        if each.ended_at is None:
            _end(each, event.actor.person_id)
    if found and event.name == "purged":
        _forget(found)


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
